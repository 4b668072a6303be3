"""From a record to facts: matching by code and by whole words, three-valued, every fact with its origin.

A fact is yes when the record says so, no only when the record says that too (a reviewed list, a complete history, an answer),
and otherwise simply not there: unknown.
"""

from collections.abc import Mapping
from datetime import date, timedelta

from ivigil.basis.facts import Fact, FactDefinition, Facts, Origin, Value
from ivigil.basis.problems import BadInput, Problem
from ivigil.basis.quantity import Quantity, UnitProblem
from ivigil.patient.body import BMI_BELIEVABLE, age_on, bedside_schwartz, body_mass_index, ckd_epi_2021, latest, plausible
from ivigil.patient.hits import Hit, allergy_hits, condition_hits, medicine_hits
from ivigil.patient.mentions import Register, index_of
from ivigil.patient.record import Measurement, PastInfusion, Record, Result
from ivigil.patient.values import add_back, answer_value, in_register_unit

_TERM_OF_PREGNANCY = timedelta(days=280)
_LONGEST_PREGNANCY = timedelta(days=308)
_YEAR = timedelta(days=365)
_KINDS = {"has.past_ig_anaphylaxis": ("anaphyla",), "has.past_aseptic_meningitis": ("aseptic meningitis",),
          "has.past_ig_haemolysis": ("haemoly", "hemoly"), "has.past_ig_headache": ("headache", "migraine"),
          "has.past_ig_hypersensitivity": ("anaphyla", "hypersens", "allerg", "urticaria", "angio", "bronchospasm")}


def facts_of(record: Record, register: Register, as_of: date) -> Facts:
    """All that the record says about the patient on ``as_of``, each fact with where it came from.

    Newer entries than ``as_of`` are not read. Answers come last and win, unless they contradict the record.

    Raises:
        BadInput: the record contradicts itself, an answer is not of the fact's kind, or the patient had died; all problems at once.
    """
    facts, problems = gathered(record, register, as_of)
    if problems:
        raise BadInput(problems)
    return facts


def gathered(record: Record, register: Register, as_of: date, used: Mapping[str, Measurement | None] | None = None) -> tuple[Facts, tuple[Problem, ...]]:
    """What :func:`facts_of` finds, and the problems for which it would refuse the record, in reading order.

    ``used`` are the weight and height in use (:func:`latest`), where they were chosen before.
    """
    gather = _Gather(record, register, as_of, used)
    return gather.facts(), tuple(gather.problems)


def contradictions(record: Record, register: Register, as_of: date) -> tuple[Problem, ...]:
    """The problems for which :func:`facts_of` would refuse the record, in reading order."""
    return gathered(record, register, as_of)[1]


class _Gather:
    """One pass over one record."""

    def __init__(self, record: Record, register: Register, as_of: date, used: Mapping[str, Measurement | None] | None) -> None:
        self.record, self.register, self.as_of, self.used = record, register, as_of, used
        self.index = index_of(register)
        self.oldest = self.index.oldest_fresh(as_of)
        self.found: dict[str, Fact] = {}
        self.problems: list[Problem] = []

    def facts(self) -> Facts:
        self.death()
        self.body()
        self.results()
        self.lists()
        self.history()
        self.pregnancy()
        self.order()
        self.kidney()
        self.answers()
        return Facts(self.found.values())

    def put(self, fact: str, value: Value, where: str, on: date | None = None, how: str = "") -> None:
        """Record a fact; a value older than the register's freshness is marked stale."""
        self.keep(fact, value, Origin(where, on, how))

    def keep(self, fact: str, value: Value, origin: Origin) -> None:
        """:meth:`put` with the origin as it is."""
        oldest = self.oldest.get(fact)
        self.found[fact] = Fact(fact, value, origin, oldest is not None and origin.on is not None and oldest > origin.on)

    def report(self, what: str, why: str, remedy: str) -> None:
        self.problems.append(Problem(self.record.place or self.record.id, 0, what, why, remedy))

    # --- who, and the body -------------------------------------------------------------------------------------------

    def death(self) -> None:
        record = self.record
        if record.died is not None and record.died <= self.as_of:
            self.report("died", f"the record says that the patient died on {record.died}", "plan with an as-of date before it, or correct the record")
        elif record.deceased and record.died is None:
            self.report("died", "the record says that the patient has died, without a date", "correct the record, or use another one")

    def body(self) -> None:
        record = self.record
        where = record.origins.get
        age = age_on(record, self.as_of)
        if age is not None:
            self.put("age", age, where("born", where("age", "born" if record.born else "age")), None, f"born {record.born}" if record.born else "")
        if record.sex in {"male", "female"}:
            self.put("sex", record.sex, where("sex", "sex"))
        if record.blood_group:
            self.put("blood_group", record.blood_group, where("blood_group", "blood group"))
        chosen: dict[str, Quantity] = {}
        for fact, unit, items in (("weight", "kg", record.weights), ("height", "cm", record.heights)):
            item = self.used[fact] if self.used is not None else latest(items, self.register.get(fact), self.as_of, record).measurement
            if item is not None:
                chosen[fact] = item.value.to(unit)
                changed = "" if item.value.unit == unit else f"{item.value} in {unit}"
                how = "; ".join(part for part in ("estimated" if item.estimated else "", changed) if part)
                self.put(fact, chosen[fact], item.origin or fact, item.on, how)
        if len(chosen) == 2:
            value = body_mass_index(chosen["weight"], chosen["height"])
            if not BMI_BELIEVABLE.holds(value.value):
                # One of the two is wrong and nobody can tell which from here: neither is used, both are asked.
                del self.found["weight"], self.found["height"]
                return
            origins = [self.found[fact].origin.where for fact in ("weight", "height")]
            days = [on for on in (self.found["weight"].origin.on, self.found["height"].origin.on) if on is not None]
            self.put("bmi", value, " and ".join(origins), min(days) if days else None, f"{chosen['weight']} / ({chosen['height'].to('m')})^2")

    def kidney(self) -> None:
        """Works out eGFR from creatinine where the record holds none, or only one older than the creatinine."""
        creatinine, age = self.found.get("creatinine"), self.found.get("age")
        if creatinine is None or age is None or not isinstance(creatinine.value, Quantity) or not isinstance(age.value, Quantity):
            return
        known = self.found.get("egfr")
        if known is not None and (known.origin.on or self.as_of) >= (creatinine.origin.on or self.as_of):
            return
        definition = self.register.get("creatinine")
        pregnant = self.found.get("has.pregnancy")
        if definition is None or definition.molar is None or (pregnant is not None and pregnant.value is True):
            return
        value = creatinine.value
        mg_dl = value.in_unit("mg/dL") if value.dimension == "mass concentration" else value.in_unit(definition.molar.unit) / definition.molar.factor
        years, sex, height = age.value.in_unit("year"), self.found.get("sex"), self.found.get("height")
        if years >= 18 and sex is not None:
            rate = ckd_epi_2021(mg_dl, years, female=sex.value == "female")
            self.put("egfr", rate, creatinine.origin.where, creatinine.origin.on, f"CKD-EPI 2021 from creatinine {value}, age and sex")
        elif 1 <= years < 18 and height is not None and isinstance(height.value, Quantity) and not height.stale:
            rate = bedside_schwartz(mg_dl, height.value.in_unit("cm"), years)
            self.put("egfr", rate, creatinine.origin.where, creatinine.origin.on, f"bedside Schwartz equation from creatinine {value} and height")

    # --- results -----------------------------------------------------------------------------------------------------

    def results(self) -> None:
        newest: dict[str, tuple[Result, Quantity | None]] = {}
        for result in sorted(self.record.results, key=lambda item: item.on or self.as_of):
            if result.on is not None and result.on > self.as_of:
                continue
            definition = self.register.get(result.test)
            if definition is None:
                continue
            value = in_register_unit(result.value, definition) if result.value is not None else None
            if result.value is not None and (value is None or not plausible(value, definition.plausible)):
                continue
            newest[result.test] = result, value
        for test, (result, value) in newest.items():
            definition = self.register[test]
            where = result.origin or test
            if result.value is not None and value is not None and definition.kind == "quantity":
                if test == "bmi" and "bmi" in self.found:
                    continue
                how = "" if result.value.unit == value.unit else f"{result.value} in {value.unit}"
                if result.below or result.above:
                    # The laboratory gave only a limit: the value just inside it decides comparisons with the limit itself rightly.
                    how = f"reported as {'below' if result.below else 'above'} {result.value}"
                    value = Quantity(value.value * (1 - 1e-6 if result.below else 1 + 1e-6), value.unit)
                self.put(test, value, where, result.on, how)
            elif result.word and definition.kind == "yes_no":
                word = result.word.casefold()
                if word in {"yes", "positive", "present", "detected", "pos", "+"}:
                    self.put(test, True, where, result.on)
                elif word in {"no", "negative", "absent", "not detected", "neg", "-"}:
                    self.put(test, False, where, result.on)
            elif result.word and definition.kind in {"choice", "text"} and (not definition.choices or result.word in definition.choices):
                self.put(test, result.word, where, result.on)

    # --- conditions, medicines, allergies ----------------------------------------------------------------------------

    def lists(self) -> None:
        hits: dict[str, list[Hit]] = {}
        for condition in self.record.conditions:
            for fact, hit in condition_hits(condition, self.index, self.as_of):
                hits.setdefault(fact, []).append(hit)
        for medicine in self.record.medicines:
            for fact, hit in medicine_hits(medicine, self.index, self.as_of):
                hits.setdefault(fact, []).append(hit)
        for allergy in self.record.allergies:
            for fact, hit in allergy_hits(allergy, self.index):
                hits.setdefault(fact, []).append(hit)
        for fact, found in hits.items():
            self.settle(self.register[fact], found)
        self.reviewed(hits)

    def settle(self, definition: FactDefinition, hits: list[Hit]) -> None:
        """Turn everything the record says about one yes/no fact into yes, no or (nothing put) unknown."""
        if definition.source == "derived" and definition.fresh is not None:
            self.settle_recent(definition, hits)
            return
        present = [hit for hit in hits if hit.says == "yes" or (hit.says == "past" and (definition.history_counts or definition.id == "has.past_thrombosis"))]
        if definition.id == "has.pregnancy":
            present = [hit for hit in present if hit.since is None or self.as_of - hit.since <= _LONGEST_PREGNANCY]
        denied = [hit for hit in hits if hit.says == "no"]
        if present and denied and not self.record.fhir:
            first, second = present[0].origin, denied[0].origin
            self.report(definition.id, f"{first.where} says yes ({first.how}), {second.where} says no ({second.how})", "keep the one that is right")
        if present:
            hit = max(present, key=lambda item: item.since or date.min)
            self.put(definition.id, True, hit.origin.where, hit.origin.on, hit.origin.how)
        elif denied and not any(hit.says == "unsure" for hit in hits):
            hit = denied[0]
            self.put(definition.id, False, hit.origin.where, hit.origin.on, hit.origin.how)

    def settle_recent(self, definition: FactDefinition, hits: list[Hit]) -> None:
        """Recent events: yes inside the window, no when every event is dated before it, unknown when one has no date."""
        assert definition.fresh is not None
        edge = add_back(self.as_of, definition.fresh)
        spoken = [hit for hit in hits if hit.says in {"yes", "past"}]
        recent = [hit for hit in spoken if (hit.since >= edge if hit.since is not None else hit.phrase.startswith(("recent ", "acute ", "unstable ")))]
        if recent:
            hit = recent[-1]
            self.put(definition.id, True, hit.origin.where, hit.origin.on, hit.origin.how)
        elif spoken and all(hit.since is not None for hit in spoken) and not any(hit.says == "unsure" for hit in hits):
            hit = max(spoken, key=lambda item: item.since or date.min)
            self.put(definition.id, False, hit.origin.where, hit.origin.on, f"{hit.origin.how}, before {edge}")

    def reviewed(self, hits: Mapping[str, list[Hit]]) -> None:
        """Absence means no only in a list that somebody reviewed."""
        record = self.record
        lists = {"conditions": ("problem list", "not on the problem list", record.conditions_reviewed),
                 "medicines": ("medicines", "not on the list", record.medicines_reviewed),
                 "allergies": ("allergies", "not on the list", record.allergies_reviewed)}
        origins = {source: Origin(f"{name} reviewed {on}", on, how) for source, (name, how, on) in lists.items() if on is not None and on <= self.as_of}
        found, oldest = self.found, self.oldest
        for fact, source, recent in self.index.reviewable:
            origin = origins.get(source)
            if origin is None or fact in found:
                continue
            own = hits.get(fact)
            if own and (recent or any(_leaves_open(hit, source) for hit in own)):
                continue
            if fact in oldest:
                self.keep(fact, False, origin)
            else:
                found[fact] = Fact(fact, False, origin)

    # --- earlier immunoglobulin --------------------------------------------------------------------------------------

    def history(self) -> None:
        record = self.record
        given = sorted((item for item in record.infusions if item.on <= self.as_of), key=lambda item: item.on)
        own = [item for item in given if item.kind == "immunoglobulin"]
        complete = f"infusion history ({record.origins.get('infusions_complete', 'complete')})"
        if own:
            last = own[-1]
            where = last.origin or f"infusion of {last.on}"
            self.put("ig.first_ever", False, where, last.on)
            days = (self.as_of - last.on).days
            self.put("ig.weeks_since_last", Quantity(days / 7, "week"), where, last.on, f"{days} days before {self.as_of}")
            if last.reaction is not None:
                self.put("ig.last_reaction_grade", str(last.reaction.grade), where, last.on, last.reaction.kind)
            elif last.tolerated:
                self.put("ig.last_reaction_grade", "0", where, last.on, "recorded as tolerated")
            self.reactions(own, complete)
        elif record.infusions_complete and not self.reacted():
            self.put("ig.first_ever", True, complete)
            self.put("ig.hospital_infusions", "0", complete)
            self.put("ig.last_reaction_grade", "0", complete, None, "no immunoglobulin given before")
            for fact in ("has.past_ig_reaction", "has.past_ig_headache", "ig.early_hospital_reaction"):
                self.put(fact, False, complete, None, "no immunoglobulin given before")
        others = [item for item in given if item.kind != "immunoglobulin" and self.as_of - item.on <= _YEAR]
        if others:
            self.put("ig.blood_product_last_year", True, others[-1].origin or "infusions", others[-1].on, others[-1].product or others[-1].kind)
        elif record.infusions_complete:
            self.put("ig.blood_product_last_year", False, complete)

    def reacted(self) -> bool:
        """Whether the problems or allergies tell of a reaction to immunoglobulin: then an empty list of infusions is not the whole history."""
        told = [self.found.get(fact) for fact in ("has.past_ig_reaction", *_KINDS)]
        return any(fact is not None and fact.value is True for fact in told)

    def reactions(self, own: list[PastInfusion], complete: str) -> None:
        reacted = [item for item in own if item.reaction is not None]
        for item in reacted:
            assert item.reaction is not None
            where = item.origin or f"infusion of {item.on}"
            text = f"{item.reaction.kind} {item.reaction.note}".casefold()
            self.put("has.past_ig_reaction", True, where, item.on, f"grade {item.reaction.grade} {item.reaction.kind}".strip())
            for fact, stems in _KINDS.items():
                if any(stem in text for stem in stems) or (fact == "has.past_ig_anaphylaxis" and item.reaction.grade == 4):
                    self.put(fact, True, where, item.on, f"grade {item.reaction.grade} {item.reaction.kind}".strip())
        known = self.record.infusions_complete and all(item.tolerated or item.reaction is not None for item in own)
        if known:
            for fact in ("has.past_ig_reaction", "has.past_ig_headache"):
                if fact not in self.found:
                    self.put(fact, False, complete)
        hospital = [item for item in own if item.place == "hospital"]
        if len(hospital) >= 2 or (self.record.infusions_complete and all(item.place for item in own)):
            self.put("ig.hospital_infusions", str(min(len(hospital), 2)), complete if self.record.infusions_complete else hospital[-1].origin or "infusions")
        if self.record.infusions_complete and hospital and all(item.tolerated or item.reaction is not None for item in hospital[:2]):
            early = next((item for item in hospital[:2] if item.reaction is not None), None)
            self.put("ig.early_hospital_reaction", early is not None, (early.origin if early else "") or complete, early.on if early else None)

    # --- pregnancy, order, answers -----------------------------------------------------------------------------------

    def pregnancy(self) -> None:
        record, state = self.record, self.record.pregnancy
        where = record.origins.get("pregnancy", "pregnancy")
        listed = self.found.get("has.pregnancy")
        if state is not None:
            where = state.origin or where
            if state.pre_pregnancy_weight is not None:
                self.put("pre_pregnancy_weight", state.pre_pregnancy_weight.to("kg"), where)
            if state.status == "pregnant":
                if record.sex == "male":
                    self.report("pregnancy", "the record says male and pregnant", "correct the sex or the pregnancy")
                self.put("has.pregnancy", True, where, state.on)
                if state.weeks is not None:
                    passed = (self.as_of - state.on).days / 7 if state.on is not None and state.on <= self.as_of else 0.0
                    self.put("gestation", Quantity(state.weeks + passed, "week"), where, state.on, f"{state.weeks} weeks on {state.on}" if passed else "")
                elif state.due is not None:
                    self.put("gestation", Quantity((_TERM_OF_PREGNANCY - (state.due - self.as_of)).days / 7, "week"), where, None, f"due {state.due}")
            elif state.status == "not-pregnant":
                if listed is not None and listed.value is True:
                    self.report("pregnancy", f"'not-pregnant', but {listed.origin.where} says pregnant", "keep the one that is right")
                self.put("has.pregnancy", False, where, state.on)
        elif record.sex == "male" and (listed is None or listed.value is False):
            self.put("has.pregnancy", False, record.origins.get("sex", "sex"), None, "male")
        if record.breast_feeding != "unknown":
            self.put("has.breast_feeding", record.breast_feeding == "yes", record.origins.get("breast_feeding", "breast_feeding"))
        elif record.sex == "male" and "has.breast_feeding" not in self.found:
            self.put("has.breast_feeding", False, record.origins.get("sex", "sex"), None, "male")

    def order(self) -> None:
        order = self.record.order
        where = order.origin or "order"
        for fact, value in (("order.route", order.route), ("order.indication", order.indication), ("order.phase", order.phase)):
            if value:
                self.put(fact, value, where)
        if order.place:
            self.put("planned.home_infusion", order.place == "home", where, None, order.place)

    def answers(self) -> None:
        for key, text in self.record.answers.items():
            definition = self.register.get(key)
            if definition is None or text == "unknown":
                continue
            try:
                value = answer_value(definition, text)
            except UnitProblem as error:
                why, _, remedy = str(error).partition("; ")
                self.report(f"answers.{key}", why, remedy)
                continue
            known = self.found.get(key)
            derived_no = known is not None and known.value is False and known.origin.how.startswith("not on the")
            if known is not None and definition.kind == "yes_no" and known.value != value and not derived_no:
                says = "yes" if known.value else "no"
                detail = f" ({known.origin.how})" if known.origin.how else ""
                self.report(f"answers.{key}", f"the answer says {text}, but {known.origin.where}{detail} says {says}", "keep the one that is right")
                continue
            self.found[key] = Fact(key, value, Origin("answers", None, ""))


def _leaves_open(hit: Hit, source: str) -> bool:
    """True when an entry neither says nor denies: it is unsure, or a past condition without a date."""
    return hit.says == "unsure" or (hit.says == "past" and source == "conditions" and not hit.dated and bool(hit.phrase))
