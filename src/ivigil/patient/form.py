"""The written form on its way to a record: short forms made long, every problem collected with its line."""

from __future__ import annotations

import contextlib
import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

import msgspec

from ivigil.basis.facts import FactDefinition
from ivigil.basis.problems import BadInput, Problem
from ivigil.basis.quantity import UNITS, Quantity, UnitProblem, parse_quantity
from ivigil.basis.shapes import Shaper, missing
from ivigil.basis.strict_yaml import Lines, read_yaml
from ivigil.basis.strict_yaml import Path as KeyPath
from ivigil.patient import record as parts
from ivigil.patient.record import Code, Reaction, Record
from ivigil.patient.values import answer_value, in_register_unit
from ivigil.patient.written import CODE_KEYS, AllergyEntry, ConditionEntry, InfusionEntry, MedicineEntry, PatientFile, Reading

EXAMPLES = {
    "weight": "70 kg", "pre_pregnancy_weight": "62 kg", "height": "178 cm", "age": "54 year", "dose": "1 g/kg", "every": "4 week", "rate": "100 mL/h",
    "rate_max": "100 mL/h", "pump_increment": "1 mL/h", "pump_max": "999 mL/h",
}
"""What a key with a quantity may look like, for the writer whose own cannot be read."""
_NONE_WORDS = {"none", "nil", "no", "nka", "nkda", "none known", "no known allergies", "no known drug allergies", "no allergies", "nothing known", "n/a"}


class PartlyRead(BadInput):
    """A record with problems in its form, and what other checks can still be made of.

    ``rest`` is what reads without the dotted keys in ``left_out``; ``days`` are the days of entries that were left out for something else, with their lines.
    """

    def __init__(self, problems: Iterable[Problem], rest: Record, left_out: frozenset[str], days: tuple[tuple[str, date, int], ...]) -> None:
        super().__init__(problems)
        self.rest, self.left_out, self.days = rest, left_out, days


def read_form(text: str, place: str, facts: Mapping[str, FactDefinition] | None = None) -> Record:
    """One record from the written YAML (or JSON) form.

    Raises:
        BadInput: every problem with line, cause and remedy.
    """
    value, lines = read_yaml(text, place)
    return form_of(value, lines, place, facts or {})


def form_of(value: Any, lines: Lines, place: str, facts: Mapping[str, FactDefinition]) -> Record:
    """A record from the plain values of the written form; ``lines`` maps key paths to lines.

    Raises:
        PartlyRead: every problem of the form with line, cause and remedy, and the rest of the record.
        BadInput: the same where nothing is left to read.
    """
    if not isinstance(value, dict):
        raise BadInput([Problem(place, 1, "", "not a patient record", "write keys with values, beginning with 'id:'")])
    form = _Form(place, dict(lines), facts)
    written = form.plain(value)
    file = Shaper({Reading: _reading}, EXAMPLES).read(written, PatientFile, place, form.lines, (), form.problems)
    if file is not None:
        form.check(file)
    if form.problems or file is None:
        raise _partly_read(form.told(), value, lines, place, facts)
    return form.record(file)


def _partly_read(problems: list[Problem], value: dict[str, Any], lines: Lines, place: str, facts: Mapping[str, FactDefinition]) -> BadInput:
    """The problems, with the record that the rest gives: without the keys that have one. An entry that cannot be without such a key is left out whole."""
    broken = frozenset(_part_of(problem.what, value) for problem in problems)
    kept, known, moved = _without(value, lines, broken)
    if kept == value:
        return BadInput(problems)
    ours = {(_dotted(path[:-1]), missing(str(path[-1]))) for path in broken}

    def told(more: tuple[Problem, ...]) -> list[Problem]:
        """The problems and those of the rest under their places in the whole; a key that is missing because it was left out is no problem of its own."""
        named = (msgspec.structs.replace(problem, what=_moved_back(problem.what, moved)) for problem in more)
        return sorted({*problems, *(problem for problem in named if (problem.what, problem.why) not in ours)}, key=lambda item: item.line)

    left_out = frozenset(map(_dotted, broken))
    days = tuple(_days(broken, value, lines))
    try:
        return PartlyRead(problems, form_of({"id": place, **kept}, known, place, facts), left_out, days)
    except PartlyRead as error:
        more = tuple((_moved_back(name, moved), day, line) for name, day, line in error.days)
        return PartlyRead(told(error.problems), error.rest, left_out | {_moved_back(name, moved) for name in error.left_out}, (*days, *more))
    except BadInput as error:
        return BadInput(told(error.problems))


def _days(broken: Iterable[KeyPath], value: dict[str, Any], lines: Lines) -> Iterator[tuple[str, date, int]]:
    """The days of the entries that are left out whole."""
    for path in sorted(broken, key=str):
        with contextlib.suppress(ValueError, LookupError, TypeError):
            node: Any = value
            for step in (*path, "on"):
                node = node[step]
            yield _dotted((*path, "on")), date.fromisoformat(str(node)), lines.get((*path, "on"), lines.get(path, 0))


def _part_of(what: str, value: dict[str, Any]) -> KeyPath:
    """The innermost part of a record that a problem like ``results.igg[2].value`` is about; a key may itself hold dots."""
    path: KeyPath = ()
    node: Any = value
    rest = what
    while rest and isinstance(node, (dict, list)):
        keys = [(key, str(key)) for key in node] if isinstance(node, dict) else [(index, f"[{index}]") for index in range(len(node))]
        found = [(key, rest[len(text) :]) for key, text in keys if rest.startswith(text) and rest[len(text) : len(text) + 1] in {"", ".", "["}]
        if not found:
            break
        key, rest = min(found, key=lambda one: len(one[1]))
        path, node, rest = (*path, key), node[key], rest.removeprefix(".")
    return path or (what,)


def _moved_back(what: str, moved: Mapping[str, str]) -> str:
    """The name of a part of a shortened list as it is in the whole one."""
    new = max((name for name in moved if what == name or what.startswith((f"{name}.", f"{name}["))), key=len, default="")
    return moved[new] + what[len(new) :] if new else what


def _without(node: Any, lines: Lines, broken: frozenset[KeyPath], at: KeyPath = (), new: KeyPath = ()) -> tuple[Any, Lines, dict[str, str]]:
    """A node without the parts at some paths, the lines of what is left under its new paths, and the old names of entries that moved up in their lists."""
    kept: Lines = {new: lines[at]} if at in lines else {}
    moved: dict[str, str] = {}
    out: dict[Any, Any] = {}
    if isinstance(node, dict):
        pairs = [(key, key) for key in node if (*at, key) not in broken]
    elif isinstance(node, list):
        pairs = [(old, index) for index, old in enumerate(old for old in range(len(node)) if (*at, old) not in broken)]
        moved = {_dotted((*new, index)): _dotted((*at, old)) for old, index in pairs if old != index}
    else:
        return node, kept, moved
    for old, fresh in pairs:
        out[fresh], under, within = _without(node[old], lines, broken, (*at, old), (*new, fresh))
        kept.update(under)
        moved.update(within)
    return (list(out.values()) if isinstance(node, list) else out), kept, moved


class _Form:
    """The written form on its way to a record: short forms made long, lines kept."""

    def __init__(self, place: str, lines: Lines, facts: Mapping[str, FactDefinition]) -> None:
        self.place, self.lines, self.facts = place, lines, facts
        self.problems: list[Problem] = []
        self.short: dict[str, str] = {}

    def told(self) -> list[Problem]:
        """The problems under the names the writer used, in reading order and each once."""
        out: list[Problem] = []
        for problem in self.problems:
            what = problem.what
            for long, written in sorted(self.short.items(), key=lambda pair: -len(pair[0])):
                if what == long or what.startswith((f"{long}.", f"{long}[")):
                    what = written + what[len(long):]
                    break
            named = msgspec.structs.replace(problem, what=what)
            if named not in out:
                out.append(named)
        return sorted(out, key=lambda item: item.line)

    def plain(self, value: dict[str, Any]) -> dict[str, Any]:
        out = dict(value)
        for key in ("weight", "height"):
            if key in out:
                out[key] = self.many(out[key], (key,), "value")
        for key, short in (("conditions", "name"), ("medicines", "name"), ("allergies", "substance"), ("vaccinations", "vaccine")):
            if isinstance(out.get(key), list):
                out[key] = [self.listed(item, (key, index), short) for index, item in enumerate(out[key])]
            elif isinstance(out.get(key), str) and out[key].strip().casefold() in _NONE_WORDS:
                self.nothing(key, (key,), out.pop(key))
        if isinstance(out.get("results"), dict):
            out["results"] = {test: self.many(item, ("results", test), "value") for test, item in out["results"].items()}
        if isinstance(out.get("infusions"), list):
            out["infusions"] = [self.infusion(item, ("infusions", index)) for index, item in enumerate(out["infusions"])]
        if isinstance(out.get("answers"), dict):
            out["answers"] = {key: ("yes" if item else "no") if isinstance(item, bool) else item for key, item in out["answers"].items()}
        if isinstance(out.get("breast_feeding"), bool):
            out["breast_feeding"] = "yes" if out["breast_feeding"] else "no"
        return out

    def many(self, value: Any, path: KeyPath, short: str) -> Any:
        """A value, a mapping or a list of either as a list of mappings."""
        if isinstance(value, list):
            return [self.one(item, (*path, index), short) for index, item in enumerate(value)]
        first = (*path, 0)
        for known, line in list(self.lines.items()):
            if known[:len(path)] == path:
                self.lines[(*first, *known[len(path):])] = line
        self.short[_dotted(first)] = _dotted(path)
        return [self.one(value, first, short)]

    def one(self, value: Any, path: KeyPath, short: str) -> Any:
        if isinstance(value, dict):
            if "unit" in value and "value" in value:
                value = {key: item for key, item in value.items() if key != "unit"} | {"value": f"{value['value']} {value['unit']}"}
            return value
        self.lines.setdefault((*path, short), self.line(path))
        self.short[_dotted((*path, short))] = self.short.get(_dotted(path), _dotted(path))
        return {short: value}

    def listed(self, item: Any, path: KeyPath, short: str) -> Any:
        if isinstance(item, str):
            if item.strip().casefold() in _NONE_WORDS:
                self.nothing(str(path[0]), path, item)
            self.lines.setdefault((*path, short), self.line(path))
            self.short[_dotted((*path, short))] = _dotted(path)
            return {short: item}
        if isinstance(item, dict):
            return {key: [str(part)] if key in CODE_KEYS and isinstance(part, (str, int)) else part for key, part in item.items()}
        return item

    def infusion(self, item: Any, path: KeyPath) -> Any:
        if isinstance(item, dict) and item.get("reaction") in ("none", "no"):
            return {**item, "reaction": {"grade": 0}}
        return item

    def nothing(self, key: str, path: KeyPath, text: str) -> None:
        reviewed = {"conditions": "problem_list_reviewed"}.get(key, f"{key}_reviewed")
        self.problems.append(Problem(self.place, self.line(path), key, f"'{text}' is not an entry",
                                     f"for none write '{key}: []' and '{reviewed}:' with the day somebody checked"))

    def line(self, path: KeyPath) -> int:
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 0)

    def where(self, *path: str | int) -> str:
        """The origin text of a key: its dotted name with the line."""
        name = _dotted(path)
        line = self.line(path)
        return f"{self.short.get(name, name)} (line {line})" if line else self.short.get(name, name)

    # --- meaning that needs the register ------------------------------------------------------------------------------

    def refuse(self, path: KeyPath, why: str, remedy: str) -> None:
        self.problems.append(Problem(self.place, self.line(path), _dotted(path), why, remedy))

    def check(self, file: PatientFile) -> None:
        if not file.id.strip():
            self.refuse(("id",), "the id is empty", "write a name or number for the patient")
        for key, items, unit in (("weight", file.weight, "kg"), ("height", file.height, "cm")):
            for index, item in enumerate(items):
                if item.value.dimension != UNITS[unit].dimension:
                    self.refuse((key, index), f"'{item.value}' is not a {key}", f"write it in {unit}, or in {'lb' if unit == 'kg' else 'in'}")
        if file.age is not None and file.age.dimension != "time":
            self.refuse(("age",), f"'{file.age}' is not an age", "write for example '7 month' or '54 year'")
        self.dimension(("order", "dose"), file.order.dose, {"mass", "mass per body mass"}, "g, g/kg or mg/kg")
        self.dimension(("order", "rate_max"), file.order.rate_max, _RATES, "mL/h, mL/kg/h or mg/kg/min")
        self.dimension(("order", "pump_increment"), file.order.pump_increment, {"volume rate"}, "mL/h")
        self.dimension(("order", "pump_max"), file.order.pump_max, {"volume rate"}, "mL/h")
        self.dimension(("order", "every"), file.order.every, {"time"}, "days, weeks or months")
        if file.order.days is not None and file.order.days < 1:
            self.refuse(("order", "days"), f"{file.order.days} days are not possible", "write 1 or more")
        for index, given in enumerate(file.infusions):
            self.dimension(("infusions", index, "dose"), given.dose, {"mass", "mass per body mass"}, "g or g/kg")
            self.dimension(("infusions", index, "rate_max"), given.rate_max, _RATES, "mL/h, mL/kg/h or mg/kg/min")
        if file.pregnancy is not None:
            self.dimension(("pregnancy", "pre_pregnancy_weight"), file.pregnancy.pre_pregnancy_weight, {"mass"}, "kg")
        for key, entries in (("conditions", file.conditions), ("medicines", file.medicines), ("allergies", file.allergies)):
            for index, entry in enumerate(entries):
                texts = (getattr(entry, "name", ""), getattr(entry, "substance", ""), *(code for name in CODE_KEYS for code in getattr(entry, name, ())))
                if not any(text.strip() for text in texts):
                    self.refuse((key, index), "it names nothing", "write the name, or a code")
        if self.facts:
            self.tests(file)
            self.answers(file)

    def dimension(self, path: KeyPath, value: Quantity | None, allowed: set[str], units: str) -> None:
        if value is not None and value.dimension not in allowed:
            self.refuse(path, f"'{value}' is a {value.dimension}", f"write it in {units}")

    def tests(self, file: PatientFile) -> None:
        known = [fact.id for fact in self.facts.values() if fact.source in {"results", "body"}]
        for test, items in file.results.items():
            definition = self.facts.get(test)
            if definition is None or definition.stage != "patient":
                near = difflib.get_close_matches(test, known, n=1, cutoff=0.5)
                self.refuse(("results", test), "this test is not known here", f"did you mean '{near[0]}'?" if near else f"known tests: {', '.join(known)}")
                continue
            if test in {"weight", "height", "age", "sex", "blood_group", "pre_pregnancy_weight", "gestation"}:
                inside = test in {"pre_pregnancy_weight", "gestation"}
                self.refuse(("results", test), "it has a key of its own", "write it under 'pregnancy:'" if inside else f"write '{test}:' at the left margin")
                continue
            for index, item in enumerate(items):
                path = ("results", test, index)
                reading = item.value
                if reading.value is not None and definition.kind == "quantity" and in_register_unit(reading.value, definition) is None:
                    self.refuse(path, f"'{reading.value}' is a {reading.value.dimension}, but {definition.label} is kept in {definition.unit}",
                                f"write it in {definition.unit}" + (f" or {definition.molar.per}" if definition.molar else ""))
                elif reading.value is None and definition.kind == "quantity":
                    self.refuse(path, f"'{reading.word}' is not a quantity", f"write the number with its unit, for example '1 {definition.unit}'")

    def answers(self, file: PatientFile) -> None:
        for key, text in file.answers.items():
            definition = self.facts.get(key)
            if definition is None:
                near = difflib.get_close_matches(key, self.facts, n=1, cutoff=0.75)
                if near or key.split(".")[0] in {"has", "takes", "allergy", "ig", "uses", "planned", "order"}:
                    remedy = f"did you mean '{near[0]}'?" if near else "see the facts register for the names"
                    self.refuse(("answers", key), "this fact is not known here", remedy)
                continue
            if text == "unknown":
                continue
            try:
                answer_value(definition, text)
            except UnitProblem as error:
                why, _, remedy = str(error).partition("; ")
                self.refuse(("answers", key), why, remedy)

    # --- the record ---------------------------------------------------------------------------------------------------

    def record(self, file: PatientFile) -> Record:
        where = self.where
        order = file.order
        pregnancy = file.pregnancy
        return Record(
            id=file.id, note=file.note, sex=file.sex, born=file.born, age=file.age, died=file.died, deceased=file.died is not None,
            weights=tuple(parts.Measurement(value=item.value, on=item.on, estimated=item.estimated, origin=where("weight", index))
                          for index, item in enumerate(file.weight)),
            heights=tuple(parts.Measurement(value=item.value, on=item.on, estimated=item.estimated, origin=where("height", index))
                          for index, item in enumerate(file.height)),
            conditions=tuple(parts.Condition(name=item.name, codes=_codes(item), status=item.status, since=item.since, until=item.until, verified=item.verified,
                                             origin=where("conditions", index)) for index, item in enumerate(file.conditions)),
            conditions_reviewed=file.problem_list_reviewed,
            medicines=tuple(parts.Medicine(name=item.name, codes=_codes(item), status=item.status, since=item.since, until=item.until, dose=item.dose,
                                           origin=where("medicines", index)) for index, item in enumerate(file.medicines)),
            medicines_reviewed=file.medicines_reviewed,
            allergies=tuple(parts.Allergy(substance=item.substance, codes=_codes(item), reaction=item.reaction, severity=item.severity, status=item.status,
                                          origin=where("allergies", index)) for index, item in enumerate(file.allergies)),
            allergies_reviewed=file.allergies_reviewed,
            results=tuple(parts.Result(test=test, value=item.value.value, word=item.value.word, below=item.value.below, above=item.value.above, on=item.on,
                                       drawn=item.drawn, upper_limit=item.upper_limit, origin=where("results", test, index))
                          for test, items in file.results.items() for index, item in enumerate(items)),
            blood_group=file.blood_group,
            pregnancy=None if pregnancy is None else parts.Pregnancy(
                status=pregnancy.status, weeks=pregnancy.weeks, on=pregnancy.on, due=pregnancy.due, pre_pregnancy_weight=pregnancy.pre_pregnancy_weight,
                origin=where("pregnancy")),
            breast_feeding=file.breast_feeding,
            infusions=tuple(sorted((_infusion(item, where("infusions", index)) for index, item in enumerate(file.infusions)), key=lambda item: item.on)),
            infusions_complete=file.infusions_complete,
            vaccinations=tuple(parts.Vaccination(vaccine=item.vaccine, codes=tuple(Code(system="cvx", code=code) for code in item.cvx), on=item.on,
                                                 origin=where("vaccinations", index)) for index, item in enumerate(file.vaccinations)),
            measles_exposure=file.measles_exposure, varicella_exposure=file.varicella_exposure,
            order=parts.Order(**{field: getattr(order, field) for field in order.__struct_fields__}, origin=where("order") if ("order",) in self.lines else ""),
            overrides=file.overrides, answers=file.answers, place=self.place,
            origins={key: where(key) for key in ("sex", "born", "age", "died", "blood_group", "pregnancy", "breast_feeding", "infusions_complete")
                     if (key,) in self.lines},
        )


_RATES = {"volume rate", "volume rate per body mass", "mass rate per body mass", "mass rate"}


def _infusion(item: InfusionEntry, origin: str) -> parts.PastInfusion:
    told = item.reaction
    reaction = Reaction(grade=told.grade, kind=told.kind, rate=told.rate, note=told.note) if told is not None and told.grade != 0 else None
    return parts.PastInfusion(on=item.on, kind=item.kind, product=item.product, lot=item.lot, dose=item.dose, route=item.route, rate_max=item.rate_max,
                              reaction=reaction, tolerated=told is not None and told.grade == 0, place=item.place, origin=origin)


def _codes(entry: ConditionEntry | MedicineEntry | AllergyEntry) -> tuple[Code, ...]:
    return tuple(Code(system=key, code=code, display=getattr(entry, "name", "") or getattr(entry, "substance", ""))
                 for key in CODE_KEYS for code in getattr(entry, key, ()))


def _reading(value: Any) -> Any:
    """A test's value: ``4.2 g/L``, ``<0.07 g/L`` or a word."""
    if isinstance(value, bool):
        return {"word": "positive" if value else "negative"}
    if not isinstance(value, str):
        raise UnitProblem(f"{value!r} has no unit; write the number with its unit, for example '{value} g/L'")
    text = value.strip()
    limit = re.match(r"^(<=?|>=?|less than|below|more than|above)\s*(?=[0-9])", text)
    if limit is not None:
        text = text[limit.end():]
    if re.match(r"^[+-]?[0-9]", text):
        quantity = parse_quantity(text)
        sign = limit[1] if limit is not None else ""
        return {"value": {"value": quantity.value, "unit": quantity.unit}, "below": sign.startswith(("<", "less", "below")),
                "above": sign.startswith((">", "more", "above"))}
    if not text:
        raise UnitProblem("the value is empty; write the number with its unit, or take the line out")
    return {"word": text}


def _dotted(path: KeyPath) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text
