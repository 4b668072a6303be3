"""REST: the same bytes as the command line, every problem at once, limits that hold, and nothing of anybody else."""

from __future__ import annotations

import gzip
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ivigil.cli.ask_command import Wanted, run_ask
from ivigil.cli.inputs import Choices
from ivigil.cli.plan_command import run_plan
from ivigil.cli.schema_command import run_schema
from ivigil.cli.why_command import run_why
from ivigil.service.app import application
from ivigil.service.hospital import Hospital
from ivigil.service.settings import Limits

ROOT = Path(__file__).resolve().parents[2]
DAY = "2026-11-20"
HERE = "http://127.0.0.1"
PATIENTS = sorted(path.name for path in (ROOT / "patients").glob("*.yaml"))


@pytest.mark.parametrize("name", PATIENTS)
def test_a_plan_is_that_of_the_command_line_byte_for_byte(client: TestClient, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """For every example record, whichever way the choices are sent."""
    path = ROOT / "patients" / name
    run_plan([str(path)], Choices(jurisdiction="US", as_of=DAY), "json", "")
    printed = capsys.readouterr().out.encode()
    by_address = client.post(f"/api/v1/plan?jurisdiction=US&as_of={DAY}", content=path.read_bytes())
    together = client.post("/api/v1/plan", json={"record": path.read_text(encoding="utf-8"), "choices": {"jurisdiction": "US", "as_of": DAY}})
    assert by_address.status_code == together.status_code == 200
    assert by_address.content == together.content == printed
    assert by_address.headers["etag"] == together.headers["etag"]


def test_fhir_is_planned_packed_or_plain(client: TestClient) -> None:
    """A Bundle as it is, inside the envelope and as a gzip file give one plan."""
    bundle = (ROOT / "tests" / "fixtures" / "fhir" / "traps-bundle.json").read_bytes()
    address = f"/api/v1/plan?as_of={DAY}&indication=pid"
    plain = client.post(address, content=bundle, headers={"content-type": "application/fhir+json"})
    assert plain.status_code == 200
    assert client.post(address, content=gzip.compress(bundle)).content == plain.content
    assert client.post(address, content=b'{"record": ' + bundle + b"}").content == plain.content


def test_reasons_are_those_of_the_command_line(client: TestClient, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """As text the same, at the width of a pipe; as JSON the same tree; from a saved plan as from the record."""
    monkeypatch.setenv("COLUMNS", "100")
    path = ROOT / "patients" / "itp-adult-us.yaml"
    run_why(str(path), "dose.regimen", Choices(jurisdiction="US", as_of=DAY))
    printed = capsys.readouterr().out
    address = f"/api/v1/why?line=dose.regimen&jurisdiction=US&as_of={DAY}"
    assert client.post(address, content=path.read_bytes(), headers={"accept": "text/plain"}).text == printed
    tree = client.post(address, content=path.read_bytes()).json()
    assert " ".join(printed.split()).startswith(tree["reasons"][0]["text"])
    saved = client.post(f"/api/v1/plan?jurisdiction=US&as_of={DAY}", content=path.read_bytes()).content
    assert client.post("/api/v1/why?line=dose.regimen", content=saved).json()["reasons"] == tree["reasons"]
    unknown = client.post("/api/v1/why?line=dose.regimn", content=saved)
    assert unknown.status_code == 422
    assert "dose.regimen" in unknown.json()["problems"][0]["remedy"]


def test_a_forecast_is_that_of_the_command_line(client: TestClient, capsys: pytest.CaptureFixture[str]) -> None:
    """With a what-if in the address."""
    from ivigil.cli.forecast_command import Shown, run_forecast
    from ivigil.pharmacokinetics.asked import Asked
    from ivigil.pharmacokinetics.for_record import Wanted

    path = ROOT / "patients" / "pid-adult-us.yaml"
    run_forecast([str(path)], Asked(dose="0.4 g/kg", every="4 week", missed=(1,), target="7 g/L"), Wanted(jurisdiction="US", weeks=8),
                 Shown(as_of=DAY, form="json"), Choices())
    printed = capsys.readouterr().out
    asked = f"dose=0.4 g/kg&every=4 week&missed=1&target_trough=7 g/L&jurisdiction=US&weeks=8&as_of={DAY}"
    answer = client.post(f"/api/v1/forecast?{asked}", content=path.read_bytes())
    assert answer.status_code == 200
    assert answer.text == printed


@pytest.mark.parametrize("what", ["patient", "plan", "evidence", "fit-model"])
def test_schemas_are_those_of_the_command_line(client: TestClient, what: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The same bytes, and a caller who has them is told so."""
    run_schema(what)
    answer = client.get(f"/api/v1/schema/{what}")
    assert answer.text == capsys.readouterr().out
    again = client.get(f"/api/v1/schema/{what}", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_every_problem_of_address_choices_and_record_comes_at_once(client: TestClient) -> None:
    """A misspelt choice, an unknown product, a number without a unit."""
    record = "id: x\nsex: female\nborn: 1980-01-01\nweight: {value: 70, on: 2026-11-01}\n"
    problems = client.post("/api/v1/plan?jurisdicton=US&product=milk", content=record).json()["problems"]
    assert {(one["place"], one["line"]) for one in problems} == {("jurisdicton", 0), ("record", 4), ("product", 0)}
    assert all(one["remedy"] for one in problems)
    inside = client.post("/api/v1/plan", json={"record": record, "choices": {"overlay": "/etc", "least_review": "never"}, "formulary": "x"}).json()["problems"]
    assert {"choices.overlay", "formulary"} <= {one["what"] for one in inside}, "files of the server are not for callers to name"


def test_a_formulary_of_the_request_takes_the_place_of_the_sites(client: TestClient) -> None:
    """Lists of the request reach the planner; unknown products in them are told."""
    record = (ROOT / "patients" / "itp-adult-us.yaml").read_text(encoding="utf-8")
    body: dict[str, Any] = {"record": record, "choices": {"as_of": DAY}, "formulary": ["panzyga-us"],
                            "stock": [{"product": "panzyga-us", "size": "10 g", "count": 20}]}
    plan = client.post("/api/v1/plan", json=body).json()
    assert "Panzyga" in next(line["text"] for line in plan["lines"] if line["id"] == "product.choice")
    refused = client.post("/api/v1/plan", json={**body, "formulary": ["panzyga-uz"]})
    assert "panzyga-us" in refused.json()["problems"][0]["remedy"]


def test_a_small_bomb_fills_no_memory(us_hospital: Hospital) -> None:
    """A gzip file is unpacked only as far as the limit, and a damaged one is named."""
    app = application(Hospital(us_hospital.evidence, us_hospital.site, limits=Limits(body=1_000_000)))
    client = TestClient(app, base_url=HERE)
    bomb = gzip.compress(b"[" * 50_000_000)
    assert len(bomb) < 100_000
    for door in ("plan", "why?line=1", "forecast", "plans"):
        answer = client.post(f"/api/v1/{door}", content=bomb)
        assert answer.status_code == 413, door
        assert answer.json()["problems"][0]["remedy"]
    assert client.post("/api/v1/plan", content=gzip.compress(b"id: x")[:-6]).status_code == 422
    twice = client.post("/api/v1/plan", content=gzip.compress(bomb))
    assert "within" in twice.json()["problems"][0]["why"]


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 100_000, b'{"record":' * 50_000, b"- " * 50_000, b"{a: " * 20_000, b"\x00\xff" * 100, b"",
                                  b'{"record": "\\ud800"}', b'{"record": 7, "choices": 7}', b"null", b'{"resourceType": "Bundle"}', b"%YAML 9.9\n---\n"],
                         ids=range(12))
def test_what_no_record_is_is_refused(client: TestClient, body: bytes) -> None:
    """Deep, binary, empty and half documents: a refusal with a remedy, never an error of ours."""
    for door in ("plan", "why?line=1", "forecast"):
        answer = client.post(f"/api/v1/{door}", content=body)
        assert answer.status_code == 422, answer.text
        assert all(one["why"] for one in answer.json()["problems"])


def test_a_long_record_in_yaml_is_refused(client: TestClient) -> None:
    """The strict YAML reader is slow; a long one would hold a worker."""
    answer = client.post("/api/v1/plan", content=b"id: x\n" + b"# a comment that is long\n" * 5000)
    assert answer.status_code == 413


def _changed(node: Any, chance: random.Random) -> Any:
    """A Bundle with something in it replaced by what does not belong there."""
    if isinstance(node, dict):
        out = {key: _changed(value, chance) for key, value in node.items()}
        if out and chance.random() < 0.05:
            key = chance.choice(list(out))
            out[key] = chance.choice([None, 7, -1e308, "", "x" * 300, [], {}, [[]], True, {"value": {}}])
        return out
    if isinstance(node, list):
        return [_changed(one, chance) for one in node if chance.random() > 0.03]
    return node


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_fuzzed_bundles_are_planned_or_refused(client: TestClient, seed: int) -> None:
    """Whatever is wrong with a Bundle, the answer is a plan or a list of problems."""
    bundle = msgspec.json.decode((ROOT / "tests" / "fixtures" / "fhir" / "traps-bundle.json").read_bytes())
    body = msgspec.json.encode(_changed(bundle, random.Random(seed)))
    answer = client.post(f"/api/v1/plan?as_of={DAY}&indication=pid", content=body)
    assert answer.status_code in {200, 422}
    if answer.status_code == 422:
        assert answer.json()["problems"]


def test_saved_plans_come_back_and_say_whether_they_would_be_the_same(client: TestClient) -> None:
    """Record, choices and plan are kept as they were; the day is pinned."""
    record = (ROOT / "patients" / "itp-adult-us.yaml").read_bytes()
    kept = client.post("/api/v1/plans?jurisdiction=US&as_of=2026-11-20", content=record)
    assert kept.status_code == 201
    place = kept.headers["location"]
    assert client.get(place).json()["reproduced"] == "identical"
    assert client.get(f"{place}/record").content == record
    assert client.get(f"{place}/plan").content == client.post("/api/v1/plan?jurisdiction=US&as_of=2026-11-20", content=record).content
    assert [one["id"] for one in client.get("/api/v1/plans").json()["plans"]] == [kept.json()["id"]]
    assert client.delete(place).status_code == 204
    assert client.get(place).status_code == client.delete(place).status_code == 404


def test_nothing_is_kept_when_anything_is_wrong(client: TestClient) -> None:
    """A misspelt choice or a bad record leaves the store as it was."""
    record = (ROOT / "patients" / "itp-adult-us.yaml").read_bytes()
    assert client.post("/api/v1/plans?jurisdicton=US", content=record).status_code == 422
    assert client.post("/api/v1/plans", content=b"id: x").status_code == 422
    assert client.post("/api/v1/plans", json={"record": record.decode(), "formulary": ["panzyga-us"]}).status_code == 422
    assert client.get("/api/v1/plans").json()["plans"] == []


def test_entries_of_the_evidence_are_found_and_shown(client: TestClient, us_hospital: Hospital) -> None:
    """Search, list and entry agree with the evidence in use; a wrong id is answered with near ones."""
    hits = client.get("/api/v1/evidence/search", params={"q": "kidney risk", "limit": 3}).json()["hits"]
    assert 0 < len(hits) <= 3
    assert client.get("/api/v1/evidence").json()["parts"]["products"] == len(us_hospital.evidence.products)
    assert client.get("/api/v1/evidence/products").json()["ids"] == list(us_hospital.evidence.products)
    entry = client.get("/api/v1/evidence/products/privigen-us").json()["entry"]
    assert entry["brand"] == us_hospital.evidence.products["privigen-us"].brand
    wrong = client.get("/api/v1/evidence/products/privigenus")
    assert wrong.status_code == 404
    assert "privigen-us" in wrong.json()["problems"][0]["remedy"]
    assert client.get("/api/v1/evidence/version/x").status_code == 404
    assert client.get("/api/v1/evidence/search", params={"q": " ", "limit": 0}).json()["problems"][1]["place"] == "limit"


def test_the_plan_counter_counts_by_status(app: FastAPI) -> None:
    """Operators see how many plans were blocked, and nothing else of them."""
    client = TestClient(app, base_url=HERE, client=("127.0.0.1", 1))
    client.post(f"/api/v1/plan?as_of={DAY}", content=(ROOT / "patients" / "itp-adult-us.yaml").read_bytes())
    assert "ivigil_plans_total{status=" in client.get("/metrics").text


@pytest.mark.parametrize("record", ["", "cidp-obese-ontario.yaml"])
def test_a_question_is_answered_as_on_the_command_line(client: TestClient, record: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Byte for byte, with and without a patient."""
    from ivigil.cli.ask_command import Wanted, run_ask

    question = "What is the dose of IVIG in CIDP?"
    path = ROOT / "patients" / record
    run_ask(question, Wanted(jurisdiction="CA-ON", as_of=DAY, form="json", record=str(path) if record else ""))
    printed = capsys.readouterr().out
    body = {"question": question, "jurisdiction": "CA-ON", "as_of": DAY, **({"record": path.read_text(encoding="utf-8")} if record else {})}
    answer = client.post("/api/v1/ask", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.text == printed


def test_a_question_that_cannot_be_read_is_refused_with_all_reasons(client: TestClient) -> None:
    """Place, day, audience and record at once; no JSON at all too."""
    body = {"question": "dose?", "jurisdiction": "Mars", "as_of": "soon", "record": "id: x\nweight: 70\n"}
    problems = client.post("/api/v1/ask", json=body).json()["problems"]
    assert {"jurisdiction", "as-of", "record"} <= {one["place"] for one in problems}
    for bad in (b"dose?", b"[" * 100_000, b"{}", b'{"question": "x", "audience": "cat"}', b'{"question": "x", "file": "/etc/passwd"}'):
        assert client.post("/api/v1/ask", content=bad).status_code == 422, bad


def test_the_outlook_is_that_of_the_command_line(client: TestClient, capsys: pytest.CaptureFixture[str]) -> None:
    """``outlook=true`` in the address or beside the record gives the lines of ``--outlook``; anything but true or false is refused; ``why`` takes it too."""
    path = ROOT / "patients" / "pid-adult-us.yaml"
    run_plan([str(path)], Choices(jurisdiction="US", as_of=DAY, outlook=True), "json", "")
    printed = capsys.readouterr().out
    assert '"outlook.curve"' in printed
    assert client.post(f"/api/v1/plan?jurisdiction=US&as_of={DAY}&outlook=true", content=path.read_bytes()).text == printed
    together = {"record": path.read_text(encoding="utf-8"), "choices": {"jurisdiction": "US", "as_of": DAY, "outlook": True}}
    assert client.post("/api/v1/plan", json=together).text == printed
    refused = client.post("/api/v1/plan?jurisdiction=US&outlook=perhaps", content=path.read_bytes())
    assert refused.status_code == 422
    assert "true or false" in refused.text
    assert run_why(str(path), "outlook.igg", Choices(jurisdiction="US", as_of=DAY, outlook=True)) == 0
    shown = capsys.readouterr().out
    asked = client.post(f"/api/v1/why?jurisdiction=US&as_of={DAY}&outlook=true&line=outlook.igg", content=path.read_bytes(), headers={"accept": "text/plain"})
    assert "navarro-mora-2022" in asked.text
    assert "navarro-mora-2022" in shown


def test_the_leaflet_is_that_of_the_command_line(client: TestClient, tmp_path: Path) -> None:
    """HTML and PDF byte for byte, with the curve; text by its header; a bad record is refused with its problems."""
    path = ROOT / "patients" / "pid-adult-us.yaml"
    address = f"/api/v1/leaflet?jurisdiction=US&as_of={DAY}"
    for name, accept in (("l.html", "text/html"), ("l.pdf", "application/pdf")):
        run_plan([str(path)], Choices(jurisdiction="US", as_of=DAY), "leaflet", str(tmp_path / name))
        given = client.post(address, content=path.read_bytes(), headers={"accept": accept})
        assert given.content == (tmp_path / name).read_bytes()
        assert given.headers["content-type"].startswith(accept)
    assert b"<svg" in client.post(address, content=path.read_bytes()).content
    assert client.post(address, content=path.read_bytes(), headers={"accept": "text/plain"}).text.startswith("YOUR IMMUNOGLOBULIN TREATMENT")
    assert client.post(address, content=b"x: 1").status_code == 422


def test_a_question_about_the_coming_igg_is_answered_as_on_the_command_line(client: TestClient, tmp_path: Path) -> None:
    """The lines of the forecast come the same way, byte for byte, and stand on the page too."""
    path, question, target = ROOT / "examples" / "pid-with-levels.yaml", "What will the trough be?", tmp_path / "answer.json"
    assert run_ask(question, Wanted(jurisdiction="US", record=str(path), as_of=DAY, form="json", out=str(target))) == 0
    record = path.read_text(encoding="utf-8")
    given = client.post("/api/v1/ask", json={"record": record, "question": question, "jurisdiction": "US", "as_of": DAY})
    assert given.content == target.read_bytes()
    assert '"kind": "forecast"' in given.text
    assert "just before the dose of" in client.post("/ask", data={"record": record, "question": question, "jurisdiction": "US", "audience": "clinician"}).text
