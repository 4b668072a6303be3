"""From a request to a record and choices: the body is the record itself, or one JSON object that holds record and choices; all problems at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import msgspec
from fastapi import Request

from ivigil.basis.conversion import convert, from_json
from ivigil.basis.names import near
from ivigil.basis.problems import BadInput, Problem
from ivigil.basis.shapes import Shaper
from ivigil.planning.choices import PlanChoices
from ivigil.planning.draft import PriceItem, StockItem
from ivigil.service.hospital import TooLarge

T = TypeVar("T")

ENVELOPE = "record"
"""The key by which an object that holds a record is told from a record."""


class ForecastChoices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be chosen for a forecast, as on the command line."""

    dose: str = ""
    every: str = ""
    days: int = 0
    route: str = ""
    target_trough: str = ""
    loading: str = ""
    missed: tuple[int, ...] = ()
    late: tuple[str, ...] = ()
    switch: str = ""
    indication: str = ""
    model: str = ""
    weeks: int = 26
    start: str = ""
    as_of: str = ""
    jurisdiction: str = ""


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that may stand beside the record in one JSON object."""

    choices: PlanChoices = PlanChoices()
    forecast: ForecastChoices = ForecastChoices()
    line: str = ""
    formulary: tuple[str, ...] | None = None
    stock: tuple[StockItem, ...] | None = None
    prices: tuple[PriceItem, ...] | None = None


class Asked(msgspec.Struct, frozen=True):
    """One request, taken apart. ``problems`` are those of the choices; they are told together with those of the record."""

    record: bytes
    envelope: Envelope
    problems: tuple[Problem, ...] = ()

    def together(self, make: Callable[[], T]) -> T:
        """What ``make`` gives.

        Raises:
            BadInput: the choices or what ``make`` reads cannot be used; every problem of both.
        """
        try:
            made = make()
        except TooLarge:
            raise
        except BadInput as error:
            raise BadInput([*self.problems, *error.problems]) from None
        if self.problems:
            raise BadInput(self.problems)
        return made


async def asked(request: Request, chosen: type[PlanChoices] | type[ForecastChoices], also: Iterable[str] = ()) -> Asked:
    """The record and the choices of a request; what the address says wins over what the body says."""
    body = await request.body()
    problems: list[Problem] = []
    record, parts = taken_apart(body)
    envelope = Shaper().read(parts, Envelope, "request", {}, (), problems) or Envelope()
    key = "choices" if chosen is PlanChoices else "forecast"
    given = from_address(request, chosen, also, problems)
    own = getattr(envelope, key)
    choices = msgspec.structs.replace(own, **{name: value for name, value in given.items() if name not in also})
    envelope = msgspec.structs.replace(envelope, **{key: choices}, line=given.get("line", envelope.line))
    return Asked(record, envelope, tuple(problems))


def taken_apart(body: bytes) -> tuple[bytes, dict[str, Any]]:
    """The record in a body, byte for byte as it came, and what stands beside it."""
    if body.lstrip()[:1] != b"{":
        return body, {}
    try:
        parts = from_json(body, dict[str, msgspec.Raw])
        if ENVELOPE not in parts:
            return body, {}
        record = bytes(parts.pop(ENVELOPE))
        if record.startswith(b'"'):
            record = from_json(record, str).encode()
        return record, {name: msgspec.json.decode(value) for name, value in parts.items()}
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return body, {}  # the reader of records says what is wrong with it


def from_address(request: Request, chosen: type[msgspec.Struct], also: Iterable[str], problems: list[Problem]) -> dict[str, Any]:
    """The choices after the question mark. Hyphens and underscores are one."""
    kinds = {field.encode_name: field.type for field in msgspec.structs.fields(chosen)}
    found: dict[str, Any] = {}
    for written in dict.fromkeys(request.query_params.keys()):
        name = written.replace("-", "_")
        values = request.query_params.getlist(written)
        if name in also:
            found[name] = values[-1]
        elif name not in kinds:
            names = [*kinds, *also]
            similar = near(name, names)
            remedy = f"did you mean {', '.join(similar)}?" if similar else f"known: {', '.join(names)}"
            problems.append(Problem(written, 0, "", "there is no such choice", remedy))
        else:
            try:
                found[name] = convert(values if str(kinds[name]).startswith("tuple") else values[-1], kinds[name], strict=False)
            except msgspec.ValidationError:
                kind, example = ("true or false", "true") if kinds[name] is bool else ("a whole number", "4")
                problems.append(Problem(written, 0, "", f"'{values[-1]}' is not {kind}", f"write for example {example}"))
    return found
