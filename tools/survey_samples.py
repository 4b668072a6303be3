"""Plans every sample patient for five indications in three jurisdictions and writes ``docs/sample-survey.md``.

Run ``python tools/survey_samples.py`` in a checkout with ivigil installed. The samples are looked for in the folder named by
IVIGIL_FHIR_SAMPLES, else in ``../shared/fhir-samples``. The risk factors are counted a second time from the plain JSON, without any of
ivigil's code; every difference is listed with its reason, and one without a reason makes the exit code 1.
"""

from __future__ import annotations

import argparse
import collections
import gzip
import json
import os
import statistics
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from ivigil.basis.problems import BadInput
from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence
from ivigil.patient.read import read_records
from ivigil.patient.record import Record
from ivigil.planning.draft import Context
from ivigil.planning.line import Plan
from ivigil.planning.plan import plan

ROOT = Path(__file__).resolve().parent.parent
AS_OF = date(2021, 6, 15)
"""The day the samples were published, less a fortnight: later entries would not have been on record."""
JURISDICTIONS = ("US", "UK-ENG", "AU")
INDICATIONS = ("itp", "pid", "cidp", "gbs", "kawasaki")
STATUSES = ("complete", "needs-answers", "blocked", "no-evidence", "refused")
ADULT = 18
WITHOUT_REASON = "no reason found"


# --- the plain count: JSON and codes only ------------------------------------------------------------------------------


class Raw:
    """What the plain JSON holds about one patient."""

    def __init__(self, patient: dict[str, Any]) -> None:
        self.id: str = patient.get("id", "")
        self.sex: str = patient.get("gender", "")
        self.born = _day(patient.get("birthDate"))
        self.died = _day(patient.get("deceasedDateTime"))
        self.conditions: list[dict[str, Any]] = []
        self.medicines: list[dict[str, Any]] = []
        self.measured: dict[str, list[tuple[str, float]]] = collections.defaultdict(list)
        self.answered: dict[str, list[tuple[str, set[str]]]] = collections.defaultdict(list)

    @property
    def as_of(self) -> date:
        """The day to plan for: AS_OF, or the day before death."""
        return self.died - timedelta(days=1) if self.died is not None and self.died <= AS_OF else AS_OF

    def coded(self, codes: Iterable[str], *, ever: bool = False) -> set[str]:
        """The ids of the conditions with one of the SNOMED CT codes that had begun; without ``ever`` those that had not ended."""
        wanted, day = set(codes), self.as_of
        return {entry["id"] for entry in self.conditions if wanted & _codes(entry.get("code")) and _begun(entry, day) and (ever or not _ended(entry, day))}

    def latest(self, code: str) -> float | None:
        """The newest value of a LOINC code not after ``as_of``."""
        values = [(when, value) for when, value in self.measured.get(code, ()) if when[:10] <= self.as_of.isoformat()]
        return max(values, key=lambda pair: pair[0])[1] if values else None

    def answer(self, code: str) -> set[str]:
        """The codes of the newest coded answer to a LOINC code not after ``as_of``."""
        answers = [(when, codes) for when, codes in self.answered.get(code, ()) if when[:10] <= self.as_of.isoformat()]
        return max(answers, key=lambda pair: pair[0])[1] if answers else set()

    def takes(self, *words: str) -> bool:
        """True when an active request written by ``as_of`` has one of the words in its display text."""
        day = self.as_of.isoformat()
        return any(entry.get("status") == "active" and (entry.get("authoredOn") or "")[:10] <= day
                   and any(word in json.dumps(entry.get("medicationCodeableConcept", {})).casefold() for word in words) for entry in self.medicines)

    def years(self) -> float:
        """Age in years on ``as_of``, by birthdays."""
        if self.born is None:
            return 0.0
        day = self.as_of
        whole = day.year - self.born.year - ((day.month, day.day) < (self.born.month, self.born.day))
        return whole + (0.5 if (day.month, day.day) != (self.born.month, self.born.day) else 0.0)


def _day(text: Any) -> date | None:
    return date.fromisoformat(text[:10]) if isinstance(text, str) and len(text) >= 10 else None


def _codes(concept: Any) -> set[str]:
    return {coding.get("code", "") for coding in (concept or {}).get("coding", ())}


def _begun(entry: dict[str, Any], day: date) -> bool:
    since = _day(entry.get("onsetDateTime")) or _day(entry.get("recordedDate"))
    return since is None or since <= day


def _ended(entry: dict[str, Any], day: date) -> bool:
    until = _day(entry.get("abatementDateTime"))
    if until is not None:
        return until <= day
    return not {"active", "recurrence", "relapse"} & _codes(entry.get("clinicalStatus"))


def raw_people(resources: Iterable[dict[str, Any]]) -> dict[str, Raw]:
    """The patients of plain resources, by id."""
    found = list(resources)
    people = {entry["id"]: Raw(entry) for entry in found if entry.get("resourceType") == "Patient"}
    for entry in found:
        owner = people.get(str((entry.get("subject") or entry.get("patient") or {}).get("reference", "")).rsplit("/", 1)[-1].rsplit(":", 1)[-1])
        if owner is None:
            continue
        kind = entry.get("resourceType")
        if kind == "Condition":
            owner.conditions.append(entry)
        elif kind == "MedicationRequest":
            owner.medicines.append(entry)
        elif kind == "Observation" and isinstance(entry.get("valueQuantity"), dict) and "value" in entry["valueQuantity"]:
            for code in _codes(entry.get("code")):
                owner.measured[code].append((entry.get("effectiveDateTime") or entry.get("issued") or "", float(entry["valueQuantity"]["value"])))
        elif kind == "Observation" and "valueCodeableConcept" in entry:
            for code in _codes(entry.get("code")):
                owner.answered[code].append((entry.get("effectiveDateTime") or entry.get("issued") or "", _codes(entry["valueCodeableConcept"])))
    return people


def folder_resources(folder: Path, kinds: tuple[str, ...] = ("Patient", "Condition", "Observation", "MedicationRequest")) -> Iterator[dict[str, Any]]:
    """The plain resources of an NDJSON folder."""
    for kind in kinds:
        for path in sorted(folder.glob(f"{kind}.ndjson*")):
            with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
                yield from (json.loads(line) for line in lines if line.strip())


def bundle_resources(path: Path) -> Iterator[dict[str, Any]]:
    """The plain resources of one Bundle."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as text:
        yield from (entry["resource"] for entry in json.load(text).get("entry", ()) if "resource" in entry)


# --- risk factors: the same question asked twice ------------------------------------------------------------------------

_KIDNEY = ("709044004", "431855005", "431856006", "433144002", "431857002", "46177005", "127013003", "157141000119108")
_DIABETES = ("44054006", "73211009", "46635009", "127013003", "422034002", "368581000119106", "1551000119108", "1501000119109", "90781000119102",
             "157141000119108", "97331000119101", "60951000119105")
_HEART_ATTACK = ("22298006", "399211009", "401303003", "401314000")
_STROKE = ("230690007",)
_CORONARY = ("53741008", "414545008", "399261000", *_HEART_ATTACK)


@dataclass(frozen=True)
class Factor:
    """A risk factor: how the plain JSON shows it, and the facts by which a plan raises it.

    ``differs`` explains a patient in whom the two disagree.
    """

    name: str
    present: Callable[[Raw], bool]
    facts: tuple[str, ...]
    counted: str
    differs: Callable[[Raw, bool], str] = field(default=lambda raw, raised: WITHOUT_REASON)


def _bmi(raw: Raw) -> float | None:
    weight, height = raw.latest("29463-7"), raw.latest("8302-2")
    return weight / (height / 100) ** 2 if weight and height else None


def _obese(raw: Raw) -> bool:
    return bool(raw.coded(("162864005", "408512008", "414916001"))) or (_bmi(raw) or 0) >= 30


def _pregnant(raw: Raw) -> bool:
    day = raw.as_of
    return any({"72892002", "77386006"} & _codes(entry.get("code")) and _begun(entry, day) and not _ended(entry, day) for entry in raw.conditions)


def _pregnancy_differs(raw: Raw, raised: bool) -> str:
    open_ones = [entry for entry in raw.conditions if {"72892002", "77386006"} & _codes(entry.get("code")) and not _ended(entry, raw.as_of)]
    starts = [_day(entry.get("onsetDateTime")) for entry in open_ones]
    latest = max((day for day in starts if day is not None), default=None)
    if latest is not None and (raw.as_of - latest).days > 308 and not raised:
        return "the pregnancy began more than 44 weeks earlier and was never closed; it is asked, not assumed"
    return WITHOUT_REASON


def _filtration_differs(raw: Raw, raised: bool) -> str:
    days = {code: [when[:10] for when, _ in raw.measured.get(code, ()) if when[:10] <= raw.as_of.isoformat()] for code in ("33914-3", "38483-4", "2160-0")}
    printed, creatinine = max(days["33914-3"], default=""), max((*days["38483-4"], *days["2160-0"]), default="")
    if creatinine > printed:
        return ("no rate is printed; " if not printed else "the creatinine is newer than the printed rate; ") + "the rate is worked out from it (CKD-EPI 2021)"
    if days["33914-3"].count(printed) > 1:
        return "two rates are printed for one day; of these the last written counts"
    return WITHOUT_REASON


FACTORS: tuple[Factor, ...] = (
    Factor("Age over 65", lambda raw: raw.years() > 65, ("age",), "birth date"),
    Factor("Heart failure", lambda raw: bool(raw.coded(("88805009", "42343007", "84114007"))), ("has.heart_failure",), "active problem"),
    Factor("Diabetes mellitus", lambda raw: bool(raw.coded(_DIABETES)), ("has.diabetes_mellitus",), "active problem"),
    Factor("Chronic kidney disease", lambda raw: bool(raw.coded(_KIDNEY)), ("has.renal_insufficiency",), "active problem"),
    Factor("Filtration rate below 60", lambda raw: (raw.latest("33914-3") or 999) < 60, ("egfr",), "newest printed rate", differs=_filtration_differs),
    Factor("Past stroke or heart attack", lambda raw: bool(raw.coded((*_STROKE, *_HEART_ATTACK), ever=True)), ("has.past_thrombosis",), "problem, ever"),
    Factor("Coronary disease", lambda raw: bool(raw.coded(_CORONARY, ever=True)), ("has.coronary_disease", "has.atherosclerotic_disease"), "problem, ever"),
    Factor("Atrial fibrillation", lambda raw: bool(raw.coded(("49436004",), ever=True)), ("has.atrial_fibrillation",), "problem, ever"),
    Factor("Hypertension", lambda raw: bool(raw.coded(("38341003", "59621000"))), ("has.hypertension",), "active problem"),
    Factor("High blood fats", lambda raw: bool(raw.coded(("55822004", "302870006"))), ("has.dyslipidaemia",), "active problem"),
    Factor("Smoking", lambda raw: bool(raw.coded(("449868002",))) or "449868002" in raw.answer("72166-2"), ("has.smoking",),
           "active problem, or newest answer"),
    Factor("Obesity", _obese, ("has.obesity", "bmi"), "active problem, or weight and height"),
    Factor("Migraine", lambda raw: bool(raw.coded(("124171000119105", "37796009"), ever=True)), ("has.migraine",), "problem, ever"),
    Factor("Pregnancy", _pregnant, ("has.pregnancy",), "problem not ended", differs=_pregnancy_differs),
    Factor("Loop diuretic", lambda raw: raw.takes("furosemide", "lasix", "bumetanide", "torsemide"), ("takes.loop_diuretic",), "active request"),
    Factor("Oestrogen", lambda raw: raw.takes("estradiol", "estrogen", "mestranol", "nuvaring", "yaz ", "trinessa", "levora", "seasonique", "natazia",
                                              "estrostep", "ortho tri", "norinyl"), ("takes.oestrogen",), "active request"),
)


# --- planning -----------------------------------------------------------------------------------------------------------


def indication_for(name: str, years: float) -> str:
    """``itp`` is the adult's or the child's by age; the others are themselves."""
    return ("itp-adult" if years >= ADULT else "itp-child") if name == "itp" else name


def raised_by(made: Plan) -> set[str]:
    """The facts that a safety line of the plan names as present: yes, or a measured value that fired its rule."""
    return {name for line in made.lines if line.section == "safety" for name, fact in line.because.facts.items() if fact.value != "no"}


@dataclass
class Survey:
    """The counts of one run."""

    people: int = 0
    dead: int = 0
    statuses: dict[tuple[str, str], collections.Counter[str]] = field(default_factory=lambda: collections.defaultdict(collections.Counter))
    present: collections.Counter[str] = field(default_factory=collections.Counter)
    raised: collections.Counter[tuple[str, str, str]] = field(default_factory=collections.Counter)
    missed: collections.Counter[tuple[str, str]] = field(default_factory=collections.Counter)
    extra: collections.Counter[tuple[str, str]] = field(default_factory=collections.Counter)
    examples: dict[tuple[str, str], str] = field(default_factory=dict)
    crashes: list[str] = field(default_factory=list)
    refused: collections.Counter[str] = field(default_factory=collections.Counter)
    blocked: collections.Counter[str] = field(default_factory=collections.Counter)
    seconds: list[float] = field(default_factory=list)

    @property
    def unexplained(self) -> int:
        """Differences that no reason was found for."""
        return sum(count for (_, why), count in (*self.missed.items(), *self.extra.items()) if why == WITHOUT_REASON)


def survey(records: Iterable[Record], people: dict[str, Raw], evidence: Evidence, into: Survey | None = None) -> Survey:
    """Plan every record for every indication and jurisdiction and compare what is raised with the plain count."""
    found = into if into is not None else Survey()
    for record in records:
        raw = people[record.id]
        found.people += 1
        found.dead += raw.died is not None and raw.died <= AS_OF
        there = {factor.name for factor in FACTORS if factor.present(raw)}
        found.present.update(there)
        any_raised: set[str] = set()
        planned = False
        for place in JURISDICTIONS:
            for name in INDICATIONS:
                made = _planned(record, raw, evidence, name, place, found)
                if made is None:
                    continue
                planned = True
                facts = raised_by(made)
                for factor in FACTORS:
                    if facts & set(factor.facts) and _really(factor, made):
                        any_raised.add(factor.name)
                        found.raised[factor.name, name, place] += 1
        if planned:
            _compare(found, raw, there, any_raised)
    return found


def _really(factor: Factor, made: Plan) -> bool:
    """A measured fact may stand in a line for another reason (age 50 in the line on 45 to 65): only a value that is a risk counts."""
    for line in made.lines:
        if line.section != "safety":
            continue
        for name in factor.facts:
            fact = line.because.facts.get(name)
            if fact is None or fact.value == "no":
                continue
            if name == "age":
                if line.id in {"safety.age-over-65", "safety.thrombosis-risk", "safety.renal-risk"} and float(fact.value.split()[0]) > 65:
                    return True
            elif name == "egfr":
                if float(fact.value.split()[0]) < 60:
                    return True
            elif name == "bmi":
                if float(fact.value.split()[0]) >= 30:
                    return True
            else:
                return True
    return False


def _planned(record: Record, raw: Raw, evidence: Evidence, name: str, place: str, found: Survey) -> Plan | None:
    context = Context(place, raw.as_of, datetime(raw.as_of.year, raw.as_of.month, raw.as_of.day, 9), indication=indication_for(name, raw.years()))
    began = time.perf_counter()
    try:
        made = plan(record, evidence, context)
    except BadInput as error:
        found.statuses[name, place]["refused"] += 1
        found.refused[error.problems[0].why if error.problems else str(error)] += 1
        return None
    except Exception:  # a crash is what this survey looks for
        found.crashes.append(f"{record.id} {name} {place}: {traceback.format_exc(limit=-3)}")
        return None
    finally:
        found.seconds.append(time.perf_counter() - began)
    found.statuses[name, place][made.status] += 1
    if made.status == "blocked":
        critical = [line.id for line in made.lines if line.urgency == "critical"]
        found.blocked[f"{name} {place}: {', '.join(critical) or 'no critical line'}"] += 1
    return made


def _compare(found: Survey, raw: Raw, there: set[str], raised: set[str]) -> None:
    for factor in FACTORS:
        if (factor.name in there) == (factor.name in raised):
            continue
        why = factor.differs(raw, factor.name in raised)
        counter = found.extra if factor.name in raised else found.missed
        counter[factor.name, why] += 1
        found.examples.setdefault((factor.name, why), raw.id)


# --- the report ---------------------------------------------------------------------------------------------------------


def report(parts: dict[str, Survey], evidence: Evidence) -> str:
    """The survey as Markdown."""
    out = [
        "# Sample survey",
        "",
        "Every synthetic sample patient planned for five indications in three jurisdictions. Written by `python tools/survey_samples.py`; do not edit.",
        "",
        f"Evidence {evidence.version}. Living patients are planned as of {AS_OF}, dead ones as of the day before their death: on any later day the record is",
        "refused, because a plan for a dead patient is a mistake in the record or in the date. No sample has one of the five diseases; the",
        "indication is given from outside, so the plans test reading, risk factors and arithmetic, not whether treatment is right.",
        "`itp` is the adult's or the child's indication by age. Problem lists of these samples are not marked as reviewed, so most plans ask.",
    ]
    for title, found in parts.items():
        out += ["", f"## {title}", "", *_body(found)]
    return "\n".join(out) + "\n"


def _body(found: Survey) -> Iterator[str]:
    total = sum(sum(counter.values()) for counter in found.statuses.values())
    yield f"{found.people} patients ({found.dead} planned as of the day before their death), {total} plans, {len(found.crashes)} crashes."
    yield ""
    yield "| indication | jurisdiction | " + " | ".join(STATUSES) + " |"
    yield "|---|---|" + "---:|" * len(STATUSES)
    for name in INDICATIONS:
        for place in JURISDICTIONS:
            counter = found.statuses[name, place]
            yield f"| {name} | {place} | " + " | ".join(str(counter[status]) for status in STATUSES) + " |"
    if found.refused:
        yield ""
        yield "Refused (per plan): " + "; ".join(f"{why} ({count})" for why, count in found.refused.most_common(8)) + "."
    if found.blocked:
        yield ""
        yield "Blocked, by the critical lines: " + "; ".join(f"{why} ({count})" for why, count in found.blocked.most_common(12)) + "."
    yield ""
    yield "Risk factors: patients in whom the plain JSON shows one, and plans with a safety line that names it."
    yield ""
    yield "| risk factor | counted from | patients | " + " | ".join(INDICATIONS) + " | missed | extra |"
    yield "|---|---|---:|" + "---:|" * len(INDICATIONS) + "---:|---:|"
    for factor in FACTORS:
        cells = ["/".join(str(found.raised[factor.name, name, place]) for place in JURISDICTIONS) for name in INDICATIONS]
        missed = sum(count for (name, _), count in found.missed.items() if name == factor.name)
        extra = sum(count for (name, _), count in found.extra.items() if name == factor.name)
        yield f"| {factor.name} | {factor.counted} | {found.present[factor.name]} | " + " | ".join(cells) + f" | {missed} | {extra} |"
    yield ""
    yield f"The indication columns count plans in {', '.join(JURISDICTIONS)}. Migraine is raised from a course of 2 g/kg, as its rule says."
    yield "*Missed*: in the plain JSON, in no plan of the patient; *extra*: the other way round."
    differences = [("missed", item) for item in found.missed.items()] + [("extra", item) for item in found.extra.items()]
    if differences:
        yield ""
        yield "| difference | risk factor | patients | reason |"
        yield "|---|---|---:|---|"
        for kind, ((name, why), count) in differences:
            yield f"| {kind} | {name} | {count} | {why} |"
    if found.seconds:
        ordered = sorted(found.seconds)
        yield ""
        slow = ordered[int(len(ordered) * 0.99)]
        yield (f"Time per plan on one core: median {statistics.median(ordered) * 1000:.1f} ms, 99th percentile {slow * 1000:.1f} ms, "
               f"longest {ordered[-1] * 1000:.0f} ms.")
    for crash in found.crashes[:10]:
        yield ""
        yield f"    {crash}".replace("\n", "\n    ")


def samples_folder() -> Path | None:
    """Where the samples lie, or None."""
    named = os.environ.get("IVIGIL_FHIR_SAMPLES")
    folder = Path(named) if named else ROOT.parent / "shared" / "fhir-samples"
    return folder if folder.is_dir() else None


def codes_of(evidence: Evidence) -> dict[str, Any]:
    """The codes of all products, by which orders are known."""
    return {product.id: product.codes for product in evidence.products.values()}


def main() -> int:
    """Run the survey and write the report; exit code 1 after a crash or an unexplained difference, 2 without samples."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "sample-survey.md")
    parser.add_argument("--only", type=int, default=0, metavar="N", help="plan only the first N patients of each set")
    options = parser.parse_args()
    folder = samples_folder()
    if folder is None:
        print("No samples: set IVIGIL_FHIR_SAMPLES to a folder with synthea-615-patients/ and synthea-bundles-original/.", file=sys.stderr)
        return 2
    evidence = load_evidence()
    parts: dict[str, Survey] = {}
    people_folder = folder / "synthea-615-patients"
    if people_folder.is_dir():
        people = raw_people(folder_resources(people_folder))
        records = list(read_records(people_folder, evidence.facts, codes_of(evidence)))[: options.only or None]
        parts[f"{len(records)} patients as NDJSON"] = survey(records, people, evidence)
    bundles = sorted((folder / "synthea-bundles-original").glob("*.json*"))[: options.only or None]
    if bundles:
        found = Survey()
        for path in bundles:
            survey(read_records(path, evidence.facts, codes_of(evidence)), raw_people(bundle_resources(path)), evidence, found)
        parts[f"{len(bundles)} bundles as published"] = found
    options.out.write_text(report(parts, evidence), encoding="utf-8")
    failed = sum(len(found.crashes) + found.unexplained for found in parts.values())
    print(f"{options.out}: {sum(found.people for found in parts.values())} patients, {failed} crashes or unexplained differences")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
