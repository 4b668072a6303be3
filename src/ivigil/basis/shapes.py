"""Plain data checked against a typed shape: every problem at once, each with its line and a suggestion.

msgspec stops at the first mismatch. People who write evidence or records want the whole list, so this walks the same types and
collects; the converted result then goes through msgspec, which stays the only authority on what loads.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from ivigil.basis.conversion import convert, type_info
from ivigil.basis.problems import Problem
from ivigil.basis.quantity import Quantity, Span, UnitProblem, parse_quantity, parse_span
from ivigil.basis.strict_yaml import Lines, Path

T = TypeVar("T", bound=msgspec.Struct)
Reader = Callable[[Any], Any]
"""Turns written text into the builtin form of a special type; raises ValueError with a remedy in its message."""


def _quantity(value: Any) -> Any:
    if isinstance(value, str):
        quantity = parse_quantity(value)
        return {"value": quantity.value, "unit": quantity.unit}
    if isinstance(value, dict) and set(value) == {"value", "unit"}:
        quantity = parse_quantity(f"{value['value']} {value['unit']}")
        return {"value": quantity.value, "unit": quantity.unit}
    raise UnitProblem(f"{value!r} has no unit; write the number with its unit")


def _span(value: Any) -> Any:
    if isinstance(value, dict):
        return value
    span = parse_span(str(value))
    return {"low": span.low, "high": span.high, "unit": span.unit}


READERS: dict[type, Reader] = {Quantity: _quantity, Span: _span}


class Shaper:
    """Checks and converts plain values into structs.

    ``readers`` adds special types (conditions) to quantities and ranges; ``examples`` are texts that a key may hold, shown where one cannot be read.
    """

    def __init__(self, readers: dict[type, Reader] | None = None, examples: dict[str, str] | None = None) -> None:
        self.readers: dict[type, Reader] = {**READERS, **(readers or {})}
        self.examples = examples or {}

    def read(self, value: Any, shape: type[T], place: str, lines: Lines, at: Path = (), problems: list[Problem] | None = None) -> T | None:
        """One struct from plain data, or None with the reasons appended to ``problems``."""
        found: list[Problem] = []
        collector = _Collector(place, lines, found, self.readers, self.examples)
        builtins = collector.convert(value, _info(shape), at)
        result: T | None = None
        if not found:
            try:
                result = convert(builtins, shape)
            except (msgspec.ValidationError, ValueError) as error:
                found.append(Problem(place, lines.get(at, 0), _name(at), str(error)))
        if problems is not None:
            problems.extend(found)
        return result


def missing(key: str) -> str:
    """What is said of a key that has to be there and is not."""
    return f"'{key}' is missing"


@lru_cache(maxsize=512)
def _info(shape: type) -> inspect.Type:
    return type_info(shape)


def _name(path: Path) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


class _Collector:
    def __init__(self, place: str, lines: Lines, problems: list[Problem], readers: dict[type, Reader], examples: dict[str, str]) -> None:
        self.place, self.lines, self.problems, self.readers, self.examples = place, lines, problems, readers, examples

    def report(self, path: Path, why: str, remedy: str = "") -> None:
        at = path
        while at and at not in self.lines:
            at = at[:-1]
        self.problems.append(Problem(self.place, self.lines.get(at, 0), _name(path), why, remedy))

    def convert(self, value: Any, info: inspect.Type, path: Path) -> Any:
        if isinstance(info, inspect.Metadata):
            return self.convert(value, info.type, path)
        if isinstance(info, inspect.UnionType):
            return self.union(value, info, path)
        if isinstance(info, inspect.StructType):
            reader = self.readers.get(info.cls)
            if reader is not None:
                return self.special(value, reader, path)
            return self.struct(value, info, path)
        if isinstance(info, (inspect.VarTupleType, inspect.ListType)):
            if not isinstance(value, list):
                self.report(path, f"expected a list, found {_kind(value)}", "write it as '[a, b]' or as lines that start with '- '")
                return ()
            return [self.convert(item, info.item_type, (*path, index)) for index, item in enumerate(value)]
        if isinstance(info, inspect.DictType):
            if not isinstance(value, dict):
                self.report(path, f"expected keys with values, found {_kind(value)}")
                return {}
            return {key: self.convert(item, info.value_type, (*path, key)) for key, item in value.items()}
        return self.scalar(value, info, path)

    def special(self, value: Any, reader: Reader, path: Path) -> Any:
        try:
            return reader(value)
        except ValueError as error:
            why, _, remedy = str(error).partition("; ")
            example = next((self.examples[part] for part in reversed(path) if isinstance(part, str) and part in self.examples), "")
            self.report(path, why, f"{remedy.partition(', for example')[0]}, for example '{example}'" if example else remedy)
            return None

    def union(self, value: Any, info: inspect.UnionType, path: Path) -> Any:
        if value is None and info.includes_none:
            return None
        choices = [choice for choice in info.types if not isinstance(choice, inspect.NoneType)]
        if len(choices) == 1:
            return self.convert(value, choices[0], path)
        trials: list[list[Problem]] = []
        for choice in choices:
            trial = _Collector(self.place, self.lines, [], self.readers, self.examples)
            converted = trial.convert(value, choice, path)
            if not trial.problems:
                return converted
            trials.append(trial.problems)
        fewest = trials[0]
        for trial_problems in trials[1:]:
            fewest = trial_problems if len(trial_problems) < len(fewest) else fewest
        self.problems.extend(fewest)
        return None

    def struct(self, value: Any, info: inspect.StructType, path: Path) -> Any:
        if not isinstance(value, dict):
            self.report(path, f"expected keys with values, found {_kind(value)}", f"known keys: {', '.join(f.encode_name for f in info.fields)}")
            return {}
        fields = {field.encode_name: field for field in info.fields}
        out: dict[str, Any] = {}
        misspelt: set[str] = set()
        for key, item in value.items():
            field = fields.get(key)
            if field is None:
                near = difflib.get_close_matches(key, fields, n=1, cutoff=0.6)
                misspelt.update(near)
                remedy = f"did you mean '{near[0]}'?" if near else f"known keys: {', '.join(fields)}"
                if item is None and not near:
                    remedy = f"inside braces a comma ends a text: where '{key}' belongs to the text before it, put the whole text in quotes"
                self.report((*path, key), "unknown key", remedy)
            elif item is None and field.default is None:
                out[key] = None
            else:
                out[key] = self.convert(item, field.type, (*path, key))
        for key, field in fields.items():
            if field.required and key not in value and key not in misspelt:
                self.report(path, missing(key), f"add '{key}:'")
        return out

    def scalar(self, value: Any, info: inspect.Type, path: Path) -> Any:
        if isinstance(info, inspect.LiteralType):
            if value not in info.values or (isinstance(value, bool) and True not in info.values):
                names = [str(choice) for choice in info.values]
                near = difflib.get_close_matches(str(value), names, n=1, cutoff=0.5)
                self.report(path, f"{value!r} is not one of {', '.join(filter(None, names))}", f"did you mean '{near[0]}'?" if near else "choose one of them")
            return value
        if isinstance(info, inspect.StrType):
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                return str(value)
            if not isinstance(value, str):
                self.report(path, f"expected text, found {_kind(value)}", "put it in quotes")
            return value
        if isinstance(info, inspect.BoolType):
            if not isinstance(value, bool):
                self.report(path, f"expected true or false, found {value!r}", "write true or false")
            return value
        if isinstance(info, (inspect.IntType, inspect.FloatType)):
            whole = isinstance(info, inspect.IntType)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or (whole and not isinstance(value, int)):
                self.report(path, f"expected a {'whole ' if whole else ''}number, found {_kind(value)}", "write the bare number")
            return value
        if isinstance(info, inspect.DateType):
            try:
                return date.fromisoformat(str(value)).isoformat()
            except ValueError:
                self.report(path, f"{value!r} is not a date", "write year-month-day, for example 2026-11-20")
                return None
        return value


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "keys with values"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return f"the text '{value if len(value) <= 40 else value[:37] + '...'}'"
    return f"{value!r}"
