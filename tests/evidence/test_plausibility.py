"""Slips that an entry shares with its statement: every packaged number is inside its band, and the slips people make leave it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ivigil.basis.quantity import Quantity, Span
from ivigil.evidence.compile import Compiled, Entry, compile_evidence
from ivigil.evidence.files import EvidenceFile, read_folder
from ivigil.evidence.plausibility import implausible

EVIDENCE = Path(__file__).resolve().parents[2] / "evidence"
PER_HOUR = {"mL/kg/min": "mL/kg/h", "mL/kg/h": "mL/kg/min", "mg/kg/min": "mg/kg/h", "mg/kg/h": "mg/kg/min"}


@cache
def packaged() -> Compiled:
    """The packaged regimens, products, statements and bands."""
    parts = ("indications/", "products/", "plausibility/", "statements/")
    return compile_evidence([file for file in read_folder(EVIDENCE) if file.name.startswith(parts)])


def slips(entry: Entry, value: Any) -> list[str]:
    """What is said of an entry with another value."""
    return [problem.why for problem in implausible(msgspec.structs.replace(entry, value=value), packaged().evidence)]


def of_part(part: str) -> list[Entry]:
    """The packaged entries of one part."""
    return [entry for entry in packaged().entries if entry.part == part]


def test_the_packaged_evidence_is_plausible() -> None:
    """No label, guideline or policy that was read leaves a band, but for the one that is named as an exception."""
    found = [str(problem) for entry in packaged().entries for problem in implausible(entry, packaged().evidence)]
    assert found == []
    bands = {name: msgspec.structs.replace(band, excepted={}) for name, band in packaged().evidence.plausibility.items()}
    bare = msgspec.structs.replace(packaged().evidence, plausibility=bands)
    named = [problem.what for entry in packaged().entries for problem in implausible(entry, bare)]
    assert named == ["mmn.gammagard-liquid-us: dose.per_interval"]


def _dosed(regimen: Any, **changes: Any) -> Any:
    return msgspec.structs.replace(regimen, dose=msgspec.structs.replace(regimen.dose, worked_at=None, **changes))


def _with(entry: Entry, regimen: Any) -> Any:
    return msgspec.structs.replace(entry.value, regimens=(regimen,))


@pytest.mark.parametrize("factor", [1e-3, 100, 1000])
def test_a_regimen_with_another_power_of_ten_is_noticed(factor: float) -> None:
    """Milligrams for grams, grams for milligrams, two digits too many: none of the packaged doses stays plausible with it."""
    for entry in of_part("indications"):
        for regimen in entry.value.regimens:
            for key in ("course_total", "per_day", "per_interval"):
                span = getattr(regimen.dose, key)
                if span is not None:
                    wrong = _dosed(regimen, **{key: Span(span.low * factor, span.high * factor, span.unit)})
                    assert any("plausible" in why for why in slips(entry, _with(entry, wrong))), (regimen.id, factor)


def test_a_course_total_written_as_a_daily_dose_is_noticed() -> None:
    """2 g/kg over 2-5 days typed as 2 g/kg a day is 4 to 10 g/kg in all, the published hazard."""
    seen = 0
    for entry in of_part("indications"):
        for regimen in entry.value.regimens:
            total, days = regimen.dose.course_total, regimen.dose.over_days
            if total is not None and days is not None and total.high * days.high > 2.2:
                wrong = _dosed(regimen, course_total=None, over_days=None, per_day=total, days=days)
                assert any("plausible" in why for why in slips(entry, _with(entry, wrong)))
                seen += 1
    assert seen > 50


def test_minutes_for_hours_in_a_rate_are_noticed() -> None:
    """mL/kg/min for mL/kg/h, or the other way round, and mg/kg/h for mg/kg/min, in any start, step or maximum of any label."""
    for entry in of_part("products"):
        for index, row in enumerate(entry.value.rates):
            for key in ("start", "maximum"):
                printed = getattr(row, key)
                rate = Quantity(printed.rate.value, PER_HOUR[printed.rate.unit])
                wrong = msgspec.structs.replace(row, **{key: msgspec.structs.replace(printed, rate=rate, also=None)})
                rates = (*entry.value.rates[:index], wrong, *entry.value.rates[index + 1:])
                assert slips(entry, msgspec.structs.replace(entry.value, rates=rates)), (entry.id, key)


def compiled(name: str, text: str) -> list[str]:
    """What is said of one written file beside the packaged bands."""
    bands = [file for file in read_folder(EVIDENCE) if file.name.startswith("plausibility/")]
    found = compile_evidence([*bands, EvidenceFile(name, text)])
    assert found.problems == ()
    return [f"{problem.line} {problem.what}: {problem.why}" for entry in found.entries if entry.file == name for problem in implausible(entry, found.evidence)]


REGIMEN = """\
id: x
name: {{clinical: X}}
purpose: immunomodulation
regimens:
  - id: x.one
    authority: a
    jurisdiction: US
    phase: acute
    dose: {{{dose}}}
    cites: [s]
"""


@pytest.mark.parametrize(("dose", "said"), [
    ("course_total: 2 g/kg, over_days: 2-5", []),
    ("course_total: 16 g/kg, over_days: 2", ["9 x.one: dose.course_total: 16 g/kg is more than 2.2 g/kg, the most that is plausible here. "
                                             "Check for milligrams read as grams and for a course total written as a daily dose."]),
    ("per_interval: 2 mg/kg, every: 4 week", ["0.002 g/kg is less than 0.05 g/kg"]),
    ("per_interval: 0.4 g/kg, every: 4 year", ["dose.every: 4 years is more than 26 weeks"]),
    ("course_total: 30 mg, over_days: 1", ["0.03 g is less than 0.5 g"]),
    ("per_day: 100 g, days: 5", ["dose.per_day over its days: 500 g is more than 250 g"]),
    ("per_interval: 0.2-0.8 g/kg, every: 4 week, worked_at: 0.4 g/kg", []),
    ("per_interval: 0.2-0.8 g/kg, every: 4 week, worked_at: 400 mg/kg", []),
    ("per_interval: 0.2-0.8 g/kg, every: 4 week, worked_at: 0.9 g/kg", ["dose.worked_at: 0.9 g/kg lies outside the printed range 0.2-0.8 g/kg"]),
    ("per_interval: 0.2-0.8 g/kg, every: 4 week, worked_at: 30 g", ["dose.worked_at: 30 g lies outside the printed range"]),
])
def test_doses(dose: str, said: list[str]) -> None:
    """A dose outside the band of a course, an interval of years, and a value worked at outside its range are named by regimen and line."""
    found = compiled("indications/x.yaml", REGIMEN.format(dose=dose))
    assert len(found) == len(said), found
    assert all(why in row for why, row in zip(said, found, strict=True)), found


PRODUCT = """\
id: p-us
brand: P
maker: M
market: US
routes: [intravenous]
percent: 10
contains_cites: [s]
{rest}
"""
RATES = "rates: [{{for: [x], start: {{rate: {start}}}, maximum: {{rate: {maximum}}}, cites: [s]}}]"


@pytest.mark.parametrize(("rest", "said"), [
    (RATES.format(start="0.5 mL/kg/h", maximum="5 mL/kg/h"), []),
    (RATES.format(start="0.5 mg/kg/min", maximum="8 mg/kg/min"), []),
    (RATES.format(start="0.5 mL/kg/min", maximum="5 mL/kg/min"),
     ["rates.0.start.rate: 30 mL/kg/h is more than 12 mL/kg/h", "rates.0.maximum.rate: 300 mL/kg/h"]),
    (RATES.format(start="5 mL/kg/h", maximum="0.5 mL/kg/h"), ["rates.0.maximum.rate: 0.5 mL/kg/h is below 5 mL/kg/h of rates.0.start.rate"]),
    ("rates: [{for: [x], start: {rate: 0.5 mL/kg/h}, steps: [{rate: 4 mL/kg/h}, {rate: 2 mL/kg/h}], maximum: {rate: 5 mL/kg/h}, cites: [s]}]",
     ["rates.0.steps.1.rate: 2 mL/kg/h is below 4 mL/kg/h"]),
    # 8 mg/kg/min of a 10 % solution is 4.8 mL/kg/h; 8 mL/kg/h is two thirds more.
    ("rates: [{for: [x], start: {rate: 0.5 mL/kg/h}, maximum: {rate: 8 mg/kg/min, also: 8 mL/kg/h}, cites: [s]}]",
     ["apart from 'rate': 66.67% is more than 50%"]),
    ("rates: [{for: [x], start: {rate: 0.5 mL/kg/h}, maximum: {rate: 8 mg/kg/min, also: 4.8 mL/kg/h}, cites: [s]}]", []),
    ("rates: [{for: [x], start: {rate: 0.5 mL/kg/h}, maximum: {rate: 5 mL/kg/h}, extended: {rate: 4 mL/kg/h}, cites: [s]}]",
     ["extended.rate: 4 mL/kg/h is below"]),
    ("rates: [{for: [x], start: {rate: 0.5 mL/kg/h}, maximum: {rate: 5 mL/kg/h}, at_risk: {rate: 6 mL/kg/h}, cites: [s]}]",
     ["the limit at risk, 6 mL/kg/h, is above"]),
    ("vials: {sizes: [10 g, 20 mg], cites: [s]}", ["vials.sizes.1: 20 mg is less than 0.2 g"]),
    ("iga: {value: 25 mg/mL, cites: [s]}", ["iga: 25 mg/mL is more than 5 mg/mL"]),
    ("switch: [{from_intravenous: 13.7, say: Weekly., cites: [s]}]", ["switch.0.from_intravenous: 1370% is more than 200%"]),
    ("subcutaneous: [{for: [x], volume_per_site: 15 L, cites: [s]}]", ["volume_per_site: 15 L is more than 1000 mL"]),
    ("subcutaneous: [{for: [x], rate_per_site: 15 mL/min, rate_all_sites: 60 mL/h, cites: [s]}]",
     ["rate_per_site: 15 mL/min is more than 400 mL/h", "60 mL/h over all sites is less than 15 mL/min at one"]),
    ("subcutaneous: [{for: [x], steps: [{rate: 30 mL/h}, {rate: 10 mL/h}], cites: [s]}]", ["steps.1.rate: 10 mL/h is below 30 mL/h"]),
])
def test_products(rest: str, said: list[str]) -> None:
    """Units of rates, falling ladders, forms that disagree, vials in milligrams, IgA in the wrong unit, factors and sites."""
    found = compiled("products/p.yaml", PRODUCT.format(rest=rest))
    assert len(found) == len(said), found
    assert all(why in row for why, row in zip(said, found, strict=True)), found


def test_a_strength_outside_the_band_is_noticed() -> None:
    """100 for 10 %: milligrams in a millilitre written as the per cent."""
    assert "percent: 100% is more than 25%" in compiled("products/p.yaml", PRODUCT.format(rest="").replace("percent: 10", "percent: 100"))[0]


@pytest.mark.parametrize(("rest", "said"), [
    ("says: 2 g/kg over 2-5 days., values: {course_total: 2 g/kg, over_days: 2-5}", []),
    ("says: 2 g/kg over 2-5 days., values: {course_total: 2, over_days: 2-5}", ["values.course_total: 2 has no unit"]),
    ("says: A trough of 7 g/L., values: {level: 7}", ["values.level: 7 has no unit"]),
    ("says: Seen in 7 of 10 people., values: {seen: 7, of: 10}", []),
    ("says: The factor is 1.37., values: {factor: 1.37}", []),
    ("says: Spent 817 a patient., values: {spent: 817}", []),
    ("says: 16 g/kg once., values: {course_total: 16 g/kg}", ["values.course_total: 16 g/kg is more than 4 g/kg"]),
    ("says: 2 g/kg over 5 days., plain: You get 2 grams for each kilogram of weight over 5 days.", []),
    ("says: 2 g/kg over 5 days., plain: You get 2 grams of antibody per kilogram over 5 days.", []),
    ("says: 2 g/kg over 5 days., plain: You get 20 grams for each kilogram of weight over 5 days.",
     ["hold 20 as a mass per body mass, which 'says' and 'values' do not"]),
    ("says: 2 g/kg over 5 days., plain: You get 2 grams in all over 5 days.", ["hold 2 as a mass, which"]),
    ("says: Wait 4 weeks., plain: Wait 28 days.", []),
    ("says: Wait 4 weeks., plain: Wait 4 months.", ["hold 4 as a time"]),
    ("says: Seen in 12 % of people., plain: It was seen in 21 of 100 people.", ["hold 21,", "hold 100,"]),
])
def test_statements(rest: str, said: list[str]) -> None:
    """A value without its unit, a dose beyond any that was read, and words for patients whose numbers stand nowhere else."""
    found = compiled("statements/s.yaml", f"{{id: s, source: a, read: seen, {rest.replace('., plain', '!, plain')}}}".replace("!,", ".,"))
    assert len(found) == len(said), found
    assert all(why in row for why, row in zip(said, found, strict=True)), found
