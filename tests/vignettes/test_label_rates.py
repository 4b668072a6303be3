"""The printed label tables, cell by cell: every case beside a product is planned and compared with the mL/h worked out by hand there."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ivigil.basis.facts import Fact, Facts, Origin, Value
from ivigil.basis.quantity import Quantity, Span, parse_quantity
from ivigil.basis.strict_yaml import read_yaml
from ivigil.evidence.conditions import parse_condition
from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence
from ivigil.evidence.shapes import Act, Product, Regimen, SafetyRule
from ivigil.patient.record import PastInfusion, Record
from ivigil.planning import candidates, infusion, subcutaneous
from ivigil.planning.draft import Constraint, Context, Day, Dose, Draft
from ivigil.planning.product_facts import labelled_for_age, labelled_rows, product_facts

CASES = Path(__file__).resolve().parents[2] / "evidence" / "cases" / "products"
SITES = {"volume_per_site", "rate_per_site", "rate_all_sites", "max_sites", "max_per_day"}


@lru_cache(maxsize=1)
def evidence() -> Evidence:
    return load_evidence()


def cases() -> list[Any]:
    found = []
    for path in sorted(CASES.glob("*.yaml")):
        entries, _ = read_yaml(path.read_text(encoding="utf-8"), path.name)
        found += [pytest.param(case.get("product", path.stem), case, id=f"{path.stem}: {case['name']}") for case in entries]
    return found


def draft_of(chosen: Product, case: dict[str, Any]) -> Draft:
    weight = parse_quantity(case.get("weight", "70 kg")).in_unit("kg")
    facts: dict[str, Value] = {"weight": Quantity(weight, "kg")}
    if "age" in case:
        facts["age"] = Quantity(parse_quantity(case["age"]).in_unit("year"), "year")
    later = case.get("infusion") == "later"
    facts |= {"ig.first_ever": not later, "product.switched": False, "ig.weeks_since_last": Quantity(3, "week")}
    route = case.get("route", "intravenous")
    given = tuple(PastInfusion(on=date(2026, 10, 1 + number), product=chosen.id, route=route) for number in range(10)) if later else ()
    every = parse_quantity(case["every"]) if "every" in case else Quantity(1, "week") if route == "subcutaneous" else Quantity(4, "week")
    grams = next((parse_quantity(case[key]).in_unit("g") for key in ("from_intravenous", "full_dose") if key in case), 2 * weight)
    switching = "from_intravenous" in case
    regimen = {
        "id": "case",
        "authority": "case",
        "jurisdiction": "US",
        "phase": "replacement",
        "route": "intravenous" if switching else route,
        "cites": ["case"],
        "dose": {"per_interval": {"low": 2, "high": 2, "unit": "g/kg"}},
    }
    name = case.get("indication", "pid")
    return Draft(
        msgspec.convert({"id": "case", "order": {"route": route}, "infusions_complete": True, "infusions": msgspec.to_builtins(given)}, Record),
        Facts(Fact(key, value, Origin("case")) for key, value in facts.items()),
        indication=evidence().indications[name],
        regimen=msgspec.convert(regimen, Regimen),
        product=chosen,
        dose=Dose("per_interval", grams / weight, grams, Span(1, 1), weight, "actual", every),
        days=(Day(1, date(2026, 11, 23), grams),),
        constraints=(_risk(),) if case.get("at_risk") else (),
    )


def _risk() -> Constraint:
    act = Act(act="cap-rate", to="label-or-policy")
    rule = SafetyRule(id="risk", about="Risk", severity="caution", when=parse_condition("has.renal_insufficiency"), say="Risk.", then=(act,), cites=("case",))
    return Constraint(rule, act)


def context_of(chosen: Product, case: dict[str, Any]) -> Context:
    jurisdiction = next(entry.id for entry in evidence().jurisdictions.values() if chosen.market in entry.markets)
    return Context(jurisdiction=jurisdiction, as_of=date.fromisoformat(case.get("on", "2026-11-20")), start=datetime(2026, 11, 23, 9, 0))


def quantity(written: str, unit: str) -> float:
    return parse_quantity(written).in_unit(unit)


@pytest.mark.parametrize(("name", "case"), cases())
def test_label_case(name: str, case: dict[str, Any]) -> None:
    """Each case beside a product holds: rates in mL/h, sites, factors, populations, refusals."""
    expect = case["expect"]
    if "products" in case:
        _own_rates(case)
        return
    if "excipient" in case:
        holding = {entry.id for entry in evidence().products.values() if entry.contains.get(case["excipient"]) == "yes"}
        assert holding == set(expect["products"])
        return
    chosen = evidence().products[name]
    draft, context = draft_of(chosen, case), context_of(chosen, case)
    if isinstance(expect, str):
        _word(expect, chosen, draft, context, case)
        return
    unknown = set(expect) - {"start", "steps", "maximum", "extended", "ratio", "readings", "factor", "weekly", "weeks", "doses"} - SITES
    assert not unknown, f"the test does not know {unknown}"
    if "ratio" in expect:
        _ratio(chosen, case)
    elif "readings" in expect:
        said = next(line.text for line in infusion.step(draft, evidence(), context).lines if line.id == "infusion.start")
        assert ("rest on one reading" in said) == (expect["readings"] == 1)
    elif "weekly" in expect:
        _weekly(chosen, draft, context, expect)
    elif "weeks" in expect:
        _ramp_up(draft, context, expect)
    elif SITES & set(expect) or case.get("route", "intravenous") != "intravenous":
        _sites(chosen, draft, case, expect)
    else:
        _rates(chosen, draft, context, expect)


def _rates(chosen: Product, draft: Draft, context: Context, expect: dict[str, Any]) -> None:
    lines = {line.id: line for line in infusion.step(draft, evidence(), context).lines}
    cap, day = lines["infusion.cap"], lines["infusion.day-1"]
    assert day.table is not None
    assert cap.value is not None
    pumped = [float(row[5] or 0) for row in day.table.rows]
    if "maximum" in expect:
        assert cap.value.in_unit("mL/h") == quantity(expect["maximum"], "mL/h")
        assert pumped[-1] == quantity(expect["maximum"], "mL/h")
    if "start" in expect:
        assert pumped[0] == quantity(expect["start"], "mL/h")
    if "steps" in expect:
        assert pumped[1:-1] == [quantity(step, "mL/h") for step in expect["steps"]]
    if "maximum" in expect and "start" in expect and "steps" not in expect:
        # No step may be made up between a printed start and a printed maximum.
        assert len(pumped) == 2
    if "extended" in expect:
        row = next(row for row in chosen.rates if draft.indication is not None and draft.indication.id in row.indications)
        assert row.extended is not None
        weight = draft.facts.number("weight", "kg")
        assert weight is not None
        assert row.extended.rate.in_unit("mL/kg/h") * weight == pytest.approx(quantity(expect["extended"], "mL/h"))
    volumes = [float(row[6] or 0) for row in day.table.rows]
    assert sum(volumes) == pytest.approx(float(day.table.rows[-1][7] or 0))
    assert pumped == sorted(pumped)
    assert all(row[3] is None or float(row[3]) <= float(cap.table.rows[0][1] or 0) + 1e-6 for row in day.table.rows if cap.table is not None)


def _sites(chosen: Product, draft: Draft, case: dict[str, Any], expect: dict[str, Any]) -> None:
    row = subcutaneous.schedule_for(chosen, draft, case.get("infusion", "first") == "first")
    assert row is not None
    for key, written in expect.items():
        if key == "steps":
            assert [one.rate.in_unit("mL/h") for one in row.steps] == [quantity(step, "mL/h") for step in written]
        elif key == "max_sites":
            assert row.max_sites == written
        else:
            printed = getattr(row, key)
            assert printed.in_unit(printed.unit) == pytest.approx(quantity(written, printed.unit))


def _weekly(chosen: Product, draft: Draft, context: Context, expect: dict[str, Any]) -> None:
    switch = subcutaneous.switch_for(chosen, draft, context)
    weekly = subcutaneous.weekly_dose(chosen, draft, context)
    assert switch is not None
    assert weekly is not None
    assert switch.from_intravenous == expect["factor"]
    assert weekly.grams == pytest.approx(quantity(expect["weekly"], "g"))


def _ramp_up(draft: Draft, context: Context, expect: dict[str, Any]) -> None:
    table = next(line.table for line in infusion.step(draft, evidence(), context).lines if line.id == "infusion.ramp-up")
    assert table is not None
    assert [row[1] for row in table.rows] == expect["weeks"]
    assert [row[4] for row in table.rows] == pytest.approx([quantity(dose, "g") for dose in expect["doses"]])


def _ratio(chosen: Product, case: dict[str, Any]) -> None:
    def printed(indication: str) -> float:
        row = next(row for row in chosen.rates if indication in row.indications)
        return float(getattr(row, case["of"]).rate.canonical)

    assert printed(case["higher"]) / printed(case["lower"]) == pytest.approx(case["expect"]["ratio"])


def _own_rates(case: dict[str, Any]) -> None:
    """Two strengths of one brand rest on different statements and differ in a printed rate (Gammaplex shares its maximum per volume, not its start)."""
    cites, limits = [], []
    for name in case["products"]:
        rows = evidence().products[name].rates
        cites.append({cite for row in rows for cite in row.cites if cite.startswith(name)})
        limits.append({(row.start.rate.canonical, row.maximum.rate.canonical) for row in rows})
    assert cites[0]
    assert cites[1]
    assert not cites[0] & cites[1]
    assert limits[0] != limits[1]


def _word(expect: str, chosen: Product, draft: Draft, context: Context, case: dict[str, Any]) -> None:
    name = case.get("indication", "pid")
    if expect == "refuses":
        ids = [line.id for line in infusion.step(draft, evidence(), context).lines]
        assert not any(one.startswith("infusion.day") for one in ids)
        assert "not read" in " ".join(line.text for line in infusion.step(draft, evidence(), context).lines)
    elif expect in {"labelled", "not-labelled"}:
        labelled = bool(labelled_rows(chosen, name)) and labelled_for_age(chosen, name, draft.facts) is not False
        assert labelled == (expect == "labelled")
    elif expect in {"discontinued", "selectable"}:
        candidate = candidates.candidate_of(chosen, msgspec.structs.replace(draft, product=None), evidence(), context)
        assert any("No longer on the market" in reason for reason in candidate.excluded) == (expect == "discontinued")
    elif expect == "barred":
        facts = {fact.id: fact.value for fact in product_facts(chosen, draft)}
        assert facts["product.subcutaneous_barred"] is True
        assert candidates.candidate_of(chosen, draft, evidence(), context).excluded
    else:
        raise AssertionError(f"the test does not know what '{expect}' expects")
