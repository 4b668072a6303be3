"""The plan: a record in, the plan out, questions answered and choices changed on the same page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from ivigil.basis.problems import BadInput, Problem
from ivigil.rendering.why import Node, why_trees
from ivigil.service.changes import carried
from ivigil.service.clock import today
from ivigil.service.hospital import Hospital, hospital_of
from ivigil.service.noted import plan_noted
from ivigil.service.pages.asked import Asked, Made, as_shown, asked_in, choices_in, leaflet_for, made_of, plain_choices
from ivigil.service.pages.drawings import curve_drawing, rate_drawing, vaccine_drawing, vials_drawing
from ivigil.service.pages.examples import Example, examples
from ivigil.service.pages.posted import posted
from ivigil.service.pages.record_form import errors_of, groups_of, record_in
from ivigil.service.pages.reference import reference_of
from ivigil.service.pages.render import is_part, page, part
from ivigil.service.pages.view import view_of

router = APIRouter(include_in_schema=False)

STARTS = {"/plan": "Plan a patient", "/forecast": "Forecast IgG", "/compare": "Compare two ways to treat one patient"}
"""The pages that begin with a record, and their titles."""
NOT_CHANGED = "This change was not made. The plan below is the one before it."


class Linked(msgspec.Struct, frozen=True):
    """A reason with the page of the evidence that it speaks of."""

    text: str
    below: tuple[Linked, ...] = ()
    link: str = ""


def offered(hospital: Hospital) -> dict[str, list[Any]]:
    """What the selections of a form offer."""
    evidence = hospital.evidence
    return {
        "jurisdictions": list(evidence.jurisdictions.values()),
        "indications": sorted(evidence.indications.values(), key=lambda one: one.name.clinical.casefold()),
        "products": sorted(evidence.products.values(), key=lambda one: (one.brand.casefold(), one.market)),
        "weights": list(evidence.weight_policies.values()),
    }


@router.get("/plan")
async def start(request: Request) -> Response:
    """The start page, or with ``example`` the plan of one of the examples."""
    query = dict(request.query_params)
    example, problems = example_in(query)
    hospital = hospital_of(request)
    if example is None:
        return started(request, {**query, "record": ""}, problems, 404)
    choices = choices_in({"jurisdiction": example.jurisdiction, **query})
    try:
        made = await run_in_threadpool(made_of, Asked(example.text, choices), hospital, today())
    except BadInput as error:
        return started(request, {**query, "record": example.text}, error.problems)
    return shown(
        request,
        made,
        query.get("audience", "clinician"),
        example={"example": example.name, **{key: value for key, value in plain_choices(choices).items() if value}},
    )


def example_in(query: Mapping[str, str]) -> tuple[Example | None, list[Problem]]:
    """The example that an address names; none where it names none, with a problem where no example has the name."""
    name = query.get("example", "")
    found = examples().get(name)
    wrong = found is None and bool(name)
    return found, [Problem("example", 0, name[:60], "no example has this name", "choose one of the list")] if wrong else []


def started(request: Request, values: Mapping[str, str], problems: Sequence[Problem] = (), status: int = 422, onward: str = "/plan") -> Response:
    """The start page of the plan, or of what is reached by ``onward``, with what was given and what is wrong with it."""
    hospital = hospital_of(request)
    given = {"record": values.get("record", ""), "changes": values.get("changes", ""), **plain_choices(choices_in(values))}
    given["jurisdiction"] = given["jurisdiction"] or hospital.site.jurisdiction
    return page(
        request,
        "start.html",
        status=status if problems else 200,
        problems=problems,
        values=given,
        onward=onward,
        title=STARTS[onward],
        offered=offered(hospital),
        examples=list(examples().values()),
    )


@router.get("/plan/form")
async def form(request: Request) -> Response:
    """The empty form."""
    return formed(request, {})


def formed(request: Request, fields: Mapping[str, str], problems: Sequence[Problem] = ()) -> Response:
    """The form with what was typed, each problem beside its field and all of them above."""
    hospital = hospital_of(request)
    groups = groups_of(hospital.evidence)
    errors = errors_of(groups, problems)
    values = {"jurisdiction": hospital.site.jurisdiction, "indication": "", **fields}
    opened = [name for name, value in fields.items() if value.strip()] + list(errors)
    return page(
        request,
        "form.html",
        status=422 if problems else 200,
        problems=problems,
        groups=groups,
        errors=errors,
        values=values,
        opened=opened,
        offered=offered(hospital),
    )


@router.post("/plan")
async def plan(request: Request) -> Response:
    """The plan of a posted record. A change that cannot be made leaves the plan before it, with the problems above."""
    hospital, day = hospital_of(request), today()
    fields: dict[str, str] = {}
    try:
        fields = await posted(request)
        if "form" in fields:
            fields["record"] = record_in(fields, choices_in(fields).as_of or day.isoformat())
            asked = Asked(fields["record"], msgspec.structs.replace(choices_in(fields), indication=""))
        else:
            asked = asked_in(fields, hospital.evidence, day)
        made = await run_in_threadpool(made_of, asked, hospital, day)
    except BadInput as error:
        if "form" in fields:
            return formed(request, fields, error.problems)
        return await _unchanged(request, fields, error, hospital, day)
    plan_noted(request, made.record, carried(made.beside))
    return shown(request, made, asked.audience)


async def _unchanged(request: Request, fields: Mapping[str, str], error: BadInput, hospital: Hospital, day: date) -> Response:
    """The plan before a change that failed, or the start page when there was none."""
    try:
        asked = asked_in(fields, hospital.evidence, day)
        if asked.was is None:
            return started(request, fields, error.problems)
        made = await run_in_threadpool(made_of, Asked(asked.record, asked.was, asked.beside), hospital, day)
    except BadInput:
        return started(request, fields, error.problems)
    return shown(request, made, asked.audience, problems=error.problems, typed=fields)


def shown(
    request: Request,
    made: Made,
    audience: str,
    *,
    example: dict[str, str] | None = None,
    problems: Sequence[Problem] = (),
    typed: Mapping[str, str] | None = None,
    saved: str = "",
    heading: str = NOT_CHANGED,
) -> Response:
    """The page of a plan. With ``problems`` a change could not be made, or what ``heading`` says; what was ``typed`` stays in its fields."""
    hospital = hospital_of(request)
    view = view_of(made.plan, made.patient, hospital.evidence)
    rows = (*view.sheet.critical, *(row for block in view.sheet.blocks for row in block.rows))
    leaflet = leaflet_for(made, hospital, today()) if audience == "patient" else None
    disputes = {row.number: tuple(note for note in row.notes if note.startswith("Written otherwise by")) for row in rows}
    return page(
        request,
        "plan.html",
        status=422 if problems else 200,
        surface="education" if audience == "patient" else "planning",
        problems=problems,
        heading=heading,
        made=made,
        view=view,
        audience=audience,
        difference=made.difference,
        values={**plain_choices(made.choices), "jurisdiction": made.plan.jurisdiction},
        offered=offered(hospital),
        disputes=disputes,
        changes=carried(made.beside),
        typed=typed or {},
        saved=saved,
        leaflet=leaflet,
        example=urlencode(example) if example else "",
        drawings={"vials": vials_drawing(made.plan), "rates": rate_drawing(made.plan), "vaccines": vaccine_drawing(made.plan), "curve": curve_drawing(leaflet)},
    )


@router.post("/plan/why")
async def why(request: Request) -> Response:
    """The reasons of one line, as a piece of the open page or as a page of its own."""
    hospital, day = hospital_of(request), today()
    nodes: list[Linked] = []
    problems: tuple[Problem, ...] = ()
    base = request.scope.get("root_path", "").rstrip("/")
    try:
        fields = await posted(request)
        made = await run_in_threadpool(made_of, as_shown(asked_in(fields, hospital.evidence, day)), hospital, day)
        nodes = [_linked(node, hospital, base) for node in why_trees(made.plan, fields.get("line", ""), hospital.evidence)]
    except BadInput as error:
        problems = error.problems
    if is_part(request):
        return part(request, "why.html", nodes=nodes, problems=problems)
    return page(request, "why_page.html", status=422 if problems else 200, nodes=nodes, problems=problems)


def _linked(node: Node, hospital: Hospital, base: str) -> Linked:
    address = reference_of(hospital).address(*node.about) if node.about is not None else ""
    return Linked(node.text, tuple(_linked(below, hospital, base) for below in node.below), f"{base}/evidence/{address}" if address else "")


@router.post("/plan/edit")
async def edit(request: Request) -> Response:
    """The start page with the record of the plan that is shown."""
    try:
        fields = await posted(request)
    except BadInput as error:
        return started(request, {}, error.problems)
    return started(request, fields, (), 200)
