"""The patient's resources for a call: from prefetch, else fetched from the record system's own FHIR server where that is trusted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import msgspec

from ivigil.patient.fhir_values import Resource, as_maps, as_text
from ivigil.service.cards.offered import REQUIRED, TOKEN, Service
from ivigil.service.cards.request import Call

TIMEOUT = httpx.Timeout(4.0, connect=2.0)
LARGEST_ANSWER = 20 * 1024 * 1024
_PAGES = 5


class Chart(msgspec.Struct, frozen=True):
    """What is known of the patient: resources, and the keys that were neither sent nor could be fetched, each with the reason."""

    resources: tuple[Resource, ...]
    missing: dict[str, str] = {}

    @property
    def has_patient(self) -> bool:
        """Whether the Patient itself is among them."""
        return any(resource.get("resourceType") == "Patient" for resource in self.resources)


class FetchFailed(Exception):
    """A query to the FHIR server did not give what was asked for."""


async def chart_of(call: Call, service: Service, servers: tuple[str, ...], client: httpx.AsyncClient | None) -> Chart:
    """Everything that was sent, whatever its key, and what the templates not satisfied give on the FHIR server, if it is in the allow-list.

    The server is asked with the token of the call, over no redirect and within a time limit. Keys that fail are named in ``missing``.
    """
    sent: Mapping[str, Any] = call.prefetch or {}
    resources = [resource for value in sent.values() for resource in _resources(value)]
    lacking = [key for key in service.prefetch if key not in sent]
    missing: dict[str, str] = {}
    trusted = call.fhir_server is not None and trusted_server(call.fhir_server, servers)
    for key in lacking:
        if not trusted or client is None:
            missing[key] = "not sent, and the FHIR server is not one that may be asked" if call.fhir_server else "not sent"
            continue
        try:
            resources += await _fetched(service.prefetch[key].replace(TOKEN, call.patient), call, client)
        except FetchFailed as error:
            missing[key] = str(error)
            if key == REQUIRED:
                break
    return Chart(tuple(resources), missing)


def trusted_server(url: str, servers: tuple[str, ...]) -> bool:
    """Whether a FHIR base URL is one of the allow-list, whatever its closing slash."""
    return url.rstrip("/") in {server.rstrip("/") for server in servers}


def _resources(value: Any) -> list[Resource]:
    if not isinstance(value, dict):
        return []
    if value.get("resourceType") == "Bundle":
        return [resource for entry in as_maps(value.get("entry")) for resource in _resources(entry.get("resource"))]
    return [value] if isinstance(value.get("resourceType"), str) and value["resourceType"] != "OperationOutcome" else []


async def _fetched(query: str, call: Call, client: httpx.AsyncClient) -> list[Resource]:
    assert call.fhir_server is not None
    base = call.fhir_server.rstrip("/") + "/"
    headers = {"Accept": "application/fhir+json"}
    if call.fhir_authorization is not None:
        headers["Authorization"] = f"Bearer {call.fhir_authorization.access_token}"
    url: str | None = base + query
    found: list[Resource] = []
    for _ in range(_PAGES):
        if url is None:
            return found
        answer = await _one(url, headers, client)
        found += _resources(answer)
        onward = next((as_text(link.get("url")) for link in as_maps(answer.get("link")) if link.get("relation") == "next"), "")
        url = urljoin(base, onward) if onward else None
        if url is not None and urlsplit(url)[:2] != urlsplit(base)[:2]:
            raise FetchFailed("the next page lies on another server")
    if url is not None:
        raise FetchFailed(f"more than {_PAGES} pages")
    return found


async def _one(url: str, headers: dict[str, str], client: httpx.AsyncClient) -> Resource:
    try:
        async with client.stream("GET", url, headers=headers, follow_redirects=False, timeout=TIMEOUT) as answer:
            if answer.status_code != httpx.codes.OK:
                raise FetchFailed(f"the FHIR server answered {answer.status_code}")
            body = bytearray()
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > LARGEST_ANSWER:
                    raise FetchFailed("the answer is too large")
    except (httpx.HTTPError, httpx.InvalidURL):
        raise FetchFailed("the FHIR server could not be reached in time") from None
    try:
        plain = msgspec.json.decode(bytes(body))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise FetchFailed("the answer is not JSON") from None
    if not isinstance(plain, dict):
        raise FetchFailed("the answer is not a resource")
    return plain
