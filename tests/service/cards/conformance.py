"""Our own check of CDS Hooks answers: the structure of the 2.0.1 text and the twelve invariants of the 3.0 logical models.

The invariants are those of HL7's repository for the 3.0 ballot (cds-r-1 and -2, cds-resp-1 to -7, cds-fb-1 to -3), written out again here.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

Json = dict[str, Any]

RESPONSE: dict[str, Callable[[Json], bool]] = {
    "cds-resp-1": lambda card: card.get("selectionBehavior") != "at-most-one" or sum(bool(s.get("isRecommended")) for s in card.get("suggestions", [])) <= 1,
    "cds-resp-2": lambda card: all("resourceId" in action and "resource" not in action for action in _actions(card) if action["type"] == "delete"),
    "cds-resp-3": lambda card: all("appContext" not in link for link in card.get("links", []) if link["type"] != "smart"),
    "cds-resp-4": lambda card: all(reason.get("display") for reason in card.get("overrideReasons", [])),
    "cds-resp-5": lambda card: all(action.get("description") for action in _actions(card)),
    "cds-resp-6": lambda card: not card.get("suggestions") or "selectionBehavior" in card,
    "cds-resp-7": lambda card: all(s.get("actionSelectionBehavior") in {None, "all", "any", "at-most-one"} for s in card.get("suggestions", [])),
}
REQUEST: dict[str, Callable[[Json], bool]] = {
    "cds-r-1": lambda request: "fhirAuthorization" not in request or bool(request.get("fhirServer")),
    "cds-r-2": lambda request: "Patient/" not in request.get("fhirAuthorization", {}).get("scope", "") or "patient" in request["fhirAuthorization"],
}
FEEDBACK: dict[str, Callable[[Json], bool]] = {
    "cds-fb-1": lambda one: one.get("outcome") in {"accepted", "overridden"},
    "cds-fb-2": lambda one: one.get("outcome") != "accepted" or bool(one.get("acceptedSuggestions")),
    "cds-fb-3": lambda one: "overrideReason" not in one or bool({"reason", "userComment"} & set(one["overrideReason"])),
}

_CARD = {"uuid", "summary", "detail", "indicator", "source", "suggestions", "selectionBehavior", "overrideReasons", "links"}
_PREFETCH = re.compile(r"[A-Z][A-Za-z]+(/\{\{context\.patientId\}\}|\?[^?]+)")
_PARAMETER = re.compile(r"(patient=\{\{context\.patientId\}\}|code=[^,&|]+\|[^,&]+|(category|status)=[a-z\-]+|_sort=-?[a-z\-]+|_count=\d+)")


def _actions(card: Json) -> Iterator[Json]:
    for suggestion in card.get("suggestions", []):
        yield from suggestion.get("actions", [])


def faults_of(answer: Json) -> list[str]:
    """Everything in an answer that breaks the standard."""
    found = [] if set(answer) <= {"cards", "systemActions"} and isinstance(answer.get("cards"), list) else ["cards missing, or another key"]
    found += [f"empty or null: {path}" for path in _empty(answer, "$") if path != "$.cards"]
    for place, card in enumerate(answer.get("cards", [])):
        found += [f"card {place}: {rule}" for rule, holds in RESPONSE.items() if not holds(card)]
        found += [f"card {place}: {fault}" for fault in _card_faults(card)]
    names = [card["uuid"] for card in answer.get("cards", []) if "uuid" in card]
    if len(set(names)) < len(names):
        found.append("two cards of one uuid")
    return found


def _card_faults(card: Json) -> Iterator[str]:
    if set(card) - _CARD:
        yield f"unknown keys {set(card) - _CARD}"
    if not card.get("summary", "").strip() or len(card["summary"]) >= 140:
        yield "summary empty or not under 140 characters"
    if card.get("indicator") not in {"info", "warning", "critical"}:
        yield "indicator"
    if not card.get("source", {}).get("label", "").strip():
        yield "source.label"
    if card.get("selectionBehavior") not in {None, "at-most-one", "any"}:
        yield "selectionBehavior"
    if "selectionBehavior" in card and not card.get("suggestions"):
        yield "selectionBehavior without suggestions"
    for name in (card.get("uuid"), *(suggestion.get("uuid") for suggestion in card.get("suggestions", []))):
        if name is not None:
            uuid.UUID(name)
    for action in _actions(card):
        if action["type"] in {"create", "update"} and "resourceType" not in action.get("resource", {}):
            yield f"{action['type']} without a resource"
    for link in card.get("links", []):
        if not link["url"].startswith(("https://", "http://127.0.0.1")) or link["type"] not in {"absolute", "smart"} or not link["label"].strip():
            yield "link"


def _empty(node: Any, path: str) -> Iterator[str]:
    if node is None or node in ("", [], {}):
        yield path
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, child in children:
        yield from _empty(child, f"{path}.{name}")


def discovery_faults(answer: Json) -> list[str]:
    """Everything in a discovery answer that breaks the standard, prefetch outside the recommended subset among it."""
    found = []
    for service in answer["services"]:
        found += [f"{service.get('id')}: {key}" for key in ("id", "hook", "description", "title") if not service.get(key, "").strip()]
        for key, query in service.get("prefetch", {}).items():
            if not _PREFETCH.fullmatch(query):
                found.append(f"{service['id']}: {key}: {query}")
            parameters = query.partition("?")[2]
            found += [f"{service['id']}: {key}: {one}" for one in parameters.split("&") if parameters and not _PARAMETER.fullmatch(one)]
    return found
