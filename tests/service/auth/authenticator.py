"""A passkey in software, written after the WebAuthn standard: makes and uses ES256 credentials as a security key does, and can be told to cheat."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import struct
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

_PRESENT, _VERIFIED, _ATTESTED = 0x01, 0x04, 0x40


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Authenticator:
    """One key with one credential."""

    def __init__(self, origin: str, rp_id: str, *, verifies: bool = True) -> None:
        self.origin = origin
        self.rp_id = rp_id
        self.flags = _PRESENT | (_VERIFIED if verifies else 0)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.credential = secrets.token_bytes(16)
        self.uses = 0
        self.user = b""

    def _client_data(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}).encode()

    def made(self, options: dict[str, Any]) -> dict[str, Any]:
        """A new credential for these creation options (attestation 'none')."""
        self.user = base64.urlsafe_b64decode(options["user"]["id"] + "==")
        numbers = self.key.public_key().public_numbers()
        public = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")})
        data = (hashlib.sha256(self.rp_id.encode()).digest() + bytes([self.flags | _ATTESTED]) + struct.pack(">I", self.uses)
                + bytes(16) + struct.pack(">H", len(self.credential)) + self.credential + public)
        return self._answer({"clientDataJSON": _text(self._client_data("webauthn.create", options["challenge"])),
                             "attestationObject": _text(cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data}))})

    def signed(self, options: dict[str, Any]) -> dict[str, Any]:
        """The answer to a question."""
        self.uses += 1
        client = self._client_data("webauthn.get", options["challenge"])
        data = hashlib.sha256(self.rp_id.encode()).digest() + bytes([self.flags]) + struct.pack(">I", self.uses)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer({"clientDataJSON": _text(client), "authenticatorData": _text(data), "signature": _text(signature), "userHandle": _text(self.user)})

    def _answer(self, response: dict[str, str]) -> dict[str, Any]:
        return {"id": _text(self.credential), "rawId": _text(self.credential), "type": "public-key", "response": response}
