"""From records to facts: words, codes, reviews, histories, answers, contradictions."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivigil.basis.facts import FactDefinition
from ivigil.basis.problems import BadInput
from ivigil.basis.quantity import Quantity
from ivigil.patient.facts import contradictions, facts_of
from ivigil.patient.mentions import index_of, plain_ndc, words_of
from ivigil.patient.record import Allergy, Code, Condition, Measurement, Medicine, PastInfusion, Pregnancy, Reaction, Record, Result

AS_OF = date(2026, 11, 20)
Register = dict[str, FactDefinition]


def listed(register: Register, *names: str, reviewed: bool = False) -> dict[str, object]:
    conditions = tuple(Condition(name=name, origin="conditions[0] (line 3)") for name in names)
    record = Record(id="x", conditions=conditions, conditions_reviewed=AS_OF if reviewed else None)
    return {key: fact.value for key, fact in facts_of(record, register, AS_OF).items()}


@pytest.mark.parametrize(("text", "expected"), [
    ("Type 2 diabetes", True), ("DIABETES MELLITUS", True), ("no history of diabetes", False), ("denies diabetes", False),
    ("diabetes: excluded", False), ("Past medical history: diabetes", True),
    ("diabetes ruled out", False), ("family history of diabetes", None), ("possible diabetes", None), ("at risk of diabetes", None), ("prediabetes", None),
    ("No fever; diabetes", True), ("no heart disease, diabetes since 2010", True), ("not known to have asthma but diabetes", True), ("dia\u200bbetes", True),
])
def test_text_is_matched_by_whole_words_and_negation(register: Register, text: str, expected: bool | None) -> None:
    """Problem lists deny, doubt and quote relatives; a plain search would read all of these as diabetes."""
    assert listed(register, text).get("has.diabetes_mellitus") is expected


def test_family_history_is_not_the_patients_even_where_the_phrase_begins_with_history(register: Register) -> None:
    """The register holds "history of stroke", which hides inside "family history of stroke"."""
    assert "has.past_thrombosis" not in listed(register, "Family history of stroke")
    assert listed(register, "History of stroke")["has.past_thrombosis"] is True


def test_a_longer_phrase_also_speaks_for_the_shorter_fact(register: Register) -> None:
    """End-stage renal disease must raise both the severe and the general kidney fact."""
    found = listed(register, "End-stage renal disease")
    assert found["has.severe_renal_failure"] is True
    assert found["has.renal_insufficiency"] is True


def test_absent_is_unknown_until_the_list_was_reviewed(register: Register) -> None:
    """An empty problem list read as "no risk" is one of the published hazards."""
    assert "has.sepsis" not in listed(register)
    facts = facts_of(Record(id="x", conditions_reviewed=date(2026, 11, 10)), register, AS_OF)
    assert facts["has.sepsis"].value is False
    assert facts["has.sepsis"].origin.where == "problem list reviewed 2026-11-10"
    assert "takes.nsaid" not in facts


def test_a_review_that_lies_ahead_proves_nothing(register: Register) -> None:
    """Planning for an earlier day must not use a later check."""
    assert "has.sepsis" not in facts_of(Record(id="x", conditions_reviewed=date(2026, 12, 1)), register, AS_OF)


def test_a_doubtful_mention_keeps_the_reviewed_list_from_saying_no(register: Register) -> None:
    """"Suspected sepsis" on a reviewed list is a question, not an absence."""
    assert "has.sepsis" not in listed(register, "suspected sepsis", reviewed=True)
    assert "has.smoking" not in listed(register, "former smoker", reviewed=True)


def test_codes_match_below_their_icd10_entry_and_never_by_display(register: Register) -> None:
    """One display hangs on different codes in real data; only the code may decide."""
    index = index_of(register)
    assert "has.diabetes_mellitus" in index.coded([Code(system="icd10", code="E11.65")])
    assert "has.diabetes_mellitus" in index.coded([Code(system="icd10", code="e1165")])
    assert not index.coded([Code(system="icd10", code="E1")])
    assert not index.coded([Code(system="snomed", code="1", display="Diabetes")])
    record = Record(id="x", conditions=(Condition(codes=(Code(system="snomed", code="1", display="Diabetes"),)),))
    assert "has.diabetes_mellitus" not in facts_of(record, register, AS_OF)


def test_resolved_counts_only_where_history_does(register: Register) -> None:
    """A past clot stays a risk, a past sepsis does not."""
    record = Record(id="x", conditions=(Condition(name="sepsis", status="resolved", until=date(2020, 1, 1)), Condition(name="DVT", status="resolved")))
    facts = facts_of(record, register, AS_OF)
    assert "has.sepsis" not in facts
    assert facts["has.past_thrombosis"].value is True


def test_refuted_and_entered_in_error_never_count(register: Register) -> None:
    """Erroneous entries stay in records and must not raise rules."""
    record = Record(id="x", conditions=(Condition(name="sepsis", verified="refuted"), Condition(name="diabetes", verified="entered-in-error")))
    assert not [key for key in facts_of(record, register, AS_OF) if key.startswith("has.")]


@pytest.mark.parametrize(("since", "expected"), [(date(2026, 10, 1), True), (date(2019, 1, 1), False), (None, None)])
def test_recent_events_need_a_date(register: Register, since: date | None, expected: bool | None) -> None:
    """Without a date a stroke may be old or new: it has to be asked."""
    record = Record(id="x", conditions=(Condition(codes=(Code(system="icd10", code="I63.9"),), since=since),), conditions_reviewed=AS_OF)
    assert facts_of(record, register, AS_OF).flag("has.recent_stroke") is expected


def test_medicines_stopped_or_of_the_future_do_not_count(register: Register) -> None:
    """Stopped drugs linger on lists; planned procedures count as plans."""
    medicines = (Medicine(name="ibuprofen 400 mg", status="stopped"), Medicine(name="furosemide", since=date(2027, 1, 1)))
    record = Record(id="x", medicines=medicines, medicines_reviewed=AS_OF)
    facts = facts_of(record, register, AS_OF)
    assert facts.flag("takes.nsaid") is False
    assert facts.flag("takes.loop_diuretic") is False
    planned = Record(id="x", medicines=(Medicine(name="plasma exchange", status="planned", since=date(2026, 11, 22)),))
    assert facts_of(planned, register, AS_OF).flag("planned.plasma_exchange") is True


def test_allergy_by_text_by_code_and_anaphylaxis_to_immunoglobulin(register: Register) -> None:
    """The one allergy that forbids the treatment must be found however it is written."""
    record = Record(id="x", allergies=(Allergy(codes=(Code(system="snomed", code="418626004"),)), Allergy(substance="IVIG (Octagam)", reaction="Anaphylaxis")))
    facts = facts_of(record, register, AS_OF)
    assert facts.flag("allergy.corn") is True
    assert facts.flag("has.past_ig_hypersensitivity") is True
    assert facts.flag("has.past_ig_anaphylaxis") is True
    mild = facts_of(Record(id="x", allergies=(Allergy(substance="human immunoglobulin", reaction="rash", severity="mild"),)), register, AS_OF)
    assert mild.flag("has.past_ig_anaphylaxis") is None


def test_being_on_immunoglobulin_is_not_an_allergy(register: Register) -> None:
    """The word IVIG in a problem list mostly means treatment."""
    assert not listed(register, "On IVIG since 2019")


def test_results_take_the_latest_plausible_one_in_the_register_unit(register: Register) -> None:
    """A slip and a later result must not hide the usable one, and units differ between laboratories."""
    record = Record(id="x", results=(
        Result(test="igg", value=Quantity(450, "mg/dL"), on=date(2026, 10, 1)), Result(test="igg", value=Quantity(700, "g/L"), on=date(2026, 11, 1)),
        Result(test="igg", value=Quantity(9, "g/L"), on=date(2026, 12, 1)), Result(test="creatinine", value=Quantity(1, "mg/dL"), on=date(2026, 8, 1))))
    facts = facts_of(record, register, AS_OF)
    assert facts.number("igg", "g/L") == pytest.approx(4.5)
    assert facts.number("creatinine", "umol/L") == pytest.approx(88.42)
    assert facts["creatinine"].stale
    assert not facts["igg"].stale


def test_a_limit_decides_comparisons_with_itself(register: Register) -> None:
    """"Below 0.07" must satisfy "less than 0.07"."""
    results = (Result(test="iga", value=Quantity(0.07, "g/L"), below=True), Result(test="egfr", value=Quantity(90, "mL/min/1.73m2"), above=True))
    facts = facts_of(Record(id="x", results=results), register, AS_OF)
    iga, egfr = facts.quantity("iga"), facts.quantity("egfr")
    assert iga is not None
    assert egfr is not None
    assert iga.value < 0.07
    assert egfr.value > 90
    assert facts["iga"].origin.how == "reported as below 0.07 g/L"


def test_egfr_from_creatinine_for_adults_only(register: Register) -> None:
    """Many records hold creatinine alone; children and unknown sex must stay unknown."""
    creatinine = (Result(test="creatinine", value=Quantity(79.578, "umol/L"), on=AS_OF),)
    adult = facts_of(Record(id="x", sex="female", age=Quantity(55, "year"), results=creatinine), register, AS_OF)
    assert adult.number("egfr", "mL/min/1.73m2") == pytest.approx(75.5, abs=0.6)
    assert "CKD-EPI 2021" in adult["egfr"].origin.how
    assert "egfr" not in facts_of(Record(id="x", sex="female", age=Quantity(9, "year"), results=creatinine), register, AS_OF)
    assert "egfr" not in facts_of(Record(id="x", age=Quantity(55, "year"), results=creatinine), register, AS_OF)


def test_infusion_history(register: Register) -> None:
    """Naive handling, home infusion and premedication rest on these facts."""
    first = PastInfusion(on=date(2026, 9, 25), reaction=Reaction(grade=2, kind="aseptic meningitis"), place="hospital", origin="infusions[0] (line 9)")
    last = PastInfusion(on=date(2026, 10, 23), tolerated=True, place="hospital")
    facts = facts_of(Record(id="x", infusions=(first, last), infusions_complete=True), register, AS_OF)
    assert facts.flag("ig.first_ever") is False
    assert facts.number("ig.weeks_since_last", "week") == pytest.approx(4)
    assert facts.word("ig.last_reaction_grade") == "0"
    assert facts.word("ig.hospital_infusions") == "2"
    assert facts.flag("ig.early_hospital_reaction") is True
    assert facts.flag("has.past_aseptic_meningitis") is True
    assert facts.flag("has.past_ig_headache") is False


def test_a_reaction_on_the_problem_list_is_not_denied_by_an_empty_history(register: Register) -> None:
    """A complete but empty list of infusions beside a coded reaction to immunoglobulin: the reaction stands, and this is not called a first infusion."""
    told = Condition(name="Reaction to intravenous immunoglobulin", codes=(Code(code="T50.Z15", system="icd10"),))
    facts = facts_of(Record(id="x", conditions=(told,), infusions_complete=True), register, AS_OF)
    assert facts.flag("has.past_ig_reaction") is True
    assert facts.flag("ig.first_ever") is not True


def test_no_history_is_unknown_unless_complete(register: Register) -> None:
    """A first infusion is the most dangerous one; silence must not be read either way."""
    assert "ig.first_ever" not in facts_of(Record(id="x"), register, AS_OF)
    facts = facts_of(Record(id="x", infusions_complete=True), register, AS_OF)
    assert facts.flag("ig.first_ever") is True
    assert facts.word("ig.hospital_infusions") == "0"
    assert facts.word("ig.last_reaction_grade") == "0"
    assert "ig.last_reaction_grade" not in facts_of(Record(id="x"), register, AS_OF)


def test_an_infusion_without_a_word_on_reactions_leaves_them_open(register: Register) -> None:
    """Not recorded is not tolerated."""
    facts = facts_of(Record(id="x", infusions=(PastInfusion(on=date(2026, 10, 1)),), infusions_complete=True), register, AS_OF)
    assert "ig.last_reaction_grade" not in facts
    assert "has.past_ig_reaction" not in facts


def test_hyperimmune_globulin_is_not_earlier_therapy(register: Register) -> None:
    """Tetanus globulin defers vaccines but leaves the patient naive to infusions."""
    facts = facts_of(Record(id="x", infusions=(PastInfusion(on=date(2026, 10, 1), kind="hyperimmune-globulin", product="tetanus"),)), register, AS_OF)
    assert "ig.first_ever" not in facts
    assert facts.flag("ig.blood_product_last_year") is True


def test_pregnancy(register: Register) -> None:
    """Gestation runs on, the weight before pregnancy stays apart, and old pregnancies are over."""
    state = Pregnancy(status="pregnant", weeks=30, on=date(2026, 11, 6), pre_pregnancy_weight=Quantity(140, "lb"))
    facts = facts_of(Record(id="x", sex="female", pregnancy=state), register, AS_OF)
    assert facts.number("gestation", "week") == pytest.approx(32)
    assert facts.number("pre_pregnancy_weight", "kg") == pytest.approx(63.5, abs=0.01)
    assert facts_of(Record(id="x", sex="male"), register, AS_OF).flag("has.pregnancy") is False
    old = Record(id="x", sex="female", conditions=(Condition(codes=(Code(system="snomed", code="72892002"),), since=date(2019, 1, 1)),))
    assert "has.pregnancy" not in facts_of(old, register, AS_OF)


def test_answers_fill_gaps_and_beat_silence(register: Register) -> None:
    """Answers are how unknown facts become known; "unknown" stays unknown."""
    record = Record(id="x", conditions_reviewed=AS_OF, answers={"has.sepsis": "yes", "igg": "410 mg/dL", "has.smoking": "unknown"})
    facts = facts_of(record, register, AS_OF)
    assert facts.flag("has.sepsis") is True
    assert facts["has.sepsis"].origin.where == "answers"
    assert facts.number("igg", "g/L") == pytest.approx(4.1)


@pytest.mark.parametrize(("record", "what"), [
    (Record(id="x", conditions=(Condition(name="diabetes"),), answers={"has.diabetes_mellitus": "no"}), "answers.has.diabetes_mellitus"),
    (Record(id="x", conditions=(Condition(name="diabetes"), Condition(name="no diabetes"))), "has.diabetes_mellitus"),
    (Record(id="x", sex="male", pregnancy=Pregnancy(status="pregnant")), "pregnancy"),
    (Record(id="x", infusions=(PastInfusion(on=date(2026, 1, 1)),), answers={"ig.first_ever": "yes"}), "answers.ig.first_ever"),
    (Record(id="x", died=date(2026, 1, 1)), "died"),
    (Record(id="x", deceased=True), "died"),
    (Record(id="x", answers={"igg": "4 kg"}), "answers.igg"),
    (Record(id="x", answers={"order.route": "oral"}), "answers.order.route"),
])
def test_contradictions_are_refused_not_chosen(register: Register, record: Record, what: str) -> None:
    """Picking a side silently would hide an error in the record."""
    assert what in {problem.what for problem in contradictions(record, register, AS_OF)}
    with pytest.raises(BadInput):
        facts_of(record, register, AS_OF)


def test_a_patient_may_be_planned_for_a_day_before_death(register: Register) -> None:
    """Audits plan for days in the past."""
    assert "age" in facts_of(Record(id="x", born=date(1950, 1, 1), died=date(2026, 12, 1)), register, AS_OF)


def test_impossible_weight_against_height_gives_neither(register: Register) -> None:
    """A plan must not be computed through when one of the two is wrong, even without the firewall."""
    record = Record(id="x", weights=(Measurement(value=Quantity(70, "kg")),), heights=(Measurement(value=Quantity(68, "cm")),))
    facts = facts_of(record, register, AS_OF)
    assert not {"weight", "height", "bmi"} & set(facts)


def test_national_drug_codes_in_every_form() -> None:
    """FHIR and barcodes write the same drug code in four ways."""
    assert {plain_ndc(code) for code in ("0944-2700-02", "00944-2700", "00944270002", "944-2700")} == {"00944-2700"}


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(register: Register, text: str) -> None:
    """Free text is anything; reading it must never fail."""
    words_of(text)
    record = Record(id="x", conditions=(Condition(name=text),), medicines=(Medicine(name=text),), allergies=(Allergy(substance=text, reaction=text),))
    contradictions(record, register, AS_OF)


@given(st.floats(1, 300), st.sampled_from(["kg", "lb", "g", "st", "oz"]))
def test_the_same_weight_in_another_unit_is_the_same_fact(register: Register, kg: float, unit: str) -> None:
    """Units are spelling, not content."""
    record = Record(id="x", weights=(Measurement(value=Quantity(kg, "kg").to(unit)),))
    assert facts_of(record, register, AS_OF).number("weight", "kg") == pytest.approx(kg)
