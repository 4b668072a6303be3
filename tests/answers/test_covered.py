"""Sentences that only share a topic, a disease or a product with the question are no answer to it: what nothing takes up is refused by name."""

from __future__ import annotations

import pytest
from tests.answers.answers_text import text_of

from ivigil.answers.vocabulary import vocabulary_of
from ivigil.answers.words import words_of
from ivigil.evidence.library import Evidence

NOT_SAID_TO_DO = """
does ivig make you dream of trains
can the drip give me hiccups for days
does immunoglobulin affect my singing voice
will ivig make my beard grow
""".strip().splitlines()
SAID_TO_DO = [
    ("can it cause blood clots", "clots"), ("does ivig affect blood tests", "tests"), ("can the drip give me a headache", "headache"),
    ("does Octagam 10 % contain maltose", "maltose"), ("can ivig harm my kidneys", "kidney"),
]  # fmt: skip
BESIDE_A_NAME = """
golf club for people with CIDP in town
how long is the queue for the CVID exhibition
are bagpipes bad for somebody with ITP
can I wear my grandmother's opal with MMN
""".strip().splitlines()
NOWHERE_TOGETHER = """
Number of pipettes that Octagam 10 % needs at the bench, by brand of tip
Privigen lot and the brightness of the warehouse lamps in lux
GBS: crossword puzzles against boredom, which publisher
""".strip().splitlines()
UNKNOWN_ILLNESSES = """
IVIG dose in Pemberton-Oakley syndrome
Immunoglobulin for Larkspur disease, grams per kilogram
Oakley disease relapsing on prednisone: IVIG dose
""".strip().splitlines()
OF_NOBODY = """
how many grams does she get
can we go faster now
which brand is right for my patient
2 weeks old, 3.4 kg: how much immunoglobulin?
""".strip().splitlines()


@pytest.mark.parametrize("question", NOT_SAID_TO_DO)
def test_what_nobody_says_that_it_does_is_not_answered_with_what_it_does(question: str, ask) -> None:  # type: ignore[no-untyped-def]
    """A list of common effects beside "does it make my beard grow" would read as a no, or as a yes."""
    given = ask(question, "patient", "UK-ENG")
    assert (given.outcome, given.reason) == ("refused", "not-in-evidence")


@pytest.mark.parametrize(("question", "word"), SAID_TO_DO)
def test_what_is_said_that_it_does_is_answered(question: str, word: str, ask) -> None:  # type: ignore[no-untyped-def]
    """The same words about an effect, a test, a content that is recorded."""
    given = ask(question, "patient", "US")
    assert given.outcome == "answered"
    assert word in text_of(given).lower()


@pytest.mark.parametrize("question", BESIDE_A_NAME)
def test_patients_get_no_dose_for_a_question_that_only_names_their_illness(question: str, ask) -> None:  # type: ignore[no-untyped-def]
    """The name of an illness alone asked for its use and dose before: an answer to a question nobody asked."""
    given = ask(question, "patient", "UK-ENG")
    assert given.outcome == "refused"
    assert "kilogram" not in text_of(given).lower()


@pytest.mark.parametrize("question", NOWHERE_TOGETHER)
def test_what_no_entry_holds_half_of_is_refused(question: str, ask) -> None:  # type: ignore[no-untyped-def]
    """Each word may stand somewhere; no one entry is about them."""
    assert ask(question, "clinician", "EU").outcome == "refused"


@pytest.mark.parametrize("question", UNKNOWN_ILLNESSES)
def test_an_illness_named_by_people_nobody_read_of_gets_no_dose(question: str, ask) -> None:  # type: ignore[no-untyped-def]
    """Also when a medicine or a word of its name is known."""
    given = ask(question, "clinician", "US")
    assert given.outcome == "refused"
    assert "g/kg" not in text_of(given).lower()


def test_another_illness_is_not_read_into_words_of_its_name(ask) -> None:  # type: ignore[no-untyped-def]
    """Thrombotic thrombocytopenic purpura shares two words with the immune one and none of its treatment; IgG4 among subclasses is no disease."""
    assert ask("IVIG dose in thrombotic thrombocytopenic purpura").outcome == "refused"
    assert "igg4-rd" not in ask("Intratect 10 %: how much IgG1, IgG2, IgG3 and IgG4?", "clinician", "EU").understood.indications
    assert ask("IVIG in immune thrombocytopenic purpura, dose").understood.indications == ("itp-adult",)


@pytest.mark.parametrize("question", OF_NOBODY)
def test_who_asks_about_one_person_is_asked_which_disease_or_product(question: str, ask) -> None:  # type: ignore[no-untyped-def]
    """Doses of every disease, or the rule for rates in general, would be taken for that person's."""
    given = ask(question, "clinician", "AU")
    assert (given.outcome, given.reason) == ("asks", "ambiguous")
    assert given.follow_up


@pytest.mark.parametrize("question", ["ivig ivig ivig", "how many people in the whole world get ivig"])
def test_the_meaning_of_a_word_is_no_answer_to_another_question(question: str, ask) -> None:  # type: ignore[no-untyped-def]
    """"IVIG: the drug made of antibodies" answers "what is IVIG" and nothing else."""
    assert ask(question, "patient", "US").outcome != "answered"
    assert ask("what is ivig", "patient", "US").outcome == "answered"


def test_a_capital_name_is_not_read_as_another_word(ask) -> None:  # type: ignore[no-untyped-def]
    """A product nobody read of became "globulin" and got its rate; anosmia became anaemia. A brand with one wrong letter is still that brand."""
    assert ask("Maximum rate of Globulyx 10 %", "clinician", "UK-ENG").outcome == "refused"
    assert "anemia" not in ask("does IVIG help anosmia after covid", "clinician", "US").understood.read_as.values()
    assert ask("first rate of Privigan in PI", "clinician", "US").understood.products


@pytest.mark.parametrize("question", [
    "albumin 20 % per litre of ascites drained", "C1 inhibitor units per kg in an attack of hereditary angioedema", "factor VIII units per kg in a joint bleed",
    "fibrinogen concentrate grams in a bleeding liver patient"])
def test_other_medicines_from_plasma_are_other_medicines(question: str, ask) -> None:  # type: ignore[no-untyped-def]
    """They share donors and words with immunoglobulin, and nothing of its dose; the refusal repeats no number."""
    given = ask(question, "clinician", "EU")
    assert (given.outcome, given.reason) == ("refused", "other-drug")
    assert not any(letter.isdigit() for sentence in given.short for letter in sentence.text)


def test_the_wait_after_other_globulins_is_answered(ask) -> None:  # type: ignore[no-untyped-def]
    """Vaccines wait after them too, and that is in the evidence."""
    given = ask("RhoGAM yesterday: how long until MMR?", "clinician", "US")
    assert given.outcome == "answered"


def test_who_means_to_take_everything_is_told_to_get_help_first(ask) -> None:  # type: ignore[no-untyped-def]
    """Whatever illness is named beside it."""
    assert ask("going to take all my tablets tonight, no point any more with this CIDP", "patient", "US").outcome == "emergency"


def test_another_subject_is_refused_although_an_opener_knows_a_word_of_it(ask) -> None:  # type: ignore[no-untyped-def]
    """"When does the patent run out" is about no shortage."""
    assert ask("when does the hyqvia patent run out", "researcher", "US").outcome == "refused"


def test_how_a_product_is_kept_is_answered_of_those_that_were_read_only(ask) -> None:  # type: ignore[no-untyped-def]
    """The storage of one product is never that of another."""
    assert "36 months" in text_of(ask("Xembify in Australia: shelf life?", "clinician", "AU"))
    assert ask("how many months can Alyglo sit at 25 degrees once it has left the fridge", "clinician", "US").outcome == "refused"


def test_no_word_of_what_lies_outside_names_a_thing_of_the_evidence(evidence: Evidence) -> None:
    """A list of other illnesses, medicines and plasma products must not hide one that was read: names of the evidence come first."""
    names = vocabulary_of(evidence).names
    lists = ("named-conditions", "other-plasma", "matters-of-life", "whereabouts")
    hidden = {
        (name, phrase)
        for name in lists
        for phrase in evidence.outsiders[name].words
        if "*" not in phrase and "..." not in phrase and any(
            match.width == len(words_of(phrase)) and match.value.kind in {"indication", "product"} for match in names.found(words_of(phrase)))
    }
    assert not hidden


@pytest.mark.parametrize(("question", "sign"), [
    ("does ivig make you gain weight", "gain weight suddenly"), ("does it make you pass out", "you faint or collapse"),
    ("my ankles are swollen since the drip", "swollen or warm"),
])
def test_a_question_about_the_body_never_ends_without_the_sign_of_danger(question: str, sign: str, ask) -> None:  # type: ignore[no-untyped-def]
    """Whether it is answered or refused: that nobody recorded something does not make it harmless."""
    assert sign in text_of(ask(question, "patient", "UK-ENG")).lower()


@pytest.mark.parametrize("question", ["my stools are black after ivig", "i keep bruising since ivig", "does ivig make your lips tingle"])
def test_a_refusal_about_the_body_says_whom_to_call(question: str, ask) -> None:  # type: ignore[no-untyped-def]
    """Clinicians, who know whom to call, are not told."""
    given = ask(question, "patient", "UK-ENG")
    assert given.outcome == "refused"
    assert "call your team if you are worried" in text_of(given).lower()
    assert "call your team" not in text_of(ask(question, "clinician", "UK-ENG")).lower()


def test_the_gravest_harm_is_never_unsaid(ask) -> None:  # type: ignore[no-untyped-def]
    """Another form of a word is the same word: kidneys that fail are kidney failure."""
    given = ask("can it make my kidneys fail", "patient", "UK-ENG")
    assert given.outcome == "answered"
    assert "can it harm my kidneys? it can" in text_of(given).lower()
