"""The unit firewall: slips of 10, 60, 100 or 1000 times are refused or asked about, never computed through.

Pure checks on a record. A problem refuses the record; a doubt asks ("did you mean 69.9 kg?") and leaves the decision to a person.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta

import msgspec

from ivigil.basis.dates import years_between
from ivigil.basis.facts import FactDefinition, Facts
from ivigil.basis.problems import Problem
from ivigil.basis.quantity import Quantity, Span
from ivigil.patient.body import BMI_BELIEVABLE, age_on, latest, plausible, span_by_age
from ivigil.patient.facts import gathered
from ivigil.patient.mentions import index_of
from ivigil.patient.record import Measurement, Order, Record
from ivigil.patient.slips import meant, meant_result, per_kg_hour, question, readings, shown
from ivigil.patient.values import in_register_unit

# Guards of plausibility, not of treatment; evidence decides treatment. The course limit is the one of evidence/dose-limits (course-plausible);
# the bounds of the body stand in body.py. The others are ivigil's own wide bounds: no label dose or rate falls outside, a slip of ten times does.
BMI_ASK_POUNDS_ADULT = 45.0
BMI_ASK_POUNDS_CHILD = 30.0
BMI_USUAL = Span(14, 38, "kg/m2")
COURSE_LIMIT = Quantity(2.2, "g/kg")
COURSE_LEAST = Quantity(0.02, "g/kg")
COURSE_USUAL = Quantity(0.1, "g/kg")
RATE_MOST = Quantity(10.0, "mL/kg/h")
RATE_LEAST = Quantity(0.2, "mL/kg/h")
JUMP = 1.8
JUMP_WINDOW = timedelta(days=365)
LONGEST_COURSE_DAYS = 31

_LINE = re.compile(r"\(line (\d+)\)$")


class Doubt(msgspec.Struct, frozen=True, omit_defaults=True):
    """A question about a value that may be a slip: ``meant`` is what was probably meant, ``confirm`` the answer key that settles it."""

    about: str
    ask: str
    why: str
    origin: str = ""
    meant: Quantity | None = None
    confirm: str = ""


class Findings(msgspec.Struct, frozen=True):
    """What the firewall found: ``problems`` refuse the record, ``doubts`` are asked."""

    problems: tuple[Problem, ...] = ()
    doubts: tuple[Doubt, ...] = ()


def check(record: Record, register: Mapping[str, FactDefinition], as_of: date, course_limit: Quantity = COURSE_LIMIT) -> Findings:
    """Every slip, impossible date and contradiction in a record.

    ``course_limit`` is the largest believable course in g/kg of actual weight. A doubt with a ``confirm`` key is not raised again when the
    record answers that key with yes. A record read from FHIR is asked about where a written one is refused, since nobody can edit it here.
    """
    return examined(record, register, as_of, course_limit)[0]


def examined(record: Record, register: Mapping[str, FactDefinition], as_of: date, course_limit: Quantity = COURSE_LIMIT) -> tuple[Findings, Facts]:
    """What :func:`check` finds, and the facts of the record as it stands: good to plan with when there is neither problem nor doubt."""
    checker = _Checker(record, register, as_of, course_limit)
    checker.run()
    facts, contradictions = gathered(record, register, as_of, checker.used)
    return Findings((*checker.problems, *contradictions), tuple(checker.doubts)), facts


def ahead(day: date, as_of: date) -> tuple[str, str]:
    """What is said of a day that has not come yet, and what to do."""
    return f"the date {day} lies after {as_of}", "correct the date, or plan with a later as-of date"


def refused(record: Record, what: str, why: str, remedy: str, origin: str = "") -> Problem:
    """A problem of a record, on the line that the origin of the part names."""
    match = _LINE.search(origin)
    return Problem(record.place or record.id, int(match[1]) if match else 0, what, why, remedy)


class _Checker:
    """One pass over one record."""

    def __init__(self, record: Record, register: Mapping[str, FactDefinition], as_of: date, course_limit: Quantity) -> None:
        self.record, self.register, self.as_of, self.course_limit = record, register, as_of, course_limit
        self.problems: list[Problem] = []
        self.doubts: list[Doubt] = []
        self.used: dict[str, Measurement | None] = {}

    def run(self) -> None:
        self.dates()
        if not self.record.weights and not self.record.fhir:
            self.refuse("weight", "missing; no dose and no rate is worked out without it",
                        "add it with its unit and date: 'weight: {value: 70 kg, on: 2026-11-18}'")
        weight = self.body("weight", self.record.weights)
        height = self.body("height", self.record.heights)
        self.size(weight, height)
        self.results()
        self.dose(weight)
        self.rates(weight)
        self.notes()

    # --- saying -------------------------------------------------------------------------------------------------------

    def refuse(self, what: str, why: str, remedy: str, origin: str = "") -> None:
        self.problems.append(refused(self.record, what, why, remedy, origin))

    def ask(self, about: str, ask: str, why: str, origin: str = "", suggestion: Quantity | None = None, confirm: str = "") -> None:
        if confirm and self.record.answers.get(confirm) == "yes":
            return
        self.doubts.append(Doubt(about, ask, why, origin, suggestion, confirm))

    def refuse_or_ask(self, what: str, why: str, suggestion: Quantity | None, origin: str) -> None:
        asked = question(suggestion)
        if self.record.fhir:
            self.ask(what, asked or f"What is the right value of {what}?", f"{why}; it was not used", origin, suggestion)
        else:
            self.refuse(what, why, asked or "check the number and its unit", origin)

    # --- dates --------------------------------------------------------------------------------------------------------

    def dates(self) -> None:
        record = self.record
        born = record.born
        if born is not None and born > self.as_of:
            self.refuse("born", f"the birth date {born} lies after {self.as_of}", "correct the birth date", record.origins.get("born", ""))
            born = None
        if born is not None and record.age is not None and abs(years_between(born, self.as_of) - record.age.in_unit("year")) > 1:
            self.refuse("age", f"the age {record.age} does not fit the birth date {born}", "keep one of the two", record.origins.get("age", ""))
        if record.died is not None and born is not None and record.died < born:
            self.refuse("died", f"the day of death {record.died} lies before birth", "correct one of the dates", record.origins.get("died", ""))
        if record.fhir:
            # Records of an earlier as-of day hold later entries, which are not read; generated ones also hold prenatal dates.
            return
        for what, day, origin in self.dated():
            if day > self.as_of:
                self.refuse(what, *ahead(day, self.as_of), origin)
            elif born is not None and day < born:
                self.refuse(what, f"the date {day} lies before birth ({born})", "correct the date", origin)
        pairs = [(item.label or "condition", item.since, item.until, item.origin) for item in record.conditions]
        pairs += [(item.label or "medicine", item.since, item.until, item.origin) for item in record.medicines]
        for name, since, until, origin in pairs:
            if since is not None and until is not None and until < since:
                self.refuse(name, f"it ends ({until}) before it begins ({since})", "correct one of the dates", origin)
        if record.pregnancy is not None and record.pregnancy.due is not None and abs((record.pregnancy.due - self.as_of).days) > _PREGNANCY_DAYS:
            self.refuse("pregnancy.due", f"the due date {record.pregnancy.due} is too far from {self.as_of}", "correct the date", record.pregnancy.origin)

    def dated(self) -> Iterator[tuple[str, date, str]]:
        record = self.record
        for name, measured in (("weight", record.weights), ("height", record.heights)):
            yield from ((name, item.on, item.origin) for item in measured if item.on is not None)
        yield from ((item.test, item.on, item.origin) for item in record.results if item.on is not None)
        yield from (("infusions", item.on, item.origin) for item in record.infusions)
        for condition in record.conditions:
            if condition.since is not None:
                yield condition.label or "condition", condition.since, condition.origin
        for what, day in (("problem_list_reviewed", record.conditions_reviewed), ("medicines_reviewed", record.medicines_reviewed),
                          ("allergies_reviewed", record.allergies_reviewed), ("measles_exposure", record.measles_exposure),
                          ("varicella_exposure", record.varicella_exposure)):
            if day is not None:
                yield what, day, ""

    # --- the body -----------------------------------------------------------------------------------------------------

    def body(self, fact: str, items: tuple[Measurement, ...]) -> Measurement | None:
        """The measurement in use, after telling about the ones that cannot be right."""
        definition = self.register.get(fact)
        chosen = latest(items, definition, self.as_of, self.record)
        early = [item for item in items if not self.record.fhir and item.on is not None and item.on > self.as_of]
        # A date that lies ahead is told by itself; it must not hide that the value cannot be right either.
        for item in (*chosen.implausible, *(item for item in early if definition is not None and not plausible(item.value, definition.plausible))):
            on = item.on or self.as_of
            span = span_by_age(self.record, fact, on) or (definition.plausible if definition is not None else None)
            age = age_on(self.record, on)
            why = f"{item.value} is not a believable {fact}" + (f" at the age of {age}" if age is not None else "")
            usual = self.usual(fact)
            suggestion = (meant(item.value, usual) if usual else None) or (meant(item.value, span) if span else None)
            self.refuse_or_ask(fact, why, suggestion, item.origin)
        used = self.used[fact] = chosen.measurement
        if used is not None and fact == "weight":
            self.jump(used, items)
        return used

    def usual(self, fact: str) -> Span | None:
        """The range of one body measure that goes with the other one, where that is known: the best guide to what was meant."""
        other = "height" if fact == "weight" else "weight"
        items = self.record.heights if fact == "weight" else self.record.weights
        known = latest(items, self.register.get(other), self.as_of, self.record).measurement
        if known is None:
            return None
        if fact == "weight":
            square = known.value.in_unit("m") ** 2
            return Span(BMI_USUAL.low * square, BMI_USUAL.high * square, "kg")
        kg = known.value.in_unit("kg")
        return Span(100 * math.sqrt(kg / BMI_USUAL.high), 100 * math.sqrt(kg / BMI_USUAL.low), "cm")

    def jump(self, item: Measurement, items: Iterable[Measurement]) -> None:
        """A weight that doubles or halves against the one before it, within a year, in somebody who no longer grows."""
        age = age_on(self.record, self.as_of)
        if item.on is None or (age is not None and age.in_unit("year") < 16):
            return
        earlier = [other for other in items if other.on is not None and other.on < item.on and item.on - other.on <= JUMP_WINDOW and other.value.value > 0]
        if not earlier:
            return
        before = max(earlier, key=lambda other: other.on or date.min)
        ratio = item.value.canonical / before.value.canonical
        if ratio > JUMP or ratio < 1 / JUMP:
            near = Span(before.value.in_unit("kg") * 0.85, before.value.in_unit("kg") * 1.15, "kg")
            suggestion = meant(item.value, near)
            self.ask("weight", question(suggestion) or "Is the weight right?", f"{item.value} on {item.on} against {before.value} on {before.on}", item.origin,
                     suggestion, "confirm.weight")

    def size(self, weight: Measurement | None, height: Measurement | None) -> None:
        """Weight against height: a body mass index that nobody has, or one that pounds or inches would explain."""
        if weight is None or height is None:
            return
        kg, metres = weight.value.in_unit("kg"), height.value.in_unit("m")
        index = kg / (metres * metres)
        age = age_on(self.record, self.as_of)
        child = age is not None and age.in_unit("year") < 10
        if not BMI_BELIEVABLE.holds(index):
            lighter_or_heavier, shorter_or_taller = self.usual("weight"), self.usual("height")
            fixed = meant(weight.value, lighter_or_heavier) if lighter_or_heavier else None
            taller = meant(height.value, shorter_or_taller) if shorter_or_taller else None
            suggestion = taller if taller is not None and taller.unit != height.value.unit else fixed or taller
            what = "height" if suggestion is taller and taller is not None else "weight"
            self.refuse_or_ask(what, f"{weight.value} at {height.value} gives a body mass index of {index:.1f} kg/m2, outside {BMI_BELIEVABLE}", suggestion,
                               height.origin if what == "height" else weight.origin)
            return
        limit = BMI_ASK_POUNDS_CHILD if child else BMI_ASK_POUNDS_ADULT
        in_pounds = Quantity(weight.value.value, "lb")
        lighter = in_pounds.in_unit("kg") / (metres * metres)
        if index > limit and weight.value.unit == "kg" and BMI_USUAL.holds(lighter) and not self.known_obese():
            self.ask("weight", f"did you mean {in_pounds} = {in_pounds.to('kg')}?",
                     f"{weight.value} at {height.value} gives a body mass index of {index:.1f} kg/m2", weight.origin, in_pounds.to("kg"), "confirm.weight")

    def known_obese(self) -> bool:
        index = index_of(self.register)
        return self.record.answers.get("has.obesity") == "yes" or any(
            "has.obesity" in index.coded(item.codes) or any(fact == "has.obesity" and says == "yes" for fact, _, says in index.mentioned(item.name))
            for item in self.record.conditions if item.status == "active")

    # --- results ------------------------------------------------------------------------------------------------------

    def results(self) -> None:
        newest: dict[str, date] = {}
        bad = []
        for item in self.record.results:
            definition = self.register.get(item.test)
            if definition is None or item.value is None or definition.plausible is None:
                continue
            if self.record.fhir and item.on is not None and item.on > self.as_of:
                continue
            value = in_register_unit(item.value, definition)
            if value is None or not plausible(value, definition.plausible):
                bad.append((item, definition))
            else:
                newest[item.test] = max(newest.get(item.test, date.min), item.on or self.as_of)
        for item, definition in bad:
            if self.record.fhir and newest.get(item.test, date.min) >= (item.on or self.as_of):
                continue
            assert item.value is not None
            suggestion = meant_result(item.value, definition)
            self.refuse_or_ask(item.test, f"{item.value} is not a believable {definition.label} (plausible: {definition.plausible})", suggestion, item.origin)

    # --- dose and rates -----------------------------------------------------------------------------------------------

    def dose(self, weight: Measurement | None) -> None:
        order = self.record.order
        if order.dose is None:
            return
        if order.days is not None and order.days > LONGEST_COURSE_DAYS:
            self.refuse("order.days", f"a course of {order.days} days is not believable", "write the days of one course; 'every' says how often it repeats",
                        order.origin)
        per_kg = self.per_kg(order.dose, weight)
        limit = self.course_limit.in_unit("g/kg")
        days = order.days or 1
        if per_kg is None:
            return
        course = per_kg * (days if order.each == "day" else 1)
        if course > limit * (1 + 1e-9):
            self.too_much(order, per_kg, course, limit, days)
        elif course < COURSE_LEAST.in_unit("g/kg"):
            suggestion = Quantity(order.dose.value, {"mg": "g", "mg/kg": "g/kg"}[order.dose.unit]) if order.dose.unit in {"mg", "mg/kg"} else None
            usable = suggestion if suggestion is not None and (self.per_kg(suggestion, weight) or 0) <= limit else None
            self.refuse_or_ask("order.dose", f"{order.dose} comes to {shown(course)} g/kg, far below any immunoglobulin course", usable, order.origin)
        elif order.each == "" and days > 1 and per_kg * days > limit:
            self.refuse("order.each", f"{order.dose} over {days} days may be the whole course or one day", "write 'each: course' or 'each: day'", order.origin)
        elif order.each == "" and days > 1:
            self.ask("order.each", f"Is {order.dose} the dose of one day or of the whole course?", f"{days} days are ordered", order.origin)

    def too_much(self, order: Order, per_kg: float, course: float, limit: float, days: int) -> None:
        assert order.dose is not None
        text = f"the course comes to {shown(course)} g/kg, above {shown(limit)} g/kg"
        if order.each == "day" and per_kg <= limit:
            self.refuse("order.dose", f"{order.dose} on each of {days} days: {text}",
                        f"if {order.dose} is the total of the course write 'each: course'", order.origin)
            return
        sister = {"g": "mg", "g/kg": "mg/kg"}.get(order.dose.unit)
        smaller = Quantity(order.dose.value, sister) if sister else None
        candidates = [item for item in (smaller, Quantity(order.dose.value / 10, order.dose.unit)) if item is not None]
        scale = per_kg / order.dose.canonical * (course / per_kg)
        fitting = next((item for item in candidates if COURSE_USUAL.in_unit("g/kg") <= item.canonical * scale <= limit), None)
        self.refuse_or_ask("order.dose", f"{order.dose}: {text}", fitting, order.origin)

    def per_kg(self, dose: Quantity, weight: Measurement | None) -> float | None:
        if dose.dimension == "mass per body mass":
            return dose.in_unit("g/kg")
        if dose.dimension == "mass" and weight is not None:
            return dose.in_unit("g") / weight.value.in_unit("kg")
        return None

    def rates(self, weight: Measurement | None) -> None:
        rates = [("order.rate_max", self.record.order.rate_max, self.record.order.origin)]
        rates += [("infusions.rate_max", item.rate_max, item.origin) for item in self.record.infusions]
        for what, rate, origin in rates:
            if rate is None:
                continue
            value = per_kg_hour(rate, weight)
            if value is None:
                continue
            if value > RATE_MOST.value:
                span = Span(RATE_LEAST.value, RATE_MOST.value, "mL/kg/h")
                fitting = next((item for item in readings(rate) if (per_kg_hour(item, weight) or 0) and span.holds(per_kg_hour(item, weight) or 0)), None)
                self.refuse_or_ask(what, f"{rate} comes to {shown(value)} mL/kg/h, faster than any immunoglobulin label allows", fitting, origin)
            elif value < RATE_LEAST.value:
                fitting = Quantity(rate.value, "mL/kg/h") if rate.unit == "mL/h" else None
                self.ask(what, question(fitting) or f"Is {rate} the right rate?", f"{rate} comes to {shown(value)} mL/kg/h, slower than any label starts",
                         origin, fitting, f"confirm.{what}")

    def notes(self) -> None:
        """What could not be read from FHIR and matters: the order, the body, and values of which no other remains."""
        record = self.record
        read = {item.test for item in record.results} | ({"weight"} if record.weights else set()) | ({"height"} if record.heights else set())
        told: set[tuple[str, str]] = set()
        for note in record.notes:
            if (note.about in read and not note.about.startswith("order")) or (note.about, note.why) in told:
                continue
            told.add((note.about, note.why))
            definition = self.register.get(note.about)
            ask = definition.ask if definition is not None else _ASKS.get(note.about, f"Please check {note.about}.")
            self.ask(note.about, ask, note.why, note.origin)


_PREGNANCY_DAYS = 310
_ASKS = {
    "order.dose": "What is the dose in grams or g/kg, and is it per day, per course or per interval?",
    "order.indication": "What is the immunoglobulin for?",
    "order.product": "Which immunoglobulin product is ordered?",
    "order": "Which of the open immunoglobulin orders is the right one?",
    "vaccinations": "When was the vaccine given?",
    "ig.dose": "How many grams were given?",
}
