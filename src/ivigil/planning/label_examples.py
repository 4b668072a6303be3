"""Runs the examples worked by hand beside products: rates in mL/h, sites, factors, populations, refusals, supply."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from typing import Literal

import msgspec

from ivigil.basis.facts import Fact, Facts, Origin, Value
from ivigil.basis.quantity import Quantity, Span, as_written, number_text
from ivigil.evidence.conditions import parse_condition
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import Act, Product, RateSchedule, Regimen, RegimenDose, Route, SafetyRule
from ivigil.patient.record import Order, PastInfusion, Record
from ivigil.planning import candidates, infusion, subcutaneous
from ivigil.planning.draft import Constraint, Context, Day, Dose, Draft
from ivigil.planning.line import Line
from ivigil.planning.product_facts import labelled_for_age, labelled_rows, product_facts

Word = Literal["refuses", "labelled", "not-labelled", "discontinued", "selectable", "barred", "own-rates"]
_SITES = ("volume_per_site", "rate_per_site", "rate_all_sites", "max_per_day")
_MIDNIGHT = time(0)
_PUMP = infusion.COLUMNS[5]


class LabelExpected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a label comes to: rates of the pump, limits of sites, a factor, a ramp-up, or the products that hold an excipient."""

    start: Quantity | None = None
    steps: tuple[Quantity, ...] | None = None
    maximum: Quantity | None = None
    extended: Quantity | None = None
    ratio: float | None = None
    readings: Literal[1, 2] | None = None
    factor: float | None = None
    weekly: Quantity | None = None
    weeks: tuple[int, ...] | None = None
    doses: tuple[Quantity, ...] | None = None
    volume_per_site: Quantity | None = None
    rate_per_site: Quantity | None = None
    rate_all_sites: Quantity | None = None
    max_sites: int | None = None
    max_per_day: Quantity | None = None
    products: tuple[str, ...] | None = None


class LabelExample(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An example beside a product: who is infused, how, and what the label then prints or refuses. ``check`` numbers a list it stands in."""

    name: str
    expect: Word | LabelExpected
    indication: str = ""
    product: str = ""
    products: tuple[str, ...] = ()
    excipient: str = ""
    age: Quantity | None = None
    weight: Quantity | None = None
    infusion: Literal["first", "later"] = "first"
    route: Route = "intravenous"
    at_risk: bool = False
    on: date | None = None
    every: Quantity | None = None
    from_intravenous: Quantity | None = None
    full_dose: Quantity | None = None
    higher: str = ""
    lower: str = ""
    of: Literal["start", "maximum"] = "maximum"
    check: int = 0


def label_owners(example: LabelExample, stem: str) -> tuple[str, ...]:
    """The products that an example is about."""
    if example.excipient and not isinstance(example.expect, str):
        return example.expect.products or ()
    return example.products or (example.product or stem,)


def label_mismatches(example: LabelExample, stem: str, evidence: Evidence, as_of: date) -> Iterator[str]:
    """What of an example does not come out, in words."""
    unknown = [name for name in label_owners(example, stem) if name not in evidence.products]
    named = {name: "indication" for name in (example.indication, example.higher, example.lower) if name and name not in evidence.indications}
    if unknown or named:
        yield "; ".join([f"no product is called '{name}'" for name in unknown] + [f"no {kind} is called '{name}'" for name, kind in named.items()])
    elif example.excipient:
        yield from _holding(example, evidence)
    elif example.products and example.expect != "own-rates":
        yield "an example with 'products' shows that they have rates of their own; write 'expect: own-rates'"
    elif example.products:
        yield from _own_rates([evidence.products[name] for name in example.products])
    else:
        yield from _of_product(example, evidence.products[example.product or stem], evidence, as_of)


def _of_product(example: LabelExample, chosen: Product, evidence: Evidence, as_of: date) -> Iterator[str]:
    places = [entry.id for entry in evidence.jurisdictions.values() if chosen.market in entry.markets]
    if not places:
        yield f"no jurisdiction buys from the market '{chosen.market}'"
        return
    day = example.on or as_of
    context = Context(jurisdiction=places[0], as_of=day, start=datetime.combine(day, _MIDNIGHT))
    draft = label_draft(example, chosen, evidence, day)
    if isinstance(example.expect, str):
        came = _word(example.expect, example, chosen, draft, evidence, context)
        if came:
            yield f"expected '{example.expect}', came to: {came}"
        return
    expect = example.expect
    if expect == LabelExpected():
        yield "expects nothing"
    if expect.ratio is not None:
        yield from _ratio(example, chosen, expect.ratio)
    if expect.factor is not None or expect.weekly is not None:
        yield from _weekly(chosen, draft, context, expect)
    if expect.weeks is not None or expect.doses is not None:
        yield from _ramp_up(draft, evidence, context, expect)
    if any(getattr(expect, key) is not None for key in (*_SITES, "max_sites")) or (expect.steps and example.route != "intravenous"):
        yield from _sites(chosen, draft, example, expect)
    elif any(one is not None for one in (expect.start, expect.steps, expect.maximum, expect.extended, expect.readings)):
        yield from _rates(example, chosen, draft, evidence, context, expect)


def label_draft(example: LabelExample, chosen: Product, evidence: Evidence, day: date) -> Draft:
    """A plan in the making as it reaches the infusion: this product for a person of whom only age and weight are known, at 1 g/kg unless said."""
    kg = example.weight.in_unit("kg") if example.weight is not None else None
    later = example.infusion == "later"
    facts: dict[str, Value] = {"ig.first_ever": not later, "product.switched": False, "ig.weeks_since_last": Quantity(1, "week")}
    if kg is not None:
        facts["weight"] = Quantity(kg, "kg")
    if example.age is not None:
        facts["age"] = Quantity(example.age.in_unit("year"), "year")
    dosed = example.from_intravenous or example.full_dose
    grams = dosed.in_unit("g") if dosed is not None else kg or 1.0
    earlier = max((row.first_infusions for row in chosen.subcutaneous), default=1) if later else 0
    given = tuple(PastInfusion(on=day, product=chosen.id, route=example.route) for _ in range(earlier))
    route: Route = "intravenous" if example.from_intravenous is not None else example.route
    regimen = Regimen(id="example", authority="example", jurisdiction="", phase="replacement", route=route, cites=(),
                      dose=RegimenDose(per_interval=Span(grams, grams, "g")))
    return Draft(
        Record(id="example", order=Order(route=example.route), infusions_complete=True, infusions=given),
        Facts(Fact(name, value, Origin("case")) for name, value in facts.items()),
        indication=evidence.indications[example.indication] if example.indication else next(iter(evidence.indications.values()), None),
        regimen=regimen,
        product=chosen,
        dose=Dose("per_interval", grams / (kg or 1), grams, Span(1, 1), kg or 1, "actual", example.every or Quantity(1, "week")),
        days=(Day(1, day, grams),),
        constraints=(_at_risk(),) if example.at_risk else (),
    )


def _at_risk() -> Constraint:
    act = Act(act="cap-rate", to="label-or-policy")
    when = parse_condition("has.renal_insufficiency")
    return Constraint(SafetyRule(id="example", about="Risk", severity="caution", when=when, say="Risk.", then=(act,), cites=()), act)


# --- words ------------------------------------------------------------------------------------------------------------


def _word(expect: Word, example: LabelExample, chosen: Product, draft: Draft, evidence: Evidence, context: Context) -> str:
    """What an outcome in one word came to instead; empty when it came out."""
    if expect == "refuses":
        lines = infusion.step(draft, evidence, context).lines
        tables = [line.id for line in lines if line.id.startswith("infusion.day")]
        refused = any("not read" in line.text for line in lines)
        return "" if refused and not tables else "a table of rates" if tables else "no line that says what was not read"
    if expect in {"labelled", "not-labelled"}:
        rows = labelled_rows(chosen, example.indication)
        came = "labelled" if rows and labelled_for_age(chosen, example.indication, draft.facts) is not False else "not-labelled"
        return "" if came == expect else came
    if expect in {"discontinued", "selectable"}:
        candidate = candidates.candidate_of(chosen, msgspec.structs.replace(draft, product=None), evidence, context)
        gone = any(reason.startswith(("No longer on the market", "Discontinued")) for reason in candidate.excluded)
        return "" if gone == (expect == "discontinued") else "discontinued" if gone else "selectable"
    if expect == "barred":
        facts = {fact.id: fact.value for fact in product_facts(chosen, draft)}
        excluded = candidates.candidate_of(chosen, draft, evidence, context).excluded
        return "" if facts.get("product.subcutaneous_barred") is True and excluded else "not barred"
    return "an example of own rates names its 'products'"


def _holding(example: LabelExample, evidence: Evidence) -> Iterator[str]:
    holding = {entry.id for entry in evidence.products.values() if entry.contains.get(example.excipient) == "yes"}
    expected = set(example.expect.products or ()) if not isinstance(example.expect, str) else set()
    for name in sorted(holding ^ expected):
        yield f"{name} {'holds' if name in holding else 'does not hold'} {example.excipient}"


def _own_rates(products: Iterable[Product]) -> Iterator[str]:
    """Two strengths of one brand rest on different statements and differ in a printed rate."""
    cites, limits = [], []
    for one in products:
        cites.append({cite for row in one.rates for cite in row.cites if cite.startswith(one.id)})
        limits.append({(row.start.rate.canonical, row.maximum.rate.canonical) for row in one.rates})
    if not all(cites):
        yield "a strength rests on no statement of its own"
    if set.intersection(*cites):
        yield f"the strengths share {', '.join(sorted(set.intersection(*cites)))}"
    if all(one == limits[0] for one in limits[1:]):
        yield "the strengths print the same rates"


# --- rates ------------------------------------------------------------------------------------------------------------


def _rates(example: LabelExample, chosen: Product, draft: Draft, evidence: Evidence, context: Context, expect: LabelExpected) -> Iterator[str]:
    if example.weight is None:
        yield "gives no weight; add 'weight: 70 kg'"
        return
    lines: dict[str, Line] = {line.id: line for line in infusion.step(draft, evidence, context).lines}
    day, start = lines.get("infusion.day-1"), lines.get("infusion.start")
    if day is None or day.table is None or start is None:
        yield "no table of rates: " + " ".join(line.text for line in lines.values())
        return
    place = day.table.columns.index(_PUMP)
    pumped = [float(row[place] or 0) for row in day.table.rows]
    if expect.start is not None:
        yield from _compared("start", [expect.start], pumped[:1])
    if expect.steps is not None:
        yield from _compared("steps", expect.steps, pumped[1:-1])
    if expect.maximum is not None:
        yield from _compared("maximum", [expect.maximum], pumped[-1:])
        if expect.start is not None and expect.steps is None and len(pumped) - 1 > 1:
            yield f"expects no steps, came to {', '.join(f'{number_text(one)} mL/h' for one in pumped[1:-1])} between start and maximum"
    if expect.extended is not None:
        yield from _extended(expect.extended, chosen, draft, example.weight.in_unit("kg"))
    if expect.readings is not None and ("rest on one reading" in start.text) != (expect.readings == 1):
        yield f"expected readings: {expect.readings}, came to the other"


def _compared(key: str, expected: Iterable[Quantity], came: list[float]) -> Iterator[str]:
    wanted = [one.in_unit("mL/h") for one in expected]
    if len(wanted) != len(came) or not all(map(math.isclose, wanted, came)):
        yield f"expected {key} {', '.join(map(number_text, wanted)) or 'none'} mL/h, came to {', '.join(map(number_text, came)) or 'none'} mL/h"


def _extended(expected: Quantity, chosen: Product, draft: Draft, kg: float) -> Iterator[str]:
    name = draft.indication.id if draft.indication is not None else ""
    row: RateSchedule | None = next((row for row in chosen.rates if name in row.indications), None)
    if row is None or row.extended is None:
        yield f"expected an extended rate {expected}, came to none"
    elif not math.isclose(row.extended.rate.in_unit("mL/kg/h") * kg, expected.in_unit("mL/h")):
        yield f"expected an extended rate {expected}, came to {number_text(row.extended.rate.in_unit('mL/kg/h') * kg)} mL/h"


def _ratio(example: LabelExample, chosen: Product, expected: float) -> Iterator[str]:
    rates: list[float] = []
    for name in (example.higher, example.lower):
        row = next((row for row in chosen.rates if name in row.indications), None)
        if row is not None:
            rates.append((row.start if example.of == "start" else row.maximum).rate.canonical)
    if len(rates) <= 1:
        yield f"no rates for '{example.higher}' and '{example.lower}'"
    elif not math.isclose(rates[0] / rates[-1], expected):
        yield f"expected the ratio {number_text(expected)}, came to {number_text(rates[0] / rates[-1])}"


# --- under the skin ---------------------------------------------------------------------------------------------------


def _sites(chosen: Product, draft: Draft, example: LabelExample, expect: LabelExpected) -> Iterator[str]:
    row = subcutaneous.schedule_for(chosen, draft, example.infusion == "first")
    if row is None:
        yield "no limits under the skin were read"
        return
    for key in _SITES:
        wanted, printed = getattr(expect, key), getattr(row, key)
        if wanted is not None and (printed is None or not math.isclose(printed.in_unit(wanted.unit), wanted.value)):
            yield f"expected {key} {wanted}, came to {printed if printed is not None else 'none'}"
    if expect.max_sites is not None and row.max_sites != expect.max_sites:
        yield f"expected max_sites {expect.max_sites}, came to {row.max_sites or 'none'}"
    if expect.steps is not None:
        yield from _compared("steps", expect.steps, [one.rate.in_unit("mL/h") for one in row.steps])


def _weekly(chosen: Product, draft: Draft, context: Context, expect: LabelExpected) -> Iterator[str]:
    switch = subcutaneous.switch_for(chosen, draft, context)
    weekly = subcutaneous.weekly_dose(chosen, draft, context)
    if expect.factor is not None and (switch is None or not math.isclose(switch.from_intravenous, expect.factor)):
        yield f"expected factor {number_text(expect.factor)}, came to {number_text(switch.from_intravenous) if switch is not None else 'none'}"
    if expect.weekly is not None and (weekly is None or not as_written(weekly.grams, expect.weekly.in_unit("g"))):
        yield f"expected weekly {expect.weekly}, came to {Quantity(weekly.grams, 'g') if weekly is not None else 'none'}"


def _ramp_up(draft: Draft, evidence: Evidence, context: Context, expect: LabelExpected) -> Iterator[str]:
    table = next((line.table for line in infusion.step(draft, evidence, context).lines if line.id == "infusion.ramp-up"), None)
    if table is None:
        yield "no ramp-up was read for this interval"
        return
    weeks = [row[1] for row in table.rows]
    doses = [float(row[4] or 0) for row in table.rows]
    if expect.weeks is not None and weeks != list(expect.weeks):
        yield f"expected weeks {', '.join(map(str, expect.weeks))}, came to {', '.join(map(str, weeks))}"
    wanted = [one.in_unit("g") for one in expect.doses or ()]
    if expect.doses is not None and (len(wanted) != len(doses) or not all(map(as_written, doses, wanted))):
        yield f"expected doses {', '.join(map(number_text, wanted))} g, came to {', '.join(map(number_text, doses))} g"
