"""SMART App Launch 2.2: how a record system, or a person, opens ivigil with one patient in context.

The steps are those of hl7.org/fhir/smart-app-launch: discovery, authorisation code with PKCE (S256), token, reading. Only FHIR servers named in the settings
are ever asked; what a request says about addresses is never followed. The access token is used for one reading and then forgotten.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import msgspec

from ivigil.basis.conversion import convert, from_json
from ivigil.basis.problems import Problem
from ivigil.service.errors import Refused
from ivigil.service.settings import RecordSystems, is_loopback

SCOPES = ("openid", "fhirUser", "patient/Patient.r", "patient/Condition.rs", "patient/Observation.rs", "patient/AllergyIntolerance.rs",
          "patient/MedicationRequest.rs", "patient/MedicationAdministration.rs", "patient/Immunization.rs")
"""What is asked for: to read one patient. Nothing is written."""
SEARCHES: tuple[tuple[str, dict[str, str]], ...] = (
    ("Condition", {}), ("Observation", {"category": "vital-signs"}), ("Observation", {"category": "laboratory"}), ("AllergyIntolerance", {}),
    ("MedicationRequest", {}), ("MedicationAdministration", {}), ("Immunization", {}),
)
"""The searches that gather a patient, each ``(type, further parameters)``."""
PENDING_SECONDS = 600
"""How long somebody may take to sign in at the record system."""

_TIMEOUT = httpx.Timeout(10, connect=5)
_LARGEST = 16_000_000
_MOST_PAGES = 20
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_PLACE = "smart"


class Endpoints(msgspec.Struct, frozen=True):
    """What the record system's ``.well-known/smart-configuration`` says."""

    authorization_endpoint: str
    token_endpoint: str
    code_challenge_methods_supported: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()


class Pending(msgspec.Struct, frozen=True):
    """A launch on its way through the record system; kept in a cookie of the browser that began it.

    It names no address but ``iss``, which is compared with the settings again when the browser comes back.
    """

    iss: str
    state: str
    verifier: str
    began: int


class Token(msgspec.Struct, frozen=True):
    """What the token endpoint gave: the right to read one patient."""

    access_token: str
    token_type: str = ""
    patient: str = ""
    scope: str = ""


class Gathered(msgspec.Struct, frozen=True):
    """A patient as a FHIR Bundle, how many resources of each type it holds, and what could not be read and why."""

    bundle: bytes
    counts: dict[str, int]
    not_read: tuple[str, ...] = ()


def known_server(iss: str, systems: RecordSystems) -> str:
    """The FHIR server of the settings that ``iss`` names, exactly but for a closing slash.

    Raises:
        Refused: 403, no server of this name is in the settings or ivigil has no client id there.
    """
    found = next((server for server in systems.fhir_servers if server.rstrip("/") == iss.rstrip("/")), None)
    if found is None:
        raise Refused(403, Problem(_PLACE, 0, "iss", "this record system is not known here",
                                   "add its FHIR address to record_systems.fhir_servers in the settings"))
    if not systems.smart_client_id:
        raise Refused(403, Problem(_PLACE, 0, "smart_client_id", "ivigil has no client id at the record system",
                                   "register ivigil there and write the id into record_systems.smart_client_id"))
    return found.rstrip("/")


def begun(server: str, now: int) -> Pending:
    """A new launch with a state and a PKCE verifier that nobody can guess."""
    return Pending(server, secrets.token_urlsafe(32), secrets.token_urlsafe(64), now)


def authorize_url(endpoints: Endpoints, pending: Pending, systems: RecordSystems, redirect: str, launch: str) -> str:
    """Where the browser is sent to sign in. ``launch`` is the record system's handle for the context, empty for a standalone launch."""
    scopes = [*(["launch"] if launch else ["launch/patient"]), *SCOPES]
    query = {
        "response_type": "code", "client_id": systems.smart_client_id, "redirect_uri": redirect, "scope": " ".join(scopes),
        "state": pending.state, "aud": pending.iss, "code_challenge": challenge(pending.verifier), "code_challenge_method": "S256",
        **({"launch": launch} if launch else {}),
    }
    return f"{endpoints.authorization_endpoint}{'&' if '?' in endpoints.authorization_endpoint else '?'}{urlencode(query)}"


def challenge(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636, section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode()


def sealed(pending: Pending) -> str:
    """A pending launch as the value of a cookie."""
    return base64.urlsafe_b64encode(msgspec.json.encode(pending)).decode()


def opened(cookie: str, state: str, now: int) -> Pending:
    """The pending launch of a cookie, if the record system answers to it.

    Raises:
        Refused: 403, no launch was begun in this browser, it is too old, or the state is another one.
    """
    try:
        pending = from_json(base64.urlsafe_b64decode(cookie.encode("ascii", "strict")), Pending)
    except (ValueError, msgspec.DecodeError):
        raise _refused("no launch was begun in this browser") from None
    if not 0 <= now - pending.began <= PENDING_SECONDS:
        raise _refused(f"the launch was begun more than {PENDING_SECONDS // 60} minutes ago")
    if not secrets.compare_digest(pending.state.encode(), state.encode()):
        raise _refused("the answer belongs to another launch")
    return pending


class Server:
    """One FHIR server, over a client that follows no redirect and gives up soon."""

    def __init__(self, base: str, client: httpx.AsyncClient) -> None:
        self.base = base
        self.client = client

    async def endpoints(self) -> Endpoints:
        """Where to sign in.

        Raises:
            Refused: 502, the server does not answer, offers no PKCE, or names an address that is not https.
        """
        data = await self._json(f"{self.base}/.well-known/smart-configuration", {"Accept": "application/json"})
        try:
            found = convert(data, Endpoints)
        except msgspec.ValidationError as error:
            raise _bad(f"its SMART configuration cannot be used: {error}") from None
        if "S256" not in found.code_challenge_methods_supported:
            raise _bad("it offers no PKCE with S256")
        for address in (found.authorization_endpoint, found.token_endpoint):
            parts = urlsplit(address)
            if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))):
                raise _bad("it names an address that is not https")
        return found

    async def token(self, endpoints: Endpoints, pending: Pending, client_id: str, redirect: str, code: str) -> Token:
        """The token for a code.

        Raises:
            Refused: 502, the server refused the code or gave no patient.
        """
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "client_id": client_id, "code_verifier": pending.verifier}
        try:
            answer = await self.client.post(endpoints.token_endpoint, data=form, headers={"Accept": "application/json"})
        except httpx.HTTPError as error:
            raise _bad(f"it does not answer ({type(error).__name__})") from None
        if answer.status_code != 200:
            raise _bad(f"it did not accept the sign-in (status {answer.status_code})")
        try:
            token = from_json(answer.content[:_LARGEST], Token)
        except msgspec.DecodeError:
            raise _bad("its token cannot be read") from None
        if token.token_type.lower() != "bearer" or not token.access_token.isascii() or not token.access_token.isprintable():
            raise _bad("its token is of an unknown kind")
        if not _ID.fullmatch(token.patient):
            raise Refused(412, Problem(_PLACE, 0, "patient", "the record system opened no patient", "choose a patient there first"))
        return token

    async def gathered(self, token: Token) -> Gathered:
        """The patient with all that the searches find, as one Bundle. What is refused or missing is named, never taken for "none".

        Raises:
            Refused: 502, the patient itself cannot be read.
        """
        headers = {"Authorization": f"Bearer {token.access_token}", "Accept": "application/fhir+json"}
        patient = await self._json(f"{self.base}/Patient/{token.patient}", headers)
        if not isinstance(patient, dict) or patient.get("resourceType") != "Patient" or patient.get("id") != token.patient:
            raise _bad("it gave another resource than the patient in context")
        resources: list[dict[str, Any]] = [patient]
        not_read = []
        for kind, further in SEARCHES:
            query = urlencode({"patient": token.patient, **further, "_count": "200"})
            try:
                async for page in self._pages(f"{self.base}/{kind}?{query}", headers):
                    resources.extend(_entries(page, kind))
            except Refused as error:
                about = f"{kind} ({further['category']})" if further else kind
                not_read.append(f"{about}: {error.problems[0].why}")
        counts: dict[str, int] = {}
        for resource in resources:
            counts[resource["resourceType"]] = counts.get(resource["resourceType"], 0) + 1
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": resource} for resource in resources]}
        return Gathered(msgspec.json.encode(bundle), counts, tuple(not_read))

    async def _pages(self, address: str, headers: dict[str, str]) -> AsyncIterator[dict[str, Any]]:
        for _ in range(_MOST_PAGES):
            page = await self._json(address, headers)
            if not isinstance(page, dict) or page.get("resourceType") != "Bundle":
                raise _bad("it gave no Bundle")
            yield page
            address = next((str(link.get("url", "")) for link in _dicts(page.get("link")) if link.get("relation") == "next"), "")
            if not address:
                return
            if not _below(address, self.base):
                raise _bad("its next page lies on another server")
        raise _bad(f"more than {_MOST_PAGES} pages")

    async def _json(self, address: str, headers: dict[str, str]) -> Any:
        try:
            async with self.client.stream("GET", address, headers=headers) as answer:
                if answer.status_code != 200:
                    raise _bad(f"status {answer.status_code}")
                data = bytearray()
                async for piece in answer.aiter_bytes():
                    data += piece
                    if len(data) > _LARGEST:
                        raise _bad(f"more than {_LARGEST // 1_000_000} MB")
        except httpx.HTTPError as error:
            raise _bad(f"it does not answer ({type(error).__name__})") from None
        try:
            return msgspec.json.decode(bytes(data))
        except (msgspec.DecodeError, RecursionError):
            raise _bad("what it sent is not JSON") from None


@asynccontextmanager
async def client_for(transport: httpx.AsyncBaseTransport | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """A client that follows no redirect and reads no proxy or password from the environment."""
    async with httpx.AsyncClient(transport=transport, timeout=_TIMEOUT, follow_redirects=False, trust_env=False) as client:
        yield client


def _entries(page: dict[str, Any], kind: str) -> Iterable[dict[str, Any]]:
    found = (entry.get("resource") for entry in _dicts(page.get("entry")))
    return [resource for resource in found if isinstance(resource, dict) and resource.get("resourceType") == kind]


def _dicts(value: Any) -> Sequence[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _below(address: str, base: str) -> bool:
    """True when the address lies on the same server, at the FHIR address or under it."""
    there, here = urlsplit(address), urlsplit(base)
    path = here.path.rstrip("/")
    same = (there.scheme, there.netloc) == (here.scheme, here.netloc)
    return same and (there.path.rstrip("/") == path or there.path.startswith(f"{path}/")) and "/../" not in there.path


def _bad(why: str) -> Refused:
    return Refused(502, Problem("record system", 0, "", why, "try again; if it stays, ask those who run the record system"))


def _refused(why: str) -> Refused:
    return Refused(403, Problem(_PLACE, 0, "state", why, "open ivigil from the record system again"))
