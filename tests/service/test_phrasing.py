"""The language model behind an answer: only sentences of the evidence go out, only to hosts that are allowed, and no failure changes the answer."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fastapi.testclient import TestClient

from ivigil.answers.answer import Answer, Rewording
from ivigil.answers.ask import Asking, answer
from ivigil.basis.problems import BadInput
from ivigil.cli.ask_command import Wanted, run_ask
from ivigil.service.app import application
from ivigil.service.hospital import Hospital
from ivigil.service.phrasing import Phrasing, phrased, unfit
from ivigil.service.settings import Settings, read_settings

ROOT = Path(__file__).resolve().parents[2]
QUESTION = "What is the dose of Privigen in CIDP?"
Write = Callable[[BaseHTTPRequestHandler, list[str]], None]


class Stub:
    """A server that answers as a test tells it, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.write: Write = lambda handler, sentences: reply(handler, sentences)
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                stub.asked.append(body)
                stub.paths.append(self.path)
                try:
                    stub.write(self, json.loads(body["messages"][1]["content"]))
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:
                """Nothing is printed."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def reply(handler: BaseHTTPRequestHandler, said: Any) -> None:
    """The chat interface, with ``said`` as what the model wrote."""
    raw(handler, json.dumps({"choices": [{"message": {"role": "assistant", "content": json.dumps(said)}}]}).encode())


def raw(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


@pytest.fixture
def stub() -> Iterator[Stub]:
    one = Stub()
    yield one
    one.close()


def _made(hospital: Hospital, question: str = QUESTION, record: Any = None) -> Answer:
    return answer(question, hospital.evidence, Asking("clinician", "US", date(2026, 11, 20), record))


def _small(sentences: list[str]) -> list[str]:
    return [text.replace(" the ", " ", 1) for text in sentences]


def _texts(made: Answer) -> list[str]:
    return [sentence.text for sentence in made.sentences]


def test_small_words_are_reworded_and_marked(stub: Stub, us_hospital: Hospital) -> None:
    """Temperature 0, no streaming, the path of the interface; every sentence without its first 'the' is accepted."""
    stub.write = lambda handler, sentences: reply(handler, _small(sentences))
    made = _made(us_hospital)
    out = phrased(made, Phrasing(stub.url, "stub"))
    assert isinstance(out.phrasing, Rewording)
    assert out.phrasing.reworded == len([text for text in json.loads(stub.asked[0]["messages"][1]["content"]) if " the " in text]) > 0
    assert (stub.asked[0]["temperature"], stub.asked[0]["stream"], stub.asked[0]["model"]) == (0, False, "stub")
    assert stub.paths == ["/v1/chat/completions"]
    assert [sentence.composed or sentence.text for sentence in out.sentences] == _texts(made)


@pytest.mark.parametrize(("path", "expected"), [("", "/v1/chat/completions"), ("/", "/v1/chat/completions"), ("/v1", "/v1/chat/completions"),
                                                ("/api/v1/", "/api/v1/chat/completions"), ("/v1/chat/completions", "/v1/chat/completions")])
def test_the_address_may_be_written_as_far_as_people_write_it(stub: Stub, us_hospital: Hospital, path: str, expected: str) -> None:
    """With or without the path of the interface."""
    phrased(_made(us_hospital), Phrasing(stub.url + path))
    assert stub.paths == [expected]


def _slow(handler: BaseHTTPRequestHandler, sentences: list[str]) -> None:
    time.sleep(3)
    reply(handler, sentences)


def _dripping(handler: BaseHTTPRequestHandler, sentences: list[str]) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    for _ in range(30):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.1)


def _cut(handler: BaseHTTPRequestHandler, sentences: list[str]) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "500")
    handler.end_headers()
    handler.wfile.write(b'{"choices": [')
    handler.close_connection = True


FAILURES: dict[str, tuple[Write, str]] = {
    "status 500": (lambda handler, _: raw(handler, b"oops", 500), "status 500"),
    "status 401": (lambda handler, _: raw(handler, b"{}", 401), "status 401"),
    "empty": (lambda handler, _: raw(handler, b""), "does not follow"),
    "a page": (lambda handler, _: raw(handler, b"<html><body>hello</body></html>"), "does not follow"),
    "broken JSON": (lambda handler, _: raw(handler, b'{"choices": [{'), "does not follow"),
    "deep JSON": (lambda handler, _: raw(handler, b"[" * 100_000), "does not follow"),
    "another shape": (lambda handler, _: raw(handler, b'{"error": {"message": "no model"}}'), "does not follow"),
    "no choice": (lambda handler, _: raw(handler, b'{"choices": []}'), "does not follow"),
    "content that is no text": (lambda handler, _: raw(handler, b'{"choices": [{"message": {"content": 7}}]}'), "does not follow"),
    "bytes that are no text": (lambda handler, _: raw(handler, b"\xff\xfe\x00"), "does not follow"),
    "words instead of a list": (lambda handler, _: reply(handler, "Certainly! Here are the sentences."), "no list"),
    "one sentence too few": (lambda handler, sentences: reply(handler, sentences[1:]), "sentences for"),
    "merged sentences": (lambda handler, sentences: reply(handler, [" ".join(sentences)]), "sentences for"),
    "one sentence too many": (lambda handler, sentences: reply(handler, [*sentences, "Drink water."]), "sentences for"),
    "huge": (lambda handler, _: raw(handler, b" " * 2_000_000), "too large"),
    "slow": (_slow, "longer than"),
    "dripping": (_dripping, "longer than"),
    "cut off": (_cut, ""),
}


@pytest.mark.parametrize("name", FAILURES)
def test_whatever_goes_wrong_leaves_the_answer_as_composed(stub: Stub, us_hospital: Hospital, name: str) -> None:
    """And says what it was."""
    stub.write, why = FAILURES[name]
    made = _made(us_hospital)
    out = phrased(made, Phrasing(stub.url, seconds=0.6))
    assert isinstance(out.phrasing, Rewording)
    assert why in out.phrasing.failed
    assert out.phrasing.failed
    assert out.phrasing.reworded == 0
    assert msgspec.structs.replace(out, phrasing=msgspec.UNSET) == made


def test_nobody_is_followed_elsewhere(stub: Stub, us_hospital: Hospital) -> None:
    """A redirect to another server is no reply, and that server hears nothing."""
    other = Stub()
    try:
        for status in (301, 302, 307, 308):
            stub.write = lambda handler, _, status=status: raw(handler, b"", status, Location=f"{other.url}/v1/chat/completions")  # type: ignore[misc]
            out = phrased(_made(us_hospital), Phrasing(stub.url))
            assert isinstance(out.phrasing, Rewording)
            assert f"status {status}" in out.phrasing.failed
        assert other.asked == []
    finally:
        other.close()


def test_nobody_listening_is_no_harm(us_hospital: Hospital) -> None:
    """A port where nothing is."""
    one = Stub()
    url = one.url
    one.close()
    out = phrased(_made(us_hospital), Phrasing(url))
    assert isinstance(out.phrasing, Rewording)
    assert "cannot be reached" in out.phrasing.failed


def test_bad_sentences_fall_back_one_by_one(stub: Stub, us_hospital: Hospital) -> None:
    """A reply that turns every g/kg into mg/kg and every 'not' into nothing changes no such sentence."""
    stub.write = lambda handler, sentences: reply(handler, [text.replace("g/kg", "mg/kg").replace(" not ", " ") for text in sentences])
    made = _made(us_hospital)
    out = phrased(made, Phrasing(stub.url))
    assert _texts(out) == _texts(made)
    assert isinstance(out.phrasing, Rewording)
    assert out.phrasing.kept["a number or its unit differs"] > 0


def test_nothing_of_a_patient_goes_out(stub: Stub, us_hospital: Hospital) -> None:
    """With a record: neither its id, nor the question, nor a line of the plan, nor a forecast, nor a sum."""
    (record,) = us_hospital.records((ROOT / "examples" / "pid-with-levels.yaml").read_bytes(), date(2026, 11, 20))
    made = _made(us_hospital, "What will the trough be on 0.6 g/kg every 3 weeks for 70 kg, and what is the dose?", record)
    kinds = {sentence.kind for sentence in made.sentences}
    assert {"plan-line", "forecast"} <= kinds
    phrased(made, Phrasing(stub.url))
    gone = json.dumps(stub.asked, ensure_ascii=False)
    assert record.id not in gone
    assert made.question not in gone
    for sentence in made.sentences:
        if sentence.kind not in {"statement", "entry"}:
            assert sentence.text not in gone


def test_an_emergency_is_never_sent(stub: Stub, us_hospital: Hospital) -> None:
    """Nor a refusal."""
    for question in ("chest pain and cannot breathe during my infusion right now", "What is the dose of paracetamol?", ""):
        assert phrased(_made(us_hospital, question), Phrasing(stub.url)) == _made(us_hospital, question)
    assert stub.asked == []


@pytest.mark.parametrize(("url", "hosts", "why"), [
    ("ftp://127.0.0.1", (), "not an http"), ("127.0.0.1:8080", (), "not an http"), ("http://", (), "not an http"),
    ("http://127.0.0.1:99999", (), "not an http"),
    ("http://user:secret@127.0.0.1", (), "not an http"), ("http://127.0.0.1/v1?key=1", (), "not an http"), ("http://127.0.0.1/\r\nHost: x", (), "not an http"),
    ("http://127.0.0.1@evil.example", (), "not an http"), ("https://api.example.com", (), "neither this machine"),
    ("http://127.0.0.1.evil.example", (), "neither this machine"), ("http://localhost.evil.example", (), "neither this machine"),
    ("http://169.254.169.254", (), "neither this machine"), ("http://0.0.0.0", (), "neither this machine"),
    ("http://[::ffff:10.0.0.1]", (), "neither this machine"),
    ("http://models.hospital.example", ("models.hospital.example",), "in the clear"), ("http://127.0.0.1", ("http://x/y",), "no host name"),
])
def test_addresses_that_are_refused(url: str, hosts: tuple[str, ...], why: str, us_hospital: Hospital) -> None:
    """Before anything is sent, with a remedy."""
    phrasing = Phrasing(url, hosts=hosts)
    problems = list(unfit(phrasing, "--phrase", ""))
    assert any(why in problem.why for problem in problems)
    assert all(problem.remedy for problem in problems)
    assert phrased(_made(us_hospital), phrasing) == _made(us_hospital)


@pytest.mark.parametrize(("url", "hosts"), [("http://127.0.0.1:8080", ()), ("http://localhost/v1", ()), ("http://[::1]:8080", ()),
                                            ("https://Models.hospital.example", ("models.hospital.example",))])
def test_addresses_that_are_allowed(url: str, hosts: tuple[str, ...]) -> None:
    """The same machine, and hosts that are named, over TLS."""
    assert list(unfit(Phrasing(url, hosts=hosts), "")) == []


def test_the_settings_of_a_service_are_checked() -> None:
    """Every problem with its line."""
    found = read_settings("phrasing:\n  url: http://127.0.0.1:8080\n  model: small\n  seconds: 5\n", "settings.yaml")
    assert found.phrasing == Phrasing("http://127.0.0.1:8080", "small", (), 5)
    with pytest.raises(BadInput) as caught:
        read_settings("phrasing:\n  url: https://api.example.com\n  seconds: 0\n", "settings.yaml")
    assert [problem.line for problem in caught.value.problems] == [1, 1]


def test_rest_and_page_use_the_settings_of_the_service(stub: Stub, us_hospital: Hospital) -> None:
    """JSON says which sentences were reworded and from what; the page marks them."""
    stub.write = lambda handler, sentences: reply(handler, _small(sentences))
    app = application(us_hospital, Settings(phrasing=Phrasing(stub.url, "stub")))
    with TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 50000)) as client:
        plain = client.post("/api/v1/ask", json={"question": QUESTION, "jurisdiction": "US"}).json()
        page = client.post("/ask", data={"question": QUESTION, "jurisdiction": "US", "audience": "clinician"}).text
    assert plain["phrasing"]["reworded"] > 0
    said = [sentence for part in [plain["short"], plain["corrections"], *(section["sentences"] for section in plain["sections"])] for sentence in part]
    assert len([sentence for sentence in said if sentence.get("composed")]) >= plain["phrasing"]["reworded"]
    assert "reworded" in page


def test_the_command_asks_only_when_told(stub: Stub, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``--phrase`` rewords; without it nothing is sent, and the JSON knows of no phrasing; an address that is not allowed is bad input."""
    stub.write = lambda handler, sentences: reply(handler, _small(sentences))
    plain, other = tmp_path / "plain.json", tmp_path / "other.json"
    assert run_ask(QUESTION, Wanted(jurisdiction="US", as_of="2026-11-20", form="json", out=str(plain))) == 0
    assert stub.asked == []
    assert "phrasing" not in plain.read_text(encoding="utf-8")
    assert run_ask(QUESTION, Wanted(jurisdiction="US", as_of="2026-11-20", form="json", out=str(other), phrase=stub.url)) == 0
    assert json.loads(other.read_text(encoding="utf-8"))["phrasing"]["endpoint"] == stub.url
    capsys.readouterr()
    assert run_ask(QUESTION, Wanted(jurisdiction="US", phrase="https://api.example.com")) == 2
    assert "neither this machine nor an allowed host" in capsys.readouterr().err


def test_the_ordinary_way_loads_no_network() -> None:
    """Neither httpx nor http.client comes with an answer."""
    code = ("import sys; from ivigil.cli.ask_command import Wanted, run_ask; "
            f"run_ask({QUESTION!r}, Wanted(jurisdiction='US', as_of='2026-11-20', form='json')); "
            "assert not {'httpx', 'http.client', 'ssl'} & set(sys.modules), sorted(sys.modules)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
