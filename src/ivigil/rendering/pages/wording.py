"""The evidence in clinical words: doses, values, conditions, dates, and the names of keys."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import msgspec

from ivigil.basis.facts import Codes
from ivigil.basis.quantity import Quantity, Span
from ivigil.evidence.care import When
from ivigil.evidence.conditions import Condition, written
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import Criterion, Regimen, RegimenDose, ReportedDose, Standing, Statement, Valid
from ivigil.planning.wording import day_text
from ivigil.rendering.pages.markup import Markup, Part, bullets, joined, link, text
from ivigil.rendering.pages.places import Places

VERDICTS = {"supports": "supports", "conditional": "conditional", "against": "advises against", "not-read": "not read"}
SEVERITIES = {
    "contraindicated": "contraindicated",
    "avoid": "avoid unless somebody decides otherwise",
    "caution": "caution",
    "info": "worth knowing",
    "none": "recorded only, no line in a plan",
}
REPORTED: dict[str, str] = {
    "trial": "trial",
    "series": "case series",
    "textbook": "textbook",
    "historic-label": "historic label",
    "other-preparation": "another preparation",
    "article": "article",
}
CODE_SYSTEMS = {
    "icd10": "ICD-10",
    "snomed": "SNOMED CT",
    "loinc": "LOINC",
    "rxnorm": "RxNorm",
    "ndc": "NDC",
    "cvx": "CVX",
    "atc": "ATC",
    "hcpcs": "HCPCS",
    "retired": "retired codes",
}
KEYS = {
    "also_called": "Also called",
    "when": "When",
    "who": "For whom",
    "population": "For whom",
    "say": "Says",
    "plain": "In plain words",
    "reading": "Read as",
    "not_read": "Not read",
    "indications": "Indications",
    "excepted": "Not for",
    "then": "Then",
    "at_most": "At most",
    "at_least": "At least",
    "start": "From",
    "end": "To",
    "valid": "In force",
    "max": "At most in all",
    "max_dose": "At most per dose",
    "per": "in",
    "igg": "IgG",
    "cdsi": "CDSi number",
    "cvx": "CVX",
    "ndc": "NDC",
    "purpose": "For",
    "while_": "While",
    "signs": "Signs",
    "grades": "For",
    "or_": "Or",
    "duration": "For",
    "above": "Above the last band",
    "at_high_risk": "While the risk is high",
    "rows": "By dose",
    "sum_over": "Doses counted together within",
    "give": "Give",
    "any_of": "Counts when any of",
    "contraindicated_when": "Contraindicated when",
    "extra_when": "More is needed when",
    "also_show": "Shown beside it",
    "follows": "Uses the table of",
    "note_only": "A note only, never a date",
    "single_component": "For the single-antigen vaccine only",
    "to": "To",
    "else_use": "In other cases use",
    "gives": "Gives",
    "never_above_actual": "Never above actual weight",
    "below_base": "Below the base height",
    "exponent_per_cm": "Exponent per cm",
    "needs": "Must be known",
    "instead_of": "Instead of",
    "within": "Within",
    "source": "From",
    "kind": "Kind",
    "fresh": "Old after",
    "ask": "Asked as",
    "stage": "Known with",
    "default": "Used by default",
    "or_fall_above": "or a fall above",
    "for_each": "for each",
    "no_claim": "Lines without a claim",
    "plausible": "Plausible range",
    "history_counts": "History counts",
    "molar": "Also printed in",
    "routine": "Routine",
    "live": "Live",
}
"""Names of keys where the key itself, without its underscores, is no good English."""
CHOICES = {
    "course_total": "the course total",
    "each_dose": "each dose",
    "per_day": "one day",
    "course": "the whole course",
    "grams_per_day": "grams a day",
    "grams_per_course": "grams a course",
    "refuse-unless-cited": "asked about and not worked out unless the regimen prints it",
    "confirm": "a warning to confirm",
    "advise": "information",
    "cap": "the dose is cut",
    "split": "the days are raised",
    "actual": "actual weight",
    "ideal": "ideal weight",
    "adjusted": "adjusted weight",
    "guard": "yes, as ivigil's own guard",
    "yes_no": "yes or no",
    "pre_pregnancy_weight": "weight before pregnancy",
    "human": "shown in people",
    "supported": "laboratory or animal work with human support",
    "debated": "debated",
    "vial-down": "down to a whole vial",
    "within": "to whole vials within a tolerance",
    "exact": "not rounded",
    "site-policy": "site policy",
}
"""Words of the format that a reader outside the project would not know."""


def key_words(key: str) -> str:
    """The name of a key as a heading."""
    return KEYS.get(key) or key.replace("_", " ").replace("-", " ").capitalize()


_COUNTED = re.compile(r"(?<![\d.])(\d+(?:\.\d+)?) (day|week|month|year)\b")


def comparison(said: str) -> str:
    """``Age >= 15 year`` as a person writes it: ``Age ≥ 15 years``."""
    said = said.replace(" >= ", " ≥ ").replace(" <= ", " ≤ ")
    return _COUNTED.sub(lambda match: match[0] if match[1] == "1" else f"{match[0]}s", said)


def valid_text(valid: Valid) -> str:
    """``from 1 Dec 2021``, ``until 30 Jun 2026``, or both; empty when it is always in force."""
    first = f"from {_day(valid.start)}" if valid.start else ""
    last = f"until {_day(valid.end)}" if valid.end else ""
    return " ".join(part for part in (first, last) if part)


def _day(written_day: str) -> str:
    try:
        return day_text(date.fromisoformat(written_day))
    except ValueError:
        return written_day


def dose_text(dose: RegimenDose) -> str:
    """A dose that cannot be misread: what is the whole course, what is one day, what is one interval."""
    if dose.course_total is not None:
        days = f", divided over {_days(dose.over_days)}" if dose.over_days is not None else ""
        again = f"; a course every {_interval(dose.every)}" if dose.every is not None else ""
        said = f"{dose.course_total} in total for the course{days}{again}"
    elif dose.per_day is not None:
        days = f" on each of {_days(dose.days)}" if dose.days is not None else ""
        said = f"{dose.per_day} per day{days}" if dose.days is None or dose.days.high > 1 else f"{dose.per_day} on one day"
    else:
        again = f", once every {_interval(dose.every)}" if dose.every is not None else ""
        said = f"{dose.per_interval} per interval{again}"
    return f"{said} (worked at {dose.worked_at} until the prescriber chooses)" if dose.worked_at is not None else said


def _days(days: Span) -> str:
    return f"{days} {'day' if days.high == 1 else 'days'}" if not days.unit else str(days)


def _interval(every: Span) -> str:
    return every.unit if every.single and every.low == 1 and every.unit else str(every)


def authority_name(evidence: Evidence, entry: Standing | Criterion | Regimen) -> str:
    """Who says it: the publishers of its sources that were read, else the id in words."""
    found: dict[str, None] = {}
    for cite in entry.cites:
        statement = evidence.statements.get(cite)
        if statement is not None and statement.read not in {"remembered", "decided"}:
            source = evidence.sources.get(statement.source)
            if source is not None and source.publisher:
                found[source.publisher] = None
    return ", ".join(found) or entry.authority.replace("-", " ")


def place_name(evidence: Evidence, jurisdiction: str) -> str:
    """``England`` for ``UK-ENG``; other words as they are."""
    entry = evidence.jurisdictions.get(jurisdiction)
    return entry.name if entry is not None else jurisdiction


def read_words(statement: Statement) -> str:
    """How a statement was read, in one or two words."""
    if statement.read == "remembered":
        return "not read"
    if statement.read == "decided":
        return "policy"
    times = "one reading" if statement.readings == 1 else "read twice, same page" if statement.same_page else "read twice"
    return f"second-hand, {times}" if statement.read == "second-hand" else times


def reported_kind(entry: ReportedDose) -> str:
    """What kind of report a dose comes from."""
    return REPORTED.get(entry.kind, entry.kind)


def when_text(when: When) -> str:
    """A time relative to the infusion: ``24-48 h after the end``, ``every 15 min during the first hour until steady``."""
    spans = ((when.every, "every "), (when.within, ""), (when.by, "by "), (when.day, "day "))
    parts = [f"{word}{span}" for span, word in spans if span is not None]
    words = (("before ", when.before), ("during ", when.during), ("after ", when.after), ("from ", when.start), ("at ", when.at), ("until ", when.until))
    parts += [f"{word}{_MOMENTS.get(moment) or moment.replace('-', ' ')}" for word, moment in words if moment]
    parts += [f"(steady for {when.steady_for})"] if when.steady_for is not None else []
    return " ".join(parts) + (" (optional)" if when.optional else "")


_MOMENTS = {"end": "the end", "start": "the start", "infusion": "the infusion"}


class Words:
    """Values of entries as markup for one page: conditions in words, ids of other entries as links."""

    def __init__(self, places: Places, page: str) -> None:
        self.places = places
        self.page = page

    def condition(self, condition: Condition | None) -> str:
        """A condition as a person reads it."""
        return comparison(written(condition, self.places.labels)) if condition is not None else ""

    def to(self, part: str, name: str, words: str = "") -> Markup:
        """A link to an entry under its title; the bare name when there is none."""
        target = self.places.href(part, name, self.page)
        return link(target, words or self.places.title(part, name)) if target else text(words or name)

    def word(self, key: str, word: str) -> Markup:
        """A word of an entry: a link where the key names other entries, else the word itself."""
        found = self.places.find(key, word)
        return self.to(*found) if found is not None else text(CHOICES.get(word, word) if key not in {"say", "name", "note"} else word)

    def value(self, key: str, value: Any) -> Markup:
        """Any value in words; nested parts as ``name: value`` pairs, lists of them as bullets."""
        if value is None or value == "" or value == () or value == {}:
            return Markup("")
        if isinstance(value, bool):
            return text("yes" if value else "no")
        if isinstance(value, Condition):
            return text(self.condition(value))
        if isinstance(value, Valid):
            return text(valid_text(value))
        if isinstance(value, Codes):
            return self.codes(value)
        if isinstance(value, Quantity | Span):
            return text(str(value))
        if isinstance(value, When):
            return text(when_text(value))
        if isinstance(value, msgspec.Struct):
            return self.inline(value)
        if isinstance(value, dict):
            return joined((joined((f"{self._item(name)}: ", self.value(name, one))) for name, one in value.items()), "; ")
        if isinstance(value, tuple | list):
            if any(isinstance(one, msgspec.Struct) and not isinstance(one, Quantity | Span | Condition) for one in value):
                return bullets(self.value(key, one) for one in value)
            return joined((self.value(key, one) for one in value), ", ")
        return self.word(key, value if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value))

    def _item(self, name: str) -> Part:
        return name.replace("_", " ")

    def inline(self, entry: msgspec.Struct) -> Markup:
        """The fields of a nested part, on one line."""
        shown: list[Part] = []
        for field in entry.__struct_fields__:
            value = getattr(entry, field)
            if field in {"cites", "id"} or value is None or value is False or value in ("", (), 0):
                continue
            said = self.value(field, value)
            if said:
                shown.append(
                    said
                    if field == "say"
                    else joined((f"{key_words(field).lower() if not key_words(field)[:2].isupper() else key_words(field)}: ", said))
                )
        return joined(shown, "; ")

    def codes(self, codes: Codes) -> Markup:
        """Codes by system."""
        return joined((f"{name} {', '.join(found)}" for field, name in CODE_SYSTEMS.items() if (found := getattr(codes, field))), "; ")
