"""The evidence as CSV tables for a spreadsheet: one table per part, and one for each kind of row inside indications and products."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

import msgspec

from ivigil.basis.quantity import Quantity, Span
from ivigil.evidence.conditions import Condition, written
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import PrintedRate, Regimen
from ivigil.evidence.uses import PARTS

Row = dict[str, Any]

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "＝", "＋", "－", "＠")
"""Spreadsheets read the wide forms too."""
_MARK = "\ufeff"
"""Tells a spreadsheet that the file is UTF-8."""
_TABLES_OF_THEIR_OWN = {
    "indications": {"standing", "criteria", "regimens", "targets", "review", "stop", "outcome_measures", "alternatives", "reported", "payer_ceilings"},
    "products": {"rates", "subcutaneous", "switch", "ramp_up", "labelled", "barred"},
}


def evidence_tables(evidence: Evidence) -> dict[str, str]:
    """Every table by file name: CSV in UTF-8 with a byte order mark and a row of heads. A cell that a spreadsheet could take for a formula begins with '."""
    tables: dict[str, list[Row]] = {"about": [{"evidence_version": evidence.version, "overlay": evidence.overlay}]}
    for part in PARTS:
        entries = getattr(evidence, part)
        if entries:
            tables[part] = [_entry(part, entry, evidence) for entry in entries.values()]
    for key in sorted(_TABLES_OF_THEIR_OWN["indications"] - {"regimens"}):
        name = {"review": "indication_reviews", "targets": "indication_targets"}.get(key, key)
        tables[name] = [{"indication": owner.id, **_plain(item, evidence)} for owner in evidence.indications.values() for item in getattr(owner, key)]
    tables["regimens"] = [_regimen(owner.id, regimen, evidence) for owner in evidence.indications.values() for regimen in owner.regimens]
    for key in sorted(_TABLES_OF_THEIR_OWN["products"]):
        tables[key] = [{"product": owner.id, "market": owner.market, **_plain(item, evidence)} for owner in evidence.products.values()
                       for item in getattr(owner, key)]
    return {f"{name.replace('_', '-')}.csv": _csv(rows) for name, rows in tables.items() if rows}


def _entry(part: str, entry: msgspec.Struct, evidence: Evidence) -> Row:
    row = {key: value for key, value in _plain(entry, evidence).items() if key not in _TABLES_OF_THEIR_OWN.get(part, set())}
    if part == "statements":
        row["review"] = evidence.review_states[row["id"]]
    return row


def _plain(item: msgspec.Struct, evidence: Evidence) -> Row:
    row = {field.encode_name: _unless_nought(getattr(item, field.name), field.default) for field in msgspec.structs.fields(type(item))}
    if "cites" in row:
        row["sources"] = _sources(row["cites"], evidence)
    return row


def _unless_nought(value: Any, default: Any) -> Any:
    """Nothing where a number was left at its default of nought: it was not printed, which is not the same as nought."""
    return None if value == 0 and default == 0 and not isinstance(value, bool) else value


def _regimen(indication: str, regimen: Regimen, evidence: Evidence) -> Row:
    """The dose in columns of its own, so that no form of it can be taken for another."""
    dose = regimen.dose
    form = "course_total" if dose.course_total is not None else "per_day" if dose.per_day is not None else "per_interval"
    amount = getattr(dose, form)
    return {
        "indication": indication,
        "id": regimen.id,
        "authority": regimen.authority,
        "edition": regimen.edition,
        "jurisdiction": regimen.jurisdiction,
        "phase": regimen.phase,
        "also_phases": regimen.also_phases,
        "route": regimen.route,
        "dose_form": form,
        "dose_low": amount.low if amount is not None else None,
        "dose_high": amount.high if amount is not None else None,
        "dose_unit": amount.unit if amount is not None else "",
        "days": dose.over_days if dose.over_days is not None else dose.days,
        "every": dose.every,
        "worked_at": dose.worked_at,
        "cap": regimen.cap,
        "weight": regimen.weight,
        "hours": regimen.hours,
        "single_day": regimen.single_day,
        "products": regimen.products,
        "with": regimen.companion,
        "when": regimen.when,
        "repeat": regimen.repeat,
        "say": regimen.say,
        "valid": regimen.valid,
        "cites": regimen.cites,
        "sources": _sources(regimen.cites, evidence),
        "read": evidence.support_of(regimen.cites).read,
        "review": evidence.support_of(regimen.cites).review,
    }


def _sources(cites: Iterable[str], evidence: Evidence) -> tuple[str, ...]:
    """The sources in which the cited statements were really read; remembered ones have none."""
    return tuple(dict.fromkeys(evidence.read_sources[cite][0] for cite in cites if cite in evidence.read_sources))


def _csv(rows: list[Row]) -> str:
    heads = list(dict.fromkeys(key for row in rows for key in row))
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\r\n")
    table.writerow(heads)
    for row in rows:
        table.writerow([safe_cell(cell_text(row.get(head))) for head in heads])
    return _MARK + out.getvalue()


def safe_cell(text: str) -> str:
    """The text with an apostrophe before it where a spreadsheet would work it out as a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(_STARTS_A_FORMULA) else text


def cell_text(value: Any) -> str:
    """A value of an entry on one line; empty for what is absent. Items of a list are parted by ``;``, inside a part of an entry by commas."""
    return " ".join(_text(value, "; ").split())


def _text(value: Any, parted: str) -> str:
    if value is None or isinstance(value, bool):
        return {None: "", True: "yes", False: "no"}[value]
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, Condition):
        return written(value)
    if isinstance(value, PrintedRate):
        parts = [str(value.rate), f"also {value.also}" if value.also is not None else "", f"for {value.hold}" if value.hold is not None else ""]
        return ", ".join(part for part in parts if part)
    if isinstance(value, msgspec.Struct) and not isinstance(value, Quantity | Span):
        fields = ((field.encode_name, _unless_nought(getattr(value, field.name), field.default)) for field in msgspec.structs.fields(type(value)))
        shown = ((key, _text(item, ", ")) for key, item in fields if item is not False)
        return "; ".join(f"{key} {text}" for key, text in shown if text)
    if isinstance(value, dict):
        return parted.join(f"{key} {_text(item, ', ')}" for key, item in value.items())
    if isinstance(value, tuple | list):
        whole = [item for item in value if not isinstance(item, msgspec.Struct) or isinstance(item, Quantity | Span | Condition)]
        return parted.join(_text(item, ", ") if item in whole else f"({_text(item, ', ')})" for item in value)
    return str(value)
