"""Published mistakes about rates and routes, each held off by the packaged evidence and the planning code together."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from typing import Any

import msgspec
import pytest

from ivigil.basis.facts import Fact, Facts, Origin, Value
from ivigil.basis.quantity import Quantity, Span
from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence
from ivigil.evidence.shapes import Regimen
from ivigil.patient.record import Record
from ivigil.planning import infusion, product, safety, subcutaneous
from ivigil.planning.draft import Context, Day, Dose, Draft
from ivigil.planning.line import Line

CONTEXT = Context(jurisdiction="US", as_of=date(2026, 11, 20), start=datetime(2026, 11, 23, 9, 0))


@lru_cache(maxsize=1)
def evidence() -> Evidence:
    return load_evidence()


def draft(
    name: str, indication: str, *, weight: float = 70.0, grams: float = 70.0, order: dict[str, Any] | None = None, facts: dict[str, Value] | None = None
) -> Draft:
    known: dict[str, Value] = {
        "age": Quantity(40, "year"),
        "weight": Quantity(weight, "kg"),
        "ig.first_ever": False,
        "ig.weeks_since_last": Quantity(3, "week"),
        "product.switched": False,
    }
    regimen = {"id": "r", "authority": "a", "jurisdiction": "US", "phase": "acute", "cites": ["r"], "dose": {"per_day": {"low": 1, "high": 1, "unit": "g/kg"}}}
    return Draft(
        msgspec.convert({"id": "p", "order": order or {}, "infusions_complete": True}, Record),
        Facts(Fact(key, value, Origin("record")) for key, value in (known | (facts or {})).items()),
        indication=evidence().indications[indication],
        regimen=msgspec.convert(regimen, Regimen),
        product=evidence().products[name] if name else None,
        dose=Dose("per_day", grams / weight, grams, Span(1, 1), weight, "actual"),
        days=(Day(1, date(2026, 11, 23), grams),),
    )


def lines(result: Draft) -> dict[str, Line]:
    return {line.id: line for line in result.lines}


def pumped(result: Draft) -> list[float]:
    table = lines(result)["infusion.day-1"].table
    assert table is not None
    return [float(row[5] or 0) for row in table.rows]


def test_privigen_at_8_in_itp_is_refused() -> None:
    """Privigen runs at up to 8 mg/kg/min in immunodeficiency but 4 in ITP: 168 mL/h at 70 kg (4 x 0.6 x 70), and an order of 8 is refused."""
    result = infusion.step(draft("privigen-us", "itp-adult", order={"rate_max": {"value": 8, "unit": "mg/kg/min"}}), evidence(), CONTEXT)
    assert max(pumped(result)) == 168.0
    refused = lines(result)["infusion.ordered-rate"]
    assert refused.urgency == "critical"
    assert "168 mL/h (4 mg/kg/min)" in refused.text
    assert max(pumped(infusion.step(draft("privigen-us", "pid"), evidence(), CONTEXT))) == 336.0


def test_octagam_10_never_above_4_in_dermatomyositis() -> None:
    """The ITP maximum of 12 mg/kg/min must not reach dermatomyositis: 168 mL/h at 70 kg, whatever is ordered or how often it was given."""
    for order in ({}, {"rate_max": {"value": 12, "unit": "mg/kg/min"}}, {"rate_max": {"value": 504, "unit": "mL/h"}}):
        assert max(pumped(infusion.step(draft("octagam10-us", "dermatomyositis", order=order), evidence(), CONTEXT))) == 168.0
    assert max(pumped(infusion.step(draft("octagam10-us", "itp-adult"), evidence(), CONTEXT))) == 504.0


@pytest.mark.parametrize(("indication", "start"), [("pid", 42.0), ("itp-adult", 42.0), ("cidp", 84.0)])
def test_gamunex_start_depends_on_the_indication(indication: str, start: float) -> None:
    """1 mg/kg/min in immunodeficiency and ITP (0.6 x 70 = 42 mL/h), 2 in CIDP (84 mL/h)."""
    assert pumped(infusion.step(draft("gamunex-c-us", indication), evidence(), CONTEXT))[0] == start


def test_gamunex_off_label_does_not_borrow_the_faster_start() -> None:
    """In an indication the label does not name, the 1 mg/kg/min rows stand in, not the CIDP row."""
    result = infusion.step(draft("gamunex-c-us", "gbs"), evidence(), CONTEXT)
    assert pumped(result)[0] == 42.0
    assert "infusion.off-label" in lines(result)


def test_label_rounding_is_never_read_upward() -> None:
    """Octagam 5 %: 0.07 mL/kg/min is printed for 200 mg/kg/h. 200 / 50 = 4 mL/kg/h, 280 mL/h at 70 kg, not 0.07 x 60 x 70 = 294."""
    assert max(pumped(infusion.step(draft("octagam5-us", "pid", grams=60), evidence(), CONTEXT))) == 280.0
    cap = lines(infusion.step(draft("octagam5-us", "pid", grams=60), evidence(), CONTEXT))["infusion.cap"]
    assert cap.table is not None
    assert float(cap.table.rows[0][2] or 0) == 280.0


def test_a_start_printed_in_two_units_takes_the_lower() -> None:
    """Gammagard Liquid: 0.5 mL/kg/h is 35 mL/h at 70 kg, the 0.8 mg/kg/min printed beside it 33.6; the pump is set to 33."""
    assert pumped(infusion.step(draft("gammagard-liquid-us", "pid"), evidence(), CONTEXT))[0] == 33.0


def test_steps_follow_the_weight() -> None:
    """A fixed mL/h ladder ignores weight: at 35 kg every rate is half of that at 70 kg."""
    small = pumped(infusion.step(draft("octagam10-us", "itp-adult", weight=35, grams=35), evidence(), CONTEXT))
    large = pumped(infusion.step(draft("octagam10-us", "itp-adult"), evidence(), CONTEXT))
    assert small == [rate / 2 for rate in large]


def test_steps_follow_the_product_and_its_strength() -> None:
    """The same patient and indication: Privigen to 336 mL/h, Octagam 5 % to 280, Bivigam to 252. No ladder fits all."""
    highest = {name: max(pumped(infusion.step(draft(name, "pid"), evidence(), CONTEXT))) for name in ("privigen-us", "octagam5-us", "bivigam-us")}
    assert highest == {"privigen-us": 336.0, "octagam5-us": 280.0, "bivigam-us": 252.0}


def test_a_first_infusion_never_gets_the_later_start() -> None:
    """Qivigy prints 2 mg/kg/min for later infusions; a first one, a switch or an unknown history starts at 1 (42 mL/h)."""
    assert pumped(infusion.step(draft("qivigy-us", "pid"), evidence(), CONTEXT))[0] == 84.0
    for changed in ({"ig.first_ever": True}, {"product.switched": True}):
        assert pumped(infusion.step(draft("qivigy-us", "pid", facts=dict(changed)), evidence(), CONTEXT))[0] == 42.0
    bare = draft("qivigy-us", "pid")
    unknown = msgspec.structs.replace(bare, facts=Facts(fact for fact in bare.facts.values() if not fact.id.startswith("ig.")))
    assert pumped(infusion.step(unknown, evidence(), CONTEXT))[0] == 42.0


def test_no_stale_subcutaneous_factor() -> None:
    """Withdrawn factors (1.53, 1.40) are in force nowhere: today every US switch is 1.30 or 1.37, and Cutaquig's is 1.30."""
    today = {
        entry.id: found.from_intravenous
        for entry in evidence().products.values()
        if entry.market == "US" and (found := subcutaneous.switch_for(entry, draft("", "pid"), CONTEXT)) is not None
    }
    assert today["cutaquig-us"] == 1.30
    assert set(today.values()) == {1.30, 1.37}


def test_a_subcutaneous_product_ordered_into_a_vein_is_refused() -> None:
    """Hizentra by vein: the order is refused with the reason, another product is offered, and no rate table for it exists."""
    asked = draft("", "pid", order={"product": "hizentra-us", "route": "intravenous"}, facts={"order.route": "intravenous"})
    result = product.step(asked, evidence(), CONTEXT)
    refused = lines(result)["product.ordered"]
    assert refused.urgency == "critical"
    assert "Not for intravenous use; only subcutaneous." in refused.text
    assert result.product is not None
    assert "intravenous" in result.product.routes
    forced = infusion.step(draft("hizentra-us", "pid", order={"route": "intravenous"}), evidence(), CONTEXT)
    assert "infusion.day-1" not in lines(forced)


@pytest.mark.parametrize("name", ["alyglo-us", "gammagard-sd-us", "intratect10-eu"])
def test_no_table_from_rates_that_were_not_read(name: str) -> None:
    """A product whose rates were not read gets no mL/h, only the request for its label."""
    result = lines(infusion.step(draft(name, "pid"), evidence(), CONTEXT))
    assert set(result) == {"infusion.not-read"}


@pytest.mark.parametrize(("name", "limit"), [("octagam10-us", 126.0), ("privigen-us", 84.0)])
def test_risk_lowers_the_rate(name: str, limit: float) -> None:
    """At kidney risk Octagam 10 % keeps to its printed 0.03 mL/kg/min (126 mL/h at 70 kg), not to the default; Privigen prints none: 2 mg/kg/min (84 mL/h)."""
    at_risk = draft(name, "itp-adult", facts={"has.renal_insufficiency": True})
    result = infusion.step(safety.step(at_risk, evidence(), CONTEXT), evidence(), CONTEXT)
    assert max(pumped(result)) == limit
