"""Runs the examples that were worked by hand beside indications, weight policies and products, and says where the program comes to something else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

import msgspec

from ivigil.basis.facts import Fact, Facts, Origin
from ivigil.basis.problems import BadInput, Problem
from ivigil.basis.quantity import Quantity, Span, UnitProblem, as_written
from ivigil.basis.shapes import Shaper
from ivigil.basis.strict_yaml import Lines, read_yaml
from ivigil.evidence.check import facts_from
from ivigil.evidence.doses import CourseTotal, PerDay, PerInterval, form_of
from ivigil.evidence.files import EvidenceFile, entries_of
from ivigil.evidence.library import Evidence
from ivigil.evidence.select import nearest
from ivigil.evidence.shapes import Regimen
from ivigil.evidence.touched import was_replaced
from ivigil.planning.course import round_total
from ivigil.planning.dose_form import grams_of
from ivigil.planning.indication import judging
from ivigil.planning.label_examples import LabelExample, label_mismatches, label_owners
from ivigil.planning.weight import weigh

Mismatch = str
"""What an example expects and what came of it, in words."""


class DoseExpected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The amounts of one regimen for a dosing weight before rounding, or the authorities that advise against."""

    course_total: Quantity | None = None
    per_day: Quantity | None = None
    per_interval: Quantity | None = None
    days: Span | None = None
    every: Span | None = None
    against: tuple[str, ...] | None = None


class DoseExample(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An example beside an indication: a dosing weight, a place, and a regimen, or the indication for a verdict."""

    name: str
    expect: DoseExpected
    jurisdiction: str
    weight: Quantity | None = None
    regimen: str = ""
    indication: str = ""


class WeightExpected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The dosing weight and the grams after the policy's own rounding and caps."""

    weight: Quantity
    grams: Quantity | None = None


class WeightExample(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An example beside a weight policy: a body and a dose."""

    name: str
    expect: WeightExpected
    facts: dict[str, str | bool | int | float]
    dose: Quantity | None = None
    policy: str = ""


class Placed(msgspec.Struct, frozen=True):
    """An example with its place, the name of its file, and whether a hospital's overlay brought it."""

    example: Any
    file: str
    line: int
    stem: str
    local: bool


KINDS: dict[str, type[msgspec.Struct]] = {"indications": DoseExample, "weight-policies": WeightExample, "products": LabelExample}
"""The shape of the examples in each folder below ``cases/``."""


def placed_examples(files: Iterable[EvidenceFile], problems: list[Problem], *, local: bool = False) -> Iterator[Placed]:
    """The examples of these files; those that do not shape go to ``problems``."""
    shaper = Shaper()
    for file in files:
        folder, _, name = file.name.removeprefix("cases/").partition("/")
        shape = KINDS.get(folder)
        if shape is None or not file.name.startswith("cases/"):
            continue
        try:
            document, lines = read_yaml(file.text, file.name)
        except BadInput:
            continue  # the examples of rules are read from all files, and name this one
        for at, plain in entries_of(document):
            example = _shaped(shaper, plain, shape, file.name, lines, at, problems)
            if example is not None:
                yield Placed(example, file.name, lines.get(at, 0), name.removesuffix(".yaml"), local)


def _shaped(shaper: Shaper, plain: Any, shape: type[msgspec.Struct], file: str, lines: Lines, at: tuple[str | int, ...],
            problems: list[Problem]) -> msgspec.Struct | None:
    wrong: list[Problem] = []
    example = shaper.read(plain, shape, file, lines, at, wrong)
    name = str(plain.get("name", "")) if isinstance(plain, dict) else ""
    problems.extend(msgspec.structs.replace(one, what=f"{name}: {one.what}" if name else one.what) for one in wrong)
    return example


def failing(files: Iterable[EvidenceFile], overlay: Iterable[EvidenceFile], evidence: Evidence, as_of: date) -> list[Problem]:
    """A problem for every worked example that does not come out, judged on ``as_of`` where it names no day.

    A packaged example of an entry that the overlay replaced described the packaged entry; where the two part, it is passed over.
    """
    problems: list[Problem] = []
    for placed in (*placed_examples(files, problems), *placed_examples(overlay, problems, local=True)):
        found = list(mismatches(placed, evidence, as_of))
        if found and not placed.local and any(was_replaced(evidence.local, part, name) for part, name in owners(placed, evidence)):
            continue
        problems.extend(Problem(placed.file, placed.line, placed.example.name, why, "correct the entry or the example") for why in found)
    return problems


def owners(placed: Placed, evidence: Evidence) -> Iterator[tuple[str, str]]:
    """The entries that an example shows, as part and id."""
    example = placed.example
    if isinstance(example, DoseExample):
        yield "indications", example.indication or next((one.id for one in evidence.indications.values() for regimen in one.regimens
                                                         if regimen.id == example.regimen), placed.stem)
    elif isinstance(example, WeightExample):
        yield "weight_policies", example.policy or placed.stem
    else:
        yield from (("products", name) for name in label_owners(example, placed.stem))


def mismatches(placed: Placed, evidence: Evidence, as_of: date) -> Iterator[Mismatch]:
    """What of an example does not come out."""
    example = placed.example
    try:
        if isinstance(example, DoseExample):
            yield from _dose(example, placed.stem, evidence, as_of)
        elif isinstance(example, WeightExample):
            yield from _weight(example, placed.stem, evidence, as_of)
        else:
            yield from label_mismatches(example, placed.stem, evidence, as_of)
    except UnitProblem as error:
        yield str(error)


# --- doses ------------------------------------------------------------------------------------------------------------


def _dose(example: DoseExample, stem: str, evidence: Evidence, as_of: date) -> Iterator[Mismatch]:
    if example.jurisdiction not in evidence.jurisdictions:
        yield f"no jurisdiction is called '{example.jurisdiction}'; known: {', '.join(evidence.jurisdictions)}"
        return
    if example.expect.against is not None:
        yield from _against(example, example.indication or stem, evidence, as_of)
        return
    regimen = next((one for entry in evidence.indications.values() for one in entry.regimens if one.id == example.regimen), None)
    if regimen is None:
        yield f"no regimen is called '{example.regimen}'" if example.regimen else "names no regimen; add 'regimen: <id>'"
    elif example.weight is None:
        yield "gives no weight; add 'weight: 70 kg'"
    elif regimen.jurisdiction not in {*evidence.places(example.jurisdiction), "international", ""}:
        yield f"{regimen.id} holds in {regimen.jurisdiction}, not in {example.jurisdiction}"
    else:
        yield from _amounts(example.expect, regimen, example.weight.in_unit("kg"))


def _against(example: DoseExample, name: str, evidence: Evidence, as_of: date) -> Iterator[Mismatch]:
    """The authorities that decide must all be named; international ones that agree may be."""
    indication = evidence.indications.get(name)
    if indication is None:
        yield f"no indication is called '{name}'"
        return
    deciding = judging(indication, evidence, example.jurisdiction, as_of)
    known = nearest(indication.standing, evidence.places(example.jurisdiction), as_of)
    must, may = ({row.authority for row in rows if row.verdict == "against"} for rows in (deciding, (*deciding, *known)))
    expected = set(example.expect.against or ())
    if any(row.verdict != "against" for row in deciding):
        yield f"expected a plan that stops; {', '.join(row.authority for row in deciding if row.verdict != 'against')} does not advise against it"
    elif not must <= expected <= may:
        yield f"expected {', '.join(sorted(expected)) or 'nobody'} against it, came to {', '.join(sorted(may)) or 'nobody'}"


def _amounts(expect: DoseExpected, regimen: Regimen, kg: float) -> Iterator[Mismatch]:
    """Every amount that is expected, against the form the regimen prints; a form it does not print is a mismatch of its own."""
    form, worked = form_of(regimen), regimen.dose.worked_at
    if form is None or (worked is None and not form.amount.single):
        yield f"{regimen.id} prints a range without a value it is worked at; a plan asks, so there is nothing to expect"
        return
    each = grams_of(worked.value, worked.unit, kg) if worked is not None else grams_of(form.amount.low, form.amount.unit, kg)
    most = regimen.cap.in_unit("g") if regimen.cap is not None else None
    days = None if isinstance(form, PerInterval) else form.days
    came: dict[str, float | None] = {"course_total": None, "per_day": None, "per_interval": None}
    if isinstance(form, PerInterval):
        came["per_interval"] = _capped(each, most)
    elif isinstance(form, PerDay):
        came["course_total"] = _capped(each * form.days.low, most) if form.days.single else None
        came["per_day"] = each
    elif isinstance(form, CourseTotal):
        came["course_total"] = _capped(each, most)
        came["per_day"] = _capped(each, most) / form.days.low if form.days.single else None
    for key, value in came.items():
        expected: Quantity | None = getattr(expect, key)
        if expected is not None and (value is None or not as_written(Quantity(value, "g").in_unit(expected.unit), expected.value)):
            yield f"expected {key} {expected}, came to {Quantity(value, 'g') if value is not None else 'none: the regimen prints another form'}"
    spans: tuple[tuple[str, Span | None, Span | None], ...] = (("days", expect.days, days), ("every", expect.every, form.every))
    for key, wanted, span in spans:
        if wanted is not None and wanted != span:
            yield f"expected {key} {wanted}, came to {span if span is not None else 'none'}"


def _capped(grams: float, most: float | None) -> float:
    return grams if most is None else min(grams, most)


# --- weights ----------------------------------------------------------------------------------------------------------


def _weight(example: WeightExample, stem: str, evidence: Evidence, as_of: date) -> Iterator[Mismatch]:
    policy = evidence.weight_policies.get(example.policy or stem)
    if policy is None:
        yield f"no weight policy is called '{example.policy or stem}'"
        return
    try:
        facts = facts_from(example.facts, evidence.facts)
    except ValueError as error:
        yield str(error)
        return
    weight, height = facts.number("weight", "kg"), facts.number("height", "m")
    if weight and height and "bmi" not in facts:
        facts = facts.having([Fact("bmi", Quantity(weight / (height * height), "kg/m2"), Origin("case"))])
    kg = weigh(policy, evidence, Facts(facts.by_id.values()), as_of).kg
    if kg is None or not as_written(kg, example.expect.weight.in_unit("kg")):
        yield f"expected {example.expect.weight}, came to {Quantity(kg, 'kg') if kg is not None else 'no weight'}"
        return
    if example.dose is None or example.expect.grams is None:
        return
    grams = _capped(grams_of(example.dose.value, example.dose.unit, kg), policy.dose_cap.in_unit("g") if policy.dose_cap is not None else None)
    rounding = evidence.rounding.get(policy.rounding)
    if rounding is not None and rounding.applies == "course_total" and rounding.how != "within":
        grams = round_total(rounding, grams)
    if not as_written(grams, example.expect.grams.in_unit("g")):
        yield f"expected {example.expect.grams}, came to {Quantity(grams, 'g')}"
