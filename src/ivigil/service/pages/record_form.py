"""A record as a form: fields made from the register of facts, and the posted fields as a record in the written form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from ivigil.basis.facts import FactDefinition
from ivigil.basis.problems import Problem
from ivigil.evidence.library import Evidence
from ivigil.service.changes import written_text
from ivigil.service.pages.view import units_of

Kind = Literal["text", "date", "select", "number", "yes_no", "lines", "tick"]
ROWS = 4
"""How many earlier infusions the form has room for; a longer history is given as a record."""
_OWN = {"age", "weight", "height", "bmi", "sex", "blood_group", "order.route", "order.indication", "order.phase", "gestation", "pre_pregnancy_weight"}
"""Facts with a field of their own, or worked out from others."""
_WEIGHT_UNITS, _HEIGHT_UNITS, _AGE_UNITS = ("kg", "lb", "g", "st"), ("cm", "in", "m", "ft"), ("year", "month", "week", "day")


class Input(msgspec.Struct, frozen=True):
    """One field. ``what`` is the key of the record that it fills, by which problems find their field."""

    name: str
    what: str
    label: str
    kind: Kind = "text"
    choices: tuple[tuple[str, str], ...] = ()
    units: tuple[str, ...] = ()
    dated: bool = False
    hint: str = ""


class Group(msgspec.Struct, frozen=True):
    """Fields under one heading; folded ones are opened when needed."""

    title: str
    inputs: tuple[Input, ...]
    folded: bool = False
    about: str = ""


def _words(*names: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, name.replace("-", " ")) for name in names)


_PATIENT = (
    Input("p:id", "id", "Name or number of the record", hint="no real name"),
    Input("p:sex", "sex", "Sex", "select", _words("female", "male")),
    Input("p:born", "born", "Date of birth", "date"),
    Input("p:age", "age", "or age", "number", units=_AGE_UNITS),
    Input("p:weight", "weight", "Weight", "number", units=_WEIGHT_UNITS, dated=True),
    Input("p:height", "height", "Height", "number", units=_HEIGHT_UNITS, dated=True),
    Input("p:blood_group", "blood_group", "ABO blood group", "select", _words("A", "B", "AB", "O")),
)
_ORDER = (
    Input("o:phase", "order.phase", "Phase", "select", _words("acute", "replacement", "induction", "maintenance", "second-dose", "switch", "extra")),
    Input("o:route", "order.route", "Route", "select", _words("intravenous", "subcutaneous", "facilitated-subcutaneous")),
    Input("o:dose", "order.dose", "Dose ordered", "number", units=("g/kg", "g", "mg/kg"), hint="empty: the regimen of the evidence decides"),
    Input("o:each", "order.each", "The dose is for each", "select", _words("course", "day", "interval")),
    Input("o:days", "order.days", "Days", "number"),
    Input("o:every", "order.every", "Every", "number", units=("week", "day", "month")),
    Input("o:place", "order.place", "Place", "select", _words("hospital", "clinic", "home")),
    Input("o:start", "order.start", "Start", "text", hint="for example 2026-11-20T09:00"),
)
_LISTS = (
    Input("l:conditions", "conditions", "Problems and diagnoses", "lines", hint="one a line"),
    Input("d:problem_list_reviewed", "problem_list_reviewed", "Problem list checked on", "date", hint="from then on what is not listed counts as absent"),
    Input("l:medicines", "medicines", "Medicines", "lines", hint="one a line, with dose"),
    Input("d:medicines_reviewed", "medicines_reviewed", "Medicines checked on", "date"),
    Input("l:allergies", "allergies", "Allergies", "lines", hint="one a line"),
    Input("d:allergies_reviewed", "allergies_reviewed", "Allergies checked on", "date"),
)
_PREGNANCY = (
    Input("p:weeks", "pregnancy.weeks", "Weeks of pregnancy", "number", hint="counted today"),
    Input("p:pre_weight", "pregnancy.pre_pregnancy_weight", "Weight before pregnancy", "number", units=_WEIGHT_UNITS),
)
_TITLES = {
    "conditions": "Problems, yes or no",
    "allergies": "Allergies and reactions, yes or no",
    "medicines": "Medicines, yes or no",
    "history": "Earlier immunoglobulin",
    "derived": "Recent events",
    "results": "Findings, yes or no",
    "order": "Planned with it",
}


def _infusions() -> tuple[Input, ...]:
    found = []
    for row in range(ROWS):
        at = f"infusions[{row}]"
        found += [
            Input(f"i:{row}:on", f"{at}.on", f"Infusion {row + 1} on", "date"),
            Input(f"i:{row}:product", f"{at}.product", f"Product of infusion {row + 1}"),
            Input(f"i:{row}:dose", f"{at}.dose", f"Dose of infusion {row + 1}", "number", units=("g", "g/kg")),
            Input(
                f"i:{row}:reaction",
                f"{at}.reaction",
                f"Reaction to infusion {row + 1}",
                "select",
                (("none", "none"), ("1", "1 mild"), ("2", "2 moderate"), ("3", "3 severe"), ("4", "4 life-threatening")),
            ),
        ]
    return (*found, Input("p:infusions_complete", "infusions_complete", "The list holds every immunoglobulin and blood product ever given", "tick"))


def groups_of(evidence: Evidence) -> tuple[Group, ...]:
    """The whole form. Fields asked of every patient come first; rarer ones are folded."""
    asked = [fact for fact in evidence.facts.values() if fact.stage == "patient" and fact.id not in _OWN and not fact.id.startswith(("risk.", "course."))]
    results = [fact for fact in asked if fact.kind == "quantity" and fact.source == "results"]
    others = [fact for fact in asked if fact not in results]
    yes_no = [
        Group(title, tuple(_fact(fact) for fact in others if fact.source == source and fact.routine), folded=source not in {"conditions", "allergies"})
        for source, title in _TITLES.items()
    ]
    return (
        Group("Patient", _PATIENT),
        Group("What is asked for", _ORDER),
        Group("Results", tuple(_result(fact) for fact in results if fact.routine), about="Each in the unit of your laboratory."),
        Group("Lists", _LISTS, about="Words as in the notes. An empty list without a date says nothing."),
        *(group for group in yes_no if group.inputs),
        Group("Earlier infusions", _infusions(), folded=True),
        Group("Pregnancy", _PREGNANCY, folded=True),
        Group("Rarer results", tuple(_result(fact) for fact in results if not fact.routine), folded=True),
        Group("Rarer questions", tuple(_fact(fact) for fact in others if not fact.routine), folded=True),
    )


def _result(fact: FactDefinition) -> Input:
    return Input(f"r:{fact.id}", f"results.{fact.id}", fact.label, "number", units=units_of(fact), dated=True)


def _fact(fact: FactDefinition) -> Input:
    what = f"answers.{fact.id}"
    if fact.kind == "yes_no":
        return Input(f"f:{fact.id}", what, fact.label, "yes_no")
    if fact.kind == "choice" and fact.choices:
        return Input(f"f:{fact.id}", what, fact.label, "select", _words(*fact.choices))
    return Input(f"f:{fact.id}", what, fact.label, "number" if fact.kind == "quantity" else "text", units=units_of(fact))


def record_in(form: Mapping[str, str], day: str) -> str:
    """The record that the posted fields make, as text in the written form. ``day`` is the day of the form; what is empty is left out."""
    document: dict[str, Any] = {"id": _value(form, "p:id") or "patient"}
    for key in ("sex", "born", "blood_group"):
        document[key] = _value(form, f"p:{key}")
    document["age"] = "" if document["born"] else _amount(form, "p:age")
    for key in ("weight", "height"):
        document[key] = _dated(form, f"p:{key}", day)
    for key, reviewed in (("conditions", "problem_list_reviewed"), ("medicines", "medicines_reviewed"), ("allergies", "allergies_reviewed")):
        lines = [line.strip() for line in form.get(f"l:{key}", "").splitlines() if line.strip()]
        document[reviewed] = _value(form, f"d:{reviewed}")
        document[key] = lines or ([] if document[reviewed] else "")
    document["results"] = {name.removeprefix("r:"): _dated(form, name, day) for name in form if re.fullmatch(r"r:[a-z0-9_.]+", name) and _value(form, name)}
    weeks, before = _value(form, "p:weeks"), _amount(form, "p:pre_weight")
    if weeks or before:
        document["pregnancy"] = _given({"status": "pregnant", "weeks": _count(weeks), "on": day if weeks else "", "pre_pregnancy_weight": before})
    document["infusions"] = [one for row in range(ROWS) if (one := _infusion(form, row))]
    document["infusions_complete"] = True if form.get("p:infusions_complete") else ""
    order = {key: _value(form, f"o:{key}") for key in ("phase", "route", "each", "place", "start")}
    order |= {
        "indication": _value(form, "indication"),
        "dose": _amount(form, "o:dose"),
        "every": _amount(form, "o:every"),
        "days": _count(_value(form, "o:days")),
    }
    document["order"] = _given(order)
    document["answers"] = {name.removeprefix("f:"): _amount(form, name) for name in form if re.fullmatch(r"f:[a-z0-9_.-]+", name) and _value(form, name)}
    kept = {key: value for key, value in document.items() if value not in ("", {}) and (value != [] or key in {"conditions", "medicines", "allergies"})}
    return written_text(kept)


def errors_of(groups: Iterable[Group], problems: Sequence[Problem]) -> dict[str, str]:
    """For each field with a problem what is wrong and what helps."""
    found: dict[str, str] = {}
    for problem in problems:
        what = problem.what.replace("[0]", "") if not problem.what.startswith("infusions") else problem.what
        for one in (one for group in groups for one in group.inputs):
            if what == one.what or what.startswith((f"{one.what}.", f"{one.what}[")):
                found[one.name] = f"{found[one.name]} " if one.name in found else ""
                found[one.name] += f"{problem.why}{f': {problem.remedy}' if problem.remedy else ''}"
    return found


def _value(form: Mapping[str, str], name: str) -> str:
    return form.get(name, "").strip()


def _amount(form: Mapping[str, str], name: str) -> str:
    """The number with the unit chosen beside it; a unit typed with the number wins."""
    value, unit = _value(form, name), _value(form, f"{name}:unit")
    return f"{value} {unit}" if value and unit and not re.search(r"[a-zA-Z%]", value) else value


def _dated(form: Mapping[str, str], name: str, day: str) -> dict[str, str] | str:
    value = _amount(form, name)
    return {"value": value, "on": _value(form, f"{name}:on") or day} if value else ""


def _infusion(form: Mapping[str, str], row: int) -> dict[str, Any]:
    reaction = _value(form, f"i:{row}:reaction")
    graded: Any = {"grade": int(reaction)} if reaction in {"1", "2", "3", "4"} else reaction
    return _given({"on": _value(form, f"i:{row}:on"), "product": _value(form, f"i:{row}:product"), "dose": _amount(form, f"i:{row}:dose"), "reaction": graded})


def _count(text: str) -> Any:
    return int(text) if re.fullmatch(r"[0-9]{1,4}", text) else text


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value != ""}
