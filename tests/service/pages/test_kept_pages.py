"""What a reader takes away: files that repeat the plan, and saved plans that nobody else can read."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from tests.service.cards.sample import HEIGHT, PATIENT, WEIGHT, amount, bundle, daily, order
from tests.service.pages.reading import Page
from typer.testing import CliRunner

from ivigil.basis.strict_yaml import read_yaml
from ivigil.cli.app import app as commands
from ivigil.cli.inputs import Choices
from ivigil.cli.plan_command import run_plan

ROOT = Path(__file__).resolve().parents[3]
KAWASAKI = (ROOT / "patients" / "kawasaki-infant-us.yaml").read_text(encoding="utf-8")


@pytest.fixture
def fields(client: TestClient) -> dict[str, str]:
    """The form of a plan that is shown."""
    return Page(client.post("/plan", data={"record": KAWASAKI, "jurisdiction": "US"}).text).fields


@pytest.mark.parametrize(
    ("address", "begins", "name"),
    [
        ("plan.pdf", b"%PDF-", "plan.pdf"),
        ("leaflet.pdf", b"%PDF-", "leaflet.pdf"),
        ("calendar", b"BEGIN:VCALENDAR", "plan.ics"),
        ("json", b"{", "plan.json"),
        ("fhir", b"{", "plan.fhir.json"),
        ("record", b"# Kawasaki", "record.yaml"),
    ],
)
def test_files_of_the_plan_can_be_kept(client: TestClient, fields: dict[str, str], address: str, begins: bytes, name: str) -> None:
    """Each comes as an attachment whose name holds nothing of the patient."""
    answer = client.post(f"/plan/{address}", data=fields)
    assert answer.status_code == 200
    assert answer.content.startswith(begins)
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'


def test_the_page_for_the_patient_and_its_paper_draw_the_same_curve(client: TestClient, tmp_path: Path) -> None:
    """The picture of the page is that of ``ivigil plan --format leaflet``, and its PDF is the same bytes; the saved plan stays as it was asked for."""
    path = ROOT / "patients" / "pid-adult-us.yaml"
    form = {"record": path.read_text(encoding="utf-8"), "jurisdiction": "US", "as_of": "2026-11-20", "audience": "patient"}
    page = client.post("/plan", data=form).text
    choices = Choices(jurisdiction="US", as_of="2026-11-20")
    for name in ("leaflet.html", "leaflet.pdf"):
        assert run_plan([str(path)], choices, "leaflet", str(tmp_path / name)) == 0
    picture = re.search(r"<svg.*?</svg>", (tmp_path / "leaflet.html").read_text(encoding="utf-8"))
    assert picture is not None
    assert picture.group() in page
    fields = Page(page).fields
    assert client.post("/plan/leaflet.pdf", data=fields).content == (tmp_path / "leaflet.pdf").read_bytes()
    assert "outlook" not in client.post("/plan/json", data=fields).text.split('"not_raised"')[0]
def test_the_page_gives_the_fhir_of_the_command_line_and_of_the_operation(client: TestClient, fields: dict[str, str]) -> None:
    """The Bundle has the bytes of ``ivigil plan --format fhir``, and the resources of ``$plan`` without the GuidanceResponse that leads those."""
    found = client.post("/plan/fhir", data=fields)
    assert found.headers["content-type"].startswith("application/fhir+json")
    printed = CliRunner().invoke(commands, ["plan", str(ROOT / "patients" / "kawasaki-infant-us.yaml"), "--jurisdiction", "US", "--format", "fhir"])
    assert found.text == printed.stdout
    record = json.dumps(read_yaml(KAWASAKI, "record")[0])
    kept = client.post("/plan/fhir", data={"record": record, "jurisdiction": "US"}).json()
    operation = client.post("/fhir/$plan", params={"jurisdiction": "US"}, content=record, headers={"content-type": "application/json"})
    assert [entry["resource"] for entry in operation.json()["entry"]][1:] == [entry["resource"] for entry in kept["entry"]]


def test_a_saved_plan_opens_again_and_can_be_deleted(client: TestClient, fields: dict[str, str]) -> None:
    """Its address gives the same plan, says so, holds nothing of the patient, and is gone after deletion."""
    answer = client.post("/plan/save", data=fields, follow_redirects=False)
    assert answer.status_code == 303
    address = answer.headers["location"]
    assert "kawasaki" not in address
    page = Page(client.get(address).text)
    assert "byte for byte" in page.text
    assert client.get(f"{address}/json").text == client.post("/plan/json", data=fields).text
    listed = client.get("/plan/saved").text
    assert address in listed
    assert "kawasaki" not in listed.lower()
    assert client.post(f"{address}/delete", follow_redirects=False).status_code == 303
    assert client.get(address).status_code == 404


def test_a_saved_plan_of_fhir_keeps_the_answers_given_beside_it(client: TestClient) -> None:
    """A FHIR record takes in no answer; saved with its plan, the answers count again when the link is opened, on the page and over REST."""
    record = json.dumps(bundle(PATIENT, WEIGHT, HEIGHT, order(amount(0.4, "g/kg"), daily(5))))
    fields = Page(client.post("/plan", data={"record": record, "jurisdiction": "US"}).text).fields
    answered = Page(client.post("/plan", data={**fields, "a:has.past_ig_hypersensitivity": "yes"}).text)
    assert "past_ig_hypersensitivity" in answered.fields["changes"]
    address = client.post("/plan/save", data=answered.fields, follow_redirects=False).headers["location"]
    opened = Page(client.get(address).text)
    assert "byte for byte" in opened.text
    assert opened.fields["changes"] == answered.fields["changes"]
    assert client.get(f"{address}/json").text == client.post("/plan/json", data=answered.fields).text != client.post("/plan/json", data=fields).text
    rest = client.get(address.replace("/plan/saved/", "/api/v1/plans/")).json()
    assert rest["reproduced"] == "identical"
    assert rest["changes"] == json.loads(answered.fields["changes"])


def test_an_unknown_saved_plan_is_not_there(client: TestClient) -> None:
    """An id that is nobody's, or somebody else's, gives the same answer."""
    for name in ("nobody", "../../etc/passwd", "x" * 300):
        assert client.get(f"/plan/saved/{name}").status_code == 404


def test_the_patient_mode_is_labelled_and_repeats_the_plan(client: TestClient, fields: dict[str, str]) -> None:
    """The page of the patient says that it is patient education and shows alarm signs; the way back to the plan stays open."""
    page = Page(client.post("/plan", data={**fields, "audience": "patient"}).text)
    assert "Patient education" in page.text
    assert "Call the emergency service now" in page.text
    back = Page(client.post("/plan", data={**page.fields, "audience": "clinician"}).text)
    assert "Clinician planning" in back.text
    assert back.fields["record"] == KAWASAKI
