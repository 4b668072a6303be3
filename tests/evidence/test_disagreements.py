"""Disagreements found from the evidence: the known topics by hand, then each kind on small made evidence."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Any

import msgspec
import pytest
from tests.planning.care_sample import evidence

from ivigil.basis.quantity import parse_quantity, parse_span
from ivigil.evidence.conditions import parse_condition
from ivigil.evidence.disagreements import disagreements
from ivigil.evidence.doses import apart
from ivigil.evidence.library import Evidence
from ivigil.evidence.positions import DEGREES, KINDS, Disagreement
from ivigil.evidence.shapes import Indication, Names, Regimen, RegimenDose, Remark, Source, Standing, Statement, Valid

DAY = date(2026, 11, 20)

KNOWN: dict[str, tuple[str, set[str]]] = {
    "multiple sclerosis": ("ms-relapse.standing", {"UK-ENG", "CA-ON", "AU", "international"}),
    "haemolytic disease of the newborn": ("hdn-newborn.dispute", {"UK-ENG", "CA-ON", "US", "AU"}),
    "IgM and anti-MAG neuropathy": ("igm-neuropathy.standing", {"US", "UK-ENG", "CA-ON"}),
    "Miller Fisher syndrome": ("mfs.dispute", {"CA-ON", "UK-ENG", "US"}),
    "second dose in Guillain-Barre syndrome": ("gbs.dispute", {"UK-ENG", "AU"}),
    "dose in exacerbations of myasthenia": ("mg-exacerbation.dose.acute", {"UK-ENG", "CA-ON", "international"}),
    "repeat dose in immune thrombocytopenia": ("itp-adult.dispute", {"UK-ENG", "EU", "US"}),
    "number of days in immune thrombocytopenia": ("itp-adult.dose.acute", {"US", "UK-ENG", "CA-ON", "CA", "EU"}),
    "PANDAS": ("pandas-pans.dispute", {"AU", "UK-ENG", "CA-ON"}),
    "parvovirus B19": ("prca-b19.dispute", {"UK-ENG", "CA-ON"}),
    "haemophagocytic lymphohistiocytosis": ("hlh.standing", {"UK-ENG", "CA-ON"}),
    "hyperhaemolysis": ("hyperhaemolysis.dispute", {"UK-ENG", "CA-ON"}),
    "acquired haemophilia": ("acquired-haemophilia.standing", {"CA-ON", "international"}),
    "Rasmussen encephalitis": ("rasmussen.dispute", {"UK-ENG", "CA-ON"}),
    "pyoderma gangrenosum": ("pyoderma.dispute", {"CA-ON", "UK-ENG"}),
    "toxic epidermal necrolysis": ("sjs-ten.dispute", {"UK-ENG", "UK"}),
    "recurrent miscarriage": ("rpl-ivf.standing", {"UK-ENG", "AU", "international"}),
    "second dose in MIS-C": ("mis-c.dispute.2", {"US", "CA-ON", "UK"}),
    "dosing weight in MIS-C": ("mis-c.weight.acute", {"US", "CA-ON"}),
    "infusion time in Kawasaki disease": ("kawasaki.time.acute", {"US", "UK-ENG", "AU"}),
    "United States label in Kawasaki disease": ("kawasaki.dose.acute", {"US", "EU"}),
    "immunosuppressed measles contact": ("measles-pep.dose.acute", {"UK-ENG", "CA-ON", "US"}),
    "most a mother is given in GALD": ("gald.dose.maintenance", {"UK-ENG", "CA-ON"}),
    "start of treatment in GALD": ("gald.dispute", {"UK-ENG", "CA-ON"}),
    "dosing weight of adults": ("weight.adult", {"CA-ON", "AU", "UK-ENG"}),
    "dosing weight of children": ("weight.child", {"CA-ON", "AU", "UK-ENG"}),
}
"""The topics on which the notes of the reading say that authorities disagree, with the id and the least places it must name; written by hand."""
WORDED = {
    "hdn-newborn": "nobody who was read is against: support stands beside 'may be given' and 'not routine', so only the statements part",
    "mfs": "recommended, insufficient evidence and usually unnecessary: no verdict against",
    "pandas-pans": "category 2a, individual request and not routine: no verdict against",
    "prca-b19": "both sides give it on conditions, for different patients",
    "hyperhaemolysis": "support beside 'not for routine use'",
    "rasmussen": "both sides give it on conditions",
    "pyoderma": "recommended beside an individual request",
    "sjs-ten": "the side that supported it is out of force since 2021; trials only is no verdict against",
    "graves": "the side that might help is remembered, its verdict was not read",
    "paediatric-hiv": "the sides that found benefit are remembered, their verdicts were not read",
    "allo-hsct": "Ontario is against three uses only, and gives it for low IgG with infection as in secondary deficiency",
}
"""Topics whose sides are not far enough apart for a disagreement of standing, and why; their statements dispute one another."""
ONE_SIDED = {
    "inclusion-body-myositis": "Ontario and AANEM are against; the Australian page that listed it was superseded and its verdict was not read",
}
"""Topics of which the evidence holds one side only."""


@lru_cache(maxsize=1)
def found() -> dict[str, Disagreement]:
    return {one.id: one for one in disagreements(evidence(), DAY)}


@pytest.mark.parametrize("topic", KNOWN)
def test_a_known_disagreement_is_found_with_its_places(topic: str) -> None:
    """What the readers noted by hand is found by the program without being told."""
    name, places = KNOWN[topic]
    one = found()[name]
    named = {place for position in one.positions for place in position.jurisdiction.split(", ")}
    assert places <= named
    assert len({(position.authority, position.says) for position in one.positions}) > 1


@pytest.mark.parametrize("indication", WORDED)
def test_a_difference_of_words_is_a_dispute_and_no_disagreement_of_standing(indication: str) -> None:
    """A verdict is not made harder than it was read."""
    assert f"{indication}.standing" not in found()
    assert f"{indication}.dispute" in found()


@pytest.mark.parametrize("indication", ONE_SIDED)
def test_one_side_alone_is_no_disagreement(indication: str) -> None:
    """A position that was not read is not invented."""
    assert disagreements(evidence(), DAY, indication) == ()
    assert any(row.verdict == "not-read" for row in evidence().indications[indication].standing)


def test_what_the_sides_of_gald_and_measles_say() -> None:
    """60 g against 100 g, 0.15 g/kg against 0.4 g/kg: both numbers stand in the positions."""
    gald = {position.jurisdiction: position.says for position in found()["gald.dose.maintenance"].positions}
    assert "at most 60 g" in gald["UK-ENG"]
    assert "at most 100 g" in gald["CA-ON"]
    measles = found()["measles-pep.dose.acute"]
    assert {"0.15 g/kg", "0.4 g/kg"} == {position.says.partition(" on one day")[0] for position in measles.positions}


def test_waits_after_more_than_one_gram_per_kilo_by_hand() -> None:
    """Measles vaccine waits 11 months in the United States, Australia and Canada, 3 in the European Union, 11 or 6 in Japan."""
    one = found()["vaccine.igiv-igsc.above-1-g-kg.measles"]
    assert {position.jurisdiction: position.says for position in one.positions} == {
        "US": "11 months", "AU": "11 months", "EU": "3 months", "CA": "11 months; the table of US stands in", "JP": "11 months; 6 months at high risk"}


def test_waits_after_red_cells_and_replacement_by_hand() -> None:
    """Packed cells: 6 months against 3 in Japan; replacement doses: 8 months against 9 in the Australian handbook of 2013."""
    cells = found()["vaccine.rbc-packed.measles-mumps-rubella-varicella"]
    assert {position.jurisdiction: position.says.partition(";")[0] for position in cells.positions} == {"US": "6 months", "AU": "6 months", "JP": "3 months"}
    replacement = found()["vaccine.igiv.replacement.measles-mumps-rubella-varicella"]
    assert {position.jurisdiction: position.says.partition(";")[0] for position in replacement.positions} == {"US": "8 months", "AU": "9 months"}
    assert not any(name.startswith("vaccine.rabies-ig") for name in found())  # 4 months in both tables


def test_targets_by_hand() -> None:
    """6 g/L in Europe stands beside a floor of 400 mg/dL, and beside 7 g/L of Nova Scotia in secondary deficiency; the superseded 4 g/L does not count."""
    shared = found()["target.replacement"]
    assert {"target.eu-label", "target.floor"} <= {position.entry for position in shared.positions}
    assert "target.eu-label-older" not in {position.entry for position in shared.positions}
    assert any("7 g/L" in position.says for position in found()["sid.target.igg"].positions)


def test_every_disagreement_is_whole() -> None:
    """Ids are unique; every position names who, rests on statements that exist and says how they were read."""
    listed = disagreements(evidence(), DAY)
    assert len({one.id for one in listed}) == len(listed)
    assert {one.kind for one in listed} == set(KINDS)
    for one in listed:
        assert one.degree in DEGREES
        assert len(one.positions) > 1, one.id
        for position in one.positions:
            assert position.authority, one.id
            assert position.cites, one.id
            assert set(position.cites) <= set(evidence().statements)
            assert position.read, one.id


def test_every_recorded_dispute_is_in_exactly_one_disagreement() -> None:
    """No ``disputed_by`` is lost, and none is counted twice."""
    shown = [cite for one in disagreements(evidence(), DAY, "dispute") for position in one.positions for cite in position.cites]
    recorded = {name for statement in evidence().statements.values() for name in ((statement.id, *statement.disputed_by) if statement.disputed_by else ())}
    assert sorted(shown) == sorted(recorded)


@pytest.mark.parametrize(("topic", "kinds"), [("kawasaki", {"dose", "time", "dispute"}), ("M30.3", {"dose", "time", "dispute"}), ("vaccine", {"vaccine"}),
                                              ("gald.dose.maintenance", {"dose"}), ("weight", {"weight", "dispute"}), ("nobody", set())])
def test_a_topic_keeps_its_own(topic: str, kinds: set[str]) -> None:
    """By indication, code, shared topic or id; an unknown word keeps nothing."""
    assert {one.kind for one in disagreements(evidence(), DAY, topic)} == kinds


# --- on made evidence ---------------------------------------------------------------------------------------------------


def made(*, standing: tuple[Standing, ...] = (), regimens: tuple[Regimen, ...] = (), targets: tuple[Remark, ...] = ()) -> Evidence:
    cites = {name for row in (*standing, *regimens, *targets) for name in row.cites}
    return Evidence(
        sources={name: Source(id=name, kind="guideline", title=name, publisher=name.upper()) for name in cites},
        statements={name: Statement(id=name, source=name, says=f"{name} says so", read="seen") for name in cites},
        indications={"sample": Indication(id="sample", name=Names(clinical="Sample disease"), purpose="immunomodulation", standing=standing,
                                          regimens=regimens, targets=targets)})


def stand(who: str, place: str, verdict: Any, **more: Any) -> Standing:
    return Standing(authority=who, jurisdiction=place, verdict=verdict, cites=(who,), **more)


def dosed(who: str, place: str, *, cap: str = "", when: str = "", phase: Any = "acute", route: Any = "intravenous", valid: Valid | None = None, hours: str = "",
          also: tuple[Any, ...] = (), **dose: Any) -> Regimen:
    spans: dict[str, Any] = {key: parse_span(value) for key, value in dose.items()}
    return Regimen(id=f"{who}.{place}.{'-'.join(dose.values())}", authority=who, jurisdiction=place, phase=phase, also_phases=also, route=route, cites=(who,),
                   dose=RegimenDose(**spans), cap=parse_quantity(cap) if cap else None, when=parse_condition(when) if when else None, valid=valid or Valid(),
                   hours=parse_span(hours) if hours else None)


def kinds(base: Evidence) -> dict[str, str]:
    return {one.id: one.degree for one in disagreements(base, DAY)}


@pytest.mark.parametrize(("rows", "degree"), [
    ((stand("a", "US", "supports"), stand("b", "EU", "against")), "opposed"),
    ((stand("a", "US", "conditional"), stand("b", "EU", "against")), "conditional"),
    ((stand("a", "US", "supports"), stand("b", "EU", "conditional")), None),
    ((stand("a", "US", "supports"), stand("b", "EU", "not-read")), None),
    ((stand("a", "US", "conditional"), stand("a", "US", "against")), None),
    ((stand("a", "US", "supports"), stand("b", "EU", "against", valid=Valid(end="2026-11-19"))), None),
    ((stand("a", "US", "supports"), stand("b", "EU", "against", valid=Valid(end="2026-11-20"))), "opposed"),
])
def test_standings_part_when_one_in_force_is_against(rows: tuple[Standing, ...], degree: str | None) -> None:
    """Support or conditions on one side, against on the other; one authority alone, an unread or an expired verdict is no side."""
    assert kinds(made(standing=rows)) == ({"sample.standing": degree} if degree else {})


@pytest.mark.parametrize(("one", "other", "far"), [
    ({"course_total": "2 g/kg", "over_days": "5"}, {"course_total": "2 g/kg", "over_days": "5"}, "same"),
    ({"course_total": "2 g/kg", "over_days": "5"}, {"per_day": "0.4 g/kg", "days": "5"}, "form"),
    ({"course_total": "2 g/kg", "over_days": "5"}, {"per_day": "2 g/kg", "days": "5"}, "different"),
    ({"course_total": "2 g/kg", "over_days": "1"}, {"course_total": "2 g/kg", "over_days": "2-5"}, "different"),
    ({"course_total": "2 g/kg", "over_days": "2"}, {"course_total": "2 g/kg", "over_days": "2-5"}, "overlapping"),
    ({"per_interval": "0.4-0.6 g/kg", "every": "4 week"}, {"per_interval": "0.2-0.4 g/kg", "every": "4 week"}, "overlapping"),
    ({"per_interval": "0.4-0.6 g/kg", "every": "4 week"}, {"per_interval": "0.1-0.3 g/kg", "every": "4 week"}, "different"),
    ({"per_interval": "0.4 g/kg", "every": "4 week"}, {"per_interval": "0.4 g/kg", "every": "1 month"}, "same"),
    ({"per_interval": "0.4 g/kg", "every": "1 week"}, {"per_interval": "0.4 g/kg", "every": "1 month"}, "different"),
    ({"per_interval": "0.4 g/kg", "every": "3-4 week"}, {"per_interval": "400 mg/kg", "every": "3-4 week"}, "same"),
    ({"course_total": "2 g/kg", "over_days": "2", "every": "4 week"}, {"course_total": "2 g/kg", "over_days": "2"}, "form"),
    ({"per_day": "1 g/kg", "days": "1"}, {"per_day": "25 g", "days": "1"}, "different"),
])
def test_how_far_two_doses_are_apart(one: dict[str, Any], other: dict[str, Any], far: str) -> None:
    """Amounts, days and intervals by hand; the order of the two does not matter."""
    first, second = dosed("a", "US", **one), dosed("b", "EU", **other)
    assert apart(first, second) == far
    assert apart(second, first) == far


def test_a_cap_is_part_of_the_dose() -> None:
    """60 g against 100 g differ; a cap against none overlaps."""
    weekly: dict[str, Any] = {"per_interval": "1 g/kg", "every": "1 week"}
    assert apart(dosed("a", "US", cap="60 g", **weekly), dosed("b", "EU", cap="100 g", **weekly)) == "different"
    assert apart(dosed("a", "US", cap="60 g", **weekly), dosed("b", "EU", **weekly)) == "overlapping"


def test_a_place_that_prints_the_same_among_others_is_not_at_odds() -> None:
    """The nearest regimen of a place counts; only what it does not print at all is a disagreement."""
    five: dict[str, Any] = {"per_day": "0.4 g/kg", "days": "5"}
    two: dict[str, Any] = {"per_day": "1 g/kg", "days": "2"}
    assert kinds(made(regimens=(dosed("a", "US", **five), dosed("a", "US", **two), dosed("b", "EU", **five), dosed("b", "EU", **two)))) == {}
    assert kinds(made(regimens=(dosed("a", "US", **five), dosed("a", "US", **two), dosed("b", "EU", **five)))) == {"sample.dose.acute": "different"}


@pytest.mark.parametrize("other", [
    dosed("a", "EU", per_day="1 g/kg", days="1"),
    dosed("b", "US", per_day="1 g/kg", days="1"),
    dosed("b", "EU", per_day="1 g/kg", days="1", phase="maintenance"),
    dosed("b", "EU", per_day="1 g/kg", days="1", route="subcutaneous"),
    dosed("b", "EU", per_day="1 g/kg", days="1", valid=Valid(end="2025-01-01")),
    dosed("b", "EU", per_day="1 g/kg", days="1", when="age < 6 month"),
], ids=["same authority", "same place", "other phase", "other route", "out of force", "other patients"])
def test_what_is_no_rival(other: Regimen) -> None:
    """An authority does not disagree with itself, nor a regimen with one that is for another phase, route, time or patient."""
    assert kinds(made(regimens=(dosed("a", "US", per_day="2 g/kg", days="1", when="age >= 18 year"), other))) == {}


def test_a_further_phase_counts_and_is_named_once() -> None:
    """A regimen for induction and maintenance meets those of either; the same regimens in both phases are one disagreement."""
    both = dosed("a", "US", per_day="2 g/kg", days="1", phase="induction", also=("maintenance",))
    assert kinds(made(regimens=(both, dosed("b", "EU", per_day="1 g/kg", days="1", phase="maintenance")))) == {"sample.dose.maintenance": "different"}
    other = dosed("b", "EU", per_day="1 g/kg", days="1", phase="induction", also=("maintenance",))
    assert kinds(made(regimens=(both, other))) == {"sample.dose.induction-maintenance": "different"}


def test_infusion_times_apart() -> None:
    """4 hours against 2 differ, 8-12 and 10-12 overlap, equal ones agree."""
    def timed(one: str, other: str) -> dict[str, str]:
        dose: dict[str, Any] = {"per_day": "1 g/kg", "days": "1"}
        return kinds(made(regimens=(dosed("a", "US", hours=one, **dose), dosed("b", "EU", hours=other, **dose))))

    assert timed("4 h", "2 h") == {"sample.time.acute": "different"}
    assert timed("8-12 h", "10-12 h") == {"sample.time.acute": "overlapping"}
    assert timed("10 h", "10 h") == {}


def test_targets_of_an_indication() -> None:
    """Two authorities with two levels part; one authority with two levels for two times does not."""
    def aimed(*rows: tuple[str, str]) -> dict[str, str]:
        return kinds(made(targets=tuple(Remark(say=value, value=value, authority=who, cites=(who,)) for who, value in rows)))

    assert aimed(("a", "igg >= 6 g/L"), ("b", "igg >= 5 g/L")) == {"sample.target.igg": "different"}
    assert aimed(("a", "igg >= 6 g/L"), ("b", "igg >= 600 mg/dL")) == {}
    assert aimed(("a", "platelets > 20 10*9/L"), ("a", "platelets > 50 10*9/L")) == {}


def test_the_answer_does_not_depend_on_the_order_of_files() -> None:
    """Regimens turned round give the same disagreements and degrees."""
    base = evidence()
    turned = {name: msgspec.structs.replace(one, regimens=one.regimens[::-1], standing=one.standing[::-1]) for name, one in base.indications.items()}
    again = disagreements(msgspec.structs.replace(base, indications=turned), DAY)

    def told(listed: tuple[Disagreement, ...]) -> dict[str, tuple[str, frozenset[str]]]:
        return {one.id: (one.degree, frozenset(f"{where.entry} {where.says}" for where in one.positions)) for one in listed
                if one.kind in {"standing", "dose", "time"} and "-" not in one.id.rpartition(".")[2]}

    assert told(again) == told(disagreements(base, DAY))
