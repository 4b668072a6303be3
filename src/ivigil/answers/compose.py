"""Puts an answer together: for every topic the typed entries of what is named, then the general entries of the topic, then what the search adds."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from ivigil.answers import diseases
from ivigil.answers.ahead import ahead, wishes_of
from ivigil.answers.answer import Outcome, Reason
from ivigil.answers.calculate import calculated
from ivigil.answers.compared import compared
from ivigil.answers.covered import asks_share, uncovered
from ivigil.answers.diseases import Here
from ivigil.answers.foremost import barred, foremost, mentioned_first
from ivigil.answers.own import asks_own_dose, own_medicine
from ivigil.answers.person import fitting_age, of_person
from ivigil.answers.planned import plan_of, quoted, said_line
from ivigil.answers.reckoned import reckoned
from ivigil.answers.refuse import Refusal, not_answered
from ivigil.answers.said import Said, by_words, frame, plain_for, said_of
from ivigil.answers.searched import searched
from ivigil.answers.shortened import shortened
from ivigil.answers.strange import strange_words
from ivigil.answers.telling import asked_for, most_telling
from ivigil.answers.typed import MEDICINE_TOPICS, typed
from ivigil.answers.understand import Question
from ivigil.answers.vocabulary import Vocabulary
from ivigil.answers.words import words_of
from ivigil.evidence.conditions import truth_of
from ivigil.evidence.questions import Topic
from ivigil.patient.record import Record
from ivigil.planning.line import Table

_MOST = 14
"""Sentences of one section."""
_BESIDE = 4
"""General sentences where typed entries have answered already."""
_BESIDE_VACCINES = {"onset", "maintenance", "words", "safe", "afterwards", "duration", "what", "children", "half-life", "interactions", "disease"}
"""Topics whose words only time or frame a question about a vaccine that is named."""
_OVER_AGE = "age-over-65"
"""The rule on older people: an age above its bound makes a question one about them too."""
_FORECAST_TELLS = {"levels", "half-life", "monitoring"}
"""Topics to which the forecast of a record is the answer, so that its plan need not be quoted on them."""


class Part(msgspec.Struct, frozen=True):
    """One section before its sources are numbered."""

    id: str
    title: str
    said: tuple[Said, ...]
    table: Table | None = None


class Drawn(msgspec.Struct, frozen=True):
    """A whole answer before its sources are numbered."""

    outcome: Outcome
    reason: Reason
    short: tuple[Said, ...] = ()
    corrections: tuple[Said, ...] = ()
    parts: tuple[Part, ...] = ()
    follow_up: tuple[str, ...] = ()
    related: tuple[str, ...] = ()


def composed(here: Here, question: Question, vocabulary: Vocabulary, record: Record | None, using: tuple[str, ...], refusal: Refusal | None) -> Drawn:
    """The answer to a question that is no emergency. What the evidence does not hold is said; nothing is filled in."""
    question = msgspec.structs.replace(question, indications=mentioned_first(question, fitting_age(here, question), here))
    corrections = _corrections(here, question, ())
    if question.commands:
        return Drawn(
            "refused",
            "instructions",
            (frame("Instructions inside a question have no effect here. Ask the question itself; it is answered from the evidence only."),),
        )
    sums = calculated(here, question.amounts, question.indications)
    own_dose = (question.own_dose or question.amounts.weight is not None) and _about_dose(question)
    ordered = refusal is not None and refusal.firm and refusal.stands
    if plain_for(here.audience) and not ordered and (own_dose or asks_own_dose(question, vocabulary) or own_medicine(question, vocabulary)):
        return _own_dose(here, question, own_medicine(question, vocabulary))
    if sums.asks:
        dose = _topic(here, question, vocabulary.evidence.topics["dose"]) if question.indications else None
        beside = _once([dose] if dose is not None else [], [*sums.said, *corrections])
        return Drawn("asks", sums.reason, sums.said, tuple(corrections), tuple(beside), sums.follow_up, _related(here, ("dose",)))
    if record is not None and refusal is not None and (refusal.outcome == "asks" or refusal.recorded):
        refusal = None
    forecast = _forecast(here, question, vocabulary, record) if record is not None else None
    opening = foremost(here, question) if "topics" in using else []
    stands = refusal is not None and (refusal.reason == "other-drug" or refusal.stands or not opening)
    of_others = any(vocabulary.evidence.outsiders[name].kind == "other-drug" for name in question.outside) and not (question.treatment or question.named)
    said_anyway = bool(corrections) or (any(one.kind == "calculation" for one in sums.said) and not of_others) or forecast is not None
    if refusal is not None and ((refusal.firm and not barred(here, question)) or (stands and not said_anyway)):
        return Drawn(refusal.outcome, refusal.reason, refusal.said, follow_up=refusal.follow_up, related=refusal.related)
    topics = _wanted(here, question) if "topics" in using else ()
    parts = [forecast] if forecast is not None else []
    told = topics if forecast is None else tuple(name for name in topics if name not in _FORECAST_TELLS)
    parts += _planned(here, question, told, record) if record is not None and (told or forecast is None) else []
    products = tuple(compared(here, question)) if "topics" in using else ()
    parts += [Part("compared", "Products side by side", products)] if products else []
    parts += [part for topic in topics if (part := _topic(here, question, vocabulary.evidence.topics[topic])) is not None]
    leading = list(dict.fromkeys([*opening, *_corrections(here, question, (), sums.correct)]))
    corrections = [one for one in _corrections(here, question, topics) if one not in leading]
    found = searched(here, question, [part.said for part in parts], using)
    if found:
        parts.append(Part("found", "Also in the evidence" if parts else "From the evidence", found))
    worked = tuple(one for one in sums.said if one.kind == "calculation" or not (plain_for(here.audience) or parts or opening))
    worked = tuple(dict.fromkeys((*worked, *(reckoned(here, question) if "topics" in using else ()))))
    if question.signs:
        parts.append(_red_flags(here, question, vocabulary))
    parts = _once(parts, [*worked, *leading, *corrections])
    if not parts and not leading and not worked:
        leading, corrections = corrections, []
    if not parts and not leading and not worked:
        said = frame(_NOTHING_PLAIN if plain_for(here.audience) else _NOTHING)
        return Drawn("refused", "not-in-evidence", (said,), related=_related(here, topics))
    fewer = shortened(here, question, [part.said for part in parts])
    parts = [msgspec.structs.replace(part, said=said) for part, said in zip(parts, fewer, strict=True) if said or part.table is not None]
    short, parts = _short(parts, leading, 1 if opening else 0)
    short, parts = (short, parts) if leading or forecast is not None else _led(here, question, short, parts)
    strange = strange_words(question, vocabulary)
    if not ((leading and not asks_share(question, vocabulary)) or worked or forecast is not None or record is not None or question.signs):
        said_now = [*leading, *short, *(one for part in parts for one in part.said)]
        missed = uncovered(here, question, vocabulary, said_now, strange)
        if missed is not None:
            none = not_answered(missed)
            return Drawn(none.outcome, none.reason, none.said, related=_related(here, topics))
    spelt = ", ".join(f"{meant} for {written}" for written, meant in question.read_as.items())
    notes = [frame(f"Read as: {spelt}.")] if spelt else []
    listed = {place for match in question.outsiders for place in range(match.start, match.end)}
    unheard = [word.text for place, word in enumerate(question.words) if word.fold in strange and place in listed]
    aside = [frame(f"Nothing that was read speaks of: {', '.join(dict.fromkeys(unheard))}.")] if unheard else []
    if "criteria" in topics and record is None and not plain_for(here.audience):
        notes.append(frame(_NECESSITY))
    missing = _missing(question, topics) if record is None else ()
    before = barred(here, question) if leading else []
    first = dict.fromkeys((*(one for one in leading if one in before), *worked, *leading))
    return Drawn("answered", "", (*notes, *first, *short, *aside), tuple(corrections), tuple(parts), missing, _related(here, topics))


_NOTHING = "The evidence does not answer this. What was not read is not guessed."
_NOTHING_PLAIN = "The evidence does not answer this. That does not mean yes or no. Please ask your team."
_NECESSITY = (
    "Whether it is necessary or covered for one patient is decided by the criteria of the authority, shown here. "
    "With a patient record, each is shown as met, not met or unknown."
)


def _wanted(here: Here, question: Question) -> tuple[str, ...]:
    """The topics asked about; where only something is named, those that a reader of that wants."""
    topics = question.topics
    if topics == ("words",) and (question.indications or question.products or question.vaccines) and not question.terms:
        topics = ()
    if question.indications and not question.vaccines and set(topics) <= {"children", "older", "words"}:
        topics = (*topics, "disease", "dose")
    elif question.vaccines and set(topics) <= _BESIDE_VACCINES:
        topics = ("vaccines",)
    elif question.products and not topics:
        topics = ("product", "rate")
    elif question.tests and not topics:
        topics = ("blood-tests",)
    elif question.facts and not topics:
        topics = ("interactions",) if all(name.startswith("takes.") for name in question.facts) else ("safe",)
    elif question.terms and not topics and not question.loose:
        topics = ("words",)
    elif question.mechanisms and "works" not in topics:
        topics = (*topics, "works")
    elif not topics and question.amounts.doses:
        topics = ("dose",)
    if any(name.startswith("takes.") for name in question.facts) and not set(topics) & MEDICINE_TOPICS:
        topics = (*topics, "interactions")
    if "vaccines" in topics and "dose" in topics and not any(word.fold.startswith("dos") for word in question.words):
        topics = tuple(name for name in topics if name != "dose")
    if question.amounts.weeks and any(here.evidence.products[name].switch for name in question.products) and question.amounts.doses:
        topics = (*topics, "scig")
    if truth_of(here.evidence.every_rule[_OVER_AGE].when, of_person(question, ())) is True:
        topics = (*topics, "older")
    if question.terms and question.asks_meaning and "words" not in topics:
        topics = (*topics, "words")
    order = list(here.evidence.topics)
    return tuple(sorted(dict.fromkeys(topics), key=order.index))


def _topic(here: Here, question: Question, topic: Topic) -> Part | None:
    own, rest = typed(here, question, topic)
    undosed = [name for name in question.indications if not here.evidence.indications[name].regimens]
    if topic.id in {"dose", "maintenance"} and undosed and len(undosed) == len(question.indications):
        none = frame(f"No dose for {'this illness' if plain_for(here.audience) else here.evidence.indications[undosed[0]].name.clinical} is in the evidence.")
        said = [one for name in undosed for one in diseases.standing(here, here.evidence.indications[name])]
        return Part(topic.id, topic.title, (none, *said, *own))
    names = topic.tell if plain_for(here.audience) else topic.show
    title = {word.fold for word in words_of(topic.title)}
    general = by_words([one for name in names for one in said_of(here.evidence, name, here.audience) if _fits(here, question, one)], question.asked - title)
    diseases_named = [here.evidence.indications[name].name.clinical.partition(" (")[0].lower() for name in question.indications]
    general = sorted(general, key=lambda one: not any(name in one.text.lower() for name in diseases_named))
    if plain_for(here.audience) and "conditions" in topic.find:
        listed = [*general, *own, *rest]
    else:
        listed = [*own, *general[:_BESIDE], *rest] if own else [*general, *rest]
    listed = sorted(dict.fromkeys(listed), key=lambda one: "not read" in one.marks and one not in own)
    if not listed:
        return None
    return Part(topic.id, (topic.plain or topic.title) if plain_for(here.audience) else topic.title, tuple(listed[: _MOST + len(own)]))


def _fits(here: Here, question: Question, one: Said) -> bool:
    """A statement about one disease does not stand in an answer about another."""
    if one.kind != "statement":
        return True
    owned = any(name.partition(".")[0] in here.evidence.indications for name in one.cites)
    if not question.indications:
        return not (owned and question.strange)
    return not {name.partition(".")[0] for name in one.cites} & (here.evidence.indications.keys() - set(question.indications))


def _corrections(here: Here, question: Question, topics: tuple[str, ...], more: tuple[str, ...] = ()) -> list[Said]:
    """Popular oversimplifications: those that the question brings, and those that belong beside a topic asked about in general."""
    named = dict.fromkeys((*question.corrections, *more))
    limit = here.evidence.dose_limits.get("per-day")
    once = bool(question.indications) and limit is not None and set(question.indications) <= set(limit.excepted)
    undosed = bool(question.indications) and not any(here.evidence.indications[name].regimens for name in question.indications)
    once = once or undosed
    beside = [one.id for one in here.evidence.corrections.values() if set(one.topics) & set(topics) and not (once and "dose" in one.topics)]
    beside = beside if not question.products and not question.facts and not question.amounts.weight else []
    out: list[Said] = []
    for name in dict.fromkeys((*named, *beside)):
        entry = here.evidence.corrections[name]
        out += (
            said_of(here.evidence, entry.plain if plain_for(here.audience) else entry.claim, here.audience)
            if entry.plain or not plain_for(here.audience)
            else []
        )
    return list(dict.fromkeys(out))


def _about_dose(question: Question) -> bool:
    asked = bool(set(question.topics) & {"dose", "rate", "maintenance", "weight", "rounding"}) or bool(question.amounts.doses)
    asked = asked or (question.own_dose and not question.topics and not question.loose)
    return asked or (question.amounts.weight is not None and any(word.fold in {"gram", "dose", "bottle", "ml"} for word in question.words))


def _own_dose(here: Here, question: Question, medicine: str) -> Drawn:
    """A patient's own dose is never worked out; what is generally so may be told, but no amount, which would read as a yes or a no.

    That of another ``medicine`` that is taken beside the treatment is neither.
    """
    of_drug = f"How much of another drug you take ({medicine}) is for your doctor to set, so it is not told here. Please ask your team."
    own = "Your own dose is for your doctor to set, so it is not worked out here. Please ask your team; do not change it yourself."
    lead = frame(of_drug if medicine else own)
    opening = _unnumbered(foremost(here, question))
    corrections = tuple(one for one in _unnumbered(_corrections(here, question, ())) if one not in opening)
    topic = here.evidence.topics["prevention" if medicine else "dose"]
    told = _unnumbered(one for name in topic.tell for one in said_of(here.evidence, name, here.audience))
    parts = _once([Part(topic.id, topic.plain or topic.title, told)] if told else [], [*opening, *corrections])
    return Drawn("refused", "individual-dose-for-patient", (lead, *opening), corrections, tuple(parts), related=_related(here, (topic.id,)))


def _unnumbered(said: Iterable[Said]) -> tuple[Said, ...]:
    """The sentences without a digit: from none of them an own dose could be worked out."""
    return tuple(one for one in said if not any(letter.isdigit() for letter in one.text))


def _planned(here: Here, question: Question, topics: tuple[str, ...], record: Record) -> list[Part]:
    made = plan_of(here, record, question.indications[0] if len(question.indications) == 1 else "")
    parts: list[Part] = []
    if not plain_for(here.audience):
        critical = [line for line in made.lines if line.urgency == "critical"]
        if critical:
            parts.append(Part("critical", "Critical in this record", tuple(said_line(line) for line in critical)))
    for topic, said, tabled in quoted(here, made, topics or ("dose",), here.audience):
        entry = here.evidence.topics[topic]
        title = f"In this record: {(entry.plain or entry.title) if plain_for(here.audience) else entry.title}"
        parts.append(Part(f"plan-{topic}", title, tuple(said), tabled.table if tabled is not None else None))
    asked = [question_.ask for question_ in made.questions if question_.urgency != "info"][:3]
    if asked and parts and not plain_for(here.audience):
        parts.append(Part("plan-questions", "Missing in this record", tuple(frame(ask) for ask in asked)))
    return parts


def _forecast(here: Here, question: Question, vocabulary: Vocabulary, record: Record) -> Part | None:
    """What the forecast of the record says, where the question asks about its coming IgG."""
    wishes = wishes_of(question, vocabulary)
    if not wishes:
        return None
    return Part("forecast", "What is expected for you" if plain_for(here.audience) else "Forecast for this record", ahead(here, question, wishes, record))


def _red_flags(here: Here, question: Question, vocabulary: Vocabulary) -> Part:
    entries = [vocabulary.evidence.emergencies[name] for name in question.signs]
    said = [
        one for entry in entries for name in (entry.tell if plain_for(here.audience) else entry.show) for one in said_of(here.evidence, name, here.audience)
    ]
    return Part("red-flags-named", "When to get help at once", tuple(dict.fromkeys(said)))


def _once(parts: list[Part], corrections: list[Said]) -> list[Part]:
    """Every sentence once, where it stands first."""
    seen = {one.text for one in corrections}
    out: list[Part] = []
    for part in parts:
        fresh: list[Said] = []
        for one in part.said:
            if one.text not in seen:
                seen.add(one.text)
                fresh.append(one)
        if fresh or part.table is not None:
            out.append(msgspec.structs.replace(part, said=tuple(fresh)))
    return out


def _short(parts: list[Part], leading: list[Said], beside: int) -> tuple[list[Said], list[Part]]:
    """The first sentences of the answer: what was worked out, else what stands first under each topic. They do not stand twice.

    ``beside`` is how many parts say one sentence beside what opens the answer.
    """
    most = min(beside, 1) if leading else 1 if len(parts) > 2 else 2
    ahead_first = bool(parts) and parts[0].id == "forecast"
    leading_parts = 1 if ahead_first else beside if leading else _LEADING
    most = 2 if ahead_first else most
    short: list[Said] = []
    out: list[Part] = []
    for number, part in enumerate(sorted(parts, key=lambda part: not _worked(part))):
        opens = number < leading_parts and (part.id not in _NEVER_SHORT or len(parts) == 1)
        take = _worked(part) or (_SIDE_BY_SIDE if part.id == "compared" and not leading else most if opens else 0)
        short += part.said[:take]
        if part.said[take:] or part.table is not None:
            out.append(msgspec.structs.replace(part, said=part.said[take:]))
    return short, out


def _led(here: Here, question: Question, short: list[Said], parts: list[Part]) -> tuple[list[Said], list[Part]]:
    """The sentence that answers most directly put first, where it holds clearly more of what is asked for; a sum stays before it."""
    if any(one.kind == "calculation" for one in short):
        return short, parts
    never = _NEVER_LED | {"found"} if question.vaccines else _NEVER_LED  # a vaccine's name is also that of an illness
    said = [one for part in parts if part.id not in never and not part.id.startswith("plan-") for one in part.said]
    best = most_telling(asked_for(question, here.evidence), said, short)
    if best is None:
        return short, parts
    left = [msgspec.structs.replace(part, said=tuple(one for one in part.said if one is not best)) for part in parts]
    return [best, *short], [part for part in left if part.said or part.table is not None]


def _worked(part: Part) -> int:
    """How many sentences reach to the last sum of a part, whose first sentences may say what was reckoned with."""
    return max((place for place, one in enumerate(part.said[:_SUMS], start=1) if one.kind == "calculation"), default=0)


_LEADING = 3
_SIDE_BY_SIDE = 4
_SUMS = 6
_NEVER_LED = {"critical", "red-flags-named", "plan-questions"}
_NEVER_SHORT = {"plan-questions", "red-flags-named", "found"}


def _missing(question: Question, topics: tuple[str, ...]) -> tuple[str, ...]:
    ask: list[str] = []
    if "dose" in topics and not question.indications:
        ask.append("Which disease is it for?")
    if "rate" in topics and not question.products:
        ask.append("Which product is it?")
    if "criteria" in topics and not question.indications:
        ask.append("Which disease is it for?")
    if topics == ("vaccines",) and not question.vaccines:
        ask.append("Which vaccine is it?")
    return tuple(dict.fromkeys(ask))


def _related(here: Here, topics: tuple[str, ...]) -> tuple[str, ...]:
    """Other questions that the evidence answers, from the topics beside those asked about."""
    entries = here.evidence.topics
    names = dict.fromkeys(name for topic in topics if topic in entries for name in entries[topic].related if name not in topics)
    asks = [entries[name].ask for name in names if entries[name].ask]
    return tuple(asks[:4])
