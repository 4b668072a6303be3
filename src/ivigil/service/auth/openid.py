"""Sign-in through the hospital's identity service: OpenID Connect, code flow with PKCE. Only addresses under the configured issuer's word are asked."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import msgspec
from joserfc import jwk, jwt
from joserfc.errors import JoseError

from ivigil.basis.problems import Problem
from ivigil.service.clock import now
from ivigil.service.errors import Refused
from ivigil.service.settings import OpenId, Role, is_loopback

ALGORITHMS = ("RS256", "PS256", "ES256", "ES384", "RS384", "RS512", "EdDSA")
_LEEWAY = 60
_PATIENCE = 5.0
_LARGEST = 1_000_000


class Begun(msgspec.Struct, frozen=True):
    """What must come back unchanged: kept in the database under the state."""

    nonce: str
    verifier: str
    onward: str


class Known(msgspec.Struct, frozen=True):
    """Who the identity service says it is. ``roles`` is None when it does not say."""

    subject: str
    name: str
    roles: frozenset[Role] | None


class IdentityService:
    """The configured identity service."""

    def __init__(self, settings: OpenId, back: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.settings = settings
        self.back = back
        self.transport = transport

    def begin(self, onward: str) -> Begun:
        """Fresh secrets for one sign-in."""
        return Begun(secrets.token_urlsafe(24), secrets.token_urlsafe(48), onward)

    async def address(self, state: str, begun: Begun) -> str:
        """Where to send the person."""
        found = await self._discovered()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(begun.verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {"response_type": "code", "client_id": self.settings.client_id, "redirect_uri": self.back, "scope": "openid profile", "state": state,
                 "nonce": begun.nonce, "code_challenge": challenge, "code_challenge_method": "S256"}
        target = self._allowed(found, "authorization_endpoint")
        return f"{target}{'&' if urlsplit(target).query else '?'}{urlencode(asked)}"

    async def known(self, code: str, begun: Begun) -> Known:
        """Who came back with this code.

        Raises:
            Refused: the service does not answer, or its word does not check out.
        """
        found = await self._discovered()
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.back, "client_id": self.settings.client_id,
                "code_verifier": begun.verifier}
        secret = os.environ.get(self.settings.secret_variable, "") if self.settings.secret_variable else ""
        answer = await self._asked("POST", self._allowed(found, "token_endpoint"), data=form, auth=(self.settings.client_id, secret) if secret else None)
        keys = await self._asked("GET", self._allowed(found, "jwks_uri"))
        return self._checked(str(answer.get("id_token", "")), keys, begun)

    def _checked(self, token: str, keys: dict[str, Any], begun: Begun) -> Known:
        try:
            claims = jwt.decode(token, jwk.KeySet.import_key_set({"keys": keys.get("keys", [])}), algorithms=list(ALGORITHMS)).claims
            jwt.JWTClaimsRegistry(now=int(now().timestamp()), leeway=_LEEWAY, iss={"essential": True, "value": self.settings.issuer},
                                  aud={"essential": True, "value": self.settings.client_id}, exp={"essential": True}, iat={"essential": True},
                                  sub={"essential": True}, nonce={"essential": True, "value": begun.nonce}).validate(claims)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise _refused(f"its word does not check out ({type(error).__name__})") from None
        others = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        if len(others) > 1 and claims.get("azp") != self.settings.client_id:
            raise _refused("its word is meant for another program")
        return Known(str(claims["sub"]), str(claims.get(self.settings.name_claim) or claims["sub"]), self._roles(claims))

    def _roles(self, claims: dict[str, Any]) -> frozenset[Role] | None:
        if not self.settings.roles_claim:
            return None
        words = claims.get(self.settings.roles_claim, [])
        listed: Iterable[Any] = words if isinstance(words, list) else str(words).split()
        return frozenset({"viewer", *(self.settings.roles[str(word)] for word in listed if str(word) in self.settings.roles)})

    async def _discovered(self) -> dict[str, Any]:
        found = await self._asked("GET", f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != self.settings.issuer:
            raise _refused("it names itself otherwise than the settings do")
        return found

    def _allowed(self, found: dict[str, Any], name: str) -> str:
        address = str(found.get(name, ""))
        parts = urlsplit(address)
        if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))):
            raise _refused(f"its {name} is not an https address")
        return address

    async def _asked(self, method: str, url: str, **given: Any) -> dict[str, Any]:
        try:
            async with httpx.AsyncClient(transport=self.transport, timeout=_PATIENCE, follow_redirects=False, trust_env=False) as client:
                answer = await client.request(method, url, headers={"accept": "application/json"}, **given)
            if answer.status_code != httpx.codes.OK or len(answer.content) > _LARGEST:
                raise _refused(f"it answered with {answer.status_code}")
            document = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise _refused(f"it does not answer ({type(error).__name__})") from None
        if not isinstance(document, dict):
            raise _refused("it answered with something else")
        return document


def _refused(why: str) -> Refused:
    return Refused(502, Problem("identity service", 0, "", why, "try again; if it stays so, tell whoever runs it"))
