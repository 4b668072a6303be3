"""The shapes of what surrounds an infusion: preparation, monitoring, reactions, vaccination and advice to the patient."""

from __future__ import annotations

from typing import Literal

import msgspec

from ivigil.basis.facts import Codes
from ivigil.basis.quantity import Quantity, Span
from ivigil.evidence.conditions import Condition
from ivigil.evidence.shapes import Cited, Route, Shape, YesNo


class When(Shape, frozen=True, rename={"start": "from"}):
    """A time relative to the infusion: before, during or after it, within or by a span, on a day, or at intervals until something happens."""

    before: str = ""
    after: str = ""
    during: str = ""
    within: Span | None = None
    by: Span | None = None
    day: Span | None = None
    every: Span | None = None
    until: str = ""
    steady_for: Quantity | None = None
    start: str = ""
    at: str = ""
    optional: bool = False


class Offer(Shape, frozen=True):
    """A medicine or fluid with its dose, for whom, how and when."""

    drug: str
    also_called: tuple[str, ...] = ()
    dose: Span | None = None
    max_dose: Quantity | None = None
    max: Quantity | None = None
    per: Quantity | None = None
    route: str = ""
    who: Condition | None = None
    minutes_before: Span | None = None
    over: Span | None = None
    instead_of: str = ""
    say: str = ""
    cites: tuple[str, ...] = ()


class Preparation(Cited, frozen=True):
    """A premedication or hydration rule: when it applies, what is offered or refused."""

    id: str
    about: str
    say: str
    when: Condition | None = None
    at: str = ""
    offer: tuple[Offer, ...] = ()
    refuse: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    reading: str = ""
    jurisdictions: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()
    not_read: tuple[str, ...] = ()


class Test(Shape, frozen=True):
    """A test that rules name, with the fact it gives and its codes."""

    id: str
    name: str
    fact: str = ""
    codes: Codes = Codes()


class Monitoring(Cited, frozen=True):
    """Tests to do, when, and what each result would change."""

    id: str
    tests: tuple[str, ...]
    at: Literal["before", "during", "after"]
    say: str
    changes: str
    when: Condition | None = None
    trigger: str = ""
    times: tuple[When, ...] = ()
    indications: tuple[str, ...] = ()
    jurisdictions: tuple[str, ...] = ()
    not_read: tuple[str, ...] = ()
    reading: str = ""


class Vitals(Cited, frozen=True):
    """A schedule of vital signs, with the longer observation some patients need."""

    id: str
    name: str
    say: str
    signs: tuple[str, ...] = ()
    times: tuple[When, ...] = ()
    default: bool = False
    routes: tuple[Route, ...] = ()
    jurisdiction: str = ""
    extra_when: Condition | None = None
    extra_after: str = ""
    extra_times: tuple[When, ...] = ()
    observe: Quantity | None = None
    observe_extra: Quantity | None = None
    say_extra: str = ""
    reading: str = ""


class ThresholdPart(Shape, frozen=True, rename={"duration": "for"}):
    """One way a threshold is met."""

    rise: Quantity | None = None
    also: Quantity | None = None
    within: Quantity | None = None
    times_baseline: Span | None = None
    urine_below: Quantity | None = None
    duration: Quantity | None = None
    level: Quantity | None = None
    urine: str = ""
    dialysis: str = ""
    fall: Quantity | None = None
    below: Quantity | None = None


class Threshold(Cited, frozen=True):
    """A result that changes the plan, and what to do then."""

    id: str
    name: str
    test: str
    any_of: tuple[ThresholdPart, ...]
    say: str
    then: str
    reading: str = ""
    not_read: tuple[str, ...] = ()


class Target(Cited, frozen=True, rename={"purpose": "for"}):
    """An IgG target as one authority states it."""

    id: str
    purpose: str
    say: str
    jurisdiction: str = ""
    value: Condition | None = None
    superseded_by: str = ""


class Measure(Shape, frozen=True):
    """An outcome measure and the smallest change that matters, as printed."""

    measure: str
    change: str = ""


class Outcome(Cited, frozen=True):
    """What to measure for a disease."""

    id: str
    indications: tuple[str, ...]
    measures: tuple[Measure, ...]
    say: str = ""


class ReviewPoint(Cited, frozen=True):
    """When treatment is reviewed."""

    id: str
    say: str
    at: Quantity | None = None
    every: Quantity | None = None
    courses: int = 0
    indications: tuple[str, ...] = ()


class IntervalRow(Shape, frozen=True, rename={"purpose": "for"}):
    """One band of a dose-keyed interval: ``up_to`` includes the limit, ``below`` leaves it out."""

    wait: Quantity
    up_to: Quantity | None = None
    below: Quantity | None = None
    purpose: str = ""


class Wait(Shape, frozen=True):
    """A wait with nothing else to it."""

    wait: Quantity


class Impaired(Shape, frozen=True):
    """A vaccine response that may be impaired for longer, and the test that tells."""

    vaccines: tuple[str, ...]
    impaired_up_to: Quantity
    test: str


class AntibodyInterval(Cited, frozen=True, rename={"purpose": "for", "while_": "while"}):
    """How long a live vaccine waits after an antibody product, in one jurisdiction or on one label."""

    id: str
    vaccines: tuple[str, ...]
    jurisdiction: str = ""
    product: str = ""
    products: tuple[str, ...] = ()
    purpose: str = ""
    dose: Span | None = None
    route: str = ""
    wait: Span | None = None
    better: Quantity | None = None
    measure: str = ""
    rows: tuple[IntervalRow, ...] = ()
    above: Wait | None = None
    at_high_risk: Wait | None = None
    sum_over: dict[str, Quantity] = {}
    while_: str = ""
    extra: tuple[Impaired, ...] = ()
    also_show: str = ""
    follows: str = ""
    single_component: bool = False
    note_only: bool = False
    vaccine_product: str = ""
    edition: str = ""
    superseded_by: str = ""
    codes: Codes = Codes()
    cvx: tuple[str, ...] = ()
    cdsi: str = ""
    say: str = ""
    warn: str = ""
    warn_from: Quantity | None = None
    reading: str = ""
    note: str = ""
    not_read: tuple[str, ...] = ()


class Vaccine(Cited, frozen=True):
    """A vaccine: live or not, and whether an antibody product makes it wait."""

    id: str
    name: str
    live: YesNo
    also_called: tuple[str, ...] = ()
    antigens: tuple[str, ...] = ()
    antibody_interval: Literal["yes", "no", "own", "unknown"] = "unknown"
    cvx: tuple[str, ...] = ()
    contraindicated_when: Condition | None = None
    interval_entry: str = ""
    rating: dict[str, str] = {}
    exempt_cites: tuple[str, ...] = ()
    say: str = ""
    not_read: tuple[str, ...] = ()


class VaccineRule(Cited, frozen=True):
    """A rule about vaccines and antibody products beyond the interval table."""

    id: str
    code: str
    about: str
    say: str
    jurisdiction: str = ""
    vaccines: tuple[str, ...] = ()
    table: str = ""
    then: str = ""
    after: str = ""
    after_vaccine_keep_ig_away: Quantity | None = None
    at_limit: Literal["valid", "repeat", ""] = ""
    unless: str = ""
    test_at: Quantity | None = None
    test_after: Quantity | None = None
    edition: str = ""
    vaccine_product: str = ""
    note_only: bool = False
    interval_entry: str = ""
    severity: str = ""
    when: Condition | None = None
    reading: str = ""
    not_read: tuple[str, ...] = ()


class ProtectedIf(Shape, frozen=True):
    """When recent immunoglobulin counts as protection."""

    within: Quantity
    dose_at_least: Quantity | None = None


class ExposureDose(Shape, frozen=True):
    """What is given after an exposure."""

    dose: Quantity
    route: str
    who: Condition | None = None
    weight: str = ""
    in_pregnancy: str = ""
    max_dose: Quantity | None = None
    extra: bool = False


class Exposure(Cited, frozen=True):
    """What an exposure to measles or varicella asks for in someone on immunoglobulin."""

    id: str
    disease: str
    say: str
    jurisdiction: str = ""
    when: Condition | None = None
    protected_if: ProtectedIf | None = None
    give: tuple[ExposureDose, ...] = ()
    within: Quantity | None = None
    best: Quantity | None = None
    products: tuple[str, ...] = ()
    again_after: Quantity | None = None
    raise_to: Quantity | None = None
    note_only: bool = False
    reading: str = ""
    not_read: tuple[str, ...] = ()


class Advice(Cited, frozen=True):
    """A sentence for the patient; ``observe`` ties it to the plan's observation time after the infusion."""

    id: str
    topic: str
    say: str
    urgency: Literal["info", "warning", "critical"] = "info"
    when: Condition | None = None
    indications: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    observe: Quantity | None = None
    call: str = ""
    jurisdiction: str = ""
    not_read: tuple[str, ...] = ()


class NextDose(Cited, frozen=True):
    """What the last reaction changes for the next dose."""

    id: str
    after: str
    say: str
    when: Condition | None = None
    start: str = ""
    premedication: str = ""
    maximum_rate: Quantity | None = None
    rate_at_most: Quantity | None = None
    observe: Quantity | None = None
    place: str = ""
    approval: str = ""


class ReactionOnset(Cited, frozen=True, rename={"start": "from"}):
    """A reaction: when it comes, its signs and the first thing to do."""

    id: str
    reaction: str
    signs: str
    first: str
    to: Quantity
    start: Quantity | None = None
    during: bool = False
    urgency: Literal["info", "warning", "critical"] = "info"


class ReactionFrequency(Cited, frozen=True):
    """How often a reaction was seen, in whom."""

    id: str
    outcome: str
    per: str
    figure: str
    population: str


class PressureRow(Shape, frozen=True):
    """A low systolic pressure by age."""

    who: Condition
    below: Quantity | None = None
    or_fall_above: Quantity | None = None
    plus: Quantity | None = None
    for_each: Quantity | None = None


class ReactionGrade(Cited, frozen=True):
    """How a reaction is graded, or a definition grading needs."""

    id: str
    say: str
    grade: int = 0
    word: str = ""
    signs: tuple[str, ...] = ()
    rows: tuple[PressureRow, ...] = ()
    reading: str = ""


class RateChange(Shape, frozen=True, rename={"or_": "or"}):
    """Back to a share of the current rate."""

    to: Quantity
    or_: str = ""
    within: Quantity | None = None
    by: str = ""


class ReactionStep(Cited, frozen=True, rename={"grades": "for"}):
    """One step of the infusion-reaction algorithm."""

    id: str
    order: int
    say: str
    grades: str
    rate: RateChange | None = None
    restart: RateChange | None = None
    recheck: Quantity | None = None
    try_again_after: Quantity | None = None
    pause: bool = False
    stop: bool = False
    vitals_every: Span | None = None
    first_drug: str = ""
    repeat: Quantity | None = None
    jurisdiction: str = ""
    dose: Span | None = None
    observe: Quantity | None = None
    reading: str = ""
    not_read: tuple[str, ...] = ()


class ReactionDose(Shape, frozen=True):
    """A dose of a reaction medicine, by weight or age band: an amount, a volume or both."""

    dose: Span | None = None
    volume: Span | None = None
    max_dose: Quantity | None = None
    max: Quantity | None = None
    per: Quantity | None = None
    route: str = ""
    every: Span | None = None
    over: Quantity | None = None
    who: Condition | None = None
    for_weight: Span | str | None = None
    say: str = ""


class ReactionDrug(Cited, frozen=True, rename={"signs": "for"}):
    """A medicine for a reaction, in the order it is reached for."""

    id: str
    drug: str
    order: int
    doses: tuple[ReactionDose, ...]
    say: str = ""
    signs: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    jurisdiction: str = ""
    jurisdictions: tuple[str, ...] = ()
    when_no_weight: bool = False
    reading: str = ""
    not_read: tuple[str, ...] = ()


class Reporting(Cited, frozen=True):
    """What is recorded at every infusion, and where reactions are reported."""

    id: str
    say: str
    jurisdiction: str = ""
    to: str = ""


CARE_KINDS: tuple[tuple[str, str, type[msgspec.Struct]], ...] = (
    ("premedication/*.yaml", "premedication", Preparation),
    ("hydration/*.yaml", "hydration", Preparation),
    ("monitoring/tests.yaml", "tests", Test),
    ("monitoring/laboratory.yaml", "laboratory", Monitoring),
    ("monitoring/vitals.yaml", "vitals", Vitals),
    ("monitoring/thresholds.yaml", "thresholds", Threshold),
    ("monitoring/targets.yaml", "targets", Target),
    ("monitoring/outcomes.yaml", "outcomes", Outcome),
    ("monitoring/review.yaml", "reviews", ReviewPoint),
    ("vaccination/antibody-intervals.yaml", "antibody_intervals", AntibodyInterval),
    ("vaccination/vaccines.yaml", "vaccines", Vaccine),
    ("vaccination/rules.yaml", "vaccine_rules", VaccineRule),
    ("vaccination/exposure.yaml", "exposures", Exposure),
    ("advice/*.yaml", "advice", Advice),
    ("reactions/next-dose.yaml", "next_doses", NextDose),
    ("reactions/onset.yaml", "reaction_onsets", ReactionOnset),
    ("reactions/frequencies.yaml", "reaction_frequencies", ReactionFrequency),
    ("reactions/grades.yaml", "reaction_grades", ReactionGrade),
    ("reactions/algorithm.yaml", "reaction_steps", ReactionStep),
    ("reactions/drugs.yaml", "reaction_drugs", ReactionDrug),
    ("reactions/reporting.yaml", "reporting", Reporting),
)
"""Which file fills which part of the evidence."""
