"""When not to answer, and what to say instead: first what is dangerous, then what the evidence does not hold."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec

from ivigil.answers.answer import Outcome, Reason
from ivigil.answers.diseases import Here
from ivigil.answers.errands import errand
from ivigil.answers.find import index_of
from ivigil.answers.said import Said, frame, plain_for, said_of
from ivigil.answers.strange import strange_words, written_as_name
from ivigil.answers.things import of_facts
from ivigil.answers.understand import Question
from ivigil.answers.unheld import unheld
from ivigil.answers.unrecorded import Unrecorded, unrecorded
from ivigil.answers.vocabulary import Meaning, Vocabulary
from ivigil.answers.words import Match
from ivigil.evidence.library import Evidence


class Refusal(msgspec.Struct, frozen=True):
    """Why there is no answer, in sentences, and what to ask instead."""

    outcome: Outcome
    reason: Reason
    said: tuple[Said, ...]
    follow_up: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    stands: bool = False
    """True when it is about another subject, of which an opener knows nothing."""
    recorded: bool = False
    """True when a patient record would hold what is asked for."""
    firm: bool = False
    """True when something else is asked for than what sums and openers could say, so that neither stands in its place."""


def emergency(here: Here, question: Question, vocabulary: Vocabulary) -> Refusal:
    """What to do now; nothing else is answered."""
    shown: list[Said] = []
    for name in question.emergencies:
        entry = vocabulary.evidence.emergencies[name]
        for one in entry.tell if plain_for(here.audience) else entry.show:
            shown += [said for said in said_of(here.evidence, one, here.audience) if said not in shown]
    lead = frame(
        "This may be an emergency. Get help now; do not wait for an answer here."
        if plain_for(here.audience)
        else "This may be an emergency. Treat the patient first and follow the local protocol."
    )
    return Refusal("emergency", "emergency", (lead, *shown))


def outside(here: Here, question: Question, vocabulary: Vocabulary) -> Refusal | None:
    """A question about something else: other medicines, other subjects, conditions that no statement speaks of."""
    evidence = here.evidence
    order = errand(question, vocabulary)
    if order:
        return _errand(order)
    kinds = {evidence.outsiders[name].kind for name in question.outside}
    entity = bool(question.indications or question.products or question.vaccines or question.tests)
    named = _named(question, vocabulary)
    about_treatment = (
        question.treatment or question.field or any(dose.per_kg for dose in question.amounts.doses) or bool(question.indications) or bool(question.products)
    )
    beside = set(question.topics) & _BESIDE_MEDICINES or question.vaccines or question.indications
    unnamed = not (question.treatment or question.products or beside or _own(question, vocabulary))
    if "other-drug" in kinds and (unnamed or _dosed(question, vocabulary)):
        return _other_drug(here, _named(question, vocabulary, "other-drug"))
    if "other-globulin" in kinds and not _own(question, vocabulary) and not set(question.topics) & _WAITED_AFTER:
        return _other_drug(here, _named(question, vocabulary, "other-globulin"))
    if "beyond" in kinds:
        return msgspec.structs.replace(_not_in_evidence(_named(question, vocabulary, "beyond")), stands=True)
    if "own-record" in kinds:
        return _own_record(here)
    of_vaccine = bool(question.vaccines) or "vaccines" in question.topics
    of_vaccine = of_vaccine and not any(word.fold in _TIMED for word in question.words)
    scheduled = "vaccine-schedule" in kinds or (bool(question.vaccines) and {"dose", "vaccines"} <= set(question.topics) and not question.indications)
    if scheduled and of_vaccine and not question.treatment and not question.products and not question.amounts.doses:
        return msgspec.structs.replace(_not_in_evidence(_named(question, vocabulary, "vaccine-schedule") or ("schedule of a vaccine",)), firm=True)
    if "other-subject" in kinds and (not question.topics or (not question.indications and (not question.treatment or set(question.topics) <= _LOOSE_TOPICS))):
        subject = _not_in_evidence(named) if question.treatment or question.indications else _out_of_scope()
        return msgspec.structs.replace(subject, stands=True)
    asks_of_disease = question.indications and not question.treatment and set(question.topics) <= _OF_ANY_DISEASE and not _asks_more(question)
    if "other-question" in kinds and asks_of_disease:
        return _not_in_evidence(_named(question, vocabulary, "other-question"))
    if "other-condition" in kinds and not _answered_anyway(question, vocabulary) and not set(question.topics) & _OF_ANYBODY:
        return msgspec.structs.replace(_not_in_evidence(named), stands=True)
    if "other-product" in kinds and not question.products:
        return _not_in_evidence(_named(question, vocabulary, "other-product"))
    of_place = set(question.topics) & _OF_A_PLACE or (question.indications and not question.topics)
    if "other-place" in kinds and not question.places and of_place:
        return _not_in_evidence(_named(question, vocabulary, "other-place"))
    if question.treated and not question.indications and not question.vaccines and not set(question.topics) & _OF_A_RISK:
        return _not_in_evidence(question.treated)
    if question.aims and "indicated" in question.topics and not question.indications and not question.vaccines and not question.products:
        return _not_in_evidence(question.aims)
    strange = strange_words(question, vocabulary)
    nobody = unheld(question, vocabulary, strange)
    if nobody:
        return msgspec.structs.replace(_not_in_evidence(nobody), stands=True)
    missing = unrecorded(here, question, vocabulary, strange)
    if missing is not None:
        return _not_recorded(here, question, missing)
    if strange and not entity and not question.facts and (set(question.topics) <= _LOOSE_TOPICS or written_as_name(question, strange)):
        return _not_in_evidence(strange) if about_treatment or question.topics else _out_of_scope()
    had = _unknown_had(question, vocabulary)
    if had and not question.indications and set(question.topics) <= _LOOSE_TOPICS:
        return _not_in_evidence(had) if about_treatment else _out_of_scope()
    dosed = _unknown_dosed(question, vocabulary)
    if dosed and not question.treatment and not question.products:
        return _not_in_evidence(dosed)
    if any(word.text.isdigit() and len(word.text) == 4 and here.as_of.year < int(word.text) < _LAST_YEAR for word in question.words):
        return Refusal("refused", "not-in-evidence", (frame("What is to come is not in the evidence."),), stands=True)
    medicines = tuple(name for name in question.facts if name.startswith("takes."))
    beside_it = set(question.topics) <= _WITH_MEDICINES and not question.vaccines and not of_facts(here, medicines)
    if "other-drug" in kinds and beside_it and not _told_of(question, vocabulary):
        return _not_in_evidence(named)
    bare = not question.topics or question.topics == ("disease",)
    if bare and not question.loose and not question.named and not question.terms and not about_treatment and not question.amounts.texts:
        plain = "Please say more. Is it about how much, side effects or vaccines? Which illness or which brand is it?"
        clinical = "Please say what it is about: the dose, side effects or vaccines? Which disease or product?"
        said = frame(plain if plain_for(here.audience) else clinical)
        return Refusal("asks", "ambiguous", (said,), ("What is the question about?",))
    if _of_nobody(here, question):
        which = "Which disease is it for?" if set(question.topics) & _BY_DISEASE else "Which product is it?"
        said = frame("It depends on the disease and the product, and on the person. Please name them, or give a patient record.")
        return Refusal("asks", "ambiguous", (said,), (which,))
    if question.aims and not entity and not question.facts and set(question.topics) <= _OF_A_DISEASE:
        return _not_in_evidence(question.aims) if about_treatment or question.topics else _out_of_scope()
    unknown = tuple(word for word in (*question.objects, *question.aims) if word in strange)
    if unknown and not entity:
        return _not_in_evidence(unknown) if about_treatment else _out_of_scope()
    if not about_treatment and not question.topics and not question.named and not question.terms and not question.corrections:
        return _out_of_scope() if question.loose or not question.amounts.texts else None
    if not about_treatment and strange and not question.named and set(question.topics) <= _LOOSE_TOPICS:
        return _out_of_scope()
    return None


def _of_nobody(here: Here, question: Question) -> bool:
    """True when clinicians ask what one person is to have and neither the person nor the disease nor a product is told."""
    if plain_for(here.audience) or question.named or question.amounts.doses or not question.topics or not set(question.topics) <= _BY_DISEASE | _BY_PRODUCT:
        return False
    folds = [word.fold for word in question.words]
    mine = any(fold == "patient" and before in {"my", "our", "this"} for before, fold in itertools.pairwise(folds))
    told = bool(set(folds) & _PERSONS) or mine or ("now" in folds and "we" in folds) or (question.amounts.weight is not None and "dose" in question.topics)
    return told and len(question.loose) <= 1


_BY_DISEASE, _BY_PRODUCT = {"dose", "safe", "indicated", "duration", "maintenance", "children"}, {"rate", "product", "choice"}
"""Topics whose answer for one person depends on the disease, and those on the product."""
_PERSONS = {"he", "she", "him", "her", "his", "hers"}
_WAITED_AFTER = {"vaccines", "exposure", "blood-tests", "interactions"}
"""Topics under which other globulins and blood products are spoken of: how long a vaccine waits after them."""
_TIMED = {"after", "wait", "following", "since", "before"}
"""Words by which a vaccine is timed to something else than its own doses."""
_BESIDE_MEDICINES = {"interactions", "alternatives", "prevention", "effects", "afterwards", "meningitis", "reaction", "hydration", "blood-tests", "allergies"}
"""Topics under which another medicine may be named without being what the question is about."""
_OF_A_DISEASE = {"indicated", "disease", "dose", "uses", "criteria", "safe", "words", "what", "children", "older"}
"""Topics that are asked of a disease: what the treatment would be for must then be in the evidence."""
_OF_A_PLACE = {"criteria", "cost", "supply", "reporting", "uses", "indicated", "disease", "dose", "product", "weight", "vaccines", "exposure", "made"}
"""Topics on which places differ: of a country that was not read they are not answered with those of another."""
_OF_ANY_DISEASE = {"safe", "words", "what", "disease", "effects"}
"""Topics that a question about a disease itself may seem to have: its symptoms, its cause."""
_OF_ANYBODY = {"blood-tests", "vaccines", "monitoring"}
"""Topics under which an illness is named that is not what is treated."""
_OF_A_RISK = {"safe", "contraindications", "dose", "rate", "prevention", "effects", "frequency", "interactions"}
"""Topics that may be asked for somebody who has an illness, which is then not what is treated."""
_LAST_YEAR = 2100
_WITH_MEDICINES = {"interactions", "safe", "disease", "rate", "effects"}
_LOOSE_TOPICS = {
    "words",
    "what",
    "indicated",
    "effects",
    "cost",
    "children",
    "older",
    "pain",
    "travel",
    "home",
    "frequency",
    "maintenance",
    "onset",
    "duration",
    "uses",
    "made",
    "product",
    "dose",
    "rate",
    "works",
    "alternatives",
    "bring",
    "afterwards",
    "choice",
    "more-infections",
    "place",
    "supply",
    "interactions",
    "reporting",
    "stop",
    "prevention",
    "weight",
    "rounding",
    "safe",
}
"""Topics whose words are used of anything: without a name of the field they do not make a question one about immunoglobulin."""


def _dosed(question: Question, vocabulary: Vocabulary) -> bool:
    """True when the dose asked about is that of another medicine: its name stands beside the word, and immunoglobulin does not stand nearer.

    Of a medicine that the evidence gives beside immunoglobulin, the dose is answered where immunoglobulin is named too.
    """
    evidence = vocabulary.evidence
    doses = [place for place, word in enumerate(question.words) if word.fold.startswith(("dos", "doz")) or word.fold in _DOSED]
    drugs = [match for match in question.outsiders if evidence.outsiders[match.value].kind == "other-drug"]
    if question.treatment or "prevention" in question.topics:
        index = index_of(evidence)
        drugs = [match for match in drugs if not any(index.under(f"care.{question.words[place].fold}") for place in range(match.start, match.end))]
    drugs = [match for match in drugs if match.start == 0 or question.words[match.start - 1].fold not in _BESIDE_A_DRUG]
    drugs = [match for match in drugs if match.end == len(question.words) or not question.words[match.end].fold.startswith(_OF_A_DISEASE_UNDER_A_DRUG)]
    drugs = [match for match in drugs if not _dosed_by_evidence(question, match, evidence)]
    own = _own(question, vocabulary)
    if any(min((_gap(place, one) for one in own), default=_FAR) < min((_gap(place, match) for match in drugs), default=_FAR) for place in doses):
        return False
    if not own and (any(match.start <= 1 for match in drugs) or (drugs and not question.indications)):
        amounts = [place for place, word in enumerate(question.words) if word.fold in _DOSED_ALONE]
        return bool(doses or amounts)
    return any(match.start - 3 <= place <= match.end + 1 for match in drugs for place in doses)


def _own(question: Question, vocabulary: Vocabulary) -> list[Match[Meaning]]:
    """Where immunoglobulin itself is named: as such, by a product, or as what replaces antibodies that lack."""
    others = [match for match in question.outsiders if vocabulary.evidence.outsiders[match.value].kind in {"other-drug", "other-globulin"}]
    taken = {place for match in others for place in range(match.start, match.end)}
    found = [match for match in vocabulary.names.found(question.words) if match.value.kind == "product" or match.value.id == "treatment"]
    found = [match for match in found if not taken.issuperset(range(match.start, match.end))]
    replacing = [Match(place, place + 1, Meaning("wording", "treatment")) for place, word in enumerate(question.words) if word.fold.startswith(_REPLACING)]
    return [*found, *replacing]


_FAR = 99
_OF_A_DISEASE_UNDER_A_DRUG = ("resist", "refract", "depend", "induc", "associat", "relat", "fail", "unrespons", "spar", "naive", "treated")
"""Words by which a medicine tells a disease or a person apart, as in steroid-resistant."""
_REPLACING = ("replac", "substitut", "antibod", "premed", "igg", "hypogamma")
_DOSED_ALONE = {"rate", "level", "interval", "trough", "target", "ceiling", "drop"}
"""Words that ask for an amount of a medicine where no other is named."""


def _unknown_had(question: Question, vocabulary: Vocabulary) -> tuple[str, ...]:
    """The thing that somebody wants to have, take or do beside the treatment, when the evidence holds the word nowhere: ``get a tattoo``."""
    index = index_of(vocabulary.evidence)
    for place, word in enumerate(question.words[:-1]):
        if word.fold not in _HAVING:
            continue
        after = next((one for one in question.words[place + 1 : place + 3] if one.fold not in _ARTICLES), None)
        if after is not None and after.fold in question.loose and not vocabulary.everyday(after.fold) and not index.knows(after.fold):
            return (after.text,)
    return ()


_HAVING = {"get", "have", "take", "use", "eat", "drink", "do", "try", "contain", "dye", "wear", "smoke", "play", "affect", "stop", "change", "cause"}
_ARTICLES = {"a", "an", "my", "the", "some", "any", "his", "her"}


def _dosed_by_evidence(question: Question, match: Match[str], evidence: Evidence) -> bool:
    """True when a statement of a disease that is named gives a dose of this medicine beside immunoglobulin, as of aspirin in Kawasaki disease."""
    drug = " ".join(word.text.lower() for word in question.words[match.start : match.end])
    owners = tuple(f"{name}." for name in question.indications)
    return bool(owners) and any(
        one.id.startswith(owners) and drug in one.says.lower() and "mg" in one.says.lower().partition(drug)[2] for one in evidence.statements.values()
    )


def _told_of(question: Question, vocabulary: Vocabulary) -> bool:
    """True when a statement of a disease that is named speaks of the other medicine."""
    index = index_of(vocabulary.evidence)
    rows = {hit.row for name in question.indications for hit in index.under(name)}
    drugs = [match for match in question.outsiders if vocabulary.evidence.outsiders[match.value].kind == "other-drug"]
    return any(rows & index.holders([question.words[place].fold]) for match in drugs for place in range(match.start, match.end))


_BESIDE_A_DRUG = {"after", "on", "with", "despite", "without", "before", "than", "taking", "receiving", "following", "since", "had", "having"}


def _gap(place: int, match: Match[Any]) -> int:
    return match.start - place if place < match.start else place - match.end + 1


_DOSED = {"much", "many", "mg", "milligram", "taper", "dosage", "schedule", "tablet", "pill"}


def _unknown_dosed(question: Question, vocabulary: Vocabulary) -> tuple[str, ...]:
    """The word that no entry and no statement holds, of which a dose or a rate is asked: ``dose of Abcdef``."""
    index = index_of(vocabulary.evidence)
    for place, word in enumerate(question.words[:-2]):
        if (word.fold in {"dose", "dosing", "dosage", "rate", "mg"}) and question.words[place + 1].fold in {"of", "for"}:
            one = question.words[place + 2]
            known = index.knows(one.fold) and (word.fold == "rate" or vocabulary.everyday(one.fold))
            if one.fold in question.loose and one.fold.isalpha() and not known:
                return (one.text,)
    return ()


def _asks_more(question: Question) -> bool:
    """True when something is asked for beside the disease and the words that lie outside the evidence."""
    beyond = {question.words[place].fold for match in question.outsiders for place in range(match.start, match.end)}
    return any(not one.small and not one.light and not one.owners and one.words[0] not in beyond for one in question.concepts)


def _answered_anyway(question: Question, vocabulary: Vocabulary) -> bool:
    """True when a disease of the evidence is named beside the unknown one: a bare ending never outweighs a name."""
    index = index_of(vocabulary.evidence)
    conditions = [match for match in question.outsiders if vocabulary.evidence.outsiders[match.value].kind == "other-condition"]
    told = all(index.knows(question.words[place].fold) for match in conditions for place in range(match.start, match.end))
    if told and not set(question.topics) & _OF_A_DISEASE and not question.aims and not question.treated:
        return True
    listed = any(not vocabulary.evidence.outsiders[name].unknown_only for name in question.outside)
    return bool(question.indications) and not (listed and question.objects)


def _named(question: Question, vocabulary: Vocabulary, kind: str = "") -> tuple[str, ...]:
    found = [match for match in question.outsiders if kind in {"", vocabulary.evidence.outsiders[match.value].kind}]
    widest = max(found, key=lambda match: match.width, default=None)
    return (" ".join(word.text for word in question.words[widest.start : widest.end]),) if widest is not None else question.objects


def _other_drug(here: Here, drug: tuple[str, ...]) -> Refusal:
    plain = f"This is about another drug{_quoted(drug)}. I only know the antibody drug, by drip or under the skin. Ask your nurse or doctor about it."
    clinical = f"This is about another medicine{_quoted(drug)}. The evidence here is about immunoglobulin. Ask a pharmacist or read its label."
    return Refusal("refused", "other-drug", (frame(plain if plain_for(here.audience) else clinical),))


def _not_in_evidence(words: tuple[str, ...]) -> Refusal:
    """That nothing which was read tells of the words."""
    return Refusal(
        "refused",
        "not-in-evidence",
        (frame(f"The evidence says nothing about this{_quoted(words)}, so there is no answer. This is no proof for or against it. Ask your team."),),
    )


def not_answered(words: tuple[str, ...]) -> Refusal:
    """That no sentence which was found answers the question; of its words something may be said elsewhere."""
    said = f"Nothing that was found here answers this{_quoted(words)}. This is no proof for or against it. Ask your team."
    return Refusal("refused", "not-in-evidence", (frame(said),))


def _not_recorded(here: Here, question: Question, missing: Unrecorded) -> Refusal:
    """What is asked of a known thing and stands in nothing that was read, with what may be asked of it instead."""
    word, of = missing.word, f" for {missing.thing}" if missing.thing else ""
    plain = f"No source here tells this ({word}){of}. That does not mean yes or no. Please ask your team."
    clinical = f"The evidence does not record this ({word}){of}, so there is no answer. Figures of another product or disease are not given in its place."
    topics = ("product", "rate", "uses") if question.products else ("indicated", "dose", "criteria") if question.indications else ()
    asks = tuple(ask for name in topics if (ask := here.evidence.topics[name].ask))
    return Refusal("refused", "not-in-evidence", (frame(plain if plain_for(here.audience) else clinical),), related=asks, firm=missing.listed)


def _out_of_scope() -> Refusal:
    return Refusal(
        "refused",
        "out-of-scope",
        (
            frame(
                "This is not about immunoglobulin, the antibody drug, so there is no answer. Ask about its use, dose, rate, side effects, vaccines or checks."
            ),
        ),
    )


def _own_record(here: Here) -> Refusal:
    """That it is written in one person's notes, which are not known here."""
    plain = "That is about you alone: it stands in your own notes, which are not known here. Please ask your team."
    clinical = "That stands in one patient's notes, which are not known here. Give the patient record, or look there."
    return Refusal("refused", "not-in-evidence", (frame(plain if plain_for(here.audience) else clinical),), stands=True, recorded=True)


def _errand(order: str) -> Refusal:
    """That nothing is done here but answering."""
    said = f"Here questions about immunoglobulin are answered; nothing else can be done ({order}). Ask what you want to know about it."
    return Refusal("refused", "out-of-scope", (frame(said),), stands=True, firm=True)


def _quoted(words: tuple[str, ...]) -> str:
    """What is refused in brackets, without its numbers: words of our own hold none."""
    spoken = (" ".join(part for part in word.split() if not any(map(str.isdigit, part))) for word in words)
    shown = [word.strip(" %") for word in spoken if word.strip(" %")][:2]
    return f" ({', '.join(shown)})" if shown else ""
