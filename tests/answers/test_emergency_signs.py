"""Every sign that leaflets send to the emergency service, in the words of people: happening, denied, long past, and asked about in general."""

from __future__ import annotations

from itertools import product

import pytest

from ivigil.answers.understand import Question, understand
from ivigil.answers.vocabulary import vocabulary_of
from ivigil.evidence.library import Evidence

SAID = """
I can't catch my breath
I can't get enough air
my throat is closing up
her lips have gone blue
he went blue around the lips ten min into the infusion
my breathing has become shallow and fast
it hurts to breathe
my child's oxygen sats dropped to 84 during the infusion
cnat breathe prperly infusoin runnign help
there is pressure on my chest
my chest is being squeezed
heavy squeezing feeling in the middle of my chest
pain going into my jaw and left arm
my tongue is swelling
my tongue feels thick and its hard to swallow since the drip started
lips and tongue puffing up 5 min into my Hizentra
my face feels tight and puffy and I have hives everywhere
I've come up in a rash all over and I'm wheezing
I feel all itchy and hot and my heart is racing, drip still in
I am about to pass out
he just keeled over and isn't waking up properly
she won't wake up
my baby has suddenly gone white as a sheet and floppy
his blood pressure has plummeted
my mum is having a seizure
my speech is slurred
mum's mouth has gone lopsided and she's slurring
woke up and cant lift my right arm and my words come out jumbled
my gran cant get her words out since this afternoon
my left side has gone numb
I've lost the sight in one eye
this is the worst headache of my life and light hurts
splitting headache, fever and I can't bend my neck
the light kills my eyes and I can hardly stay awake since yesterday's infusion
one of my legs is swollen
one leg is twice the size of the other since the infusion
Last year I had a clot. Now my calf is sore, red and hot again a week after IVIG
my wee looks like cola
pee is the colour of coke, feel weak
brown wee two days after my immunoglobulin
the whites of my eyes are yellow
I've gone as white as a sheet
I have not passed water for a day
no urine since this morning
I've hardly weed today
I have put on 4 kg since the infusion
I keep coughing up blood
spat up bright red blood when I coughed
I have a temperature of 39.8
I'm burning up with fever
I can't stop vomiting
throwing up all day, can't keep water down
the rash is spreading and blistering
my skin is peeling off
they gave me double the dose by mistake
took my whole box of pills
I don't want to be alive any more
patient developed stridor and urticaria 10 min into infusion
pt hypotensive and unresponsive during IVIG
new onset dysarthria and facial weakness 6 h after IVIG
haemoptysis 4 days after infusion
""".strip().splitlines()
SIGNS = (
    "chest pain", "shortness of breath", "trouble breathing", "swelling of the face", "throat tightness", "slurred speech", "fainting", "dark urine",
    "yellow eyes", "coughing up blood", "high fever", "a stiff neck and headache", "one swollen leg", "blood in the urine", "a seizure", "tongue swelling",
    "blue lips", "weakness on one side",
)  # fmt: skip
NOW = ("I have {} now", "{} during my infusion", "since yesterday I have {}", "my son has {} after IVIG", "help, {}", "{} 2 hours after ivig")
DENIED = (
    "I have no {}.", "The patient denies {}.", "There is no {} now. What is the dose in CIDP?", "No {} since the infusion", "I never had {}",
    "without {}, can the rate go up?",
)  # fmt: skip
PAST = ("I had {} years ago. Can I have IVIG?", "history of {} in 2019, is IVIG safe", "Last year he had {} with IVIG")
GENERAL = (
    "Can IVIG cause {}?", "How common is {} after IVIG?", "What is the risk of {}?", "Does immunoglobulin ever cause {}?", "Which patients get {}?",
    "Is {} a side effect of IVIG?", "What should I do if I get {}?", "Could the infusion lead to {}?", "Will it give me {}?",
    "The leaflet in the box lists {}. I feel fine. How often does it happen?",
)  # fmt: skip
CALM = (
    "I faint at the sight of needles, who do I tell?",
    "My sister's leaflet says stiff neck. Is that meningitis catching?",
    "For an article: in how many of 10 000 administrations did an anaphylactic event occur, and how many were severe?",
    "Fever back 40 h after IVIG for Kawasaki. Next?",
    "no blood in my urine, is that enough to go on?",
    "my chest does not hurt, only my arm is tired",
)


def _read(evidence: Evidence, question: str) -> Question:
    return understand(question, vocabulary_of(evidence))


@pytest.mark.parametrize("question", SAID)
def test_a_sign_in_ordinary_words_is_an_emergency(evidence: Evidence, question: str) -> None:
    """However it is said, it is seen before anything is looked up."""
    assert _read(evidence, question).emergencies


def test_every_sign_in_every_way_of_happening_is_an_emergency(evidence: Evidence) -> None:
    """Each sign of the leaflets in each of the ways in which people say that it is there."""
    missed = [text for sign, way in product(SIGNS, NOW) if not _read(evidence, text := way.format(sign)).emergencies]
    assert not missed


@pytest.mark.parametrize("ways", [DENIED, PAST, GENERAL], ids=["denied", "past", "general"])
def test_no_sign_that_is_not_there_is_an_emergency(evidence: Evidence, ways: tuple[str, ...]) -> None:
    """Denied, long past, or asked about in general: the question is answered."""
    wrong = [text for sign, way in product(SIGNS, ways) if _read(evidence, text := way.format(sign)).emergencies]
    assert not wrong


@pytest.mark.parametrize("question", CALM)
def test_words_of_a_sign_alone_are_none(evidence: Evidence, question: str) -> None:
    """A fear, a quotation, an hour that looks like a temperature."""
    assert not _read(evidence, question).emergencies


def test_the_line_for_the_sign_that_was_named_is_told(ask) -> None:  # type: ignore[no-untyped-def]
    """Yellow eyes are answered with the line on yellow eyes, not with the one on urine."""
    said = [sentence.text for sentence in ask("the whites of his eyes are yellow", "patient").short]
    assert any("eyes turn yellow" in text for text in said)
    assert not any("urine is dark" in text for text in said)
