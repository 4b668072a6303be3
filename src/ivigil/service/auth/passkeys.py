"""Passkeys (WebAuthn): the authenticator signs a challenge for this service's name alone; nothing secret is kept here."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import webauthn
from fastapi import Request
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, options_to_json_dict
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from ivigil.basis.problems import Problem
from ivigil.service.errors import Refused
from ivigil.service.settings import Settings
from ivigil.service.store.people import Passkey, Person


def _place(request: Request) -> tuple[str, str]:
    """The name to which passkeys are bound, and the origin from which they are used."""
    settings: Settings = request.app.state.settings
    origin = settings.own_origin or f"{request.url.scheme}://{request.headers.get('host', '')}"
    return urlsplit(origin).hostname or "localhost", origin


def _refused(error: Exception) -> Refused:
    return Refused(422, Problem("passkey", 0, "", f"it does not check out ({type(error).__name__})", "try again, or sign in with your password"))


def registration(request: Request, person: Person, known: list[Passkey], challenge: bytes) -> dict[str, Any]:
    """What the browser needs to make a passkey."""
    name, _ = _place(request)
    return options_to_json_dict(webauthn.generate_registration_options(
        rp_id=name, rp_name="ivigil", user_name=person.name, user_id=person.id.encode(), challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(resident_key=ResidentKeyRequirement.REQUIRED,
                                                               user_verification=UserVerificationRequirement.REQUIRED),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=base64url_to_bytes(one.credential)) for one in known],
    ))


def registered(request: Request, credential: Any, challenge: bytes) -> tuple[str, bytes, int]:
    """Id, public key and counter of a new passkey.

    Raises:
        Refused: the answer does not fit the challenge, the name or the origin.
    """
    name, origin = _place(request)
    try:
        made = webauthn.verify_registration_response(credential=credential, expected_challenge=challenge, expected_rp_id=name, expected_origin=origin,
                                                     require_user_verification=True)
    except (WebAuthnException, ValueError, TypeError, KeyError) as error:
        raise _refused(error) from None
    return bytes_to_base64url(made.credential_id), made.credential_public_key, made.sign_count


def question(request: Request, challenge: bytes) -> dict[str, Any]:
    """What the browser needs to use a passkey; which one is the person's own choice, so no name is asked."""
    name, _ = _place(request)
    made = webauthn.generate_authentication_options(rp_id=name, challenge=challenge, user_verification=UserVerificationRequirement.REQUIRED)
    return options_to_json_dict(made)


def answered(request: Request, credential: Any, challenge: bytes, passkey: Passkey) -> int:
    """The passkey's new counter.

    Raises:
        Refused: the signature is not this passkey's for this challenge, name and origin, or the counter shows a copy.
    """
    name, origin = _place(request)
    try:
        used = webauthn.verify_authentication_response(credential=credential, expected_challenge=challenge, expected_rp_id=name, expected_origin=origin,
                                                       credential_public_key=passkey.public_key, credential_current_sign_count=passkey.uses,
                                                       require_user_verification=True)
    except (WebAuthnException, ValueError, TypeError, KeyError) as error:
        raise _refused(error) from None
    return used.new_sign_count
