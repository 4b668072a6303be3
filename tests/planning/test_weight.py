"""Dosing weights against the published formulas and the worked examples C1-C6 of the dose evidence."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.planning.course_sample import AUTUMN, CHILD, MAN, evidence, known

from ivigil.basis.facts import Facts
from ivigil.planning.weight import Weighing, ideal_weight, settle, weigh, weigh_all


def _weigh(policy: str, facts: Facts, on: date = AUTUMN, indication: str = "") -> Weighing:
    return weigh(evidence().weight_policies[policy], evidence(), facts, on, indication)


def _settled(policy: str, facts: Facts, on: date = AUTUMN) -> Weighing:
    found, _ = settle(policy, weigh_all(evidence(), facts, on))
    assert found is not None
    return found


@pytest.mark.parametrize(("formula", "height", "sex", "kg"), [
    ("devine", 175.0, "male", 70.46),      # 50 + 2.3 x (175/2.54 - 60) = 50 + 2.3 x 8.898
    ("devine", 160.0, "female", 52.38),    # 45.5 + 2.3 x (62.992 - 60)
    ("devine", 152.4, "female", 45.5),     # exactly 60 in: the base
    ("robinson", 175.0, "male", 69.25),    # 52 + 0.75 x 23
    ("robinson", 165.0, "female", 57.71),  # 49 + 0.67 x 13
    ("robinson", 150.0, "male", 52.0),     # at or below 152 cm the base
    ("traub-child", 128.0, "male", 26.0),  # 2.396 x 2.718 ** (0.01863 x 128 = 2.38464)
    ("traub-child", 128.0, "unknown", 26.0),
])
def test_ideal_weight_follows_its_formula(formula: str, height: float, sex: str, kg: float) -> None:
    """Each formula gives the hand-computed weight, the child's one whatever the sex."""
    assert ideal_weight(evidence().formulas[formula], height, sex) == pytest.approx(kg, abs=0.006)


def test_ideal_weight_is_unknown_without_a_sex_or_far_below_the_base() -> None:
    """Devine needs a sex, and continued far downwards it must not give a weight of nought or less."""
    devine = evidence().formulas["devine"]
    assert ideal_weight(devine, 175.0, None) is None
    assert ideal_weight(devine, 175.0, "other") is None
    assert ideal_weight(devine, 90.0, "male") is None  # 50 + 2.3 x (35.4 - 60) = -6.5


@pytest.mark.parametrize(("policy", "kg"), [
    ("actual", 100.0), ("label-actual", 100.0), ("ideal", 70.46),
    ("ontario", 82.28),                # 70.46 + 0.4 x 29.54
    ("australia-2026-07", 82.28), ("us-adjusted-bmi-30", 82.28),
    ("nhs-england-2021-adult", 81.55),  # 69.25 + 0.4 x 30.75
])
def test_one_man_under_every_policy(policy: str, kg: float) -> None:
    """Example C1: a man of 175 cm and 100 kg weighs 70 to 100 kg for the dose, by who is asked."""
    weighing = _weigh(policy, MAN)
    assert weighing.applicable
    assert weighing.kg == pytest.approx(kg, abs=0.006)


def test_not_more_than_a_fifth_over_ideal_stays_actual_in_england() -> None:
    """Example C2: 60 kg against an ideal 54.36 kg (49 + 0.67 x 8) is 10 % over, so actual weight holds."""
    woman = known(weight="60 kg", height="160 cm", sex="female", age="40 year")
    assert _weigh("nhs-england-2021-adult", woman).kg == 60
    assert _weigh("ontario", woman).kg == pytest.approx(55.43, abs=0.006)  # 52.38 + 0.4 x 7.62


def test_england_asks_for_strictly_more_than_a_fifth() -> None:
    """At 152 cm Robinson gives a woman 49 kg; a fifth more is 58.8 kg, cut to 58: not over. 59 kg is: 49 + 0.4 x 10 = 53."""
    assert _weigh("nhs-england-2021-adult", known(weight="58.9 kg", height="152 cm", sex="female", age="40 year")).kg == 58
    assert _weigh("nhs-england-2021-adult", known(weight="59 kg", height="152 cm", sex="female", age="40 year")).kg == pytest.approx(53.0)


def test_england_cuts_height_and_weight_to_whole_numbers() -> None:
    """175.9 cm and 100.9 kg count as 175 cm and 100 kg."""
    assert _weigh("nhs-england-2021-adult", known(weight="100.9 kg", height="175.9 cm", sex="male", age="50 year")).kg == pytest.approx(81.55)


def test_adjusted_weight_above_actual_is_not_followed_and_said() -> None:
    """Example C5: 55 kg at 185 cm would be 69.71 kg by formula (79.52 + 0.4 x -24.52); the actual 55 kg is used, and the line says so."""
    thin = known(weight="55 kg", height="185 cm", sex="male", age="30 year")
    for policy in ("ontario", "australia-2026-07"):
        weighing = _weigh(policy, thin)
        assert weighing.kg == 55
        assert weighing.formula_kg == pytest.approx(69.71, abs=0.006)
        assert "more than the actual" in weighing.why
    assert "authority" in _weigh("australia-2026-07", thin).why
    assert "guard" in _weigh("ontario", thin).why


def test_height_based_child_weight_above_actual_is_not_followed() -> None:
    """A thin child of 128 cm and 20 kg is dosed on 20 kg, not on the 26 kg of the height formula."""
    weighing = _weigh("nhs-england-2021-child", known(weight="20.4 kg", height="128 cm", age="7 year"))
    assert weighing.kg == pytest.approx(20.4)
    assert weighing.formula_kg == pytest.approx(26.0, abs=0.01)


def test_a_child_by_authority() -> None:
    """Example C4: 26 kg in England, the actual 34 kg in Ontario and Australia."""
    assert _settled("nhs-england-2021-adult", CHILD).policy.id == "nhs-england-2021-child"
    assert _settled("nhs-england-2021-adult", CHILD).kg == pytest.approx(26.0, abs=0.01)
    assert _settled("ontario", CHILD).kg == 34
    assert _settled("australia-2026-07", CHILD).kg == 34


def test_pregnancy_by_authority() -> None:
    """Example C6: Ontario takes the weight before pregnancy, except where the dose follows the IgG level; Australia the actual weight."""
    woman = known(weight="80 kg", height="165 cm", sex="female", age="30 year", has__pregnancy=True, pre_pregnancy_weight="70 kg")
    # Devine at 165 cm: 45.5 + 2.3 x (64.961 - 60) = 56.91; + 0.4 x (70 - 56.91) = 62.15
    assert _weigh("ontario", woman, indication="itp-adult").kg == pytest.approx(62.15, abs=0.01)
    assert _weigh("ontario", woman, indication="pid").kg == pytest.approx(66.15, abs=0.01)  # 56.91 + 0.4 x 23.09
    assert _weigh("australia-2026-07", woman).kg == 80


def test_an_unknown_weight_before_pregnancy_is_asked_for() -> None:
    """Without it the actual weight only stands in, and the missing fact is named."""
    weighing = _weigh("ontario", known(weight="80 kg", height="165 cm", sex="female", age="30 year", has__pregnancy=True))
    assert weighing.provisional
    assert weighing.missing == ("pre_pregnancy_weight",)


def test_the_australian_rule_changes_with_the_date() -> None:
    """Until June 2026 adjusted weight is for obesity only; from 1 July it is the default for every adult."""
    man = known(weight="80 kg", height="175 cm", sex="male", age="50 year")  # BMI 26
    before, after = _settled("australia-2026-07", man, date(2026, 6, 30)), _settled("australia-2026-07", man, date(2026, 7, 1))
    assert (before.policy.id, before.kg) == ("australia-to-2026-06", 80)
    assert after.policy.id == "australia-2026-07"
    assert after.kg == pytest.approx(74.28, abs=0.006)  # 70.46 + 0.4 x 9.54


def test_ideal_weight_is_not_used_on_a_patient_it_was_not_asked_for() -> None:
    """The hazard of ideal weight in a patient who is not obese: labels keep actual weight, US adjustment starts at a BMI of 30."""
    slim = known(weight="70 kg", height="175 cm", sex="male", age="50 year")
    assert _weigh("label-actual", slim).kg == 70
    assert _weigh("us-adjusted-bmi-30", slim).kg == 70


def test_missing_height_or_weight_is_named() -> None:
    """A formula without a height lets actual weight stand in and says what is missing; without a weight there is no dosing weight."""
    stand_in = _weigh("australia-2026-07", known(weight="80 kg", sex="male", age="50 year"))
    assert (stand_in.kg, stand_in.provisional, stand_in.missing) == (80, True, ("height",))
    assert _weigh("actual", known(height="175 cm")).kg is None
    nobody_knows = _settled("nhs-england-2021-adult", known(weight="80 kg", height="175 cm", sex="male"))
    assert nobody_knows.provisional
    assert "age" in nobody_knows.missing


@given(weight=st.floats(0.4, 400), height=st.floats(30, 230), sex=st.sampled_from(["male", "female", "other"]), age=st.floats(0, 110), pregnant=st.booleans())
def test_no_policy_goes_above_actual_weight_or_below_nought(weight: float, height: float, sex: str, age: float, pregnant: bool) -> None:
    """Whatever the body, every dosing weight is above nought and at most the actual weight."""
    facts = known(weight=f"{weight:.3f} kg", height=f"{height:.1f} cm", sex=sex, age=f"{age:.2f} year", has__pregnancy=pregnant)
    for weighing in weigh_all(evidence(), facts, AUTUMN).values():
        assert weighing.kg is None or 0 < weighing.kg <= round(weight, 3) * (1 + 1e-9)
