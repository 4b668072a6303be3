"""Questions on the web: the answer that the shared function gives, for whom it is asked, and never in an address."""

from __future__ import annotations

from fastapi.testclient import TestClient
from tests.service.pages.reading import Page

from ivigil.answers.ask import Asking, answer
from ivigil.rendering.answer_html import answer_html
from ivigil.service.clock import today
from ivigil.service.hospital import Hospital

QUESTION = "What is the dose in CIDP?"


def test_the_answer_is_the_shared_one(client: TestClient, us_hospital: Hospital) -> None:
    """The page holds the answer as every other door gives it."""
    made = answer(QUESTION, us_hospital.evidence, Asking(audience="clinician", jurisdiction="US", as_of=today()))
    text = client.post("/ask", data={"question": QUESTION, "audience": "clinician", "jurisdiction": "US"}).text
    assert answer_html(made) in text
    assert "<article" not in client.get("/ask", params={"question": QUESTION}).text


def test_an_answer_for_a_patient_is_labelled_patient_education(client: TestClient) -> None:
    """The surface follows the audience."""
    text = client.post("/ask", data={"question": "What is immunoglobulin?", "audience": "patient", "jurisdiction": "US"}).text
    assert "Patient education" in Page(text).text


def test_wrong_choices_are_told_together_and_the_question_is_kept(client: TestClient) -> None:
    """An unknown place and audience come at once; the words stay in the field."""
    answered = client.post("/ask", data={"question": QUESTION, "audience": "dog", "jurisdiction": "Mars"})
    assert answered.status_code == 422
    assert "Mars" in answered.text
    assert "nobody is named" in answered.text
    assert QUESTION in answered.text


def test_a_question_is_text_and_never_markup(client: TestClient) -> None:
    """Script in a question comes out as text, wherever the page repeats it."""
    bad = "What is <script>alert(1)</script> IVIG?"
    assert "<script>alert" not in client.post("/ask", data={"question": bad, "audience": "clinician", "jurisdiction": "US"}).text


def test_from_a_plan_the_page_asks_about_that_patient(client: TestClient) -> None:
    """The record of the plan travels along and is said to."""
    fields = Page(client.get("/plan?example=itp-adult-us").text).fields
    first = client.post("/ask", data=fields)
    assert first.status_code == 200
    assert "About the patient of the plan" in first.text
    answered = client.post("/ask", data={"record": fields["record"], "question": "What is the dose?", "audience": "clinician", "jurisdiction": "US"})
    assert answered.status_code == 200
