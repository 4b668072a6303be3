"""Amounts, speeds and intervals of one's own: set by the doctor, never told to a patient, however the question is put."""

from __future__ import annotations

from datetime import date

import pytest

from ivigil.answers.ask import Asking, answer
from ivigil.evidence.library import Evidence

DAY = date(2026, 11, 20)
OWN = """\
can i skip this weeks hizentra im going on holiday
i missed my sunday hizentra do i do double next sunday or what
Can I just use the whole 10 g bottle instead of the 8 g I'm prescribed so nothing goes to waste?
I have bad heart and kidney problem, please which speed is good for my infusion of Kiovig?
can i bump my rate up to 300 ml an hour
i forgot 2 weeks of cuvitru in a row how much do i take now to catch up
My Privigen 40 g has been replaced by Panzyga; can I have it gram for gram at the same speed?
do i need a top up dose before my surgery next week, how many grams
My pump is set to 20 ml/hr per site, can I turn it up to 35 as I've had no trouble?
My IgG is 14 now on 35 g every 3 weeks, can I reduce it to 25?
Is it okay if I give my toddler her SCIG every 10 days instead of every 7, she hates the needles?
skipping one month cos of covid, ok for me?
HOW MUCH GAMMAGARD FOR A 10 YEAR OLD 71 LBS MY KID STARTS FRIDAY
what start speed for my pump
hyqvia ramp up schedule for me, target 30g every 4 weeks, week by week please
My new hospital put me on 45 g of Kiovig when I was always on 60. Is 45 sufficient for my CIDP?
Is 0.5 g/kg monthly too low for me with bronchiectasis?
What ought the doctor prescribe for my son, XLA, 7 years, 24 kg, IgG 3.1?
double my hizentra when sick?
is it alright for me to go from HyQvia every 4 weeks to every 5 weeks
"""
OTHERS = """\
How much Benadryl should I take before my infusion on Thursday | Benadryl
How much prednisone should I take before each of my infusions to stop the reaction? | prednisone
how many piriton do i take before my drip | piriton
"""
GENERAL = """\
how much should I drink before my infusion
how much does IVIG cost
how long do I have to stay after the drip
why does my cousin with CIDP get so much more than me? i have CVID
how fast does it start working
can i reduce the headaches after ivig
how many infusions will I need for ITP
Can I have breakfast and a beer before the infusion?
can i have my flu jab the same day as the drip
should i drink more before my ivig
is the drip slower for my nan, she is 82
"""


def lines(text: str) -> list[str]:
    """The questions of a block, one a line."""
    return text.strip().splitlines()


@pytest.mark.parametrize("question", lines(OWN))
def test_an_amount_of_ones_own_is_for_the_doctor(evidence: Evidence, question: str) -> None:
    """Not worked out, not confirmed, and no amount stands beside the refusal from which it would follow."""
    given = answer(question, evidence, Asking("patient", "US", DAY))
    assert (given.outcome, given.reason) == ("refused", "individual-dose-for-patient")
    said = [*given.short, *given.corrections, *(one for part in given.sections for one in part.sentences)]
    assert said
    assert not any(letter.isdigit() for one in said for letter in one.text)


@pytest.mark.parametrize("line", lines(OTHERS))
def test_nor_is_the_amount_of_a_medicine_taken_beside_it(evidence: Evidence, line: str) -> None:
    """The medicine is named, its amount is not; what is generally so of medicines before the drip may follow."""
    question, medicine = line.split(" | ")
    given = answer(question, evidence, Asking("patient", "US", DAY))
    assert (given.outcome, given.reason) == ("refused", "individual-dose-for-patient")
    assert medicine in given.short[0].text
    assert "doctor" in given.short[0].text
    assert not any(letter.isdigit() for part in given.sections for one in part.sentences for letter in one.text)


@pytest.mark.parametrize("question", lines(GENERAL))
def test_what_is_generally_so_is_still_told(evidence: Evidence, question: str) -> None:
    """Words such as *how much*, *reduce* or *same* alone make no own dose."""
    assert answer(question, evidence, Asking("patient", "US", DAY)).outcome == "answered"


def test_a_dangerous_dose_is_set_right_before_all_else(evidence: Evidence) -> None:
    """Somebody who believes in 2 g/kg on each day must read that this is wrong; a bare refusal would leave it standing."""
    given = answer("I take Privigen 2 g/kg every day for CIDP, should I?", evidence, Asking("patient", "US", DAY))
    assert given.outcome == "answered"
    assert any("each day? No" in one.text for one in given.short)


def test_a_missed_dose_is_not_made_up(evidence: Evidence) -> None:
    """Under the refusal stands what the label says to everybody: call, and no double dose."""
    given = answer("I missed my Flebogamma last week so I'll just have a double dose next time, yes?", evidence, Asking("patient", "EU", DAY))
    assert given.outcome == "refused"
    assert any("will not be given a double dose" in one.text for one in given.short)
