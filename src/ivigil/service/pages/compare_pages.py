"""One patient under two products, weight policies, roundings or jurisdictions, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from ivigil.basis.problems import BadInput, Problem
from ivigil.planning.choices import Choices, Collected, context_of
from ivigil.planning.line import Plan
from ivigil.rendering.plan_difference import PlanDifference, plan_difference
from ivigil.rendering.sheet import GLANCE
from ivigil.service.changes import changes_in
from ivigil.service.clock import today
from ivigil.service.hospital import Hospital, hospital_of
from ivigil.service.noted import plan_noted
from ivigil.service.pages.asked import choices_in, record_of
from ivigil.service.pages.beginnings import from_address, from_form
from ivigil.service.pages.plan_pages import offered
from ivigil.service.pages.render import page
from ivigil.service.pages.view import View, view_of

router = APIRouter(include_in_schema=False)

SIDES = ("first:", "second:")
"""What the names of the choices of each side begin with."""
_SHARED = ("indication", "as_of", "start")
"""Choices that hold for both sides."""


class Pair(msgspec.Struct, frozen=True):
    """Both plans and how the second differs from the first."""

    plans: tuple[Plan, Plan]
    views: tuple[View, View]
    difference: PlanDifference


@router.get("/compare")
async def start(request: Request) -> Response:
    """The start page, or with ``example`` the comparison of one of the examples."""
    return await from_address(request, "/compare", _compared)


@router.post("/compare")
async def compare(request: Request) -> Response:
    """Two plans of a posted record. Without two sides the first is the plan that was shown, and the second the same until it is changed."""
    return await from_form(request, "/compare", _compared)


async def _compared(request: Request, fields: Mapping[str, str]) -> Response:
    hospital = hospital_of(request)
    first, second = _sides(fields, hospital)
    pair: Pair | None = None
    problems: Sequence[Problem] = ()
    try:
        pair = await run_in_threadpool(_made, fields, first, second, hospital)
        plan_noted(request, fields.get("record", ""), fields.get("changes", ""))
    except BadInput as error:
        problems = error.problems
    return page(
        request,
        "compare.html",
        status=422 if problems else 200,
        problems=problems,
        record=fields.get("record", ""),
        changes=fields.get("changes", ""),
        first=first,
        second=second,
        offered=offered(hospital),
        roundings=list(hospital.evidence.rounding.values()),
        made=pair.views if pair else None,
        difference=pair.difference if pair else None,
        glances=_glances(pair.plans) if pair else (),
        names=(_named(first, hospital), _named(second, hospital)),
        **{key: fields.get(key, "") for key in _SHARED},
    )


def _sides(fields: Mapping[str, str], hospital: Hospital) -> tuple[Choices, Choices]:
    """The choices of both sides; a side that says nothing takes those of the plan before."""
    shared = {key: fields.get(key, "") for key in _SHARED}
    sides = []
    for letter in SIDES:
        given = any(name.startswith(letter) for name in fields)
        one = choices_in(fields, letter) if given else choices_in(fields)
        sides.append(msgspec.structs.replace(one, **shared, jurisdiction=one.jurisdiction or hospital.site.jurisdiction))
    return sides[0], sides[1]


def _made(fields: Mapping[str, str], first: Choices, second: Choices, hospital: Hospital) -> Pair:
    day, found = today(), Collected()
    record = found.attempt(lambda: record_of(fields.get("record", ""), changes_in(fields.get("changes", "")), hospital, day), None)
    for letter, choices in (("A", first), ("B", second)):
        found.attempt(lambda letter=letter, choices=choices: context_of(choices, hospital.site, hospital.evidence, day, f"{letter}, {{}}".format), None)  # type: ignore[misc]
    if found.problems or record is None:
        raise BadInput(found.problems)
    one, other = hospital.plan(record, first, day), hospital.plan(record, second, day)
    return Pair((one, other), (view_of(one, record, hospital.evidence), view_of(other, record, hospital.evidence)), plan_difference(one, other))


def _glances(plans: tuple[Plan, Plan]) -> list[tuple[str, str, str]]:
    """For each thing seen at a glance what both plans say of it, and the grams of each."""
    found = []
    for word, ids in GLANCE:
        said = [next((line.text for name in ids if (line := plan.line(name)) is not None), "") for plan in plans]
        if any(said):
            found.append((word, said[0] or "nothing", said[1] or "nothing"))
    for word, line_id in (("Amount", "cost.use"), ("Cost", "cost.price")):
        said = [line.text if (line := plan.line(line_id)) is not None else "" for plan in plans]
        if any(said):
            found.append((word, said[0] or "nothing", said[1] or "nothing"))
    return found


def _named(choices: Choices, hospital: Hospital) -> str:
    """A side by its choices, for the head of its column."""
    evidence = hospital.evidence
    place = evidence.jurisdictions.get(choices.jurisdiction)
    product = evidence.products.get(choices.product)
    weight = evidence.weight_policies.get(choices.weight_policy)
    rounding = evidence.rounding.get(choices.rounding)
    names = [
        place.name if place else "",
        f"{product.brand} ({product.market})" if product else "",
        weight.name if weight else "",
        rounding.name if rounding else "",
    ]
    return ", ".join(name for name in names if name) or "as the record says"
