"""How answers leave: bytes with an ETag that depends on nothing but the content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec
from fastapi import Request, Response

JSON = "application/json"


def answered(content: bytes | str, media_type: str = JSON, headers: Mapping[str, str] | None = None, status: int = 200) -> Response:
    """The content with its ETag; the same input on the same evidence gives the same bytes and the same tag."""
    data = content.encode() if isinstance(content, str) else content
    tag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    kind = f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type
    return Response(data, status, {"etag": tag, "content-type": kind, **(headers or {})})


def kept(request: Request, content: bytes | str, media_type: str = JSON) -> Response:
    """Like :func:`answered`, or 304 when the caller has these bytes already; may be kept by the caller's own cache if it asks again each time."""
    response = answered(content, media_type, {"cache-control": "private, no-cache"})
    asked = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    if response.headers["etag"] in asked or "*" in asked:
        return Response(status_code=304, headers={"etag": response.headers["etag"], "cache-control": "private, no-cache"})
    return response


def pretty(document: object) -> bytes:
    """Indented JSON with a closing line break, as the command line prints it."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"
