"""Amounts in a question: doses, weights, rates, days, strengths - each with its unit, and what is written without one."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from ivigil.basis.quantity import Quantity, Span, UnitProblem, parse_quantity

Per = Literal["", "day", "session", "week", "month", "course"]

_NUMBER = r"\d+(?:[.,]\d+)?"
_WRITTEN: tuple[tuple[str, str], ...] = (
    (r"\bkilo(?:gram)?(?:me)?s?\b", "kg"),
    (r"\bkgs\b", "kg"),
    (r"\bmilligram(?:me)?s?\b", "mg"),
    (r"\bmicrogram(?:me)?s?\b|\bmcg\b|µg|μg", "ug"),
    (r"\bgram(?:me)?s?\b|\bgms?\b|\bgr\b|\bgs\b", "g"),
    (r"\bpounds?\b|\blbs\b", "lb"),
    (r"\bstones?\b", "st"),
    (r"\bmill?ilit(?:er|re)s?\b|\bmls\b|\bcc\b", "ml"),
    (r"\bhours?\b|\bhrs?\b", "h"),
    (r"\bminutes?\b|\bmins?\b", "min"),
    (r"\b(kg|g|mg|ml|lb|ug|h|min)\s*(?:/|per|for (?:each|every)|for 1|an?(?=\s+kg\b))\s*(?=(?:kg|lb|h|min|dl|l)\b)", r"\1/"),
    (r"/\s*kg\s*(?:/|per)\s*(h|min)\b", r"/kg/\1"),
    (r"\bml\s*(?:/|per|an)\s*(h|min)\b", r"ml/\1"),
)
_UNITS = r"mg/kg/min|mg/kg/h|g/kg/h|ml/kg/min|ml/kg/h|g/lb|mg/lb|ug/kg|mg/kg|g/kg|ml/kg|mg/dl|g/dl|g/l|mg/ml|ml/min|ml/h|g/h|mg|ug|g|kg|lb|st|ml|l|%"
_AMOUNT = re.compile(rf"(?<![\w.,/])({_NUMBER})(?:\s*(?:-|–|to)\s*({_NUMBER}))?\s*({_UNITS})(?![\w%])(?!/(?:kg|lb|l|dl|h|min)\b)")
_EACH = re.compile(
    r"\s*(?:(?:ivig|scig|ig|immunoglobulin|infusions?|doses?|in total)\s+)?(?:/\s*|per\s+|an?\s+|each\s+|every\s+|on each\s+(?:of\s+\d+\s+)?|x\s*)?"
    r"(?P<word>days?|d\b|daily|qd|od|sessions?|infusions?|visits?|time|"
    r"dose|weekly|weeks?|wk|monthly|months?|mo\b|course)\b"
)
_JOINS = re.compile(r"^\s*(?:(?:ivig|scig|ig|immunoglobulin)\s+)?(?:/|per\b|a\b|an\b|each\b|every\b|on each\b|daily\b|qd\b|od\b|weekly\b|monthly\b)")
_PERS: dict[str, Per] = {
    "day": "day",
    "days": "day",
    "d": "day",
    "daily": "day",
    "qd": "day",
    "od": "day",
    "session": "session",
    "sessions": "session",
    "infusion": "session",
    "infusions": "session",
    "visit": "session",
    "visits": "session",
    "time": "session",
    "dose": "session",
    "week": "week",
    "weeks": "week",
    "weekly": "week",
    "wk": "week",
    "month": "month",
    "months": "month",
    "monthly": "month",
    "mo": "month",
    "course": "course",
}
_COUNTS = {"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "ten": "10"}
_DAYS = re.compile(
    rf"(?:(over|for|on|x|in|during|times|divided over|spread over|,)\s*)?(?:(?:each|every) of\s+)?({_NUMBER})"
    rf"(?:\s*(?:-|–|to|or)\s*({_NUMBER}))?[\s-]*(?:consecutive\s+)?(?:days?|d)\b"
)
_EVERY = re.compile(rf"\bevery\s+({_NUMBER})(?:\s*(?:-|–|to)\s*({_NUMBER}))?\s*(weeks?|days?|months?)\b")
_EVERY_SHORT = re.compile(r"\bq\s*(\d+)\s*w(?:k|ks|eeks?)?\b|\b(\d+)[\s-]*weekly\b")
_AGE = re.compile(rf"\b({_NUMBER})[\s-]*(years?|yrs?|y|months?|mo|weeks?|days?)[\s-]*(?:old|of age)\b")
_UNITS_OF = re.compile(r"\b(\d+)[\s-]*mg[\s-]+(?:billing[\s-]+)?units?\b")
_AGE_SHORT = re.compile(r"(?<![\w.])(\d{1,3})\s*(?:yo|y/o|y\.o\.)\b|\bage[d]?\s*(\d{1,3})\b")
_ADULT = re.compile(r"\b(?:adults?|grown[- ]?up|elderly|man|woman|gentleman|lady|male adult|female adult)\b")
_CHILD = re.compile(r"\b(?:child|children|kid|baby|infant|newborn|neonate|toddler|boy|girl|son|daughter)\b")
_GROWN = 18.0
_YOUNG = (
    (re.compile(r"\b(?:newborn|neonate|neonatal|premature|preterm)\b"), 0.02),
    (re.compile(r"\b(?:infant|baby)\b"), 0.5),
    (re.compile(r"\btoddler\b"), 3.0),
)
"""An age in years for those who are called so; it only bounds what weight can be right."""
_HEIGHT = re.compile(rf"\b({_NUMBER})\s*(cm|m)\b(?!\s*(?:g|mol))")
_BARE = re.compile(rf"(?<![\w.,/])({_NUMBER})\s*(?:/|per)\s*(?:kg|kilo)\b")


class Dose(msgspec.Struct, frozen=True):
    """A dose as written: ``amount`` in g/kg, g and their like, for each ``per``; ``text`` is how it stood there."""

    amount: Span
    per: Per
    text: str

    @property
    def per_kg(self) -> bool:
        """True for an amount per body mass."""
        return Quantity(1, self.amount.unit).dimension == "mass per body mass"


class Amounts(msgspec.Struct, frozen=True):
    """All amounts of a question. ``bare`` are numbers per kilogram without a unit, ``odd`` amounts in units that no dose is written in."""

    doses: tuple[Dose, ...] = ()
    weight: Quantity | None = None
    days: Span | None = None
    weeks: float = 0.0
    rates: tuple[Quantity, ...] = ()
    percent: float = 0.0
    volume: Quantity | None = None
    levels: tuple[Quantity, ...] = ()
    age: str = ""
    years: float | None = None
    height: Quantity | None = None
    unit_mg: float = 0.0
    bare: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """What was read, for people."""
        found = [f"{dose.amount}{f' per {dose.per}' if dose.per else ''}" for dose in self.doses]
        found += [f"weight {self.weight}"] if self.weight is not None else []
        found += [f"{self.days} days"] if self.days is not None else []
        found += (
            [str(rate) for rate in self.rates] + ([f"{self.percent:g} %"] if self.percent else []) + ([str(self.volume)] if self.volume is not None else [])
        )
        return (*found, *map(str, self.levels), *([self.age] if self.age else []))


_WEIGHT_UNITS = {"kg", "lb", "st"}
_RATE_UNITS = {"ml/h", "ml/min", "ml/kg/h", "ml/kg/min", "mg/kg/min", "mg/kg/h", "g/kg/h", "g/h"}
_LEVEL_UNITS = {"g/l", "mg/dl", "g/dl"}


def amounts_in(question: str) -> Amounts:
    """Every amount of a question, in the units that it was written in."""
    text = _plain(question)
    doses: list[Dose] = []
    rates: list[Quantity] = []
    levels: list[Quantity] = []
    odd: list[str] = []
    weight: Quantity | None = None
    volume: Quantity | None = None
    percent = 0.0
    for match in _AMOUNT.finditer(text):
        low, high, unit = match.groups()
        if unit in {"g/lb", "mg/lb"}:
            odd.append(match[0].strip())
            continue
        try:
            first, last = parse_quantity(f"{low} {unit}"), parse_quantity(f"{high or low} {unit}")
        except UnitProblem:
            continue
        if unit in _WEIGHT_UNITS:
            weight = weight or first
        elif unit in {"g", "mg", "g/kg", "mg/kg", "ug/kg"} and last.value >= first.value:
            doses.append(Dose(Span(first.value, last.value, first.unit), _per(text, match.end()), match[0].strip()))
        elif unit in _RATE_UNITS:
            rates.append(first)
        elif unit in _LEVEL_UNITS:
            levels.append(first)
        elif unit == "%":
            percent = first.value
        elif unit in {"ml", "l"}:
            volume = first
    if not odd and ("/lb" in text or re.search(r"\bper lb\b", text)):
        odd.append("per pound")
    spans = [match for match in _DAYS.finditer(text) if not re.match(r"\s*old|\s*of age|\s*ago", text[match.end() :])]
    days = next((match for match in spans if match[1]), spans[0] if spans else None)
    age = _AGE.search(text)
    return Amounts(
        doses=tuple(doses),
        weight=weight,
        days=_span(days[2], days[3]) if days is not None and not _is_interval(text, days) else None,
        weeks=_weeks(text),
        rates=tuple(rates),
        percent=percent,
        volume=volume,
        levels=tuple(levels),
        age=age[0] if age else short[0] if (short := _AGE_SHORT.search(text)) else "",
        years=_years(text, age),
        height=_height(text),
        unit_mg=float(units[1]) if (units := _UNITS_OF.search(text)) is not None else 0.0,
        bare=tuple(match[0] for match in _BARE.finditer(text)),
        odd=tuple(odd),
    )


def _years(text: str, age: re.Match[str] | None) -> float | None:
    """The age in years: as written, or that of a grown person who is called so."""
    if age is not None:
        return float(age[1].replace(",", ".")) * {"y": 1.0, "m": 1 / 12, "w": 1 / 52, "d": 1 / 365}[age[2][0]]
    short = _AGE_SHORT.search(text)
    if short is not None:
        return float(short[1] or short[2])
    young = next((years for pattern, years in _YOUNG if pattern.search(text)), None)
    if young is not None:
        return young
    return _GROWN if _ADULT.search(text) and not _CHILD.search(text) else None


def _height(text: str) -> Quantity | None:
    match = _HEIGHT.search(text)
    return parse_quantity(f"{match[1]} {match[2]}") if match is not None else None


def _plain(question: str) -> str:
    """Small letters, counted words as figures, units in one spelling."""
    text = " ".join(question.lower().split())
    text = re.sub(r"\bhalf a (?=gram|g\b)", "0.5 ", text)
    text = re.sub(r"\b(?:an?|one) (?=(?:gram|gramme|gm|milligram)\b)", "1 ", text)
    text = re.sub(
        r"\b(" + "|".join(_COUNTS) + r")\b(?=[\s-]+(?:consecutive |separate )?(?:days?|grams?|weeks?|months?|g\b|kg\b))", lambda match: _COUNTS[match[1]], text
    )
    text = re.sub(r"\b(" + "|".join(_COUNTS) + r")\b(?= (?:to|or) (?:\w+) (?:consecutive )?days?\b)", lambda match: _COUNTS[match[1]], text)
    for pattern, unit in _WRITTEN:
        text = re.sub(pattern, unit, text)
    return re.sub(r"(?<=\d),(?=\d{3}\b)", "", text)


def _per(text: str, end: int) -> Per:
    rest = text[end:]
    if not _JOINS.match(rest):
        return ""
    match = _EACH.match(rest)
    if match is None or re.match(r"\s*\d", rest[match.end("word") :]) is not None:
        return ""
    return _PERS[match["word"]]


def _span(low: str, high: str | None) -> Span | None:
    first, last = float(low.replace(",", ".")), float((high or low).replace(",", "."))
    return Span(first, last) if first <= last else None


def _weeks(text: str) -> float:
    """The interval of a dose in weeks; nought when none is given."""
    match = _EVERY.search(text)
    if match is not None:
        return float(match[1]) * {"w": 1, "d": 1 / 7, "m": 4}[match[3][0]]
    short = _EVERY_SHORT.search(text)
    return float(short[1] or short[2]) if short is not None else 0.0


def _is_interval(text: str, match: re.Match[str]) -> bool:
    return text[: match.start()].rstrip().endswith("every") or text[: match.start(2)].rstrip().endswith("every")
