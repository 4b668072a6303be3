"""A CDS Hooks call as it came: lenient about FHIR inside, strict about the envelope; every problem at once."""

from __future__ import annotations

import re
import uuid
from typing import Any

import msgspec

from ivigil.basis.conversion import from_json
from ivigil.basis.problems import BadInput, Problem
from ivigil.patient.fhir_values import Resource, as_map, as_maps, as_text

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_BODY = "body"


class Authorization(msgspec.Struct, frozen=True):
    """The record system's token for its own FHIR server. It is used once and never stored or logged."""

    access_token: str
    token_type: str = "Bearer"
    expires_in: int = 0
    scope: str = ""
    subject: str = ""


class Call(msgspec.Struct, frozen=True, rename="camel"):
    """The envelope of a call. ``prefetch`` holds resources by key; null says that the search found nothing."""

    hook: str
    hook_instance: str
    context: dict[str, Any]
    fhir_server: str | None = None
    fhir_authorization: Authorization | None = None
    prefetch: dict[str, Any] | None = None

    @property
    def patient(self) -> str:
        """The FHIR id of the patient in context."""
        return as_text(self.context.get("patientId")).removeprefix("Patient/")

    @property
    def drafts(self) -> list[Resource]:
        """The draft orders, in the order sent."""
        return [resource for entry in as_maps(as_map(self.context.get("draftOrders")).get("entry")) if (resource := as_map(entry.get("resource")))]

    @property
    def appointments(self) -> list[Resource]:
        """The appointments to be booked."""
        return [resource for entry in as_maps(as_map(self.context.get("appointments")).get("entry")) if (resource := as_map(entry.get("resource")))]


def call_of(body: bytes, hook: str) -> Call:
    """The call for a service of this hook.

    Raises:
        BadInput: not JSON, not a call, another hook, a malformed id, or a draft order of another patient; every problem is listed.
    """
    try:
        call = from_json(body, Call)
    except RecursionError:
        raise BadInput([Problem(_BODY, 0, "", "nested too deeply", "send plain FHIR resources")]) from None
    except msgspec.ValidationError as error:
        why, _, where = str(error).partition(" - at `$")
        raise BadInput([Problem(_BODY, 0, where.strip("`.") if where else "", why, "send a CDS Hooks 2.0 request")]) from None
    except msgspec.DecodeError as error:
        raise BadInput([Problem(_BODY, 0, "", f"not valid JSON: {error}", "send one JSON object in UTF-8")]) from None
    except UnicodeDecodeError:
        raise BadInput([Problem(_BODY, 0, "", "not UTF-8 text", "send one JSON object in UTF-8")]) from None
    problems = list(_problems(call, hook))
    if problems:
        raise BadInput(problems)
    return call


def _problems(call: Call, hook: str) -> list[Problem]:
    found: list[Problem] = []
    if call.hook != hook:
        found.append(Problem(_BODY, 0, "hook", f"'{call.hook}' was sent to a service for {hook}", "call the service that discovery lists for this hook"))
    try:
        uuid.UUID(call.hook_instance)
    except ValueError:
        found.append(Problem(_BODY, 0, "hookInstance", "not a UUID", "send a new UUID for every call"))
    if not _ID.fullmatch(call.patient):
        found.append(Problem(_BODY, 0, "context.patientId", "missing, or not a FHIR id", "send the id of the patient in context"))
    if call.fhir_authorization is not None and not call.fhir_server:
        found.append(Problem(_BODY, 0, "fhirServer", "missing although fhirAuthorization is given", "send the base URL of the FHIR server"))
    if hook.startswith("order-") and not isinstance(call.context.get("draftOrders"), dict):
        found.append(Problem(_BODY, 0, "context.draftOrders", "missing, or not a Bundle", "send the draft orders as a Bundle"))
    for place, resource in enumerate(call.drafts):
        subject = as_text(as_map(resource.get("subject")).get("reference"))
        name = subject.rpartition("/")[2].rpartition(":")[2]
        if subject and not subject.startswith("#") and name != call.patient:
            found.append(Problem(_BODY, 0, f"context.draftOrders.entry[{place}].resource.subject", "another patient than the one in context",
                                 "send the orders of the patient in context only"))
    return found
