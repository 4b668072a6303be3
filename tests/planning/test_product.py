"""The product step: who is eligible, who ranks first, and why the others do not."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec
import pytest

from ivigil.basis.facts import Fact, FactDefinition, Facts, Origin, Value
from ivigil.basis.quantity import Quantity, Span
from ivigil.evidence.conditions import parse_condition
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import (
    Act,
    Indication,
    Jurisdiction,
    Labelled,
    Measured,
    Names,
    Product,
    ProductStatus,
    Regimen,
    RegimenDose,
    SafetyRule,
    Stabiliser,
    Vials,
)
from ivigil.patient.record import Allergy, Order, PastInfusion, Record
from ivigil.planning import candidates, product
from ivigil.planning.draft import Constraint, Context, Dose, Draft, StockItem
from ivigil.planning.line import Line
from ivigil.planning.product_facts import is_called, last_immunoglobulin, product_facts, switched

CONTEXT = Context(jurisdiction="US", as_of=date(2026, 11, 20), start=datetime(2026, 11, 23, 9, 0))
ADULT = parse_condition("age >= 18 year")


def one(name: str, **more: Any) -> Product:
    fields: dict[str, Any] = {
        "id": f"{name.lower()}-us",
        "brand": name,
        "maker": "Maker",
        "market": "US",
        "routes": ("intravenous",),
        "percent": 10.0,
        "labelled": (Labelled(indication="itp-adult", cites=("label",)),),
        "vials": Vials(sizes=(Quantity(5, "g"), Quantity(10, "g")), cites=("label",)),
    }
    return Product(**(fields | more))


def evidence(*products: Product, rules: tuple[SafetyRule, ...] = ()) -> Evidence:
    names = ("product.contains_sorbitol", "product.contains_sucrose", "product.switched", "product.isoagglutinin_reduced", "product.percent")
    return Evidence(
        jurisdictions={"US": Jurisdiction(id="US", name="United States", markets=("US",))},
        products={entry.id: entry for entry in products},
        rules={rule.id: rule for rule in rules},
        facts={name: FactDefinition(id=name, kind="yes_no", label=name, stage="product") for name in names},
    )


def draft(
    *, facts: dict[str, Value] | None = None, order: Order | None = None, infusions: tuple[PastInfusion, ...] = (), grams: float = 70, **more: Any
) -> Draft:
    known: dict[str, Value] = {"age": Quantity(40, "year"), "weight": Quantity(70, "kg")}
    return Draft(
        Record(id="p", order=order or Order(), infusions=infusions, **more),
        Facts(Fact(name, value, Origin("record")) for name, value in (known | (facts or {})).items()),
        indication=Indication(id="itp-adult", name=Names(clinical="Immune thrombocytopenia"), purpose="immunomodulation"),
        dose=Dose("per_day", 1.0, grams, Span(1, 1), 70, "actual"),
    )


def line(result: Draft, name: str) -> Line:
    return next(entry for entry in result.lines if entry.id == f"product.{name}")


def ids(result: Draft) -> set[str]:
    return {entry.id for entry in result.lines}


def ranking(result: Draft, name: str = "ranking") -> dict[str, tuple[Any, str, str]]:
    table = line(result, name).table
    assert table is not None
    return {str(row[1]): (row[0], str(row[3]), str(row[4])) for row in table.rows}


def rule(name: str, when: str, severity: str) -> SafetyRule:
    return msgspec.structs.replace(
        SafetyRule(id=name, about=f"About {name}", severity="info", when=parse_condition(when), say=f"Because of {name}.", cites=("rule",)), severity=severity
    )


def test_every_candidate_of_the_market_is_in_the_table_with_a_reason() -> None:
    """Two products of the market and one of another: the two stand in the table, the third does not."""
    result = product.step(draft(), evidence(one("Alpha"), one("Beta", routes=("subcutaneous",)), one("Gamma", market="EU")), CONTEXT)
    table = ranking(result)
    assert set(table) == {"Alpha", "Beta"}
    assert table["Alpha"][:2] == (1.0, "eligible")
    assert table["Beta"] == (None, "rejected", "Not for intravenous use; only subcutaneous.")
    assert result.product is not None
    assert result.product.id == "alpha-us"
    assert result.facts.flag("product.intravenous") is True


def test_the_ordered_product_comes_first() -> None:
    """An order outweighs the brand of last time and the alphabet."""
    last = (PastInfusion(on=date(2026, 11, 1), product="Alpha", route="intravenous"),)
    result = product.step(draft(order=Order(product="beta-us"), infusions=last), evidence(one("Alpha"), one("Beta")), CONTEXT)
    assert result.product is not None
    assert result.product.brand == "Beta"
    assert "Switch from Alpha (last given 1 Nov 2026)" in line(result, "switch").text


def test_the_brand_of_last_time_is_kept() -> None:
    """Without an order the last brand ranks first and no switch is announced."""
    result = product.step(
        draft(infusions=(PastInfusion(on=date(2026, 11, 1), product="beta", route="intravenous"),)), evidence(one("Alpha"), one("Beta")), CONTEXT
    )
    assert result.product is not None
    assert result.product.brand == "Beta"
    assert "product.switch" not in ids(result)
    assert result.facts.flag("product.switched") is False


def test_a_contraindicated_product_is_out_and_an_order_for_it_is_refused() -> None:
    """Sorbitol in fructose intolerance: the ordered product is refused with the reason and the next one is offered."""
    rules = (rule("fructose", "product.contains_sorbitol", "contraindicated"),)
    result = product.step(
        draft(order=Order(product="Beta")), evidence(one("Alpha", contains={"sorbitol": "no"}), one("Beta", contains={"sorbitol": "yes"}), rules=rules), CONTEXT
    )
    refused = line(result, "ordered")
    assert refused.urgency == "critical"
    assert refused.text == "Beta was ordered and is refused: Because of fructose. Alpha comes next and needs a new order."
    assert result.product is not None
    assert result.product.brand == "Alpha"
    assert ranking(result)["Beta"][1] == "rejected"


def test_none_left_blocks_with_every_reason() -> None:
    """When every product is excluded the plan is blocked and the table names each reason."""
    rules = (rule("fructose", "product.contains_sorbitol", "contraindicated"),)
    result = product.step(draft(), evidence(one("Alpha", contains={"sorbitol": "yes"}), rules=rules), CONTEXT)
    assert result.product is None
    assert result.blocked == ("product.none-left",)
    assert ranking(result, "blocked")["Alpha"][2] == "Because of fructose."


def test_products_to_avoid_come_last_and_cautions_rank_lower() -> None:
    """No finding before a caution before an avoid, whatever the alphabet and the brand of last time."""
    rules = (rule("sucrose", "product.contains_sucrose", "avoid"), rule("sorbitol", "product.contains_sorbitol", "caution"))
    entries = (
        one("Alpha", contains={"sucrose": "yes", "sorbitol": "no"}),
        one("Beta", contains={"sucrose": "no", "sorbitol": "yes"}),
        one("Gamma", contains={"sucrose": "no", "sorbitol": "no"}),
    )
    last = (PastInfusion(on=date(2026, 11, 1), product="Alpha", route="intravenous"),)
    table = ranking(product.step(draft(infusions=last), evidence(*entries, rules=rules), CONTEXT))
    assert [name for name, row in sorted(table.items(), key=lambda item: item[1][0])] == ["Gamma", "Beta", "Alpha"]
    assert "avoid: About sucrose" in table["Alpha"][2]


def test_off_label_ranks_lower_and_says_so() -> None:
    """A product labelled for another disease only stays eligible behind a labelled one; alone it is chosen with a warning."""
    other = one("Alpha", labelled=(Labelled(indication="pid", cites=("label",)),))
    assert ranking(product.step(draft(), evidence(other, one("Beta")), CONTEXT))["Alpha"][0] == 2.0
    alone = product.step(draft(), evidence(other), CONTEXT)
    assert "is not labelled for Immune thrombocytopenia" in line(alone, "off-label").text
    assert alone.facts.flag("product.labelled_for_indication") is False


def test_a_stabiliser_that_was_not_read_ranks_lower_and_says_so() -> None:
    """Among equals the product whose composition is known comes first, whatever its name; one that was ordered stays first."""
    known = one("Beta", stabiliser=Stabiliser(name="glycine", cites=("label",)))
    table = ranking(product.step(draft(), evidence(one("Alpha"), known), CONTEXT))
    assert (table["Beta"][0], table["Alpha"][0]) == (1.0, 2.0)
    assert "stabiliser not read" in table["Alpha"][2]
    assert "stabiliser not read" not in table["Beta"][2]
    assert ranking(product.step(draft(order=Order(product="Alpha")), evidence(one("Alpha"), known), CONTEXT))["Alpha"][0] == 1.0


def test_without_evidence_for_a_dose_no_product_is_proposed() -> None:
    """Nothing to give has no product, unless somebody ordered one: then what speaks against it is said."""
    without = msgspec.structs.replace(draft(), no_evidence=True, dose=None)
    result = product.step(without, evidence(one("Alpha")), CONTEXT)
    assert result.product is None
    assert result.lines == ()
    ordered = msgspec.structs.replace(draft(order=Order(product="Alpha")), no_evidence=True, dose=None)
    assert "product.choice" in ids(product.step(ordered, evidence(one("Alpha")), CONTEXT))


@pytest.mark.parametrize(("age", "outcome"), [(17, "rejected"), (18, "eligible")])
def test_label_age_is_a_hard_limit(age: float, outcome: str) -> None:
    """Labelled from 18 years: refused at 17, eligible at 18."""
    adult = one("Alpha", labelled=(Labelled(indication="itp-adult", who=ADULT, cites=("label",)),))
    result = product.step(draft(facts={"age": Quantity(age, "year")}), evidence(adult, one("Beta")), CONTEXT)
    assert ranking(result)["Alpha"][1] == outcome


def test_an_unknown_age_excludes_nothing() -> None:
    """Unknown is not too young: the product stays and the age is asked for elsewhere."""
    adult = one("Alpha", labelled=(Labelled(indication="itp-adult", who=ADULT, cites=("label",)),))
    unknown = msgspec.structs.replace(draft(), facts=Facts())
    assert product.step(unknown, evidence(adult), CONTEXT).product is not None


def test_discontinued_announced_and_out_of_stock_products_are_rejected() -> None:
    """Past the last date, not yet sold, not in stock or not on the formulary: each with its reason."""
    entries = (
        one("Alpha", status=ProductStatus(state="discontinued", until="2018-09-30")),
        one("Beta", status=ProductStatus(state="announced")),
        one("Gamma"),
        one("Delta"),
    )
    context = msgspec.structs.replace(
        CONTEXT, stock=(StockItem("gamma-us", Quantity(10, "g"), 3), StockItem("Delta", Quantity(10, "g"), 5, expires=date(2026, 1, 1)))
    )
    table = ranking(product.step(draft(), evidence(*entries), context))
    assert table["Alpha"][2].startswith("No longer on the market since 2018-09-30.")
    assert table["Beta"][2].startswith("Not yet on the market.")
    assert table["Gamma"][1] == "eligible"
    assert table["Delta"][2] == "Not in stock."
    listed = msgspec.structs.replace(CONTEXT, formulary=("Delta",))
    assert ranking(product.step(draft(), evidence(*entries), listed))["Gamma"][2] == "Not on the formulary."


def test_the_stronger_solution_first_when_volume_matters() -> None:
    """At risk of overload 10 % goes before 5 % whatever it wastes; without the risk waste goes first, and strength only decides between equals."""
    coarse = Vials(sizes=(Quantity(40, "g"),), cites=("label",))
    entries = (one("Alpha", percent=5.0), one("Beta", vials=coarse), one("Gamma"))
    assert ranking(product.step(draft(facts={"risk.volume": True}), evidence(*entries), CONTEXT))["Alpha"][0] == 3.0
    without = ranking(product.step(draft(), evidence(*entries), CONTEXT))
    assert (without["Gamma"][0], without["Alpha"][0], without["Beta"][0]) == (1.0, 2.0, 3.0)


def test_less_iga_first_in_iga_deficiency_and_typical_values_never_before_limits() -> None:
    """25 ug/mL at most goes before 200 at most; a typical 10 is not set against a limit; per gram a 5 % solution holds twice as much."""
    entries = (
        one("Alpha", iga=Measured(value=Quantity(10, "ug/mL"), kind="typical", cites=("label",))),
        one("Beta", iga=Measured(value=Quantity(200, "ug/mL"), kind="max", cites=("label",))),
        one("Gamma", iga=Measured(value=Quantity(25, "ug/mL"), kind="max", cites=("label",))),
        one("Delta", iga=Measured(value=Quantity(20, "ug/mL"), kind="max", cites=("label",)), percent=5.0),
        one("Aaron"),
    )
    table = ranking(product.step(draft(facts={"has.iga_deficiency": True}), evidence(*entries), CONTEXT))
    assert [name for name, row in sorted(table.items(), key=lambda item: item[1][0])] == ["Gamma", "Delta", "Beta", "Alpha", "Aaron"]


def test_a_product_with_unread_iga_is_named_so_and_never_before_a_known_one() -> None:
    """In IgA deficiency the off-label product whose IgA was read goes before the labelled one that nobody read; elsewhere the label decides."""
    unread = one("Alpha", stabiliser=Stabiliser(name="glycine", cites=("label",)))
    known = one("Beta", labelled=(), iga=Measured(value=Quantity(200, "ug/mL"), kind="max", cites=("label",)))
    table = ranking(product.step(draft(facts={"has.iga_deficiency": True}), evidence(unread, known), CONTEXT))
    assert (table["Beta"][0], table["Alpha"][0]) == (1.0, 2.0)
    assert "IgA not read" in str(table["Alpha"][-1])
    assert "IgA at most 200 ug/mL" in str(table["Beta"][-1])
    without = ranking(product.step(draft(), evidence(unread, known), CONTEXT))
    assert without["Alpha"][0] == 1.0
    assert "IgA" not in str(without["Alpha"][-1])
    ordered = ranking(product.step(draft(facts={"has.iga_deficiency": True}, order=Order(product="Alpha")), evidence(unread, known), CONTEXT))
    assert ordered["Alpha"][0] == 1.0


def test_a_preference_of_a_rule_is_followed() -> None:
    """An act that prefers isoagglutinin-reduced products lifts the one that is known to be so."""
    entries = (one("Alpha"), msgspec.convert({**msgspec.to_builtins(one("Beta")), "isoagglutinin_reduced": {"value": "yes", "cites": ["label"]}}, Product))
    act = Act(act="prefer-product", condition=parse_condition("product.isoagglutinin_reduced"))
    wanted = Constraint(SafetyRule(id="haemolysis", about="Haemolysis", severity="caution", when=ADULT, say="Say.", then=(act,), cites=("rule",)), act)
    result = product.step(msgspec.structs.replace(draft(), constraints=(wanted,)), evidence(*entries), CONTEXT)
    assert result.product is not None
    assert result.product.brand == "Beta"


@pytest.mark.parametrize(("sizes", "grams", "expected"), [((5, 10), 70, 0), ((10, 20), 75, 5), ((3, 7), 11, 1), ((2.5, 5), 6, 1.5), ((5,), 0, 0)])
def test_waste_is_the_least_overshoot(sizes: tuple[float, ...], grams: float, expected: float) -> None:
    """3 and 7 g make 12 for 11 (3 x 4), not 13 or 14; 2.5 and 5 g make 7.5 for 6."""
    entry = one("Alpha", vials=Vials(sizes=tuple(Quantity(size, "g") for size in sizes), cites=("label",)))
    assert candidates.vials_needed(entry, grams)[0] == pytest.approx(expected)


def test_least_waste_decides_between_equals() -> None:
    """75 g in 10 g vials wastes 5 g, in 5 g vials nothing."""
    entries = (one("Alpha", vials=Vials(sizes=(Quantity(10, "g"),), cites=("label",))), one("Beta"))
    assert ranking(product.step(draft(grams=75), evidence(*entries), CONTEXT))["Beta"][0] == 1.0


def test_a_label_that_doses_otherwise_is_shown() -> None:
    """The chosen product's label prints 1 g/kg for 2 days, the plan applies 0.4 g/kg for 5: a line names both."""

    def regimen(name: str, dose: RegimenDose, products: tuple[str, ...] = ()) -> Regimen:
        return Regimen(id=name, authority="a", jurisdiction="US", phase="acute", dose=dose, products=products, cites=("regimen",))

    label = regimen("label", RegimenDose(per_day=Span(1, 1, "g/kg"), days=Span(2, 2)), ("alpha-us",))
    applied = regimen("applied", RegimenDose(per_day=Span(0.4, 0.4, "g/kg"), days=Span(5, 5)))
    base = draft()
    assert base.indication is not None
    here = msgspec.structs.replace(base, regimen=applied, indication=msgspec.structs.replace(base.indication, regimens=(label, applied)))
    assert "1 g/kg a day for 2 days; applied is 0.4 g/kg a day for 5 days" in line(product.step(here, evidence(one("Alpha")), CONTEXT), "label-regimen").text
    same = msgspec.structs.replace(here, regimen=label)
    assert "product.label-regimen" not in ids(product.step(same, evidence(one("Alpha")), CONTEXT))


def test_an_ordered_product_of_another_market_is_refused() -> None:
    """A row of one market never answers for another."""
    result = product.step(draft(order=Order(product="gamma-eu")), evidence(one("Alpha"), one("Gamma", id="gamma-eu", market="EU")), CONTEXT)
    assert "only its label for EU was read" in line(result, "ordered").text


def test_an_order_that_fits_two_strengths_is_asked_about() -> None:
    """'Octoglob' alone may mean either strength: neither is taken for the order, both are named."""
    entries = (one("Octoglob 10 %", id="octoglob10-us"), one("Octoglob 5 %", id="octoglob5-us", percent=5.0))
    assert (
        "it may mean Octoglob 10 % or Octoglob 5 %" in line(product.step(draft(order=Order(product="Octoglob")), evidence(*entries), CONTEXT), "ordered").text
    )


def test_product_facts_leave_the_unread_unknown() -> None:
    """What the label does not say gives no fact; what it says gives yes or no."""
    facts = {fact.id: fact.value for fact in product_facts(one("Alpha", contains={"sucrose": "no", "corn_derived": "yes"}), draft())}
    assert facts["product.contains_sucrose"] is False
    assert facts["product.corn_derived"] is True
    assert "product.contains_maltose" not in facts
    assert "product.iga" not in facts
    assert "product.switched" not in facts


def test_an_allergen_in_the_product_is_found_by_fact_and_by_name() -> None:
    """Polysorbate as a coded allergy and proline as free text; unknown composition stays unknown."""
    coded = draft(facts={"allergy.polysorbate_80": True})
    named = draft(allergies=(Allergy(substance="L-proline"),))
    holds = one("Alpha", contains={"polysorbate_80": "yes"}, stabiliser=Stabiliser(name="L-proline", cites=("label",)))

    def found(entry: Product, patient: Draft) -> Value | None:
        return next((fact.value for fact in product_facts(entry, patient) if fact.id == "product.contains_patient_allergen"), None)

    assert found(holds, coded) is True
    assert found(holds, named) is True
    assert found(one("Alpha"), coded) is None
    assert found(one("Alpha", contains={"polysorbate_80": "no"}), coded) is False


@pytest.mark.parametrize("recorded", [{"facts": {"allergy.corn": True}}, {"allergies": (Allergy(substance="corn"),), "facts": {"allergy.corn": True}}])
def test_a_corn_allergy_is_left_to_its_own_rules(recorded: dict[str, Any]) -> None:
    """Maltose from corn is to be avoided, not contraindicated outright; another allergy beside it still counts."""
    sweet = one("Alpha", contains={"maltose": "yes", "corn_derived": "yes", "polysorbate_80": "yes"})

    def found(patient: Draft) -> Value | None:
        return next((fact.value for fact in product_facts(sweet, patient) if fact.id == "product.contains_patient_allergen"), None)

    assert found(draft(**recorded)) is False
    assert found(draft(**(recorded | {"facts": {"allergy.corn": True, "allergy.polysorbate_80": True}}))) is True


def test_names_of_products() -> None:
    """Id, id without the market and brand in any spacing name a product; another strength does not."""
    entry = one("Octoglob 10 %", id="octoglob10-us")
    assert all(is_called(entry, name) for name in ("octoglob10-us", "Octoglob10", "octoglob 10%", "OCTOGLOB 10 %"))
    assert not is_called(entry, "Octoglob 5 %")
    assert not is_called(entry, "")


def test_first_ever_treatment_is_no_switch() -> None:
    """Someone never treated does not switch; an unknown history stays unknown."""
    assert switched(one("Alpha"), draft(facts={"ig.first_ever": True})) is False
    assert switched(one("Alpha"), draft()) is None


def test_an_open_contraindication_is_named_and_ranks_lower_among_equals() -> None:
    """Whether the patient has fructose intolerance is unknown: the product it would exclude stands behind, and the table says what is open."""
    rules = (rule("fructose", "product.contains_sorbitol", "contraindicated"),)
    undecided = msgspec.structs.replace(rules[0], when=parse_condition({"all": ["has.hereditary_fructose_intolerance", "product.contains_sorbitol"]}))
    entries = (one("Alpha", contains={"sorbitol": "yes"}), one("Beta", contains={"sorbitol": "no"}))
    table = ranking(product.step(draft(), evidence(*entries, rules=(undecided,)), CONTEXT))
    assert table["Beta"][0] == 1.0
    assert "still open: about fructose" in table["Alpha"][2]


def test_dilution_is_planned_only_where_it_must_be() -> None:
    """A liquid is planned undiluted; one that may be diluted in glucose stays a question; a freeze-dried one dissolved in glucose is a yes."""

    def found(**more: Any) -> Value | None:
        return next((fact.value for fact in product_facts(one("Alpha", **more), draft()) if fact.id == "product.diluted_in_glucose"), None)

    assert found() is False
    assert found(diluent="glucose") is None
    assert found(form="lyophilised", diluent="glucose") is True
    assert found(form="lyophilised") is None


def test_red_cells_are_no_brand_of_immunoglobulin() -> None:
    """A transfusion after the last infusion does not make the next one a switch of brand."""
    given = (PastInfusion(on=date(2026, 10, 1), product="Privigen"), PastInfusion(on=date(2026, 11, 16), kind="blood-product", product="packed red cells"))
    last = last_immunoglobulin(Record(id="made", infusions=given))
    assert last is not None
    assert last.product == "Privigen"
    assert last_immunoglobulin(Record(id="made", infusions=given[1:])) is None
