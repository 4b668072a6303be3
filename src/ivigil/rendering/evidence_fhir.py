"""The evidence as one FHIR R4 Bundle: a Library, an ActivityDefinition for each regimen, a PlanDefinition for each rule and each indication.

Nothing is worked out. Where R4 has no place for what an authority prints (a total that may be divided over 2-5 days), the words carry it.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from ivigil.basis.facts import Codes
from ivigil.basis.quantity import Quantity, Span
from ivigil.evidence.conditions import Condition, written
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import Act, Indication, Regimen, RegimenDose, SafetyRule
from ivigil.rendering.evidence_export import ABOUT
from ivigil.rendering.json import TO_UCUM

Resource = dict[str, Any]

BASE = "urn:ivigil:evidence"
LANGUAGE = "text/ivigil"
"""The language of the conditions, as docs/evidence-format.md describes it."""
_UCUM = "http://unitsofmeasure.org"
_TERMS = "http://terminology.hl7.org/CodeSystem"
_ICD10, _ICD10_CM, _SNOMED = "http://hl7.org/fhir/sid/icd-10", "http://hl7.org/fhir/sid/icd-10-cm", "http://snomed.info/sct"
_ICD10_LENGTH = 4
"""Codes with more characters than these, the dot left out, are taken from the clinical modification."""
_PERIODS = {"h": "h", "day": "d", "week": "wk", "month": "mo", "year": "a"}
_LONGEST_ID = 64


def evidence_fhir(evidence: Evidence) -> str:
    """The Bundle as indented JSON; the same evidence gives the same bytes."""
    definitions: list[Resource] = []
    for indication in evidence.indications.values():
        activities = [_activity(regimen, indication, evidence) for regimen in indication.regimens]
        definitions += [*activities, _protocol(indication, activities, evidence)]
    definitions += [_rule(rule, evidence) for rule in evidence.every_rule.values()]
    resources = [_library(definitions, evidence), *definitions]
    bundle = {
        "resourceType": "Bundle",
        "identifier": {"system": BASE, "value": evidence.version},
        "type": "collection",
        "entry": [{"fullUrl": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, resource['url'])}", "resource": resource} for resource in resources],
    }
    return msgspec.json.format(msgspec.json.encode(_pruned(bundle)), indent=2).decode() + "\n"


def _library(definitions: list[Resource], evidence: Evidence) -> Resource:
    return {
        **_head("Library", "evidence", "Evidence of ivigil on immunoglobulin therapy", evidence, evidence.statements),
        "type": {"coding": [{"system": f"{_TERMS}/library-type", "code": "asset-collection"}]},
        "description": ABOUT,
        "relatedArtifact": [{"type": "composed-of", "resource": _canonical(resource)} for resource in definitions],
    }


def _activity(regimen: Regimen, indication: Indication, evidence: Evidence) -> Resource:
    """What one authority gives, to whom, in one edition and place."""
    words = [
        regimen.say, regimen.repeat,
        f"Only with {', '.join(regimen.products)}." if regimen.products else "",
        f"At most {regimen.cap} for a course." if regimen.cap is not None else "",
        f"Over {regimen.hours}." if regimen.hours is not None else "",
        f"Together with {regimen.companion}." if regimen.companion else "",
        f"For: {written(regimen.when, evidence.labels)}." if regimen.when is not None else "",
    ]
    edition = f", {regimen.edition}" if regimen.edition else ""
    title = f"{indication.name.clinical}: {evidence.authority(regimen)}{edition}, {regimen.phase}"
    return {
        **_head("ActivityDefinition", regimen.id, title, evidence, regimen.cites),
        "description": _with_basis(" ".join(word for word in words if word), regimen.cites, evidence),
        "useContext": [_focus(indication)],
        "jurisdiction": _place([regimen.jurisdiction], evidence),
        "effectivePeriod": {"start": regimen.valid.start, "end": regimen.valid.end},
        "relatedArtifact": _citations(regimen.cites, evidence),
        "library": [f"{BASE}:Library:evidence|{evidence.version}"],
        "kind": "MedicationRequest",
        "intent": "proposal",
        "productCodeableConcept": {"text": "Human normal immunoglobulin"},
        "dosage": [_dosage(regimen)],
    }


def _dosage(regimen: Regimen) -> Resource:
    """The dose in words, and in numbers where each administration has a dose of its own."""
    dose = regimen.dose
    days = dose.over_days if dose.over_days is not None else dose.days
    each = dose.per_day or dose.per_interval or (dose.course_total if days is not None and days.low == days.high == 1 else None)
    return {
        "text": dose_words(dose),
        "timing": {"repeat": _repeat(dose, days)},
        "route": {"text": regimen.route.replace("-", " ")},
        "doseAndRate": [_amount(each)] if each is not None else [],
        "maxDosePerAdministration": _quantity(regimen.cap) if regimen.cap is not None and each is not None and dose.course_total is not None else None,
    }


def dose_words(dose: RegimenDose) -> str:
    """The dose as its form reads; a total, a daily dose and a dose per interval never sound alike."""
    if dose.course_total is not None:
        text = f"{dose.course_total} of dosing weight in total for the course"
        text += f", over {_days(dose.over_days)}" if dose.over_days is not None else ""
        return f"{text}, repeated every {dose.every}" if dose.every is not None else text
    if dose.per_day is not None:
        text = f"{dose.per_day} of dosing weight on each day"
        text += f", for {_days(dose.days)}" if dose.days is not None else ""
        return f"{text}, repeated every {dose.every}" if dose.every is not None else text
    text = f"{dose.per_interval} of dosing weight"
    return f"{text} every {dose.every}" if dose.every is not None else text


def _days(days: Span) -> str:
    return f"{Span(days.low, days.high)} {'day' if days.high == 1 else 'days'}"


def _repeat(dose: RegimenDose, days: Span | None) -> Resource:
    """Days as a count of daily doses, an interval as a period. A course of several days that comes back has no place in one timing; the words say it."""
    if dose.every is not None and (dose.per_interval is not None or (days is not None and days.high == 1)):
        unit = _PERIODS.get(dose.every.unit)
        if unit is None:
            return {}
        repeat: Resource = {"frequency": 1, "period": _plain_number(dose.every.low), "periodUnit": unit}
        return {**repeat, "periodMax": _plain_number(dose.every.high)} if not dose.every.single else repeat
    if days is None or not (float(days.low).is_integer() and float(days.high).is_integer()):
        return {}
    repeat = {"count": int(days.low)}
    if not days.single:
        repeat["countMax"] = int(days.high)
    return {**repeat, "frequency": 1, "period": 1, "periodUnit": "d"}


def _amount(amount: Span) -> Resource:
    if amount.single:
        return {"doseQuantity": _quantity(Quantity(amount.low, amount.unit))}
    return {"doseRange": {"low": _quantity(Quantity(amount.low, amount.unit)), "high": _quantity(Quantity(amount.high, amount.unit))}}


def _quantity(quantity: Quantity) -> Resource:
    return {"value": _plain_number(quantity.value), "unit": quantity.unit, "system": _UCUM, "code": TO_UCUM[quantity.unit]}


def _plain_number(value: float) -> float | int:
    return int(value) if value.is_integer() else value


def _protocol(indication: Indication, activities: list[Resource], evidence: Evidence) -> Resource:
    """An indication: its regimens as choices, in the order in which they are preferred within a place."""
    cites = tuple(dict.fromkeys(cite for entry in (*indication.standing, *indication.regimens) for cite in entry.cites))
    standing = [f"{evidence.authority(entry)} ({entry.jurisdiction}): {', '.join(part for part in (entry.verdict, entry.tier) if part)}."
                for entry in indication.standing]
    gaps = [f"Not read: {'; '.join(indication.not_read)}."] if indication.not_read else []
    return {
        **_head("PlanDefinition", f"indication-{indication.id}", indication.name.clinical, evidence, cites),
        "type": {"coding": [{"system": f"{_TERMS}/plan-definition-type", "code": "clinical-protocol"}]},
        "description": " ".join([*standing, *gaps]) or indication.name.clinical,
        "useContext": [_focus(indication)],
        "relatedArtifact": _citations(cites, evidence),
        "library": [f"{BASE}:Library:evidence|{evidence.version}"],
        "action": [
            {
                "title": activity["title"],
                "textEquivalent": activity["dosage"][0]["text"],
                "condition": _applies(regimen.when),
                "definitionCanonical": _canonical(activity),
            } for regimen, activity in zip(indication.regimens, activities, strict=True)
        ],
    }


def _rule(rule: SafetyRule, evidence: Evidence) -> Resource:
    """A safety rule or interaction: when it holds, what is said, and what follows."""
    return {
        **_head("PlanDefinition", f"rule-{rule.id}", rule.about, evidence, rule.cites),
        "type": {"coding": [{"system": f"{_TERMS}/plan-definition-type", "code": "eca-rule"}]},
        "description": _with_basis(f"Severity: {rule.severity}. Holds when: {written(rule.when, evidence.labels)}.", rule.cites, evidence),
        "jurisdiction": _place(rule.jurisdictions, evidence),
        "effectivePeriod": {"start": rule.valid.start, "end": rule.valid.end},
        "relatedArtifact": _citations(rule.cites, evidence),
        "library": [f"{BASE}:Library:evidence|{evidence.version}"],
        "action": [{
            "title": rule.about,
            "textEquivalent": rule.say,
            "condition": _applies(rule.when),
            "documentation": _citations(rule.cites, evidence),
            "action": [{"title": act.act, "textEquivalent": _act_words(act), "condition": _applies(act.condition)} for act in rule.then],
        }],
    }


def _act_words(act: Act) -> str:
    """What an act asks for, as its keys are written."""
    keys = ((field.encode_name, getattr(act, field.name)) for field in msgspec.structs.fields(Act) if field.name not in {"act", "condition"})
    return ", ".join([act.act, *(f"{key}: {value}" for key, value in keys if value)])


def _applies(condition: Condition | None) -> list[Resource]:
    if condition is None:
        return []
    return [{"kind": "applicability", "expression": {"language": LANGUAGE, "expression": written(condition)}}]


def _head(kind: str, name: str, title: str, evidence: Evidence, cites: Iterable[str]) -> Resource:
    """What every definition begins with. It is active only when two people have approved every statement under it."""
    states = {evidence.review_states.get(cite, "submitted") for cite in cites}
    return {
        "resourceType": kind,
        "id": _id(name),
        "url": f"{BASE}:{kind}:{name}",
        "version": evidence.version,
        "name": _computer_name(name),
        "title": title,
        "status": "active" if states == {"approved"} else "draft",
    }


def _canonical(resource: Resource) -> str:
    return f"{resource['url']}|{resource['version']}"


def _id(name: str) -> str:
    """Letters, digits, dots and hyphens, at most 64 of them; a longer name ends in a hash of itself."""
    plain = re.sub(r"[^A-Za-z0-9.-]", "-", name)
    if len(plain) <= _LONGEST_ID and plain == name:
        return plain
    mark = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{plain[:_LONGEST_ID - len(mark) - 1]}-{mark}"


def _computer_name(name: str) -> str:
    words = "".join(word[:1].upper() + word[1:] for word in re.split(r"[^A-Za-z0-9]+", name) if word)
    return f"Ivigil{words}"[:255]


def _focus(indication: Indication) -> Resource:
    return {"code": {"system": f"{_TERMS}/usage-context-type", "code": "focus"},
            "valueCodeableConcept": {"coding": list(_codings(indication.codes)), "text": indication.name.clinical}}


def _codings(codes: Codes) -> Iterator[Resource]:
    yield from ({"system": _ICD10 if len(code.replace(".", "")) <= _ICD10_LENGTH else _ICD10_CM, "code": code} for code in codes.icd10)
    yield from ({"system": _SNOMED, "code": code} for code in codes.snomed)


def _place(places: Iterable[str], evidence: Evidence) -> list[Resource]:
    names = {place: entry.name for place, entry in evidence.jurisdictions.items()}
    return [{"coding": [{"system": f"{BASE}:jurisdiction", "code": place}], "text": names.get(place, place)} for place in places if place]


def _citations(cites: Iterable[str], evidence: Evidence) -> list[Resource]:
    """One citation for each source in which a cited statement was read; what is only remembered has none."""
    places: dict[str, dict[str, None]] = {}
    for cite in cites:
        if cite in evidence.read_sources:
            source, read = evidence.read_sources[cite]
            where = evidence.statements[cite].where
            places.setdefault(source, {})[f"{where} ({read})" if where else f"({read})"] = None
    return [_citation(source, tuple(where), evidence) for source, where in places.items()]


def _citation(source_id: str, places: tuple[str, ...], evidence: Evidence) -> Resource:
    source = evidence.sources[source_id]
    text = ", ".join(part for part in (source.title, source.publisher, source.year) if part)
    return {
        "type": "citation",
        "label": source_id,
        "display": source.title,
        "citation": f"{text}. {'; '.join(places)}{f'. Found at: {source.where}' if source.where else ''}",
        "url": source.where if re.fullmatch(r"https?://\S+", source.where) else None,
    }


def _with_basis(text: str, cites: Iterable[str], evidence: Evidence) -> str:
    basis = ", ".join(f"{cite} ({evidence.statements[cite].read})" for cite in cites if cite in evidence.statements)
    return f"{text} Rests on: {basis}.".strip()


def _pruned(node: Any) -> Any:
    """The tree without empty texts, lists and objects, which FHIR does not allow."""
    if isinstance(node, dict):
        kept = {key: _pruned(value) for key, value in node.items()}
        return {key: value for key, value in kept.items() if value is not None and value != "" and value != [] and value != {}}
    if isinstance(node, list):
        return [value for value in map(_pruned, node) if value is not None and value != "" and value != [] and value != {}]
    return node
