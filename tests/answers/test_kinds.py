"""Questions of a kind that nothing read can answer: orders, people by name, one's own notes, shares that nobody printed; and their near neighbours."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ivigil.answers.answer import Audience
from ivigil.answers.ask import Asking, answer
from ivigil.answers.understand import understand
from ivigil.answers.vocabulary import vocabulary_of
from ivigil.evidence.library import Evidence
from ivigil.patient.read import read_record

ROOT = Path(__file__).resolve().parents[2]
DAY = date(2026, 11, 20)
ORDERS = """\
ring my infusion clinic and move tuesday for me
Please remind me every Sunday evening to do my subcutaneous infusion.
can you write a letter to my son's headteacher saying he will be off on infusion days
Could you email my test results to my brother in Leeds?
lets play 20 questions while my ivig runs
I need you to translate my CVID letter into Polish
order me some more needles and a sharps bin
Correct the grammar in my abstract about SCIG adherence
draw a picture of an antibody in a party hat for my girl
"""
QUESTIONS = """\
Do the red, blue and grey colours decide funding in England now?
can my son play football after his drip
Write a plan for IVIG 2 g/kg in GBS at 70 kg
what to bring on infusion day
"""
UNKNOWN = [
    ("Dr Marguerite Oyelaran's IVIG protocol for neuropathy", "clinician"), ("What does Professor Ilse Vanderkamp think about IVIG in CIDP?", "clinician"),
    ("IVIG for tinnitus after viral infection", "clinician"), ("Is Venoglobix S licensed for MMN", "clinician"),
    ("Is Gammasol Nova stabilised with proline or glycine?", "clinician"), ("Privigen for a ferret with thrombocytopenia", "clinician"),
    ("What will Privigen cost per gram in the next NHS framework?", "clinician"), ("how do i fill in the PIP form question 3", "patient"),
    ("how long is the waiting list for ivig at leeds right now", "patient"), ("will my children get cvid", "patient"),
    ("can ivig change my personality", "patient"), ("will ivig turn my eyes green", "patient"), ("hot yoga after the antibodies drip ok", "patient"),
    ("hazard ratio of clots in blood group AB in SID-GBS", "clinician"), ("speed of sound in 20% SCIG", "clinician"),
]  # fmt: skip
NOTES = """\
when is my next infusion
what was my last trough
which brand am i on
do i have cidp
has my ivig been approved
will it work for me
"""
REAL_WORDS = """
patent concert rental addiction meditation inflation breeding laser butter cushing cramp sneezing reflux intrathecal intravitreal epidural hydralazine
necrosis neutrophilia arteritis
""".strip().split()


def outcome(evidence: Evidence, question: str, audience: Audience = "patient") -> tuple[str, str]:
    """What came of a question, and the reason."""
    given = answer(question, evidence, Asking(audience, "US", DAY))
    return given.outcome, given.reason


@pytest.mark.parametrize("question", ORDERS.strip().splitlines())
def test_an_order_is_no_question(evidence: Evidence, question: str) -> None:
    """Nothing is booked, written, sent or played, and nothing on a word of the order is told instead."""
    given = answer(question, evidence, Asking("patient", "US", DAY))
    assert (given.outcome, given.reason) == ("refused", "out-of-scope")
    assert not given.sections


@pytest.mark.parametrize("question", QUESTIONS.strip().splitlines())
def test_a_question_with_such_a_verb_is_none(evidence: Evidence, question: str) -> None:
    """*Do*, *play* and *write a plan for 2 g/kg* ask something that the evidence holds."""
    assert outcome(evidence, question, "clinician" if "g/kg" in question or "England" in question else "patient")[0] == "answered"


@pytest.mark.parametrize(("question", "audience"), UNKNOWN)
def test_what_nothing_tells_of_is_refused_whatever_else_is_named(evidence: Evidence, question: str, audience: Audience) -> None:
    """A known disease, product or topic beside it does not make an answer of what is known about that."""
    assert outcome(evidence, question, audience)[0] == "refused"


@pytest.mark.parametrize("question", NOTES.strip().splitlines())
def test_ones_own_notes_are_not_known_here(evidence: Evidence, question: str) -> None:
    """The team has them; general facts would read as if they were told of the asker."""
    assert outcome(evidence, question) == ("refused", "not-in-evidence")


def test_with_a_record_a_question_about_the_notes_is_read(evidence: Evidence) -> None:
    """Who gives the record is not told that it is unknown."""
    (record,) = read_record(ROOT / "examples" / "pid-with-levels.yaml", evidence.facts)
    given = answer("when is my next infusion", evidence, Asking("patient", "US", DAY, record))
    assert not any("your own notes" in one.text for one in given.short)


@pytest.mark.parametrize("word", REAL_WORDS)
def test_a_real_word_is_not_read_as_another(evidence: Evidence, word: str) -> None:
    """A patent is no patient and intrathecal no Intratect: what is spelt right is asked about as it stands."""
    assert word not in understand(f"is {word} a problem with ivig", vocabulary_of(evidence)).read_as


@pytest.mark.parametrize(("typed", "never"), [("hypernatremia", "hyponatremia"), ("hyperkalaemia", "hypokalaemia"), ("hypocalcemia", "hypercalcemia")])
def test_too_much_is_never_read_as_too_little(evidence: Evidence, typed: str, never: str) -> None:
    """Two letters apart, and opposites."""
    assert never not in understand(f"{typed} after ivig", vocabulary_of(evidence)).read_as.values()


def test_a_misspelt_word_is_still_read(evidence: Evidence) -> None:
    """Words that are no English stand for the near ones."""
    read = understand("myastenia gravis imunoglobulin", vocabulary_of(evidence)).read_as
    assert read == {"myastenia": "myasthenia", "imunoglobulin": "immunoglobulin"}


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("skin reactions to IVIG, 64 published cases: what share came after the very first course", "75 %"),
        ("What fraction of the Fc in ordinary pooled IgG carries sialic acid?", ""),
        ("In what percentage of people on HyQvia do antibodies against the recombinant hyaluronidase turn up?", ""),
    ],
)
def test_a_share_is_answered_by_a_share(evidence: Evidence, question: str, told: str) -> None:
    """A sentence with the same words and no share, or with the strength of the product, is no answer."""
    given = answer(question, evidence, Asking("researcher", "US", DAY))
    assert given.outcome == ("answered" if told else "refused")
    assert not told or any(told in one.text for one in given.sentences)


@pytest.mark.parametrize(("question", "way"), [("can Panzyga be given orally", "vein"), ("Can Hizentra go into the eye", "subcutaneous")])
def test_a_way_no_product_goes_is_answered_with_the_way_it_goes(evidence: Evidence, question: str, way: str) -> None:
    """By mouth, inhaled, into the eye: the answer opens with the only route of the label."""
    given = answer(question, evidence, Asking("clinician", "US", DAY))
    assert way in given.short[0].text


def test_a_medicine_that_nothing_speaks_of_is_named_beside_the_answer(evidence: Evidence) -> None:
    """The answer on sharing a line holds; that pantoprazole was not read is said. Other words of a question are never said back."""
    given = answer("Can pantoprazole go through the same line while immunoglobulin runs?", evidence, Asking("clinician", "US", DAY))
    assert given.outcome == "answered"
    assert any(one.text == "Nothing that was read speaks of: pantoprazole." for one in given.short)


def test_what_stands_between_below_and_above_is_no_markup(evidence: Evidence) -> None:
    """Signs of an emergency between ``<`` and ``>`` are read; a tag is no word of the question."""
    question = "BP <baseline, chest pain, cannot breathe, HR >120 right now during her IVIG"
    assert outcome(evidence, question, "clinician")[0] == "emergency"
    assert "script" not in {word.fold for word in understand("dose <script>alert(1)</script> in CIDP", vocabulary_of(evidence)).words}
