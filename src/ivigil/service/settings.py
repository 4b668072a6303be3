"""How one service is run: who may come in, from where, how much it takes at once. Read from a file, checked as a whole."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

import msgspec

from ivigil.basis.problems import BadInput, Problem
from ivigil.basis.shapes import Shaper
from ivigil.basis.strict_yaml import read_yaml
from ivigil.service.phrasing import Phrasing, unfit

Role = Literal["viewer", "prescriber", "reviewer", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one request may cost. Sizes are bytes, times seconds."""

    body: int = 16_000_000
    """The largest body, and the largest document it may unpack to."""
    written: int = 100_000
    """The largest record in YAML, whose strict reader is slow."""
    header: int = 32_768
    """All request headers together."""
    arrival: float = 15
    """How long headers, and then the body, may take to arrive."""
    answer: float = 30
    """How long an answer may be worked on."""


class Rates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many requests a second one caller may send to one worker, and how many at once after a pause."""

    known: float = 500
    """A person or program that signed in, a record system, or an address as a whole."""
    known_burst: float = 1000
    strangers: float = 20
    """An address from which nobody signed in."""
    strangers_burst: float = 100


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sessions and attempts."""

    idle_minutes: int = 30
    hours: int = 12
    attempts: int = 5
    """Failed attempts on one name before it must wait."""
    attempts_per_address: int = 50
    wait_minutes: int = 15
    shortest_password: int = 12


class OpenId(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sign-in through the hospital's own identity service (OpenID Connect, code flow with PKCE)."""

    issuer: str = ""
    client_id: str = ""
    secret_variable: str = ""
    """Name of the environment variable that holds the client secret; empty for a public client."""
    name_claim: str = "preferred_username"
    roles_claim: str = ""
    """The claim that lists roles; only words in ``roles`` count."""
    roles: dict[str, Role] = {}
    """From a word of the claim to a role here."""
    new_users: Literal["refuse", "viewer"] = "refuse"


class Issuer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A record system whose signed calls are trusted (CDS Hooks)."""

    iss: str
    jku: tuple[str, ...] = ()
    """Where its keys may be fetched; nothing else is ever fetched on the word of a token."""
    keys: tuple[dict[str, str], ...] = ()
    """Its public keys as JWK, when they are known beforehand."""
    tenants: tuple[str, ...] = ()


class RecordSystems(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which electronic record systems may call, and which FHIR servers may be read."""

    issuers: tuple[Issuer, ...] = ()
    fhir_servers: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    """Web origins other than our own that may call /cds-services and /fhir from a browser."""
    smart_client_id: str = ""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything about the service that is not clinical. An absent file means a service for one person on this machine."""

    mode: Literal["open", "sign-in"] = "open"
    """``open`` asks nobody who they are and is for this machine alone; ``sign-in`` lets in whom the database knows."""
    public_url: str = ""
    """How browsers reach the service, for example https://ivigil.hospital.example; empty for this machine only."""
    behind_proxy: bool = False
    """True when a proxy on this machine ends TLS and sets X-Forwarded-For and X-Forwarded-Proto."""
    frame_ancestors: tuple[str, ...] = ()
    """Origins of record systems that may show the pages in a frame."""
    metrics: Literal["loopback", "open", "off"] = "loopback"
    note_plans: bool = True
    """Whether the audit trail notes plans and cards that are not kept."""
    limits: Limits = Limits()
    rates: Rates = Rates()
    sign_in: SignIn = SignIn()
    openid: OpenId = OpenId()
    record_systems: RecordSystems = RecordSystems()
    phrasing: Phrasing = Phrasing()
    """A language model that may reword answers; off without an address."""

    @property
    def secure(self) -> bool:
        """True when browsers come over TLS."""
        return self.public_url.startswith("https://")

    @property
    def own_hosts(self) -> frozenset[str]:
        """The names under which a browser may address the service."""
        named = urlsplit(self.public_url).hostname if self.public_url else None
        return frozenset({*_LOOPBACK, *([named] if named else [])})

    @property
    def own_origin(self) -> str:
        """Scheme, host and port of the public address; empty when there is none."""
        parts = urlsplit(self.public_url)
        return f"{parts.scheme}://{parts.netloc}" if self.public_url else ""


def is_loopback(host: str) -> bool:
    """True for an address that only this machine can reach."""
    if host in _LOOPBACK:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_settings(text: str, place: str) -> Settings:
    """Settings from YAML.

    Raises:
        BadInput: malformed, unknown keys, or values that do not fit together; every problem is listed.
    """
    plain, lines = read_yaml(text, place)
    problems: list[Problem] = []
    settings = Shaper().read(plain if plain is not None else {}, Settings, place, lines, (), problems)
    if settings is not None:
        problems.extend(_unfit(settings, place, lines))
    if problems or settings is None:
        raise BadInput(problems)
    return settings


def check_start(settings: Settings, host: str, *, certificate: bool, users: int) -> None:
    """Whether a service with these settings may listen on ``host``.

    Raises:
        BadInput: it would be open to strangers, or would send passwords and patient data in the clear.
    """
    problems: list[Problem] = []
    if settings.mode == "open" and (not is_loopback(host) or settings.behind_proxy or settings.public_url):
        asked = f"--host {host}" if not is_loopback(host) else "public_url" if settings.public_url else "behind_proxy"
        problems.append(Problem(asked, 0, "", "without sign-in the service answers only this machine",
                                "set 'mode: sign-in' in the settings file and add users with 'ivigil users add', or leave --host at 127.0.0.1"))
    if settings.mode == "sign-in" and not is_loopback(host) and not certificate and not settings.behind_proxy:
        problems.append(Problem(f"--host {host}", 0, "", "passwords and patient data would travel in the clear",
                                "give --certificate and --key, or let a proxy on this machine end TLS ('behind_proxy: true') and keep --host at 127.0.0.1"))
    if settings.mode == "sign-in" and not users and not settings.openid.issuer:
        problems.append(Problem("users", 0, "", "sign-in is on and there is no user yet", "add the first one with 'ivigil users add NAME --role admin'"))
    if problems:
        raise BadInput(problems)


def _unfit(settings: Settings, place: str, lines: dict[Any, int]) -> Iterator[Problem]:
    def at(*path: str) -> int:
        return lines.get(path, 0)

    if settings.public_url and not _origin(settings.public_url, ("https", "http") if urlsplit(settings.public_url).hostname in _LOOPBACK else ("https",)):
        yield Problem(place, at("public_url"), "public_url", "not an https address without a path", "write for example https://ivigil.hospital.example")
    yield from _origins(settings.frame_ancestors, place, at("frame_ancestors"), "frame_ancestors")
    yield from _origins(settings.record_systems.origins, place, at("record_systems", "origins"), "record_systems.origins")
    for name, value in (*_numbers(settings.limits, "limits"), *_numbers(settings.rates, "rates"), *_numbers(settings.sign_in, "sign_in")):
        if value <= 0 or (name.endswith("_burst") and value < 1):
            yield Problem(place, at(*name.split(".")), name, f"{value:g} lets nothing through", "choose a number above 0, or leave the key out")
    yield from unfit(settings.phrasing, place, line=at("phrasing"))
    openid = settings.openid
    if openid.issuer and not _https(openid.issuer):
        yield Problem(place, at("openid", "issuer"), "openid.issuer", "not an https address", "write the issuer exactly as the identity service names itself")
    if openid.issuer and not openid.client_id:
        yield Problem(place, at("openid"), "openid.client_id", "not given", "write the client id that the identity service gave to ivigil")
    if openid.issuer and not settings.public_url:
        yield Problem(place, at("openid"), "public_url", "not given, but the identity service must know where to send people back", "set public_url")
    for number, issuer in enumerate(settings.record_systems.issuers):
        name = f"record_systems.issuers[{number}]"
        if not issuer.jku and not issuer.keys:
            yield Problem(place, at("record_systems", "issuers"), name, "neither 'jku' nor 'keys'", "say where its keys are, or give them")
        for url in issuer.jku:
            if not _https(url):
                yield Problem(place, at("record_systems", "issuers"), f"{name}.jku", f"'{url}' is not an https address", "keys are fetched over https only")


def _numbers(part: msgspec.Struct, name: str) -> Iterator[tuple[str, float]]:
    for field in part.__struct_fields__:
        yield f"{name}.{field}", float(getattr(part, field))


def _origins(given: Iterable[str], place: str, line: int, what: str) -> Iterator[Problem]:
    for origin in given:
        if not _origin(origin, ("https", "http") if urlsplit(origin).hostname in _LOOPBACK else ("https",)):
            yield Problem(place, line, what, f"'{origin}' is not an https origin", "write for example https://ehr.hospital.example, without a path")


def _origin(text: str, schemes: tuple[str, ...]) -> bool:
    return re.fullmatch(rf"({'|'.join(schemes)})://[A-Za-z0-9.\-\[\]:]+", text) is not None and bool(urlsplit(text).hostname)


def _https(text: str) -> bool:
    parts = urlsplit(text)
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)) and not parts.fragment
