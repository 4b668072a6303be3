"""What the typed entries of what a question names say on a topic: indications, products, vaccines, facts, tests, mechanisms."""

from __future__ import annotations

from collections.abc import Iterator

from ivigil.answers import diseases, things
from ivigil.answers.diseases import Here
from ivigil.answers.person import of_person
from ivigil.answers.said import Said, entry_said, frame, plain_for, said_of
from ivigil.answers.understand import Question
from ivigil.evidence.questions import Topic
from ivigil.evidence.shapes import Indication

_MOST_DISEASES = 3
MEDICINE_TOPICS = {"interactions", "prevention"}
"""Topics under which what rules say of medicines stands; what they say of illnesses stands under the others."""
_MAINTENANCE = frozenset({"maintenance", "replacement"})


def typed(here: Here, question: Question, topic: Topic) -> tuple[list[Said], list[Said]]:
    """What typed entries say on a topic: of what is named, and, to stand after the general sentences, of other places."""
    own: list[Said] = []
    rest: list[Said] = []
    folds = frozenset(word.fold for word in question.words)
    indications = [here.evidence.indications[name] for name in question.indications[:_MOST_DISEASES]]
    for finder in topic.find:
        if finder == "standing":
            if plain_for(here.audience) and indications:
                own += [one for name in question.terms for one in said_of(here.evidence, name, here.audience)]
            for indication in indications:
                labels = list(diseases.on_labels(here, indication))
                said = list(diseases.standing(here, indication))
                own += [*labels, *said] if question.asks_label else [*said[:2], *labels, *said[2:]]
        elif finder == "criteria":
            own += [one for indication in indications for one in diseases.criteria(here, indication)]
        elif finder in {"dose", "maintenance"}:
            for indication in indications:
                phases = _MAINTENANCE if finder == "maintenance" else frozenset()
                here_doses, elsewhere = diseases.doses(here, indication, phases, question.products, of_person(question, ()))
                own += [*here_doses, *elsewhere]
                if not here_doses and not elsewhere and finder == "dose":
                    own += list(diseases.reported(here, indication)) or list(_unread_dose(here, question, indication))
        elif finder == "stop":
            own += [one for indication in indications for one in (*diseases.remarks(here, indication.stop), *diseases.remarks(here, indication.review))]
        elif finder == "outcomes":
            own += [one for indication in indications for one in diseases.remarks(here, (*indication.outcome_measures, *indication.review))]
        elif finder == "targets":
            own += [one for indication in indications for one in diseases.remarks(here, indication.targets)]
        elif finder == "alternatives":
            own += [one for indication in indications for one in diseases.remarks(here, indication.alternatives)]
        elif finder == "product":
            own += [one for product in things.chosen(here, question.products)[:2] for one in things.about_product(here, product, folds)]
        elif finder == "switch":
            own += things.switches(here, things.chosen(here, question.products), question.amounts, question.indications)
        elif finder == "rate":
            own += [
                one for product in things.chosen(here, question.products)[:2] for one in things.rates(here, product, question.indications, question.amounts)
            ]
        elif finder == "vaccine":
            own += [one for name in question.vaccines[:2] for one in things.vaccine(here, here.evidence.vaccines[name], question.indications)]
        elif finder == "conditions":
            named = tuple(name for name in question.facts if name.startswith("takes.") == (topic.id in MEDICINE_TOPICS))
            own += things.of_facts(here, named, bool(question.products))
        elif finder == "mechanisms":
            (own if question.mechanisms else rest).extend(things.mechanisms(here, question.mechanisms))
        elif finder == "frequency":
            own += things.frequencies(here, folds)
        elif finder == "words":
            own += [one for name in question.terms for one in said_of(here.evidence, name, here.audience)] if topic.id == "words" else []
        elif finder == "exposure":
            own += _exposures(here, question)
        elif finder == "interference":
            own += [one for name in question.tests for one in said_of(here.evidence, name, here.audience)]
        elif finder == "weight":
            own += _weights(here)
    return own, rest


def _unread_dose(here: Here, question: Question, indication: Indication) -> Iterator[Said]:
    """That no dose of a named product was read for a disease, with what was read of the two together."""
    for product in things.one_a_brand(things.chosen(here, question.products))[:1]:
        yield frame(f"No dose of {product.brand} for {indication.name.clinical} is in the evidence.")
        for name in here.evidence.statements:
            if name.startswith(f"{product.id}.{indication.id}."):
                yield from said_of(here.evidence, name, here.audience)


def _exposures(here: Here, question: Question) -> list[Said]:
    folds = {word.fold for word in question.words}
    rows = [
        one
        for one in here.evidence.exposures.values()
        if not folds & {"measle", "measles", "varicella", "chickenpox"}
        or one.disease in folds
        or (f"{one.disease}" in {"measles"} and "measle" in folds)
        or (one.disease == "varicella" and folds & {"chickenpox", "varicella"})
    ]
    rows.sort(key=lambda one: one.jurisdiction not in {*here.places, ""})
    return [] if plain_for(here.audience) else [entry_said(here.evidence, one.say, one.cites) for one in rows]


def _weights(here: Here) -> list[Said]:
    place = here.evidence.jurisdictions[here.jurisdiction]
    policy = here.evidence.weight_policies.get(place.weight_policy)
    if policy is None or plain_for(here.audience):
        return []
    text = f"{place.name}: {policy.name}{f'. {policy.say}' if policy.say else ''}"
    return [entry_said(here.evidence, text, policy.cites)]
