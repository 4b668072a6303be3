"""Who may call: the signed token of a record system, checked against the issuers and key addresses that the hospital allows."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
from anyio import to_thread
from joserfc import jwk, jws, jwt
from joserfc.errors import JoseError

from ivigil.basis.problems import Problem
from ivigil.service.errors import Refused
from ivigil.service.settings import Issuer
from ivigil.service.store.record_systems import SeenTokens

ALGORITHMS = ["ES384", "RS384"]
"""The two that CDS Hooks recommends; anything else, unsigned and symmetric tokens among them, is refused."""
LEEWAY = 30
"""Seconds by which clocks may differ."""
LONGEST_LIFE = 900
"""Seconds that a token may be valid for; record systems give five minutes."""
_KEYS_KEPT = 3600
_KEYS_RETRY = 60
_LARGEST_KEYS = 256 * 1024
_LONGEST_JTI = 256
_PLACE = "authorization"


class Caller(msgspec.Struct, frozen=True):
    """The record system behind a call: its issuer and, where it names one, its tenant. Empty in open mode."""

    issuer: str = ""
    tenant: str = ""


class Doorkeeper:
    """Checks tokens. Keys are fetched from allowed addresses alone, kept for an hour, and asked for again when an unknown key signs."""

    def __init__(self, issuers: Sequence[Issuer], seen: SeenTokens, client: httpx.AsyncClient) -> None:
        self._issuers = {issuer.iss: issuer for issuer in issuers}
        self._seen = seen
        self._client = client
        self._fetched: dict[str, tuple[float, dict[str, jwk.Key]]] = {}
        self._lock = asyncio.Lock()

    async def admitted(self, header: str, audience: str, now: float) -> Caller:
        """The caller of a request with this ``Authorization`` header to the address ``audience``.

        Raises:
            Refused: 401 with the reason. A reason never says more than the caller could know.
        """
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise _refused("no token", "send 'Authorization: Bearer' with a signed token of the record system")
        token = token.strip()
        head, claims = _peek(token)
        issuer = self._issuers.get(str(claims.get("iss", "")))
        if issuer is None:
            raise _refused("the issuer is not one that is trusted here", "ask the hospital to add the issuer to record_systems.issuers")
        key = await self._key(issuer, head, now)
        try:
            jwt.decode(token, key, algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            raise _refused("the signature does not verify", "sign with the key that the key set names") from None
        ends = self._check(claims, issuer, audience, now)
        moment = datetime.fromtimestamp(now, UTC)
        if not await to_thread.run_sync(self._seen.first_use, moment, issuer.iss, str(claims["jti"]), ends):
            raise _refused("the token was used before", "send a new token, with a jti of its own, for every call")
        return Caller(issuer.iss, str(claims.get("tenant", "")))

    def _check(self, claims: dict[str, Any], issuer: Issuer, audience: str, now: float) -> datetime:
        """When the token ends, if its claims are as they must be."""
        expires, issued, unique = claims.get("exp"), claims.get("iat"), claims.get("jti")
        if not _is_time(expires) or not _is_time(issued) or not isinstance(unique, str) or not 0 < len(unique) <= _LONGEST_JTI:
            raise _refused("exp, iat or jti is missing or malformed", "send all claims that CDS Hooks requires")
        assert isinstance(expires, int | float)
        assert isinstance(issued, int | float)
        if expires <= now - LEEWAY or issued > now + LEEWAY or expires - issued > LONGEST_LIFE:
            raise _refused("the token is expired, not yet valid, or valid for too long", f"send a new token for every call, valid for at most {LONGEST_LIFE} s")
        named = claims.get("aud")
        if audience not in (named if isinstance(named, list) else [named]):
            raise _refused("the token is for another address", f"name {audience} as its audience")
        if issuer.tenants and claims.get("tenant") not in issuer.tenants:
            raise _refused("the tenant is not one that is trusted here", "ask the hospital to add the tenant to record_systems.issuers")
        return datetime.fromtimestamp(expires + LEEWAY, UTC)

    async def _key(self, issuer: Issuer, head: dict[str, Any], now: float) -> jwk.Key:
        name = head.get("kid")
        if head.get("alg") not in ALGORITHMS or not isinstance(name, str) or head.get("typ", "JWT") != "JWT":
            raise _refused("alg, kid or typ of the token's header is not as required", f"sign with {' or '.join(ALGORITHMS)} and name the key")
        where = head.get("jku")
        if where is not None and issuer.jku and where not in issuer.jku:
            raise _refused("the token names a key address that is not trusted here", "ask the hospital to add the address to record_systems.issuers")
        known = _keys({"keys": list(issuer.keys)})
        if name in known:
            return known[name]
        for address in ([where] if where in issuer.jku else issuer.jku):
            keys = await self._keys_at(str(address), name, now)
            if name in keys:
                return keys[name]
        raise _refused("the key is not in the key set of the issuer", "publish the key before signing with it")

    async def _keys_at(self, address: str, wanted: str, now: float) -> dict[str, jwk.Key]:
        async with self._lock:
            since, keys = self._fetched.get(address, (0.0, {}))
            age = now - since
            if age < _KEYS_KEPT and (wanted in keys or age < _KEYS_RETRY):
                return keys
            try:
                answer = await self._client.get(address, follow_redirects=False, timeout=httpx.Timeout(4.0, connect=2.0))
                plain = msgspec.json.decode(answer.content) if answer.status_code == httpx.codes.OK and len(answer.content) <= _LARGEST_KEYS else None
                keys = _keys(plain)
            except (httpx.HTTPError, msgspec.DecodeError, RecursionError):
                pass  # the keys known so far stay in use until the address answers again
            self._fetched[address] = (now, keys)
            return keys


def _keys(plain: Any) -> dict[str, jwk.Key]:
    """The usable public keys of a key set by their names; a symmetric key is never one."""
    found: dict[str, jwk.Key] = {}
    for one in plain.get("keys", []) if isinstance(plain, dict) else []:
        if isinstance(one, dict) and isinstance(one.get("kid"), str) and one.get("kty") in {"EC", "RSA"} and one.get("use", "sig") == "sig":
            try:
                found[one["kid"]] = jwk.import_key(one)
            except (JoseError, ValueError, TypeError, KeyError):
                continue
    return found


def _peek(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims before anything is verified, to find the key."""
    try:
        parsed = jws.extract_compact(token.encode("ascii"))
        claims = msgspec.json.decode(parsed.payload)
    except (JoseError, ValueError, RecursionError):
        raise _refused("not a signed JSON web token", "send a JWT in compact form") from None
    if not isinstance(claims, dict):
        raise _refused("the token holds no claims", "send a JWT in compact form")
    return dict(parsed.headers()), claims


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value and abs(value) < 1e12


def _refused(why: str, remedy: str) -> Refused:
    return Refused(401, Problem(_PLACE, 0, "", why, remedy), {"WWW-Authenticate": "Bearer"})
