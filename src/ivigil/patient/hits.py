"""What single entries of the lists (conditions, medicines, allergies) say about facts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import msgspec

from ivigil.basis.facts import Origin
from ivigil.patient.mentions import Index, Mention
from ivigil.patient.record import Allergy, Condition, Medicine

_ALLERGIC = ("anaphyla", "allerg", "hypersens", "react")


class Hit(msgspec.Struct, frozen=True):
    """One entry of the record that speaks of a fact."""

    says: Mention
    origin: Origin
    since: date | None = None
    dated: bool = False
    phrase: str = ""


def condition_hits(condition: Condition, index: Index, as_of: date) -> Iterator[tuple[str, Hit]]:
    """Every fact that a condition speaks of, by its codes and by the words a person wrote."""
    if condition.verified in {"refuted", "entered-in-error"} or (condition.since is not None and condition.since > as_of):
        return
    over = condition.status == "resolved" and (condition.until is None or condition.until <= as_of)
    status: Mention = "unsure" if condition.verified == "differential" else "past" if over else "yes"
    on = condition.since
    for fact, code in index.coded(condition.codes).items():
        definition = index.register[fact]
        if definition.kind == "yes_no" and definition.source in {"conditions", "derived", "results", "history", "allergies", "medicines"}:
            shown = f"{code.display or condition.name or 'condition'} ({code.code})"
            yield fact, Hit(status, Origin(condition.origin or shown, on, _provisional(condition, shown)), on, on is not None)
    for fact, phrase, says in index.mentioned(condition.name):
        definition = index.register[fact]
        if definition.kind != "yes_no" or definition.source in {"medicines", "product", "order", "body"} or fact.startswith("ig."):
            continue
        if definition.source == "allergies" and not any(stem in phrase for stem in _ALLERGIC):
            continue
        joined: Mention = says if says in {"no", "unsure"} or status == "yes" else status
        yield fact, Hit(joined, Origin(condition.origin or "conditions", on, _provisional(condition, f"'{condition.name}'")), on, on is not None, phrase)


def medicine_hits(medicine: Medicine, index: Index, as_of: date) -> Iterator[tuple[str, Hit]]:
    """Every fact that a medicine in use or planned speaks of."""
    if (medicine.since is not None and medicine.since > as_of and medicine.status != "planned") or (
            medicine.until is not None and medicine.until < as_of):
        return
    status: Mention = "past" if medicine.status == "stopped" else "yes"
    origin = Origin(medicine.origin or "medicines", medicine.since, medicine.label)
    wanted = {"medicines", "order", "history"} if medicine.status == "planned" else {"medicines", "history"}
    coded = index.coded(medicine.codes)
    for fact in coded:
        if index.register[fact].source in wanted and index.register[fact].kind == "yes_no":
            yield fact, Hit(status, origin)
    # Drug codes name single packs by the ten thousand; where a register entry holds no pack code, the ingredient in the name must do.
    text = medicine.name or next((code.display for code in medicine.codes if code.display), "")
    for fact, _, says in index.mentioned(text):
        definition = index.register[fact]
        if fact not in coded and definition.kind == "yes_no" and definition.source in wanted and not fact.startswith("ig."):
            yield fact, Hit(says if says != "yes" else status, origin)


def allergy_hits(allergy: Allergy, index: Index) -> Iterator[tuple[str, Hit]]:
    """Every fact that an allergy speaks of; a grave one to immunoglobulin also counts as anaphylaxis to it."""
    status: Mention = "past" if allergy.status == "resolved" else "yes"
    origin = Origin(allergy.origin or "allergies", None, allergy.label + (f": {allergy.reaction}" if allergy.reaction else ""))
    seen: set[str] = set()
    for fact in index.coded(allergy.codes):
        if index.register[fact].source == "allergies":
            seen.add(fact)
            yield fact, Hit(status, origin)
    for fact, _, says in (*index.mentioned(allergy.substance), *index.mentioned(f"{allergy.reaction} to {allergy.substance}")):
        if index.register[fact].source == "allergies" and fact not in seen:
            seen.add(fact)
            yield fact, Hit(says if says != "yes" else status, origin)
    grave = "anaphyla" in allergy.reaction.casefold() or allergy.severity == "severe"
    if "has.past_ig_hypersensitivity" in seen and grave and "has.past_ig_anaphylaxis" in index.register and "has.past_ig_anaphylaxis" not in seen:
        yield "has.past_ig_anaphylaxis", Hit("past" if status == "past" else "yes", origin)


def _provisional(condition: Condition, how: str) -> str:
    return f"{how}, provisional" if condition.verified == "provisional" else how
