"""Signing in and out: with a password, a passkey, or through the hospital's identity service."""

from __future__ import annotations

import secrets
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import anyio
import msgspec
from anyio import to_thread
from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from ivigil.basis.conversion import from_json
from ivigil.basis.problems import BadInput, Problem
from ivigil.service.auth import passkeys
from ivigil.service.auth.gate import cookie_attributes, cookie_name
from ivigil.service.auth.openid import Begun, IdentityService
from ivigil.service.auth.passwords import right
from ivigil.service.auth.who import person_of, store_of
from ivigil.service.clock import now
from ivigil.service.errors import Refused
from ivigil.service.pages.render import page
from ivigil.service.settings import Settings
from ivigil.service.store.people import Person

router = APIRouter(include_in_schema=False)

_HASHING = anyio.CapacityLimiter(2)
"""A password check takes much memory on purpose; many at once would be an attack on ourselves."""
_NAME_FACTOR = 10
"""How many more failures a name may have from everywhere than from one address, so that a stranger cannot lock a person out at once."""


def _settings(request: Request) -> Settings:
    settings = request.app.state.settings
    assert isinstance(settings, Settings)
    return settings


def local(target: str) -> str:
    """The page to go on to: one of ours, whatever was asked for."""
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or not target.startswith("/") or target.startswith(("//", "/\\")) or any(ord(letter) < ord("!") for letter in target):
        return "/"
    return target


# --- passwords ----------------------------------------------------------------------------------------------------------


@router.get("/sign-in")
async def asked(request: Request, next: str = "/") -> Response:
    """The page that asks who you are."""
    return _page(request, local(next))


@router.post("/sign-in")
async def tried(request: Request) -> Response:
    """A name and a password."""
    form = await request.form(max_files=0, max_fields=10)
    name, password, onward = (str(form.get(key, "")) for key in ("name", "password", "next"))
    person = await _with_password(request, name.strip()[:200], password)
    if person is None:
        problem = Problem("sign-in", 0, "", "name and password do not belong together", "try again; an administrator can set a new password")
        return _page(request, local(onward), problem, 401, name=name[:200])
    return await _entered(request, person, "password", local(onward))


async def _with_password(request: Request, name: str, password: str) -> Person | None:
    """The person, or None. Both the name and the address wait after too many failures.

    Raises:
        Refused: too many failures.
    """
    people, rules, moment = store_of(request).people, _settings(request).sign_in, now()
    address = request.client.host if request.client else ""
    limits = {f"both:{name.casefold()}@{address}": rules.attempts, f"name:{name.casefold()}": rules.attempts * _NAME_FACTOR,
              f"address:{address}": rules.attempts_per_address}

    def waiting() -> bool:
        return any(people.failures(moment, whose, rules.wait_minutes) >= limit for whose, limit in limits.items())

    if await to_thread.run_sync(waiting):
        raise Refused(429, Problem("sign-in", 0, "", "too many attempts failed", f"wait {rules.wait_minutes} minutes, or ask an administrator"),
                      {"retry-after": str(rules.wait_minutes * 60)})
    found = await to_thread.run_sync(people.named, name)
    good = await to_thread.run_sync(right, password, found[1] if found is not None else None, limiter=_HASHING)
    if good and found is not None and not found[0].disabled:
        return found[0]
    await to_thread.run_sync(partial(people.failed, moment, limits, rules.wait_minutes, name))
    return None


async def _entered(request: Request, person: Person, how: str, onward: str) -> Response:
    """A new session, and on to the page that was wanted."""
    return _with_session(request, RedirectResponse(onward, 303), await _session(request, person, how))


async def _session(request: Request, person: Person, how: str) -> str:
    return await to_thread.run_sync(partial(store_of(request).people.open_session, now(), person, how, _settings(request).sign_in.hours))


def _with_session(request: Request, response: Response, token: str) -> Response:
    settings = _settings(request)
    response.headers.append("set-cookie", f"{cookie_name(settings)}={token}; Max-Age={settings.sign_in.hours * 3600}; {cookie_attributes(settings)}")
    return response


@router.post("/sign-out")
async def left(request: Request) -> Response:
    """The session ends here and now, not only in this browser."""
    settings = _settings(request)
    token = request.cookies.get(cookie_name(settings), "")
    if token and settings.mode == "sign-in":
        await to_thread.run_sync(partial(store_of(request).people.close_session, now(), token, person_of(request)))
    response = RedirectResponse("/sign-in", 303)
    response.headers.append("set-cookie", f"{cookie_name(settings)}=; Max-Age=0; {cookie_attributes(settings)}")
    response.headers["clear-site-data"] = '"cache", "storage"'
    return response


@router.get("/account")
def account(request: Request) -> Response:
    """Who is signed in, with which roles and passkeys."""
    person = person_of(request)
    known = store_of(request).people.passkeys_of(person)
    return page(request, "account.html", person=person, roles=sorted({"viewer", *person.roles}), passkeys=known, signed_in=_settings(request).mode == "sign-in")


def _page(request: Request, onward: str, problem: Problem | None = None, status: int = 200, name: str = "") -> Response:
    settings = _settings(request)
    if settings.mode == "open":
        return RedirectResponse(onward, 303)
    problems = (problem,) if problem is not None else ()
    return page(request, "sign_in.html", status=status, problems=problems, onward=onward, name=name, openid=bool(settings.openid.issuer))


# --- passkeys -----------------------------------------------------------------------------------------------------------


class _Finished(msgspec.Struct, frozen=True):
    """What the browser sends back: the token of the beginning, and the authenticator's answer."""

    token: str
    credential: dict[str, Any]
    name: str = "passkey"


async def _begun(request: Request, kind: str) -> tuple[str, bytes]:
    challenge = secrets.token_bytes(32)
    token = await to_thread.run_sync(partial(store_of(request).people.begin, now(), kind, bytes_to_base64url(challenge)))
    return token, challenge


async def _finished(request: Request, kind: str) -> tuple[_Finished, bytes]:
    try:
        sent = from_json(await request.body(), _Finished)
    except (msgspec.DecodeError, RecursionError):
        raise BadInput([Problem("body", 0, "", "not the answer of a passkey", "use the button on the page")]) from None
    kept = await to_thread.run_sync(partial(store_of(request).people.finish, now(), kind, sent.token))
    if kept is None:
        raise Refused(422, Problem("passkey", 0, "", "the question is used up or too old", "begin again"))
    return sent, base64url_to_bytes(kept)


@router.post("/auth/passkeys/begin")
async def passkey_begin(request: Request) -> Response:
    """A person who is signed in wants a passkey."""
    person = _real(request)
    token, challenge = await _begun(request, f"register:{person.id}")
    known = await to_thread.run_sync(store_of(request).people.passkeys_of, person)
    return _json({"token": token, "options": passkeys.registration(request, person, known, challenge)})


@router.post("/auth/passkeys/finish")
async def passkey_finish(request: Request) -> Response:
    """The passkey is made."""
    person = _real(request)
    sent, challenge = await _finished(request, f"register:{person.id}")
    credential, public_key, uses = passkeys.registered(request, sent.credential, challenge)
    await to_thread.run_sync(partial(store_of(request).people.add_passkey, now(), person, credential, public_key, uses, sent.name[:100]))
    return Response(status_code=204)


@router.post("/auth/sign-in/passkey/begin")
async def passkey_asked(request: Request) -> Response:
    """Somebody wants to sign in with a passkey."""
    _must_sign_in(request)
    token, challenge = await _begun(request, "use")
    return _json({"token": token, "options": passkeys.question(request, challenge)})


@router.post("/auth/sign-in/passkey/finish")
async def passkey_tried(request: Request) -> Response:
    """The authenticator has signed."""
    _must_sign_in(request)
    sent, challenge = await _finished(request, "use")
    found = await to_thread.run_sync(store_of(request).people.passkey, str(sent.credential.get("id", ""))[:1400])
    if found is None:
        raise Refused(401, Problem("passkey", 0, "", "this passkey is not registered here", "sign in with your password and register it"))
    passkey, person = found
    uses = passkeys.answered(request, sent.credential, challenge, passkey)
    await to_thread.run_sync(store_of(request).people.passkey_used, passkey.credential, uses)
    return _with_session(request, Response(status_code=204), await _session(request, person, "passkey"))


def _must_sign_in(request: Request) -> None:
    if _settings(request).mode == "open":
        raise Refused(404, Problem("sign-in", 0, "", "nobody is asked to sign in here", "set 'mode: sign-in' in the settings"))


def _real(request: Request) -> Person:
    _must_sign_in(request)
    return person_of(request)


def _json(document: Any) -> Response:
    return Response(msgspec.json.encode(document), media_type="application/json")


# --- the hospital's identity service ------------------------------------------------------------------------------------


def _identity_service(request: Request) -> IdentityService:
    service = request.app.state.identity_service
    if not isinstance(service, IdentityService):
        raise Refused(404, Problem("sign-in", 0, "", "no identity service is set up", "sign in with a password or a passkey"))
    return service


def _state_cookie(settings: Settings) -> str:
    return f"{cookie_name(settings)}-state"


@router.get("/sign-in/openid")
async def openid_begin(request: Request, next: str = "/") -> Response:
    """Off to the identity service; a cookie ties its answer to this browser."""
    service, settings = _identity_service(request), _settings(request)
    begun = service.begin(local(next))
    state = await to_thread.run_sync(partial(store_of(request).people.begin, now(), "openid", msgspec.json.encode(begun).decode()))
    response = RedirectResponse(await service.address(state, begun), 303)
    secure = "; Secure" if settings.secure else ""
    response.headers.append("set-cookie", f"{_state_cookie(settings)}={state}; Max-Age=600; Path=/; HttpOnly; SameSite=Lax{secure}")
    return response


@router.get("/sign-in/openid/back")
async def openid_back(request: Request, code: str = "", state: str = "", error: str = "") -> Response:
    """Back from the identity service."""
    service, settings = _identity_service(request), _settings(request)
    if not state or not secrets.compare_digest(state.encode(), request.cookies.get(_state_cookie(settings), "").encode()):
        raise Refused(422, Problem("sign-in", 0, "", "this sign-in was not begun in this browser", "begin again at /sign-in"))
    kept = await to_thread.run_sync(partial(store_of(request).people.finish, now(), "openid", state))
    if kept is None or not code:
        why = "the identity service refused" if error else "this sign-in is used up or too old"
        raise Refused(422, Problem("sign-in", 0, "", why, "begin again at /sign-in"))
    begun = from_json(kept, Begun)
    known = await service.known(code, begun)
    person = await to_thread.run_sync(partial(_recognised, request, service, known.subject, known.name, known.roles))
    return await _entered(request, person, "identity service", begun.onward)


def _recognised(request: Request, service: IdentityService, subject: str, name: str, roles: Any) -> Person:
    """The user whom the identity service means, made anew where the settings allow it."""
    people, issuer = store_of(request).people, service.settings.issuer
    person = people.by_subject(issuer, subject)
    if person is None:
        if service.settings.new_users == "refuse":
            raise Refused(403, Problem("users", 0, "", f"the identity service knows you as '{subject}', and there is no such user here",
                                       f"ask an administrator: ivigil users add NAME --subject '{subject}'"))
        return people.add(now(), "identity service", name[:200], roles or {"viewer"}, issuer=issuer, subject=subject)
    if person.disabled:
        raise Refused(403, Problem("users", 0, "", "this user is disabled", "ask an administrator"))
    if roles is not None and roles != person.roles:
        person = people.change(now(), "identity service", person.name, roles=roles)
    return person
