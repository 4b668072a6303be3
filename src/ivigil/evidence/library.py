"""The loaded evidence: everything by id, immutable, with the content hash that names its version."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import msgspec

from ivigil.basis.facts import FactDefinition, Facts, Stage
from ivigil.basis.names import spaced
from ivigil.basis.quantity import Quantity
from ivigil.evidence import care, kinetics, knowledge, questions
from ivigil.evidence.conditions import Condition, facts_named, judge, truth_of, written
from ivigil.evidence.interval_tables import IntervalTables
from ivigil.evidence.review import COUNTED, READ_BEST_FIRST, WEAKEST_FIRST, Support, state_of
from ivigil.evidence.shapes import (
    Criterion,
    DoseLimit,
    HeightFormula,
    Indication,
    InfusionPolicy,
    Interference,
    Jurisdiction,
    Plausible,
    Price,
    Product,
    Ramp,
    Regimen,
    ReviewStatus,
    RiskGroup,
    Rounding,
    SafetyRule,
    Source,
    Standing,
    Statement,
    WeightPolicy,
    recorded,
)
from ivigil.evidence.touched import Touched

_STAGES: tuple[Stage, ...] = ("patient", "product", "course")
_KEPT = 16384


class Evidence(msgspec.Struct, frozen=True, dict=True):
    """All evidence in force for a program run. ``version`` is the content hash of the files it was made from.

    Each attribute maps ids to entries, in file order. ``local`` names the entries that a hospital overlay added or replaced, as ``part id``,
    with the reason given.
    """

    version: str = ""
    overlay: str = ""
    local: dict[str, str] = {}
    sources: dict[str, Source] = {}
    statements: dict[str, Statement] = {}
    facts: dict[str, FactDefinition] = {}
    jurisdictions: dict[str, Jurisdiction] = {}
    indications: dict[str, Indication] = {}
    products: dict[str, Product] = {}
    groups: dict[str, RiskGroup] = {}
    rules: dict[str, SafetyRule] = {}
    interactions: dict[str, SafetyRule] = {}
    interference: dict[str, Interference] = {}
    formulas: dict[str, HeightFormula] = {}
    weight_policies: dict[str, WeightPolicy] = {}
    rounding: dict[str, Rounding] = {}
    dose_limits: dict[str, DoseLimit] = {}
    plausibility: dict[str, Plausible] = {}
    ramps: dict[str, Ramp] = {}
    infusion_policies: dict[str, InfusionPolicy] = {}
    prices: dict[str, Price] = {}
    premedication: dict[str, care.Preparation] = {}
    hydration: dict[str, care.Preparation] = {}
    tests: dict[str, care.Test] = {}
    laboratory: dict[str, care.Monitoring] = {}
    vitals: dict[str, care.Vitals] = {}
    thresholds: dict[str, care.Threshold] = {}
    targets: dict[str, care.Target] = {}
    outcomes: dict[str, care.Outcome] = {}
    reviews: dict[str, care.ReviewPoint] = {}
    antibody_intervals: dict[str, care.AntibodyInterval] = {}
    vaccines: dict[str, care.Vaccine] = {}
    vaccine_rules: dict[str, care.VaccineRule] = {}
    exposures: dict[str, care.Exposure] = {}
    advice: dict[str, care.Advice] = {}
    next_doses: dict[str, care.NextDose] = {}
    reaction_onsets: dict[str, care.ReactionOnset] = {}
    reaction_frequencies: dict[str, care.ReactionFrequency] = {}
    reaction_grades: dict[str, care.ReactionGrade] = {}
    reaction_steps: dict[str, care.ReactionStep] = {}
    reaction_drugs: dict[str, care.ReactionDrug] = {}
    reporting: dict[str, care.Reporting] = {}
    mechanisms: dict[str, knowledge.Mechanism] = {}
    terms: dict[str, knowledge.Term] = {}
    lessons: dict[str, knowledge.Lesson] = {}
    supply_schemes: dict[str, knowledge.SupplyScheme] = {}
    supply_levers: dict[str, knowledge.SupplyLever] = {}
    supply_figures: dict[str, knowledge.SupplyFigure] = {}
    articles: dict[str, knowledge.Article] = {}
    claims: dict[str, knowledge.Claim] = {}
    models: dict[str, kinetics.Model] = {}
    model_choices: dict[str, kinetics.ModelChoice] = {}
    forecast_states: dict[str, kinetics.ForecastState] = {}
    forecast_settings: dict[str, kinetics.ForecastSetting] = {}
    lean_mass: dict[str, kinetics.LeanMass] = {}
    model_checks: dict[str, kinetics.ModelCheck] = {}
    vignettes: dict[str, kinetics.Vignette] = {}
    topics: dict[str, questions.Topic] = {}
    emergencies: dict[str, questions.Emergency] = {}
    corrections: dict[str, questions.Correction] = {}
    openers: dict[str, questions.Opener] = {}
    wordings: dict[str, questions.Wording] = {}
    synonyms: dict[str, questions.Synonym] = {}
    outsiders: dict[str, questions.Outsider] = {}
    languages: dict[str, questions.Language] = {}
    word_lists: dict[str, questions.WordList] = {}

    @cached_property
    def kept(self) -> dict[object, dict[tuple[object, ...], tuple[object, ...]]]:
        """What :func:`ivigil.evidence.kept.kept` functions found for this evidence, by function and arguments."""
        return {}

    def places(self, jurisdiction: str) -> tuple[str, ...]:
        """The jurisdiction and the wider ones it includes, nearest first."""
        entry = self.jurisdictions[jurisdiction]
        return (jurisdiction, *entry.includes)

    def support_of(self, cites: tuple[str, ...]) -> Support:
        """How well these statements support a line.

        The ways of reading, best first: ``seen``, ``seen-once`` (no second reading yet), ``second-hand``, ``second-hand-once``, ``decided``,
        ``remembered``.
        """
        known = self._supports.get(cites)
        if known is None:
            if len(self._supports) >= _KEPT:
                self._supports.clear()
            reviews = {self.review_states.get(cite, "submitted") for cite in cites}
            ways = {self._ways_read.get(cite, "remembered") for cite in cites}
            known = Support(tuple(dict.fromkeys(cites)), next((status for status in WEAKEST_FIRST if status in reviews), ""),
                            next((way for way in READ_BEST_FIRST if way in ways), ""))
            self._supports[cites] = known
        return known

    def local_of(self, touched: Iterable[object]) -> tuple[str, ...]:
        """What the overlay did to the things touched, each once; a statement is local when its source is, a rule when a group in its condition is."""
        return self._touched.of(touched)

    @cached_property
    def _touched(self) -> Touched:
        entries = {key: getattr(self, part).get(name) for key in self.local for part, _, name in [key.partition(" ")]}
        return Touched(self.local, entries, self.statements, self.conditions, self.groups)

    @cached_property
    def _supports(self) -> dict[tuple[str, ...], Support]:
        """Found once and kept, up to a limit: lines of many plans rest on the same statements."""
        return {}

    @cached_property
    def review_states(self) -> dict[str, ReviewStatus]:
        """Where each statement stands in review."""
        return {statement.id: state_of(statement).status for statement in self.statements.values()}

    @cached_property
    def _ways_read(self) -> dict[str, str]:
        return {statement.id: f"{statement.read}-once" if statement.readings == 1 and statement.read in COUNTED else statement.read
                for statement in self.statements.values()}

    @cached_property
    def read_sources(self) -> dict[str, tuple[str, str]]:
        """The source in which each statement was read, and how it was read, by statement; remembered statements are left out."""
        return {statement.id: (statement.through or statement.source, statement.read)
                for statement in self.statements.values() if statement.read != "remembered"}

    @cached_property
    def weight_policy_cites(self) -> tuple[str, ...]:
        """The statements of all weight policies, each once."""
        return tuple(dict.fromkeys(cite for policy in self.weight_policies.values() for cite in policy.cites))

    @cached_property
    def labels(self) -> dict[str, str]:
        """The clinical label of every fact, for sentences."""
        return {fact.id: fact.label for fact in self.facts.values()}

    @cached_property
    def every_rule(self) -> dict[str, SafetyRule]:
        """Safety rules and interactions by id."""
        return {**self.rules, **self.interactions}

    @cached_property
    def needs(self) -> dict[str, str]:
        """What each safety rule and interaction needs in order to fire, in words."""
        return {rule.id: f"needs {written(rule.when, self.labels)}" for rule in self.every_rule.values()}

    @cached_property
    def conditions(self) -> dict[str, Condition]:
        """The condition of every entry that applies only sometimes, by its id: rules, groups, preparation, tests, vaccines, exposures."""
        found: dict[str, Condition] = {rule.id: rule.when for rule in self.every_rule.values()}
        found.update({group.id: group.when for group in self.groups.values()})
        found.update({entry.id: entry.when for entry in (*self.premedication.values(), *self.hydration.values()) if entry.when is not None})
        found.update({test.id: test.when for test in self.laboratory.values() if test.when is not None})
        found.update({rule.id: rule.when for rule in self.vaccine_rules.values() if rule.when is not None})
        found.update({exposure.id: exposure.when for exposure in self.exposures.values() if exposure.when is not None})
        found.update({sentence.id: sentence.when for sentence in self.advice.values() if sentence.when is not None})
        found.update({vaccine.id: vaccine.contraindicated_when for vaccine in self.vaccines.values() if vaccine.contraindicated_when is not None})
        found.update({schedule.id: schedule.extra_when for schedule in self.vitals.values() if schedule.extra_when is not None})
        return found

    @cached_property
    def rates_read(self) -> frozenset[str]:
        """The products of which some schedule of rates rests on nothing that is only remembered."""
        remembered = {statement.id for statement in self.statements.values() if statement.read == "remembered"}
        return frozenset(product.id for product in self.products.values()
                         if any(remembered.isdisjoint(row.cites) for row in product.rates or product.subcutaneous))

    def products_at(self, jurisdiction: str) -> tuple[Product, ...]:
        """The products of the markets of a jurisdiction, in file order."""
        if jurisdiction not in self._products:
            markets = self.jurisdictions[jurisdiction].markets
            self._products[jurisdiction] = tuple(product for product in self.products.values() if product.market in markets)
        return self._products[jurisdiction]

    @cached_property
    def _products(self) -> dict[str, tuple[Product, ...]]:
        return {}

    def ruled_out_by(self, product: Product) -> frozenset[str]:
        """The rules that can never fire for a product, whoever the patient is: its composition alone makes their condition false."""
        if product.id not in self._ruled_out:
            facts = Facts(product.facts)
            self._ruled_out[product.id] = frozenset(rule.id for rule in self.every_rule.values() if truth_of(rule.when, facts) is False)
        return self._ruled_out[product.id]

    @cached_property
    def _ruled_out(self) -> dict[str, frozenset[str]]:
        return {}

    @cached_property
    def vaccine_tables(self) -> tuple[Jurisdiction, ...]:
        """One jurisdiction for each table of antibody intervals: the first that uses it, in file order."""
        tables: dict[str, Jurisdiction] = {}
        for jurisdiction in self.jurisdictions.values():
            if jurisdiction.vaccine_table:
                tables.setdefault(jurisdiction.vaccine_table, jurisdiction)
        return tuple(tables.values())

    @cached_property
    def vaccines_by_interval(self) -> dict[str, tuple[care.Vaccine, ...]]:
        """The vaccines by whether an antibody product makes them wait: ``yes``, ``no``, ``own`` or ``unknown``, in file order."""
        found: dict[str, list[care.Vaccine]] = {}
        for vaccine in self.vaccines.values():
            found.setdefault(vaccine.antibody_interval, []).append(vaccine)
        return {answer: tuple(vaccines) for answer, vaccines in found.items()}

    @cached_property
    def vaccine_bars(self) -> tuple[tuple[Condition, tuple[care.Vaccine, ...]], ...]:
        """The states that bar vaccines, each with the vaccines it bars: many live vaccines share one."""
        found: dict[Condition, list[care.Vaccine]] = {}
        for vaccine in self.vaccines.values():
            if vaccine.contraindicated_when is not None:
                found.setdefault(vaccine.contraindicated_when, []).append(vaccine)
        return tuple((when, tuple(vaccines)) for when, vaccines in found.items())

    @cached_property
    def intervals_by_antigen(self) -> dict[str, tuple[care.AntibodyInterval, ...]]:
        """The antibody intervals that decide, by antigen and in file order: notes and superseded rows left out."""
        deciding = [interval for interval in self.antibody_intervals.values() if not interval.note_only and not interval.superseded_by]
        antigens = dict.fromkeys(antigen for interval in deciding for antigen in interval.vaccines)
        return {antigen: tuple(interval for interval in deciding if antigen in interval.vaccines) for antigen in antigens}

    @cached_property
    def intervals_beside(self) -> tuple[care.AntibodyInterval, ...]:
        """The antibody intervals of notes and of vaccine labels, which stand beside the deciding ones, in file order."""
        return tuple(interval for interval in self.antibody_intervals.values() if interval.note_only or interval.vaccine_product)

    @cached_property
    def longest_wait(self) -> Quantity | None:
        """The longest wait of any dose band; None when no table has dose bands."""
        waits = [wait for interval in self.antibody_intervals.values()
                 for wait in (*(row.wait for row in interval.rows), *((interval.above.wait,) if interval.above is not None else ()))]
        return max(waits, key=lambda wait: wait.canonical, default=None)

    @cached_property
    def antibody_product_names(self) -> frozenset[str]:
        """Every antibody product that an interval names."""
        return frozenset(name for interval in self.antibody_intervals.values() for name in (interval.product, *interval.products) if name)

    @cached_property
    def antibody_product_codes(self) -> tuple[tuple[str, frozenset[str]], ...]:
        """The product and its codes, of each interval that gives codes, in file order."""
        coded = ((interval.product, frozenset((*interval.cvx, *interval.codes.snomed))) for interval in self.antibody_intervals.values() if interval.product)
        return tuple((product, codes) for product, codes in coded if codes)

    @cached_property
    def interval_tables(self) -> IntervalTables:
        """Which antibody intervals may decide for a vaccine at a place."""
        return IntervalTables(self.intervals_by_antigen, self.followed_tables)

    @cached_property
    def followed_tables(self) -> tuple[tuple[str, str], ...]:
        """Where a jurisdiction's own vaccine table was not read: the jurisdiction and the one whose table stands in."""
        rows = self.antibody_intervals
        return tuple((row.jurisdiction, rows[row.follows].jurisdiction) for row in rows.values() if row.follows)

    @cached_property
    def criteria(self) -> dict[str, Criterion]:
        """The criteria of all indications by id."""
        return {criterion.id: criterion for indication in self.indications.values() for criterion in indication.criteria}

    @cached_property
    def measures(self) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
        """What each rule on tests measures: the names of its tests, and the facts that they give."""
        return {rule.id: (tuple(self.tests[test].name for test in rule.tests), tuple(dict.fromkeys(self.tests[test].fact for test in rule.tests)))
                for rule in self.laboratory.values()}

    @cached_property
    def advice_on(self) -> dict[str, tuple[care.Advice, ...]]:
        """The sentences for patients by topic, in file order."""
        found: dict[str, list[care.Advice]] = {}
        for entry in self.advice.values():
            found.setdefault(entry.topic, []).append(entry)
        return {topic: tuple(entries) for topic, entries in found.items()}

    def rules_at(self, stage: Stage, jurisdiction: str) -> tuple[SafetyRule, ...]:
        """The rules that can be judged at ``stage`` and hold in ``jurisdiction``, in file order."""
        key = (stage, jurisdiction)
        if key not in self._rules:
            places = set(self.places(jurisdiction))
            self._rules[key] = tuple(rule for rule in self.every_rule.values()
                                     if self.stage_of(rule) == stage and (not rule.jurisdictions or places & set(rule.jurisdictions)))
        return self._rules[key]

    @cached_property
    def _rules(self) -> dict[tuple[Stage, str], tuple[SafetyRule, ...]]:
        return {}

    def stage_of(self, rule: SafetyRule) -> Stage:
        """The latest stage among the facts a rule names."""
        return max((self._fact_stage(name) for name in facts_named(rule.when)), key=_STAGES.index, default="patient")

    def _fact_stage(self, name: str) -> Stage:
        group = self.groups.get(name)
        if group is not None:
            return max((self._fact_stage(inner) for inner in facts_named(group.when)), key=_STAGES.index, default="patient")
        fact = self.facts.get(name)
        return fact.stage if fact is not None else "patient"

    def underlying(self, names: Iterable[str], facts: Facts) -> tuple[str, ...]:
        """Unknown facts with each risk group replaced by the unknown facts that could decide it."""
        names = tuple(names)
        if self.groups.keys().isdisjoint(names):
            return names
        out: dict[str, None] = {}
        for name in names:
            group = self.groups.get(name)
            if group is None:
                out[name] = None
            else:
                out.update(dict.fromkeys(self.underlying(judge(group.when, facts).undecided, facts)))
        return tuple(out)

    def authority(self, entry: Standing | Criterion | Regimen) -> str:
        """The first publisher that its cited sources or the source of its name give, else the title of the first of them, else its id in words."""
        cited = (self.statements[cite].source for cite in entry.cites if cite in self.statements)
        named = [self.sources[name] for name in (*cited, entry.authority) if name in self.sources]
        for source in named:
            if recorded(source.publisher):
                return source.publisher
        return named[0].title if named else entry.authority.replace("-", " ")

    @cached_property
    def _called(self) -> dict[str, list[str]]:
        called: dict[str, list[str]] = {}
        for indication in self.indications.values():
            names = {indication.id, indication.name.clinical, indication.name.plain, *indication.also_called}
            names |= {*indication.codes.icd10, *indication.codes.snomed, *indication.codes.retired}
            for name in filter(None, names):
                called.setdefault(spaced(name), []).append(indication.id)
        return called

    @property
    def names_of_indications(self) -> list[str]:
        """Every name by which :meth:`indications_called` finds one, in small letters."""
        return list(self._called)

    def indications_called(self, name: str) -> list[str]:
        """The ids of the indications with this id, name, synonym or code; an ICD-10 code also matches the category above it."""
        key = spaced(name)
        found = self._called.get(key)
        if found is None and key[:1].isalpha() and key[1:3].isdigit():
            while found is None and len(key) > 3:
                key = key[:-1].rstrip(".")
                found = self._called.get(key)
        return list(dict.fromkeys(found or ()))
