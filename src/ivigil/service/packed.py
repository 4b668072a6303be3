"""Pages travel compressed, where that can tell nobody anything.

How long a compressed answer is depends on what repeats in it. Somebody who can make a browser ask for a page again and again with words of his
own in it, and can see how long the answers are, learns secrets of the page from that (BREACH). So only an answer to a request that no page of
somebody else can have caused is compressed: the browser says so itself in ``Sec-Fetch-Site``, which pages cannot set. Pages hold no token of
a session or a form in any case. Files that are the same for everybody are compressed for everybody.
"""

from __future__ import annotations

import gzip

from anyio import to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LEAST = 1_000
"""Bytes below which nothing is gained."""
LEVEL = 6
_KINDS = ("text/html", "text/css", "text/javascript", "image/svg+xml")
_FILES = "/static/"
_OURS = frozenset({"same-origin", "none"})
"""A page of ours, or the person at the browser."""


class Packed:
    """Compresses pages and their files for browsers that take gzip."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request on its way in, and its answer on the way out."""
        if scope["type"] != "http" or scope["method"] == "HEAD" or not _may(scope):
            await self.app(scope, receive, send)
            return
        begun: Message | None = None

        async def packing(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = message
                return
            if begun is not None:
                start, begun = begun, None
                if message["type"] == "http.response.body" and not message.get("more_body", False) and _worth(start, message.get("body", b"")):
                    message = {**message, "body": await to_thread.run_sync(_packed, message["body"])}
                    headers = MutableHeaders(scope=start)
                    headers["content-encoding"] = "gzip"
                    headers["content-length"] = str(len(message["body"]))
                    headers.add_vary_header("Accept-Encoding")
                    headers.add_vary_header("Sec-Fetch-Site")
                await send(start)
            await send(message)

        await self.app(scope, receive, packing)


def _may(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return takes_gzip(headers.get("accept-encoding", "")) and (scope["path"].startswith(_FILES) or headers.get("sec-fetch-site") in _OURS)


def takes_gzip(accepted: str) -> bool:
    """Whether ``Accept-Encoding`` names gzip and does not rule it out."""
    for part in accepted.lower().split(","):
        name, _, weight = part.partition(";")
        if name.strip() == "gzip":
            return weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


def _worth(start: Message, body: bytes) -> bool:
    headers = Headers(raw=start["headers"])
    return len(body) >= LEAST and "content-encoding" not in headers and headers.get("content-type", "").partition(";")[0] in _KINDS


def _packed(body: bytes) -> bytes:
    return gzip.compress(body, LEVEL, mtime=0)
