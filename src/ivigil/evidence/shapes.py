"""The shapes of all evidence: what a file may hold and what the planner reads. ``docs/evidence-format.md`` shows each by example."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Literal

import msgspec

from ivigil.basis.facts import Codes, Fact, Origin, Value
from ivigil.basis.names import folded
from ivigil.basis.quantity import Quantity, Span
from ivigil.evidence.conditions import Condition

YesNo = Literal["yes", "no"]
Read = Literal["seen", "second-hand", "remembered", "decided"]
ReviewStatus = Literal["submitted", "under-review", "approved", "rejected", "superseded"]
Severity = Literal["contraindicated", "avoid", "caution", "info", "none"]
Route = Literal["intravenous", "subcutaneous", "facilitated-subcutaneous"]
Phase = Literal["acute", "replacement", "induction", "maintenance", "second-dose", "switch", "extra"]
InfusionNumber = Literal["any", "first", "later"]
Kind = Literal["max", "typical"]


class Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Base of every evidence shape: immutable, and strict about unknown keys."""


class Cited(Shape, frozen=True):
    """Anything that must name the statements it rests on."""

    cites: tuple[str, ...]


class Valid(Shape, frozen=True, rename={"start": "from", "end": "to"}):
    """The dates between which an entry is in force; both ends included, open when absent. ISO dates."""

    start: str = ""
    end: str = ""


NOT_RECORDED = "not recorded"
"""What a source says for its publisher, year or place where its document does not tell."""


def recorded(text: str) -> str:
    """``text``, or nothing where it is only said to be not recorded."""
    return "" if text == NOT_RECORDED else text


class Source(Shape, frozen=True):
    """A document that was read, with a locator good enough to find it again.

    The check asks for publisher, year and ``where`` too; what the document does not tell is written as ``NOT_RECORDED``.
    """

    id: str
    kind: Literal["product-label", "leaflet", "guideline", "policy", "handbook", "study", "review", "database", "web-page", "formulary", "regulator",
                  "site-policy", "calculator", "textbook", "terminology"]
    title: str
    publisher: str = ""
    year: str = ""
    where: str = ""
    jurisdiction: str = ""
    note: str = ""


class Verdict(Shape, frozen=True):
    """One step in the review of a statement: what was decided, by whom, when and why.

    ``due`` is the day by which the next step is asked for, ``of`` the stamp of the text that was judged.
    """

    status: ReviewStatus
    by: str
    date: str
    reason: str = ""
    due: str = ""
    of: str = ""


class Statement(Shape, frozen=True):
    """One fact from one source: own words, values with units, the exact place, how it was read."""

    id: str
    source: str
    says: str
    read: Read
    where: str = ""
    also: tuple[str, ...] = ()
    plain: str = ""
    values: dict[str, str | int | float | list[str]] = {}
    through: str = ""
    readings: Literal[1, 2] = 1
    same_page: bool = False
    jurisdiction: str = ""
    disputed_by: tuple[str, ...] = ()
    reviews: tuple[Verdict, ...] = ()
    note: str = ""


class Jurisdiction(Shape, frozen=True):
    """A country or region whose rules can be in force; ``includes`` lists wider ones, ``markets`` the product markets it buys from."""

    id: str
    name: str
    markets: tuple[str, ...]
    includes: tuple[str, ...] = ()
    weight_policy: str = "actual"
    rounding: str = "exact"
    vaccine_table: str = ""
    currency: str = ""
    note: str = ""


class Act(Shape, frozen=True, rename={"condition": "if", "hours": "per_day"}):
    """What a rule asks for: a constraint on later steps or a follow-up. The verbs are a closed list."""

    act: Literal["stop", "cap-rate", "start", "split", "hours-at-least", "hydrate", "no-bolus", "premedicate", "no-nsaid", "monitor", "observe",
                 "place", "ask", "prefer-product", "consider-route", "concentration", "glucose-meter", "review-drug", "vaccine-delay", "tell", "watch",
                 "report", "second-opinion"]
    condition: Condition | None = None
    say: str = ""
    to: str = ""
    before: str = ""
    per_day_at_most: Quantity | None = None
    days_at_least: int = 0
    hours: Quantity | None = None
    test: str = ""
    at: str = ""
    until: str = ""
    duration: str = msgspec.field(default="", name="for")
    fact: str = ""
    prefer: str = ""
    give: str = msgspec.field(default="", name="with")
    who: str = ""
    what: str = ""
    place: str = ""
    route: str = ""
    concentration: str = ""
    drug: str = ""
    naive: str = ""


class SafetyRule(Cited, frozen=True):
    """A safety rule or interaction: a condition, what to say when it holds, and what follows."""

    id: str
    about: str
    when: Condition
    say: str
    severity: Severity
    code: str = ""
    jurisdictions: tuple[str, ...] = ()
    then: tuple[Act, ...] = ()
    reading: str = ""
    valid: Valid = Valid()
    note: str = ""


class RiskGroup(Cited, frozen=True):
    """A named condition that several rules share, used in conditions like a yes/no fact."""

    id: str
    group: Literal[True]
    when: Condition
    about: str = ""
    code: str = ""
    note: str = ""
    reading: str = ""


class Interference(Cited, frozen=True):
    """A laboratory test that immunoglobulin or an excipient disturbs."""

    id: str
    test: str
    effect: str
    lasts: str
    advice: str
    code: str = ""
    when: Condition | None = None


class Names(Shape, frozen=True):
    """The clinical name and the words a patient understands."""

    clinical: str
    plain: str = ""


class Standing(Cited, frozen=True):
    """What one authority says about treating an indication, in its own vocabulary and as a verdict."""

    authority: str
    jurisdiction: str
    verdict: Literal["supports", "conditional", "against", "not-read"]
    edition: str = ""
    tier: str = ""
    say: str = ""
    valid: Valid = Valid()


class Criterion(Cited, frozen=True):
    """Something an authority asks to hold; judged by ``when`` or asked as a question under its id."""

    id: str
    authority: str
    jurisdiction: str
    say: str
    when: Condition | None = None
    valid: Valid = Valid()


class RegimenDose(Shape, frozen=True):
    """Exactly one of three forms: a course total, a daily dose for some days, or a dose per interval. They never mix."""

    course_total: Span | None = None
    over_days: Span | None = None
    per_day: Span | None = None
    days: Span | None = None
    per_interval: Span | None = None
    every: Span | None = None
    worked_at: Quantity | None = None


class Regimen(Cited, frozen=True):
    """One way an authority doses an indication, in one edition and jurisdiction."""

    id: str
    authority: str
    jurisdiction: str
    phase: Phase
    dose: RegimenDose
    also_phases: tuple[Phase, ...] = ()
    edition: str = ""
    products: tuple[str, ...] = ()
    cap: Quantity | None = None
    weight: str = ""
    hours: Span | None = None
    companion: str = msgspec.field(default="", name="with")
    when: Condition | None = None
    route: Route = "intravenous"
    repeat: str = ""
    say: str = ""
    single_day: bool = False
    valid: Valid = Valid()
    note: str = ""


class Remark(Cited, frozen=True):
    """A sourced sentence that belongs to an indication: a target, review, stop rule, outcome measure or alternative."""

    say: str
    id: str = ""
    jurisdiction: str = ""
    authority: str = ""
    value: str = ""
    at: Quantity | None = None
    every: Quantity | None = None
    when: Condition | None = None
    valid: Valid = Valid()


class PayerCeiling(Cited, frozen=True):
    """An authorisation limit of a payer. It is never a dose."""

    payer: str
    amount: str
    per: str
    note: str = ""


class ReportedDose(Cited, frozen=True):
    """A dose that was read and is never planned from: of a trial, a series, a historic label, or of another preparation than plain immunoglobulin."""

    kind: Literal["trial", "series", "textbook", "historic-label", "other-preparation", "article"]
    say: str
    jurisdiction: str = ""
    note: str = ""


class Indication(Shape, frozen=True):
    """A disease for which immunoglobulin is given, refused or disputed."""

    id: str
    name: Names
    purpose: Literal["replacement", "immunomodulation", "prophylaxis", "none"]
    also_called: tuple[str, ...] = ()
    codes: Codes = Codes()
    routes: tuple[Route, ...] = ()
    population: Condition | None = None
    standing: tuple[Standing, ...] = ()
    criteria: tuple[Criterion, ...] = ()
    regimens: tuple[Regimen, ...] = ()
    targets: tuple[Remark, ...] = ()
    review: tuple[Remark, ...] = ()
    stop: tuple[Remark, ...] = ()
    outcome_measures: tuple[Remark, ...] = ()
    alternatives: tuple[Remark, ...] = ()
    reported: tuple[ReportedDose, ...] = ()
    payer_ceilings: tuple[PayerCeiling, ...] = ()
    not_read: tuple[str, ...] = ()
    note: str = ""


class Stabiliser(Cited, frozen=True):
    """The stabiliser as named by the label."""

    name: str


class Measured(Cited, frozen=True):
    """A composition value and whether it is a maximum or a typical figure."""

    value: Quantity
    kind: Kind = "max"
    note: str = ""


class Worded(Cited, frozen=True):
    """A composition fact in words or as yes/no."""

    value: str


class Vials(Cited, frozen=True):
    """The vial sizes on the market, in grams of IgG."""

    sizes: tuple[Quantity, ...]
    note: str = ""


class ProductStatus(Shape, frozen=True):
    """Whether the product can be bought; ``until`` is the last date of a discontinued one."""

    state: Literal["licensed", "discontinued", "announced"]
    until: str = ""
    say: str = ""
    cites: tuple[str, ...] = ()


class Labelled(Cited, frozen=True, rename={"indication": "for"}):
    """An indication on the label, with its population."""

    indication: str
    who: Condition | None = None
    say: str = ""


class PrintedRate(Shape, frozen=True):
    """A rate as the label prints it; ``also`` is the same rate in a second printed unit, and the lower of the two binds."""

    rate: Quantity
    also: Quantity | None = None
    hold: Span | None = None


class Increase(Shape, frozen=True):
    """How a label raises the rate: ``by`` only when a size is printed."""

    every: Span | None = None
    by: Quantity | None = None
    say: str = ""


class ExtendedRate(Shape, frozen=True, rename={"condition": "if"}):
    """A higher maximum a label allows in special circumstances; never used unasked."""

    rate: Quantity
    also: Quantity | None = None
    condition: Condition | None = None
    say: str = ""


class AtRisk(Shape, frozen=True):
    """The label's limit at renal or thrombotic risk: a number, or only the words 'minimum practicable'."""

    rate: Quantity | None = None
    also: Quantity | None = None
    practicable: bool = False


class RateSchedule(Cited, frozen=True, rename={"indications": "for"}):
    """One printed intravenous schedule of a product."""

    indications: tuple[str, ...]
    start: PrintedRate
    maximum: PrintedRate
    infusion: InfusionNumber = "any"
    who: Condition | None = None
    steps: tuple[PrintedRate, ...] = ()
    increase: Increase | None = None
    extended: ExtendedRate | None = None
    at_risk: AtRisk | None = None
    percent: float = 0.0
    note: str = ""
    valid: Valid = Valid()


class SiteStep(Shape, frozen=True):
    """One rate step per site of a subcutaneous infusion."""

    rate: Quantity
    hold: Quantity | None = None


class SubcutaneousSchedule(Cited, frozen=True, rename={"indications": "for"}):
    """Printed subcutaneous limits: per site, over all sites, per day. ``first_infusions`` is how many infusions a ``first`` row covers."""

    indications: tuple[str, ...]
    infusion: InfusionNumber = "any"
    who: Condition | None = None
    volume_per_site: Quantity | None = None
    rate_per_site: Quantity | None = None
    rate_all_sites: Quantity | None = None
    max_sites: int = 0
    site_distance: Quantity | None = None
    max_per_day: Quantity | None = None
    steps: tuple[SiteStep, ...] = ()
    infusions: str = ""
    first_infusions: int = 1
    note: str = ""


class Switch(Cited, frozen=True):
    """How a weekly subcutaneous dose follows from an intravenous one."""

    from_intravenous: float
    say: str
    start_after: Quantity | None = None
    valid: Valid = Valid()
    who: Condition | None = None


class RampUpStep(Shape, frozen=True):
    """One infusion of a ramp-up: in which week, what share of the full dose."""

    infusion: int
    week: int
    fraction: Quantity

    @property
    def share(self) -> float:
        """The fraction as a plain factor: 25 % is 0.25."""
        return self.fraction.value / 100.0


class RampUp(Cited, frozen=True):
    """The ramp-up of a facilitated product for one interval."""

    every: Quantity
    steps: tuple[RampUpStep, ...]


class Handling(Cited, frozen=True):
    """Storage, dilution, flush, filter and latex, in words."""

    storage: str = ""
    dilution: str = ""
    flush: str = ""
    filter: str = ""
    latex: str = ""
    use: str = ""


ALLERGY_OF = {"corn_derived": "corn"}
"""Where the register names an allergy otherwise than the excipient. Rules of their own say how firmly such a product is barred."""


class Product(Shape, frozen=True, dict=True):
    """One product in one market: presentation, excipients, label, rates. Rows of one market never answer for another."""

    id: str
    brand: str
    maker: str
    market: str
    routes: tuple[Route, ...]
    percent: float
    form: Literal["liquid", "lyophilised"] = "liquid"
    status: ProductStatus = ProductStatus(state="licensed")
    stabiliser: Stabiliser | None = None
    contains: dict[str, YesNo] = {}
    contains_cites: tuple[str, ...] = ()
    iga: Measured | None = None
    sodium: Measured | None = None
    osmolality: Worded | None = None
    ph: Worded | None = None
    isoagglutinin_reduced: Worded | None = None
    vials: Vials | None = None
    codes: Codes = Codes()
    also_called: tuple[str, ...] = ()
    labelled: tuple[Labelled, ...] = ()
    barred: tuple[Labelled, ...] = ()
    rates: tuple[RateSchedule, ...] = ()
    subcutaneous: tuple[SubcutaneousSchedule, ...] = ()
    switch: tuple[Switch, ...] = ()
    ramp_up: tuple[RampUp, ...] = ()
    handling: Handling | None = None
    diluent: str = ""
    reactions: tuple[Remark, ...] = ()
    not_read: tuple[str, ...] = ()
    note: str = ""

    @property
    def grams_per_ml(self) -> float:
        """IgG content: 10 % w/v is 0.1 g/mL."""
        return self.percent / 100.0

    @cached_property
    def facts(self) -> tuple[Fact, ...]:
        """The ``product.*`` facts that hold whoever the patient is. What the label does not say gives no fact: unknown is not no."""
        return tuple(Fact(name, value, Origin(f"product {self.id}", how=how)) for name, value, how in self._known())

    @cached_property
    def facts_by_id(self) -> dict[str, Fact]:
        """:attr:`facts` by id."""
        return {fact.id: fact for fact in self.facts}

    @cached_property
    def called(self) -> frozenset[str]:
        """Every name of the product, folded: its id, the id without the market, the brand, and what else it is called."""
        names = (self.id, self.id.removesuffix(f"-{self.market.lower()}"), self.brand, *self.also_called)
        return frozenset(folded(name) for name in names) - {""}

    @cached_property
    def holds(self) -> frozenset[str]:
        """What it contains, folded: excipients and the stabiliser."""
        names = [name for name, answer in self.contains.items() if answer == "yes" and name not in ALLERGY_OF]
        stabiliser = [self.stabiliser.name] if self.stabiliser is not None else []
        return frozenset(folded(name) for name in (*names, *stabiliser)) - {""}

    @cached_property
    def labelled_in(self) -> dict[str, tuple[Labelled, ...]]:
        """The rows of the label by indication, whatever their population."""
        rows: dict[str, list[Labelled]] = {}
        for row in self.labelled:
            rows.setdefault(row.indication, []).append(row)
        return {indication: tuple(own) for indication, own in rows.items()}

    @cached_property
    def vial_sizes(self) -> tuple[int, ...]:
        """The vial sizes in mg, largest first; empty when they were not read."""
        return tuple(sorted({round(size.in_unit("mg")) for size in self.vials.sizes}, reverse=True)) if self.vials is not None else ()

    def _known(self) -> Iterator[tuple[str, Value, str]]:
        for name, answer in self.contains.items():
            yield f"product.{name}" if name in ALLERGY_OF else f"product.contains_{name}", answer == "yes", ""
        if self.iga is not None:
            yield "product.iga", self.iga.value, self.iga.kind
        if self.sodium is not None:
            yield "product.sodium", self.sodium.value, self.sodium.kind
        yield "product.percent", Quantity(self.percent, "%"), ""
        yield "product.lyophilised", self.form == "lyophilised", ""
        yield "product.intravenous", "intravenous" in self.routes, ""
        yield "product.subcutaneous", "subcutaneous" in self.routes, ""
        yield "product.facilitated", "facilitated-subcutaneous" in self.routes, ""
        if self.isoagglutinin_reduced is not None:
            yield "product.isoagglutinin_reduced", self.isoagglutinin_reduced.value == "yes", ""
        # A liquid is given undiluted unless someone decides otherwise, so one that may be diluted in glucose stays a question.
        if self.form == "liquid" and self.diluent != "glucose":
            yield "product.diluted_in_glucose", False, "planned undiluted"
        elif self.form == "lyophilised" and self.diluent:
            yield "product.diluted_in_glucose", self.diluent == "glucose", "diluent of the label"


class BySex(Shape, frozen=True):
    """A coefficient for men and one for women."""

    male: Quantity
    female: Quantity


class HeightFormula(Cited, frozen=True):
    """Ideal weight from height: ``linear`` by sex (base + slope x (height - above) / slope_per) or ``exponential`` for both sexes
    (factor x base ** (exponent_per_cm x height in cm)).

    ``below_base`` says what a linear formula does at or below the height ``above``: keep the base, or continue the line downwards.
    """

    id: str
    name: str
    shape: Literal["linear", "exponential"]
    base: BySex | float
    kind: Literal["formula"] = "formula"
    slope: BySex | None = None
    slope_per: Quantity | None = None
    above: Quantity | None = None
    below_base: Literal["base", "extrapolate"] = "extrapolate"
    factor: Quantity | None = None
    exponent_per_cm: float = 0.0
    who: str = ""
    note: str = ""


class PolicyFormula(Shape, frozen=True):
    """The ideal-weight formula of a policy and, for an adjusted weight, the share of the excess over ideal weight that counts."""

    ideal: str
    factor: float = 0.0


class WeightPolicy(Cited, frozen=True):
    """How an authority chooses the dosing weight, in one period.

    ``gives`` is what the policy yields when ``when`` (and ``when_over_ideal``) hold, ``otherwise`` what it yields when they do not.
    ``else_use`` names the policy that takes its place outside ``population`` or ``valid``.
    """

    id: str
    name: str
    kind: Literal["policy"] = "policy"
    jurisdiction: str = ""
    gives: Literal["actual", "ideal", "adjusted"] = "actual"
    formula: PolicyFormula | None = None
    population: Condition | None = None
    else_use: str = ""
    when: Condition | None = None
    when_over_ideal: Quantity | None = None
    otherwise: Literal["actual"] = "actual"
    optional: bool = False
    never_above_actual: bool | Literal["guard"] = False
    truncate: tuple[Literal["height", "weight"], ...] = ()
    pregnancy: Literal["pre_pregnancy_weight", ""] = ""
    pregnancy_except: tuple[str, ...] = ()
    dose_cap: Quantity | None = None
    rounding: str = ""
    reading: str = ""
    say: str = ""
    valid: Valid = Valid()
    note: str = ""


class Replacement(Shape, frozen=True, rename={"low": "from", "high": "to"}):
    """An amount that no vials make, and the amount given in its place."""

    low: Quantity
    high: Quantity


class SmallTotals(Shape, frozen=True):
    """The finer rounding of small totals: ``below`` this amount ``step`` holds, made up from ``vials``."""

    below: Quantity
    step: Quantity
    vials: tuple[Quantity, ...] = ()
    not_makeable: tuple[Replacement, ...] = ()


class Rounding(Cited, frozen=True):
    """How a dose in grams is rounded: the course total once, or each dose by itself. ``population`` makes it the rule for those patients."""

    id: str
    name: str
    how: Literal["nearest", "down", "vial-down", "within", "exact"]
    applies: Literal["course_total", "each_dose"] = "course_total"
    step: Quantity | None = None
    tolerance: Quantity | None = None
    small: SmallTotals | None = None
    population: Condition | None = None
    say: str = ""
    note: str = ""


class DoseLimit(Cited, frozen=True, rename={"indications": "for", "excepted": "except"}):
    """A plausibility or safety limit on a calculated dose.

    ``measure`` is the whole course or one day in g/kg of dosing weight, either in grams, or the number of days. ``refuse-unless-cited`` is
    asked about and never computed through unless the regimen itself prints the dose; ``confirm`` and ``advise`` are lines; ``cap`` cuts
    the dose; ``split`` raises the days.
    """

    id: str
    about: str
    measure: Literal["course", "per_day", "grams_per_day", "grams_per_course", "days"]
    then: Literal["refuse-unless-cited", "confirm", "advise", "cap", "split"]
    say: str
    at_most: Quantity | None = None
    at_least: int = 0
    indications: tuple[str, ...] = ()
    excepted: tuple[str, ...] = ()
    jurisdiction: str = ""
    when: Condition | None = None
    valid: Valid = Valid()
    note: str = ""


class Plausible(Cited, frozen=True, rename={"excepted": "except"}):
    """A band outside which a number of the evidence itself is taken for a slip of the pen; ``excepted`` names the entries that
    really print more or less, with what they print.
    """

    id: str
    measure: Literal["course", "course-grams", "named-dose", "interval", "infusion-time", "infusion-rate", "rate-forms", "site-volume", "site-rate", "vial",
                     "strength", "iga", "weekly-share"]
    say: str
    at_least: Quantity | None = None
    at_most: Quantity | None = None
    excepted: dict[str, Quantity] = {}
    note: str = ""


class Ramp(Cited, frozen=True):
    """A site-policy rate ladder between a label's start and maximum. Always shown as policy."""

    id: str
    name: str
    multiply_by: float = 0.0
    every: Quantity | None = None
    steps: tuple[PrintedRate, ...] = ()
    note: str = ""
    say: str = ""


class InfusionPolicy(Cited, frozen=True):
    """A decided default for infusions where no label prints a value: a limit at risk (``cap``) or the pump's step (``increment``)."""

    id: str
    name: str = ""
    kind: Literal["site-policy"] = "site-policy"
    when: Condition | None = None
    cap: Quantity | None = None
    increment: Quantity | None = None
    say: str = ""
    note: str = ""


class Price(Cited, frozen=True):
    """A dated price example, for estimates only."""

    id: str
    country: str
    year: str
    currency: str
    product: str = ""
    per_gram: float = 0.0
    vials: dict[str, float] = {}
    note: str = ""
