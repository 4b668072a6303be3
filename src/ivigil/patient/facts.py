"""From a record to facts: matching by code and by whole words, three-valued, every fact with its origin.

A fact is yes when the record says so, no only when the record says that too (a reviewed list, a complete history, an answer),
and otherwise simply not there: unknown.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Literal

import msgspec

from ivigil.basis.dates import add
from ivigil.basis.facts import Codes, Fact, FactDefinition, Facts, Origin, Value
from ivigil.basis.problems import BadInput, Problem
from ivigil.basis.quantity import Quantity, UnitProblem, parse_quantity
from ivigil.patient.body import BMI_BELIEVABLE, age_on, body_mass_index, ckd_epi_2021, latest, plausible
from ivigil.patient.record import Allergy, Code, Condition, Medicine, PastInfusion, Record, Result

Register = Mapping[str, FactDefinition]
Mention = Literal["yes", "past", "no", "unsure"]
"""How a text speaks of a thing: present, in the past, denied, or left open (possible, suspected, at risk of)."""

_TERM_OF_PREGNANCY = timedelta(days=280)
_LONGEST_PREGNANCY = timedelta(days=308)
_YEAR = timedelta(days=365)
_WORD = re.compile(r"[^\W_]+(?:\+)?", re.UNICODE)
_CLAUSE = re.compile(r"[,;.:()\n]| - | but | and | with | although | however ", re.IGNORECASE)
_ANSWERED = re.compile(r"\s*:\s*(?=(?:no|none|absent|negative|excluded|ruled out|denied)\b)", re.IGNORECASE)
_BEFORE_NO = ("no", "not", "denies", "denied", "without", "never", "nil", "non", "negative for", "free of", "no evidence of", "excluded", "ruled out")
_BEFORE_OPEN = ("possible", "possibly", "suspected", "suspicion of", "probable", "query", "risk of", "risk for", "screening for", "prophylaxis for", "prevent",
                "prevention of", "rule out", "no longer", "exposure to", "vaccination against", "unlikely")
_BEFORE_PAST = ("history of", "hx of", "h o", "previous", "previously", "past", "prior", "former", "old", "resolved", "status post", "s p", "ex")
_BEFORE_OTHER = ("family history of", "family history", "fh of", "mother has", "mother had", "father has", "father had", "sister has", "sister had",
                 "brother has", "brother had", "maternal", "paternal", "relative with", "sibling with")
_AFTER_NO = ("ruled out", "excluded", "absent", "negative", "no", "none", "not present", "denied")
_AFTER_OPEN = ("unlikely", "suspected", "risk", "possible", "screen", "screening", "prophylaxis")
_AFTER_PAST = ("resolved", "in remission", "in the past", "previously", "in childhood")
_WINDOW = 5
_ALLERGIC = ("anaphyla", "allerg", "hypersens", "react")
_KINDS = {"has.past_ig_anaphylaxis": ("anaphyla",), "has.past_aseptic_meningitis": ("aseptic meningitis",),
          "has.past_ig_haemolysis": ("haemoly", "hemoly"), "has.past_ig_headache": ("headache", "migraine"),
          "has.past_ig_hypersensitivity": ("anaphyla", "hypersens", "allerg", "urticaria", "angio", "bronchospasm")}


class _Hit(msgspec.Struct, frozen=True):
    """One entry of the record that speaks of a fact."""

    says: Mention
    origin: Origin
    since: date | None = None
    dated: bool = False
    phrase: str = ""


class Index:
    """Codes and phrases of a register, turned round: from what a record holds to the facts it bears on."""

    def __init__(self, register: Register) -> None:
        self.register = register
        self.codes: dict[tuple[str, str], list[str]] = {}
        self.phrases: dict[str, list[str]] = {}
        self.longest = 1
        for definition in register.values():
            if definition.stage != "patient":
                continue
            for system, values in _systems(definition.codes):
                for value in values:
                    self.codes.setdefault((system, _plain_code(system, value)), []).append(definition.id)
            for name in (*definition.names,):
                words = words_of(name)
                if words:
                    self.phrases.setdefault(" ".join(words), []).append(definition.id)
                    self.longest = max(self.longest, len(words))

    def coded(self, codes: Iterable[Code]) -> dict[str, Code]:
        """Fact ids named by any of the codes, each with the code that did it; ICD-10 and ATC entries also stand for what is below them."""
        found: dict[str, Code] = {}
        for code in codes:
            plain = _plain_code(code.system, code.code)
            keys = [plain[:length] for length in range(3, len(plain) + 1)] if code.system in {"icd10", "atc"} else [plain]
            for key in keys:
                for fact in self.codes.get((code.system, key), ()):
                    found.setdefault(fact, code)
        return found

    def mentioned(self, text: str) -> Iterator[tuple[str, str, Mention]]:
        """Every fact that a text speaks of, as (fact id, phrase, how). The longest phrase at a place wins."""
        if not text:
            return
        for clause in _CLAUSE.split(f" {_ANSWERED.sub(' ', text)} "):
            words = words_of(clause)
            start = 0
            while start < len(words):
                step = 1
                for length in range(min(self.longest, len(words) - start), 0, -1):
                    phrase = " ".join(words[start:start + length])
                    facts = self.phrases.get(phrase)
                    if facts is None:
                        continue
                    how = _how(words[max(0, start - _WINDOW):start], words[start + length:start + length + _WINDOW], words[start:start + length])
                    if how is not None:
                        for fact in facts:
                            yield fact, phrase, how
                    if length > 1:
                        # Shorter phrases inside stay valid for other facts ("end stage renal disease" is also "renal disease").
                        yield from self._inside(words[start:start + length], facts, how)
                    step = length
                    break
                start += step

    def _inside(self, words: list[str], taken: list[str], how: Mention | None) -> Iterator[tuple[str, str, Mention]]:
        if how is None:
            return
        for start in range(len(words)):
            for end in range(start + 1, len(words) + 1):
                if end - start == len(words):
                    continue
                phrase = " ".join(words[start:end])
                for fact in self.phrases.get(phrase, ()):
                    if fact not in taken and _how(words[max(0, start - _WINDOW):start], words[end:end + _WINDOW], words[start:end]) == "yes":
                        yield fact, phrase, how


_LAST_INDEX: list[Index] = []


def index_of(register: Register) -> Index:
    """The index of a register; the latest few are kept, since one register serves many patients."""
    for index in _LAST_INDEX:
        if index.register is register:
            return index
    index = Index(register)
    _LAST_INDEX.insert(0, index)
    del _LAST_INDEX[4:]
    return index


def words_of(text: str) -> list[str]:
    """The words of a text, case-folded, without punctuation or invisible characters."""
    return _WORD.findall(text.replace("\u200b", "").replace("\ufeff", "").casefold())


def facts_of(record: Record, register: Register, as_of: date) -> Facts:
    """All that the record says about the patient on ``as_of``, each fact with where it came from.

    Newer entries than ``as_of`` are not read. Answers come last and win, unless they contradict the record.

    Raises:
        BadInput: the record contradicts itself, an answer is not of the fact's kind, or the patient had died; all problems at once.
    """
    gather = _Gather(record, register, as_of)
    facts = gather.facts()
    if gather.problems:
        raise BadInput(gather.problems)
    return facts


def contradictions(record: Record, register: Register, as_of: date) -> tuple[Problem, ...]:
    """The problems for which :func:`facts_of` would refuse the record, in reading order."""
    gather = _Gather(record, register, as_of)
    gather.facts()
    return tuple(gather.problems)


class _Gather:
    """One pass over one record."""

    def __init__(self, record: Record, register: Register, as_of: date) -> None:
        self.record, self.register, self.as_of = record, register, as_of
        self.index = index_of(register)
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
        definition = self.register.get(fact)
        stale = False
        if definition is not None and definition.fresh is not None and on is not None and definition.source != "derived":
            stale = add_back(self.as_of, definition.fresh) > on
        self.found[fact] = Fact(fact, value, Origin(where, on, how), stale)

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
            item = latest(items, self.register.get(fact), self.as_of, record).measurement
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
        """Works out eGFR from creatinine for adults whose record holds none, or only one older than the creatinine."""
        creatinine, age, sex = self.found.get("creatinine"), self.found.get("age"), self.found.get("sex")
        if creatinine is None or age is None or sex is None or not isinstance(creatinine.value, Quantity) or not isinstance(age.value, Quantity):
            return
        known = self.found.get("egfr")
        if known is not None and (known.origin.on or self.as_of) >= (creatinine.origin.on or self.as_of):
            return
        definition = self.register.get("creatinine")
        pregnant = self.found.get("has.pregnancy")
        if definition is None or definition.molar is None or age.value.in_unit("year") < 18 or (pregnant is not None and pregnant.value is True):
            return
        value = creatinine.value
        mg_dl = value.in_unit("mg/dL") if value.dimension == "mass concentration" else value.in_unit(definition.molar.unit) / definition.molar.factor
        rate = ckd_epi_2021(mg_dl, age.value.in_unit("year"), female=sex.value == "female")
        self.put("egfr", rate, creatinine.origin.where, creatinine.origin.on, f"CKD-EPI 2021 from creatinine {value}, age and sex")

    # --- results -----------------------------------------------------------------------------------------------------

    def results(self) -> None:
        newest: dict[str, Result] = {}
        for result in sorted(self.record.results, key=lambda item: item.on or self.as_of):
            if result.on is not None and result.on > self.as_of:
                continue
            definition = self.register.get(result.test)
            if definition is None or (result.value is not None and in_register_unit(result.value, definition) is None):
                continue
            if result.value is not None and not plausible(_wanted(result.value, definition), definition.plausible):
                continue
            newest[result.test] = result
        for test, result in newest.items():
            definition = self.register[test]
            where = result.origin or test
            if result.value is not None and definition.kind == "quantity":
                if test == "bmi" and "bmi" in self.found:
                    continue
                value = _wanted(result.value, definition)
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
        hits: dict[str, list[_Hit]] = {}
        for condition in self.record.conditions:
            for fact, hit in self.condition_hits(condition):
                hits.setdefault(fact, []).append(hit)
        for medicine in self.record.medicines:
            for fact, hit in self.medicine_hits(medicine):
                hits.setdefault(fact, []).append(hit)
        for allergy in self.record.allergies:
            for fact, hit in self.allergy_hits(allergy):
                hits.setdefault(fact, []).append(hit)
        for fact, found in hits.items():
            self.settle(self.register[fact], found)
        self.reviewed(hits)

    def condition_hits(self, condition: Condition) -> Iterator[tuple[str, _Hit]]:
        if condition.verified in {"refuted", "entered-in-error"} or (condition.since is not None and condition.since > self.as_of):
            return
        over = condition.status == "resolved" and (condition.until is None or condition.until <= self.as_of)
        status: Mention = "unsure" if condition.verified == "differential" else "past" if over else "yes"
        on = condition.since
        for fact, code in self.index.coded(condition.codes).items():
            definition = self.register[fact]
            if definition.kind == "yes_no" and definition.source in {"conditions", "derived", "results", "history", "allergies", "medicines"}:
                shown = f"{code.display or condition.name or 'condition'} ({code.code})"
                yield fact, _Hit(status, Origin(condition.origin or shown, on, _provisional(condition, shown)), on, on is not None)
        for fact, phrase, says in self.index.mentioned(condition.name):
            definition = self.register[fact]
            if definition.kind != "yes_no" or definition.source in {"medicines", "product", "order", "body"} or fact.startswith("ig."):
                continue
            if definition.source == "allergies" and not any(stem in phrase for stem in _ALLERGIC):
                continue
            joined: Mention = says if says in {"no", "unsure"} or status == "yes" else status
            yield fact, _Hit(joined, Origin(condition.origin or "conditions", on, _provisional(condition, f"'{condition.name}'")), on, on is not None, phrase)

    def medicine_hits(self, medicine: Medicine) -> Iterator[tuple[str, _Hit]]:
        if (medicine.since is not None and medicine.since > self.as_of and medicine.status != "planned") or (
                medicine.until is not None and medicine.until < self.as_of):
            return
        status: Mention = "past" if medicine.status == "stopped" else "yes"
        origin = Origin(medicine.origin or "medicines", medicine.since, medicine.label)
        wanted = {"medicines", "order", "history"} if medicine.status == "planned" else {"medicines", "history"}
        coded = self.index.coded(medicine.codes)
        for fact in coded:
            if self.register[fact].source in wanted and self.register[fact].kind == "yes_no":
                yield fact, _Hit(status, origin)
        # Drug codes name single packs by the ten thousand; where a register entry holds no pack code, the ingredient in the name must do.
        text = medicine.name or next((code.display for code in medicine.codes if code.display), "")
        for fact, _, says in self.index.mentioned(text):
            definition = self.register[fact]
            if fact not in coded and definition.kind == "yes_no" and definition.source in wanted and not fact.startswith("ig."):
                yield fact, _Hit(says if says != "yes" else status, origin)

    def allergy_hits(self, allergy: Allergy) -> Iterator[tuple[str, _Hit]]:
        status: Mention = "past" if allergy.status == "resolved" else "yes"
        origin = Origin(allergy.origin or "allergies", None, allergy.label + (f": {allergy.reaction}" if allergy.reaction else ""))
        seen: set[str] = set()
        for fact in self.index.coded(allergy.codes):
            if self.register[fact].source == "allergies":
                seen.add(fact)
                yield fact, _Hit(status, origin)
        for fact, _, says in (*self.index.mentioned(allergy.substance), *self.index.mentioned(f"{allergy.reaction} to {allergy.substance}")):
            if self.register[fact].source == "allergies" and fact not in seen:
                seen.add(fact)
                yield fact, _Hit(says if says != "yes" else status, origin)
        grave = "anaphyla" in allergy.reaction.casefold() or allergy.severity == "severe"
        if "has.past_ig_hypersensitivity" in seen and grave and "has.past_ig_anaphylaxis" in self.register and "has.past_ig_anaphylaxis" not in seen:
            yield "has.past_ig_anaphylaxis", _Hit("past" if status == "past" else "yes", origin)

    def settle(self, definition: FactDefinition, hits: list[_Hit]) -> None:
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

    def settle_recent(self, definition: FactDefinition, hits: list[_Hit]) -> None:
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

    def reviewed(self, hits: Mapping[str, list[_Hit]]) -> None:
        """Absence means no only in a list that somebody reviewed."""
        record = self.record
        lists = {"conditions": ("problem list", record.conditions_reviewed), "medicines": ("medicines", record.medicines_reviewed),
                 "allergies": ("allergies", record.allergies_reviewed)}
        for definition in self.register.values():
            recent = definition.source == "derived" and definition.fresh is not None and (definition.names or definition.codes != Codes())
            source = "conditions" if recent else definition.source
            name, on = lists.get(source, ("", None))
            if on is None or on > self.as_of or definition.kind != "yes_no" or definition.stage != "patient" or definition.id in self.found:
                continue
            if (not definition.names and definition.codes == Codes()) or definition.id == "has.obesity":
                # Obesity is measured: its absence from a list says nothing against a body mass index.
                continue
            open_hits = [hit for hit in hits.get(definition.id, ()) if hit.says == "unsure" or (hit.says == "past" and source == "conditions" and not hit.dated
                                                                                              and hit.phrase)]
            if open_hits or (recent and hits.get(definition.id)):
                continue
            self.put(definition.id, False, f"{name} reviewed {on}", on, f"not on the {name if name == 'problem list' else 'list'}")

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
        elif record.infusions_complete:
            self.put("ig.first_ever", True, complete)
            self.put("ig.hospital_infusions", "0", complete)
            for fact in ("has.past_ig_reaction", "has.past_ig_headache", "ig.early_hospital_reaction"):
                self.put(fact, False, complete, None, "no immunoglobulin given before")
        others = [item for item in given if item.kind != "immunoglobulin" and self.as_of - item.on <= _YEAR]
        if others:
            self.put("ig.blood_product_last_year", True, others[-1].origin or "infusions", others[-1].on, others[-1].product or others[-1].kind)
        elif record.infusions_complete:
            self.put("ig.blood_product_last_year", False, complete)

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


def answer_value(definition: FactDefinition, text: str) -> Value:
    """An answer as the fact's own kind of value.

    Raises:
        UnitProblem: not yes/no, not one of the choices, or not a plausible quantity; the remedy stands after a semicolon.
    """
    if definition.kind == "yes_no":
        if text not in {"yes", "no"}:
            raise UnitProblem(f"'{text}' is not yes or no; write yes, no or unknown")
        return text == "yes"
    if definition.kind == "quantity":
        quantity = parse_quantity(text)
        value = in_register_unit(quantity, definition)
        if value is None:
            raise UnitProblem(f"'{text}' cannot be given in {definition.unit}; write it in {definition.unit}")
        if not plausible(value, definition.plausible):
            raise UnitProblem(f"'{text}' lies outside {definition.plausible}; check number and unit")
        return value
    if definition.choices and text not in definition.choices:
        near = difflib.get_close_matches(text, definition.choices, n=1, cutoff=0.5)
        raise UnitProblem(f"'{text}' is not one of {', '.join(definition.choices)}; " + (f"did you mean '{near[0]}'?" if near else "choose one of them"))
    return text


def in_register_unit(value: Quantity, definition: FactDefinition) -> Quantity | None:
    """A quantity in the unit of its fact, over the molar factor where the register gives one; None when the dimensions differ."""
    if not definition.unit:
        return value
    try:
        return value.to(definition.unit)
    except UnitProblem:
        molar = definition.molar
    if molar is None:
        return None
    try:
        if Quantity(1.0, molar.per).dimension == value.dimension:
            return Quantity(value.in_unit(molar.per) * molar.factor, molar.unit).to(definition.unit)
        return Quantity(value.in_unit(molar.unit) / molar.factor, molar.per).to(definition.unit)
    except UnitProblem:
        return None


def add_back(day: date, interval: Quantity) -> date:
    """``day`` less an interval of whole days, weeks, months or years."""
    return add(day, Quantity(-interval.value, interval.unit))


def _wanted(value: Quantity, definition: FactDefinition) -> Quantity:
    return in_register_unit(value, definition) or value


def _provisional(condition: Condition, how: str) -> str:
    return f"{how}, provisional" if condition.verified == "provisional" else how


def _how(before: list[str], after: list[str], phrase: list[str]) -> Mention | None:
    """How a phrase is meant, from the words round it; None when it speaks of somebody else."""
    ahead, behind = f" {' '.join(before)} ", f" {' '.join(after)} "
    # The phrase may itself begin with "history of": the cue then ends inside it.
    if _any(f"{ahead}{' '.join(phrase)} ", _BEFORE_OTHER):
        return None
    if _any(ahead, _BEFORE_OPEN):
        return "unsure"
    if _any(ahead, _BEFORE_NO) or behind.startswith(tuple(f" {cue} " for cue in _AFTER_NO)):
        return "no"
    if _any(behind, _AFTER_OPEN):
        return "unsure"
    if _any(ahead, _BEFORE_PAST) or _any(behind, _AFTER_PAST):
        return "past"
    return "yes"


def _any(text: str, cues: tuple[str, ...]) -> bool:
    return any(f" {cue} " in text for cue in cues)


def _systems(codes: Codes) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield from (("loinc", codes.loinc), ("snomed", codes.snomed), ("snomed", codes.retired), ("icd10", codes.icd10), ("rxnorm", codes.rxnorm),
                ("ndc", codes.ndc), ("cvx", codes.cvx), ("atc", codes.atc), ("hcpcs", codes.hcpcs))


def _plain_code(system: str, code: str) -> str:
    if system == "icd10":
        return code.replace(".", "").upper()
    if system == "ndc":
        return plain_ndc(code)
    return code.strip().upper() if system in {"atc", "hcpcs"} else code.strip()


def plain_ndc(code: str) -> str:
    """Labeller and product of a US drug code as 5 + 4 digits, from any dashed form or the 11-digit billing form; else the code as it is."""
    parts = code.strip().split("-")
    if len(parts) >= 2 and all(part.isdigit() for part in parts):
        return f"{parts[0]:0>5}-{parts[1]:0>4}"
    digits = code.strip()
    return f"{digits[:5]}-{digits[5:9]}" if digits.isdigit() and len(digits) == 11 else digits
