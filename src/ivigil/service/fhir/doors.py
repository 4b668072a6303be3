"""The addresses of FHIR: the capability statement, and ``$plan``."""

from __future__ import annotations

from functools import partial

import msgspec
from anyio import to_thread
from fastapi import APIRouter, Request, Response

from ivigil import __version__
from ivigil.basis.conversion import convert
from ivigil.basis.problems import BadInput, Problem
from ivigil.patient.fhir_values import Resource, as_map, as_maps, as_text
from ivigil.planning.choices import TEXT_CHOICES, Choices
from ivigil.rendering.fhir import guidance_fhir
from ivigil.service import clock
from ivigil.service.errors import Refused
from ivigil.service.fhir.capability import PLAN, capability
from ivigil.service.hospital import Hospital, hospital_of
from ivigil.service.noted import plan_noted
from ivigil.service.outcome import MEDIA_TYPE, outcome_response

router = APIRouter(prefix="/fhir", include_in_schema=False)

_TAKEN = tuple(name.replace("_", "-") for name in TEXT_CHOICES)
"""Parameters of the operation: the choices of ``ivigil plan``."""
_KINDS = {"application/json", MEDIA_TYPE}


@router.get("/metadata")
async def metadata(request: Request) -> Response:
    """What this server can do."""
    base = request.app.state.settings.own_origin or str(request.base_url).rstrip("/")
    return Response(msgspec.json.encode(capability(__version__, base, clock.today().isoformat())), 200, None, MEDIA_TYPE)


@router.post(f"/{PLAN}")
async def plan(request: Request) -> Response:
    """The plan for the patient of a Bundle: a Bundle led by a GuidanceResponse."""
    try:
        _json_only(request)
        data, choices = _asked(await request.body(), dict(request.query_params))
        made = await to_thread.run_sync(partial(_planned, hospital_of(request), data, choices))
    except BadInput as error:
        return outcome_response(422, error.problems)
    except Refused as error:
        return outcome_response(error.status, error.problems, error.headers)
    plan_noted(request, data)
    return Response(made, 200, None, MEDIA_TYPE)


def _planned(hospital: Hospital, data: bytes, choices: Choices) -> str:
    return guidance_fhir(hospital.plan_of(data, choices, clock.today()), hospital.evidence)


def _json_only(request: Request) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _KINDS:
        raise Refused(415, Problem("content-type", 0, "", "not FHIR in JSON", f"send {MEDIA_TYPE}"))


def _asked(body: bytes, query: dict[str, str]) -> tuple[bytes, Choices]:
    """The document to plan from, and the choices: from the address, or from a Parameters resource around it.

    Raises:
        BadInput: an unknown parameter, or one that is given twice; every problem is listed.
    """
    given = dict(query)
    problems: list[Problem] = []
    try:
        outer = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        outer = None  # the reader of records says what is wrong and where
    if isinstance(outer, dict) and outer.get("resourceType") == "Parameters":
        inner: Resource = {}
        for parameter in as_maps(outer.get("parameter")):
            name = as_text(parameter.get("name"))
            if name == "bundle":
                inner = as_map(parameter.get("resource"))
                continue
            value = next((as_text(parameter[key]) for key in parameter if key.startswith("value")), "")
            if name in given:
                problems.append(Problem("parameter", 0, name, "given twice", "give it once"))
            given[name] = value
        if not inner:
            problems.append(Problem("parameter", 0, "bundle", "missing", "put the Bundle with the Patient into the parameter 'bundle'"))
        body = msgspec.json.encode(inner)
    problems += [Problem("parameter", 0, name, "not a parameter of this operation", f"known: {', '.join(_TAKEN)}") for name in given if name not in _TAKEN]
    if problems:
        raise BadInput(problems)
    return body, convert({name.replace("-", "_"): value for name, value in given.items()}, Choices)
