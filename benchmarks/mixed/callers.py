"""The callers of the mixed load: people at their pages, programs, and a record system. Each knows what its answer must be."""

from __future__ import annotations

import http.client
import json
import random
import re
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from joserfc import jwt

from .expected import DAY, QUESTIONS, RECORDS, SIGN, VIEW, Expected, call_bytes, without_chance
from .ledger import Kept, Ledger
from .service import ISSUER, PASSWORD, Service

LONGEST = 120
"""Seconds after which a caller gives up on an answer; the service promises one within 45."""
JUDGED = ("crps-pain.nhs.standing", "crps-pain.nhs.dose", "crps-pain.trial", "crps-pain.alternatives")
"""Statements of one file that no plan of the load rests on: verdicts on them meet in that file and change no plan but its evidence version."""
_FORM = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}


class Broken(Exception):
    """The answer did not arrive whole."""


@dataclass(frozen=True)
class Answer:
    """One whole answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def ask(port: int, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
    """One request on a connection of its own.

    Raises:
        Broken: no whole answer came.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST)
    try:
        connection.request(method, path, body or None, {**(headers or {}), "connection": "close"})
        came = connection.getresponse()
        return Answer(came.status, {name.lower(): value for name, value in came.getheaders()}, came.read())
    except (OSError, http.client.HTTPException) as error:
        raise Broken(f"{type(error).__name__}: {error}") from None
    finally:
        connection.close()


def clean_refusal(answer: Answer) -> str:
    """Why a refusal is not the documented one; empty when it is: 503 or 429, in the one shape, with the time to try again."""
    if answer.status not in {429, 503}:
        return f"status {answer.status}: {answer.body[:200]!r}"
    if not re.fullmatch(r"[1-9][0-9]{0,3}", answer.headers.get("retry-after", "")):
        return f"{answer.status} without Retry-After: {answer.body[:200]!r}"
    kind = answer.headers.get("content-type", "")
    if kind.startswith("text/html"):
        return "" if b"<h1" in answer.body else f"{answer.status} with a page that says nothing"
    if kind.partition(";")[0] not in {"application/problem+json", "application/fhir+json"}:
        return f"{answer.status} as {kind}: {answer.body[:200]!r}"
    told = json.loads(answer.body)
    return "" if told.get("problems") or told.get("issue") else f"{answer.status} without a problem: {answer.body[:200]!r}"


@dataclass
class Caller:
    """One caller, doing one thing after another until told to stop."""

    who: str
    service: Service
    expected: Expected
    ledger: Ledger
    chance: random.Random
    cookie: str = ""
    cards: list[str] = field(default_factory=list)

    def run(self, acts: Mapping[str, Callable[[], None]], over: Callable[[], bool], pause: float) -> None:
        """Act until it is over. Nothing that happens to one act ends the others."""
        names = list(acts)
        while not over():
            name = self.chance.choice(names)
            try:
                acts[name]()
            except _Settled:
                time.sleep(0.2)
            except Exception as error:
                self.ledger.note_wrong(name, f"{type(error).__name__}: {error}")
            time.sleep(self.chance.uniform(0, 2 * pause))

    # --- asking ---------------------------------------------------------------------------------------------------------

    def told(self, what: str, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None, *, wanted: int = 200) -> Answer:
        """The answer, when it has the wanted status; all else is written down here."""
        began = time.monotonic()
        try:
            answer = ask(self.service.port, method, path, body, headers)
        except Broken as error:
            self.ledger.note_cut(what, began, str(error))
            raise _Settled from None
        if answer.status != wanted:
            fault = clean_refusal(answer)
            if fault:
                self.ledger.note_wrong(what, fault)
            else:
                self.ledger.note_refused(what)
            raise _Settled
        self.ledger.note_right(what, time.monotonic() - began)
        return answer

    def by_token(self) -> dict[str, str]:
        """As a program."""
        return {"authorization": f"Bearer {self.service.tokens[self.who]}"}

    def by_page(self) -> dict[str, str]:
        """As a browser in which this person signed in."""
        if not self.cookie:
            self.sign_in()
        return {**_FORM, "cookie": self.cookie}

    def sign_in(self) -> None:
        """With name and password."""
        body = urlencode({"name": self.who, "password": PASSWORD, "next": "/account"}).encode()
        answer = self.told("sign in", "POST", "/sign-in", body, _FORM, wanted=303)
        self.cookie = answer.headers["set-cookie"].partition(";")[0]

    def compare(self, what: str, expected: bytes, answer: bytes) -> None:
        """An answer that is not the expected one is wrong."""
        if not self.expected.same(expected, answer):
            at = next((place for place, (one, other) in enumerate(zip(expected, answer, strict=False)) if one != other), min(len(expected), len(answer)))
            self.ledger.note_wrong(what, f"differs at byte {at}: {answer[at - 60 : at + 60]!r} instead of {expected[at - 60 : at + 60]!r}")

    # --- plans, forecasts, questions ---------------------------------------------------------------------------------------

    def rest_plan(self) -> None:
        """A plan over REST is that of this process."""
        name = self.chance.choice(RECORDS)
        answer = self.told("REST plan", "POST", f"/api/v1/plan?jurisdiction=US&as_of={DAY}", self.expected.records[name], self.by_token())
        self.compare("REST plan", self.expected.plans[name], answer.body)

    def page_plan(self) -> None:
        """So is the one that the page gives as JSON."""
        name = self.chance.choice(RECORDS)
        answer = self.told("page plan", "POST", "/plan/json", self._form(name), self.by_page())
        self.compare("page plan", self.expected.plans[name], answer.body)

    def forecast(self) -> None:
        """A forecast."""
        answer = self.told("forecast", "POST", "/api/v1/forecast", self.expected.forecast_body, {**self.by_token(), "content-type": "application/json"})
        self.compare("forecast", self.expected.forecast, answer.body)

    def question(self) -> None:
        """An answer in words."""
        asked = self.chance.choice(QUESTIONS)
        answer = self.told("ask", "POST", "/api/v1/ask", self.expected.question_body(asked), {**self.by_token(), "content-type": "application/json"})
        self.compare("ask", self.expected.answers[asked], answer.body)

    def fhir(self) -> None:
        """A plan as FHIR."""
        answer = self.told("FHIR $plan", "POST", self.expected.fhir_path, self.expected.bundle, {**self.by_token(), "content-type": "application/fhir+json"})
        self.compare("FHIR $plan", self.expected.guidance, answer.body)

    def _form(self, name: str) -> bytes:
        return urlencode({"record": self.expected.records[name].decode(), "jurisdiction": "US", "as_of": DAY}).encode()

    # --- saved plans --------------------------------------------------------------------------------------------------------

    def rest_save(self) -> None:
        """Save over REST; what is acknowledged goes into the book."""
        name = self.chance.choice(RECORDS)
        record = self.expected.records[name]
        with self.ledger.a_write():
            answer = self.told("REST save", "POST", f"/api/v1/plans?jurisdiction=US&as_of={DAY}", record, self.by_token(), wanted=201)
        self.ledger.plans[json.loads(answer.body)["id"]] = Kept(self.who, record, self.expected.plans[name])

    def page_save(self) -> None:
        """Save from the page."""
        name = self.chance.choice(RECORDS)
        headers = self.by_page()
        with self.ledger.a_write():
            answer = self.told("page save", "POST", "/plan/save", self._form(name), headers, wanted=303)
        identity = answer.headers["location"].rpartition("/")[2]
        self.ledger.plans[identity] = Kept(self.who, self.expected.records[name], self.expected.plans[name])

    def read_back(self) -> None:
        """A saved plan of one's own is there as it was; for somebody else it is not there."""
        with self.ledger.a_plan(self.chance.choice) as found:
            if found is None:
                return
            identity, kept = found
            as_owner = {"authorization": f"Bearer {self.service.tokens[kept.owner]}"}
            self.compare("read back", kept.document, self.told("read back", "GET", f"/api/v1/plans/{identity}/plan", headers=as_owner).body)
            record = self.told("read back", "GET", f"/api/v1/plans/{identity}/record", headers=as_owner).body
            if record.strip() != kept.record.strip():
                self.ledger.note_wrong("read back", f"the record of {identity} is another")
            wanted = 200 if self.who == kept.owner else 404
            other = self.told("a stranger's plan", "GET", f"/api/v1/plans/{identity}/plan", headers=self.by_token(), wanted=wanted)
            if self.who != kept.owner and kept.record[:40] in other.body:
                self.ledger.note_wrong("a stranger's plan", "shows the record")

    def page_read(self) -> None:
        """The page of a saved plan says that it comes out the same; a stranger is told that there is none."""
        headers = self.by_page()
        with self.ledger.a_plan(self.chance.choice) as found:
            if found is not None:
                wanted = 200 if self.who == found[1].owner else 404
                self.told("page of a saved plan", "GET", f"/plan/saved/{found[0]}", headers=headers, wanted=wanted)

    def forget(self) -> None:
        """Delete one of one's own: seldom, so that most stay to be counted."""
        identity = self.ledger.let_go(self.who, self.chance.choice) if self.chance.random() < 0.1 else ""
        if not identity:
            return
        try:
            self.told("delete", "DELETE", f"/api/v1/plans/{identity}", headers=self.by_token(), wanted=204)
            self.ledger.forgotten[identity] = self.who
        except _Settled:
            pass  # gone or not: nothing was promised, so nothing is counted

    def refused_save(self) -> None:
        """Whoever may only look keeps nothing."""
        record = self.expected.records[RECORDS[0]]
        self.told("save without the role", "POST", f"/api/v1/plans?jurisdiction=US&as_of={DAY}", record, self.by_token(), wanted=403)

    # --- the record system ---------------------------------------------------------------------------------------------------

    def _signed(self, path: str) -> dict[str, str]:
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": f"http://127.0.0.1:{self.service.port}{path}", "exp": now + 300, "iat": now, "jti": str(uuid.uuid4())}
        token = jwt.encode({"alg": "ES384", "typ": "JWT", "kid": "1"}, claims, self.service.key, algorithms=["ES384"])
        return {"authorization": f"Bearer {token}", "content-type": "application/json"}

    def cards_for(self) -> None:
        """Cards at signing and when a patient is opened, each call with a token of its own."""
        hook, dose = self.chance.choice((("order-sign", 0.4), ("order-sign", 2.0), ("patient-view", 0.0)))
        path = SIGN if hook == "order-sign" else VIEW
        before = self.expected.cards(hook, dose)
        answer = self.told(f"CDS {hook}", "POST", path, call_bytes(hook, dose), self._signed(path))
        if without_chance(answer.body) not in {before, self.expected.cards(hook, dose)}:
            self.ledger.note_wrong(f"CDS {hook}", f"other cards: {answer.body[:300]!r}")
        if hook == "order-sign":
            self.cards += [card["uuid"] for card in json.loads(answer.body)["cards"]]

    def replay(self) -> None:
        """A token that was used is refused, whichever worker it reaches."""
        headers = self._signed(SIGN)
        body = call_bytes("order-sign", 0.4)
        self.told("CDS order-sign", "POST", SIGN, body, headers)
        self.told("a token used twice", "POST", SIGN, body, headers, wanted=401)

    def report(self) -> None:
        """Feedback on a card that was given out."""
        if not self.cards:
            self.cards_for()
            return
        card = self.cards.pop()
        one = {"card": card, "outcome": "overridden", "outcomeTimestamp": "2026-11-20T21:25:12Z", "overrideReason": {"userComment": "discussed"}}
        path = f"{SIGN}/feedback"
        with self.ledger.a_write():
            self.told("feedback", "POST", path, json.dumps({"feedback": [one]}).encode(), self._signed(path))
        self.ledger.feedback.append((card, "overridden"))

    # --- review, sessions, the trail -------------------------------------------------------------------------------------------

    def judge(self) -> None:
        """A verdict with a reason that nobody else writes."""
        statement, reason = self.chance.choice(JUDGED), f"load {uuid.uuid4().hex}"
        headers = self.by_page()
        with self.ledger.a_write():
            self.told("verdict", "POST", f"/review/{statement}", urlencode({"status": "under-review", "reason": reason}).encode(), headers)
        self.ledger.verdicts.append((statement, reason))

    def come_and_go(self) -> None:
        """Sign in, be known, sign out, be unknown."""
        self.cookie = ""
        headers = self.by_page()
        self.told("account", "GET", "/account", headers=headers)
        self.told("sign out", "POST", "/sign-out", headers=headers, wanted=303)
        self.ledger.left.append(self.cookie)
        self.told("after sign-out", "GET", "/api/v1/plans", headers={"cookie": self.cookie}, wanted=401)

    def trail(self) -> None:
        """The administrator reads the trail, and nobody else."""
        after = self.chance.randrange(0, 50)
        answer = self.told("audit trail", "GET", f"/api/v1/audit?after={after}&limit=50", headers=self.by_token(), wanted=200 if self.who == "adam" else 403)
        if self.who == "adam":
            numbers = [entry["seq"] for entry in json.loads(answer.body)["entries"]]
            if numbers != list(range(after + 1, after + 1 + len(numbers))):
                self.ledger.note_wrong("audit trail", f"numbers {numbers[:5]} after {after}")

    def evidence(self) -> None:
        """What the evidence holds: found as it was."""
        answer = self.told("evidence", "GET", "/api/v1/evidence/products/privigen-us", headers=self.by_token())
        if json.loads(answer.body)["entry"]["id"] != "privigen-us":
            self.ledger.note_wrong("evidence", "another entry")


class _Settled(Exception):
    """The answer was not the wanted one, and that is written down."""
