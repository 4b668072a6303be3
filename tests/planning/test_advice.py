"""What the patient is told: by topic, fitting the plan, never for one that must not be given."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.planning.care_sample import context, draft, evidence, ids, line

from ivigil.evidence.shapes import Act, SafetyRule
from ivigil.planning import advice, monitoring
from ivigil.planning.draft import Constraint, Draft


def _step(facts: dict[str, Any] | None = None, indication: str = "kawasaki", jurisdiction: str = "US", **more: Any) -> Draft:
    return advice.step(draft(indication, facts, course=1, **more), evidence(), context(jurisdiction))


def test_one_line_per_topic_and_red_flags_stand_out() -> None:
    """Every topic of a plan once; the signs that need help are warnings."""
    plan = _step()
    assert {"advice.before", "advice.day", "advice.after", "advice.how-it-works", "advice.vaccines", "advice.when-to-call", "advice.red-flag"} <= ids(plan)
    assert line(plan, "advice.red-flag").urgency == "warning"
    assert "hard to breathe" in line(plan, "advice.red-flag").text


def test_a_sentence_with_a_condition_needs_it_to_hold() -> None:
    """Drinking plenty is not for someone who must limit fluid, nor is it said while that is unknown."""
    fluid = dict.fromkeys(("has.fluid_restriction", "has.heart_failure", "has.positive_fluid_balance", "has.severe_renal_failure"), "no")
    assert "Drink plenty" in line(_step(fluid), "advice.before").text
    assert "Keep to your fluid limit" not in line(_step(fluid), "advice.before").text
    for limit in fluid:
        assert "Drink plenty" not in line(_step({**fluid, limit: "yes"}), "advice.before").text
        assert "Keep to your fluid limit" in line(_step({**fluid, limit: "yes"}), "advice.before").text
    assert "Drink plenty" not in line(_step(), "advice.before").text


def test_a_kidney_risk_rules_out_ibuprofen() -> None:
    """Any fact of the kidney risk group, here an eGFR below 60."""
    assert "ibuprofen" in line(_step({"egfr": "45 mL/min/1.73m2"}), "advice.after").text
    assert "ibuprofen" not in line(_step(), "advice.after").text


@pytest.mark.parametrize(("facts", "said", "unsaid"), [
    ({"ig.first_ever": "no", "product.switched": "no", "ig.weeks_since_last": "4 week", "risk.volume": "no"}, "at least 20 min", "Stay 1 h"),
    ({"ig.first_ever": "yes"}, "Stay 1 h", "20 min"),
    ({}, "Stay 1 h", "20 min"),
    ({"ig.first_ever": "no", "product.switched": "no", "ig.weeks_since_last": "4 week", "has.heart_failure": "yes"}, "Stay 1 h", "20 min"),
])
def test_the_patient_hears_the_observation_time_of_the_plan(facts: dict[str, str], said: str, unsaid: str) -> None:
    """The plan and the patient's sheet never disagree about how long to stay."""
    plan = monitoring.step(draft("kawasaki", facts, course=1), evidence(), context())
    text = line(advice.step(plan, evidence(), context()), "advice.day").text
    assert said in text
    assert unsaid not in text


def test_home_infusion_has_its_own_sentences() -> None:
    """Never infuse alone - only where home is planned."""
    assert "Never infuse alone" in line(_step({"planned.home_infusion": "yes"}), "advice.home").text
    assert "advice.home" not in ids(_step())


def test_what_fired_rules_tell_the_patient_is_passed_on_once() -> None:
    """Two rules with one sentence give one sentence; other acts say nothing here."""
    rule = SafetyRule(id="sample", about="x", when=evidence().rules["renal-risk"].when, say="x", severity="caution", cites=("ivigil-policy.override",))
    acts = (Act(act="tell", say="Call us."), Act(act="tell", say="Call us."), Act(act="watch", duration="x"))
    plan = msgspec.structs.replace(draft("kawasaki", course=1), constraints=tuple(Constraint(rule, act) for act in acts))
    assert line(advice.step(plan, evidence(), context()), "advice.for-you").text == "Call us."


@pytest.mark.parametrize("stopped", [{"blocked": ("x",)}, {"indication": None}])
def test_nothing_is_told_for_a_plan_that_is_not_given(stopped: dict[str, Any]) -> None:
    """No preparation sheet for an infusion that will not happen."""
    assert advice.step(msgspec.structs.replace(draft(course=1), **stopped), evidence(), context()).lines == ()


def test_every_sentence_of_a_plan_topic_can_be_said() -> None:
    """Each sentence fits at least one patient: none is dead."""
    everything = {fact.id: "yes" for fact in evidence().facts.values() if fact.kind == "yes_no" and not fact.id.startswith("risk.")}
    nothing = {**dict.fromkeys(everything, "no"), "lvef": "60 %", "egfr": "90 mL/min/1.73m2", "ig.weeks_since_last": "4 week"}
    said = ""
    for facts in (everything, nothing, {**everything, "age": "4 year", "blood_group": "A", "course.dose": "2 g/kg"}, {**nothing, "order.phase": "replacement"}):
        for indication in evidence().indications:
            for route in ("intravenous", "subcutaneous"):
                plan = monitoring.step(draft(indication, {"age": "70 year", **facts}, course=2, route=route), evidence(), context())
                said += " ".join(one.text for one in advice.step(plan, evidence(), context()).lines if one.section == "advice")
    topics = set(advice.TOPICS)
    assert not [entry.id for entry in evidence().advice.values() if entry.topic in topics and entry.say not in said]
