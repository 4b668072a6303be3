"""The indication: found by any name or code, asked when unclear, stopped when advised against, its criteria judged or asked."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.planning.care_sample import asked, context, draft, evidence, ids, line, rows

from ivigil.basis.facts import Codes
from ivigil.evidence.conditions import parse_condition
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import Criterion, Indication, Names, Standing, Valid
from ivigil.patient.record import Code, Condition, Order, Override
from ivigil.planning.draft import Draft
from ivigil.planning.indication import find_indications, step

CITE = "ivigil-policy.override"


def _step(base: Evidence | None = None, jurisdiction: str = "US", indication: str = "", facts: dict[str, Any] | None = None, **record: Any) -> Draft:
    bare = msgspec.structs.replace(draft(facts=facts, **record), indication=None)
    return step(bare, base or evidence(), context(jurisdiction, indication=indication))


def _standing(verdict: Any, jurisdiction: str = "US", **more: Any) -> Standing:
    return Standing(authority=f"{jurisdiction}-{verdict}", jurisdiction=jurisdiction, verdict=verdict, cites=(CITE,), **more)


def _with(*standing: Standing, **more: Any) -> Evidence:
    made = Indication(id="sample", name=Names(clinical="Sample disease"), purpose="immunomodulation", standing=standing, **more)
    return msgspec.structs.replace(evidence(), indications={"sample": made})


# --- finding it ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("written", "found"), [
    ("itp-adult", "itp-adult"), ("ITP-Adult", "itp-adult"), ("kawasaki disease", "kawasaki"), ("Kawasaki", "kawasaki"), ("M30.3", "kawasaki"),
    ("m30.3", "kawasaki"), ("Guillain-Barré syndrome", "gbs"), ("G61.0", "gbs"), ("G61.81", "cidp"),
])
def test_a_request_matches_id_name_synonym_or_code(written: str, found: str) -> None:
    """However it is spelt; an ICD-10 code below a listed one counts as it."""
    assert find_indications(draft().record, evidence(), written) == [found]


def test_every_code_of_the_evidence_is_found() -> None:
    """ICD-10, SNOMED and retired SNOMED codes alike lead back to their indication."""
    for indication in evidence().indications.values():
        for code in (*indication.codes.icd10, *indication.codes.snomed, *indication.codes.retired):
            assert indication.id in find_indications(draft().record, evidence(), code), code


def test_a_retired_snomed_code_still_leads_to_its_indication() -> None:
    """Old records keep old codes."""
    base = _with(_standing("supports"), codes=Codes(retired=("1234567",)))
    coded = Condition(codes=(Code(system="snomed", code="1234567"),))
    assert find_indications(draft(conditions=(coded,)).record, base) == ["sample"]


def test_the_problem_list_names_it_where_nobody_asks() -> None:
    """By code or by name; resolved, refuted and differential problems do not count; order and request go first."""
    listed = (Condition(codes=(Code(system="icd10", code="G61.0"),)), Condition(name="Kawasaki disease", status="resolved"),
              Condition(name="chronic inflammatory demyelinating polyneuropathy", verified="differential"))
    record = draft(conditions=listed).record
    assert find_indications(record, evidence()) == ["gbs"]
    assert find_indications(msgspec.structs.replace(record, order=Order(indication="cidp")), evidence()) == ["cidp"]
    assert find_indications(msgspec.structs.replace(record, order=Order(indication="cidp")), evidence(), "mmn") == ["mmn"]


def test_the_settled_indication_is_a_fact_whoever_named_it() -> None:
    """Named by option, by another name in the order, or found on the problem list: rules see its id, and nobody is asked what it is for."""
    listed = (Condition(codes=(Code(system="icd10", code="G61.0"),)),)
    for plan, where in ((_step(indication="Guillain-Barré syndrome"), "request"), (_step(conditions=listed), "problem list"),
                        (_step(order=Order(indication="G61.0")), "")):
        found = plan.facts.get("order.indication")
        assert found is not None
        assert found.value == "gbs"
        assert found.origin.where == where or not where
    assert "order.indication" not in _step(indication="no such disease").facts


def test_an_ambiguous_name_asks() -> None:
    """A name that several indications share names them all and plans none."""
    shared = [name for name in {other for one in evidence().indications.values() for other in one.also_called} if len(evidence().indications_called(name)) > 1]
    assert shared
    for name in shared:
        plan = _step(indication=name)
        choose = line(plan, "indication.choose")
        assert plan.no_evidence
        assert plan.indication is None
        assert choose.urgency == "critical"
        assert all(found in choose.text for found in evidence().indications_called(name))


@pytest.mark.parametrize(("written", "meant"), [
    ("cdip", ["'cidp'"]), ("kawaski", ["'kawasaki'"]), ("myasthenia gravs", ["'mg-exacerbation'", "'mg-maintenance'"]), ("gbss", ["'gbs'"])])
def test_a_misspelt_indication_offers_the_one_that_may_be_meant(written: str, meant: list[str]) -> None:
    """Offered, never taken: nothing is planned for it."""
    made = _step(indication=written)
    text = line(made, "indication.choose").text
    assert "Did you mean '" in text
    assert all(name in text for name in meant)
    assert made.no_evidence


@pytest.mark.parametrize(("asked_for", "words"), [("hay fever", "'hay fever' is not an indication in the evidence"), ("", "No indication is named")])
def test_an_unknown_or_missing_indication_plans_nothing(asked_for: str, words: str) -> None:
    """Without evidence there is no plan."""
    plan = _step(indication=asked_for)
    assert plan.no_evidence
    assert words in line(plan, "indication.choose").text


@pytest.mark.parametrize("place", sorted(evidence().jurisdictions))
@pytest.mark.parametrize("name", sorted(evidence().indications))
def test_every_indication_is_settled_everywhere(name: str, place: str) -> None:
    """Each one in each place gives a standing, unique lines and reasons."""
    plan = _step(indication=name, jurisdiction=place)
    assert plan.indication is evidence().indications[name]
    assert "indication.standing" in ids(plan)


# --- standing -----------------------------------------------------------------------------------------------------------


def test_every_authority_stands_side_by_side() -> None:
    """The own place first, then the others; what was superseded on the date is gone."""
    base = _with(_standing("supports", "UK"), _standing("conditional"), _standing("against", valid=Valid(end="2026-11-19")))
    table = rows(line(_step(base, indication="sample"), "indication.standing"))
    assert [(row[1], row[4]) for row in table] == [("US", "conditional"), ("UK", "supports")]


def test_advised_against_stops_with_the_reason() -> None:
    """The only authority in force here advises against it: blocked, with its words and source."""
    base = _with(_standing("against", say="No benefit in trials"), _standing("supports", "UK"))
    plan = _step(base, indication="sample")
    assert plan.blocked == ("sample",)
    refused = line(plan, "indication.against")
    assert refused.urgency == "critical"
    assert "No benefit in trials" in refused.text
    assert refused.because.cites == (CITE,)


def test_an_authority_here_that_supports_turns_a_stop_into_a_warning() -> None:
    """Authorities of one place disagree: shown, not decided."""
    plan = _step(_with(_standing("against"), _standing("supports")), indication="sample")
    assert plan.blocked == ()
    assert line(plan, "indication.disputed").urgency == "warning"


def test_where_nobody_here_was_read_the_others_decide() -> None:
    """All of them against: stopped. One of them in favour: a warning."""
    unread = _standing("not-read")
    assert _step(_with(unread, _standing("against", "UK"), _standing("against", "AU")), indication="sample").blocked == ("sample",)
    mixed = _step(_with(unread, _standing("against", "UK"), _standing("supports", "AU")), indication="sample")
    assert mixed.blocked == ()
    assert "indication.disputed" in ids(mixed)


def test_a_refusal_elsewhere_does_not_stop_what_is_supported_here() -> None:
    """It stays visible as a dispute of the standing."""
    plan = _step(_with(_standing("supports"), _standing("against", "UK")), indication="sample")
    assert plan.blocked == ()
    assert [other.what for other in line(plan, "indication.standing").because.disputed_by]


@pytest.mark.parametrize("of", ["sample", "indication.sample"])
def test_a_signed_override_goes_ahead_and_is_recorded(of: str) -> None:
    """Named prescriber and written reason; the advice stays as a warning."""
    signed = Override(of=of, prescriber="Dr Example", reason="Last resort.")
    plan = _step(_with(_standing("against")), indication="sample", overrides=(signed,))
    assert plan.blocked == ()
    assert line(plan, "indication.against").urgency == "warning"
    assert line(plan, "indication.override").text == "Dr Example goes ahead: Last resort."


def test_an_unsigned_override_does_not() -> None:
    """No name, no plan."""
    unsigned = Override(of="sample", prescriber="", reason="Last resort.")
    assert _step(_with(_standing("against")), indication="sample", overrides=(unsigned,)).blocked == ("sample",)


@pytest.mark.parametrize("name", ["inclusion-body-myositis", "narcolepsy", "selective-iga-deficiency"])
def test_the_indications_advised_against_are_stopped_somewhere(name: str) -> None:
    """The evidence holds indications on purpose that no one should plan; at least one place stops each."""
    assert any(_step(indication=name, jurisdiction=place).blocked for place in evidence().jurisdictions)


# --- criteria -----------------------------------------------------------------------------------------------------------


CRITERIA = (
    Criterion(id="sample.old", authority="a", jurisdiction="US", say="Over 65", when=parse_condition("age > 65 year"), cites=(CITE,)),
    Criterion(id="sample.septic", authority="a", jurisdiction="US", say="Sepsis", when=parse_condition("has.sepsis"), cites=(CITE,)),
    Criterion(id="sample.agreed", authority="a", jurisdiction="US", say="Panel agreed", cites=(CITE,)),
    Criterion(id="sample.abroad", authority="a", jurisdiction="UK", say="Abroad", cites=(CITE,)),
)


def test_criteria_are_met_unmet_or_unknown() -> None:
    """Judged by their condition where they have one; the unknown ones are asked, by fact or by their own id."""
    plan = _step(_with(_standing("supports"), criteria=CRITERIA), indication="sample", facts={"age": "66 years"})
    criteria = line(plan, "indication.criteria")
    assert criteria.text == "Criteria: 1 met, 0 not met, 2 unknown."
    assert [(row[0], row[1]) for row in rows(criteria)] == [("met", "Over 65"), ("unknown", "Sepsis"), ("unknown", "Panel agreed")]
    assert asked(plan) == {"sample.septic": ("has.sepsis",), "sample.agreed": ("sample.agreed",)}
    assert criteria.because.facts["age"].value == "66 years"


@pytest.mark.parametrize(("answer", "text", "urgency"), [
    ("yes", "Criteria: 1 met, 1 not met, 1 unknown.", "warning"),
    ("no", "Criteria: 0 met, 2 not met, 1 unknown.", "warning"),
    ("unknown", "Criteria: 0 met, 1 not met, 2 unknown.", "warning"),
])
def test_an_answer_settles_a_criterion(answer: str, text: str, urgency: str) -> None:
    """Answers of the record count under the criterion's id; 'unknown' settles nothing."""
    plan = _step(_with(_standing("supports"), criteria=CRITERIA), indication="sample", facts={"age": "40 year"}, answers={"sample.agreed": answer})
    criteria = line(plan, "indication.criteria")
    assert (criteria.text, criteria.urgency) == (text, urgency)
    assert ("sample.agreed" in asked(plan)) is (answer == "unknown")


def test_a_population_that_does_not_fit_is_a_warning() -> None:
    """An adult indication in a child, worded as the condition reads."""
    base = _with(_standing("supports"), population=parse_condition({"all": ["age >= 18 year", "has.sepsis"]}))
    population = line(_step(base, indication="sample", facts={"age": "4 year"}), "indication.population")
    assert population.text == "Sample disease is meant for Age >= 18 year and Sepsis."
    assert "indication.population" not in ids(_step(base, indication="sample", facts={}))


def test_gaps_are_shown() -> None:
    """What was not read is said, never filled in."""
    plan = _step(_with(_standing("supports"), not_read=("the dose in children",)), indication="sample")
    assert line(plan, "indication.gaps").text == "Not read: the dose in children."


@pytest.mark.parametrize(("age", "found"), [("40 year", "itp-adult"), ("9 year", "itp-child"), ("", "")])
def test_a_code_that_adults_and_children_share_is_settled_by_age(age: str, found: str) -> None:
    """D69.3 is one code for two indications; a record system sends only the code. Without an age it is asked."""
    plan = _step(indication="D69.3", facts={"age": age} if age else {})
    assert (plan.indication.id if plan.indication is not None else "") == found
    assert ("indication.choose" in ids(plan)) is (not found)
