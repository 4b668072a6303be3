"""The review queue: what waits, one statement with its source and all it feeds, and a verdict written into the evidence."""

from __future__ import annotations

import re
from typing import cast

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ivigil.basis.problems import BadInput, Problem
from ivigil.evidence.review import refusal, stamp_of, state_of
from ivigil.evidence.shapes import ReviewStatus, Statement, Verdict
from ivigil.evidence.uses import RISKS
from ivigil.service.auth.who import person_of, require
from ivigil.service.clock import now, today
from ivigil.service.errors import Refused
from ivigil.service.hospital import hospital_of
from ivigil.service.pages.posted import posted
from ivigil.service.pages.reference import reference_of
from ivigil.service.pages.render import page
from ivigil.service.renewal import Renewal
from ivigil.service.store.audit import Act
from ivigil.service.store.people import OPEN

router = APIRouter(include_in_schema=False)

VERDICTS = (("approved", "Approve"), ("under-review", "Keep under review"), ("rejected", "Reject"), ("superseded", "Superseded"))
PAGE = 40
_LONGEST = 200


@router.get("/review")
def queue(request: Request) -> Response:
    """What waits, the riskiest first; ``risk`` and ``q`` narrow it, ``from`` turns the page."""
    evidence = hospital_of(request).evidence
    everything = reference_of(hospital_of(request)).waiting
    risk, words = request.query_params.get("risk", ""), request.query_params.get("q", "")[:_LONGEST]
    asked = request.query_params.get("from", "0")
    begin = int(asked) if re.fullmatch(r"[0-9]{1,6}", asked) else 0
    wanted = words.casefold().split()
    found = [one for one in everything if risk in {"", one.risk} and all(word in f"{one.id} {evidence.statements[one.id].says}".casefold() for word in wanted)]
    counts = {name: sum(one.risk == name for one in everything) for name in RISKS}
    return page(
        request,
        "review.html",
        surface="reference",
        found=found[begin : begin + PAGE],
        all=len(found),
        begin=begin,
        size=PAGE,
        risk=risk,
        words=words,
        counts={name: count for name, count in counts.items() if count},
        waiting=len(everything),
        statements=evidence.statements,
    )


@router.get("/review/{name:path}")
def one(request: Request, name: str) -> Response:
    """One statement beside its source and everything that rests on it."""
    return _shown(request, _statement(request, name))


@router.post("/review/{name:path}")
async def judge(request: Request, name: str) -> Response:
    """Record a verdict. In open mode the reviewer writes a name; otherwise it is that of whoever signed in."""
    entry, person = _statement(request, name), require(request, "reviewer")
    fields: dict[str, str] = {}
    try:
        fields = await posted(request)
        by = fields.get("by", "").strip() if person == OPEN else person.name
        verdict = Verdict(
            status=cast("ReviewStatus", fields.get("status", "")),
            by=by,
            date=today().isoformat(),
            reason=fields.get("reason", "").strip(),
            due=fields.get("due", "").strip(),
            of=stamp_of(entry),
        )
        _allowed(entry, verdict)
        renewal: Renewal = request.app.state.renewal
        name, in_use = await renewal.judge(Act(now(), person.id, "evidence.reviewed", entry.id, {"status": verdict.status}), verdict)
    except BadInput as error:
        return _shown(request, entry, error.problems, fields)
    request.scope["state"].pop("hospital", None)  # the page shows the evidence with the verdict
    counts = ("Every plan counts it from now on" if in_use
              else "The evidence on disk was also changed otherwise: it is read anew, and plans count it as soon as it loads")
    done = f"{verdict.status.replace('-', ' ')} by {verdict.by}, written to {name}. {counts}"
    return _shown(request, _statement(request, entry.id), recorded=done)


def _allowed(entry: Statement, verdict: Verdict) -> None:
    """Refuse a verdict that may not be given.

    Raises:
        BadInput: none was chosen, or it may not be given.
    """
    if verdict.status not in dict(VERDICTS):
        raise BadInput([Problem("status", 0, "", "no verdict was chosen", "choose one of the buttons")])
    why = refusal(entry, verdict)
    if why:
        cause, _, remedy = why.partition("; ")
        raise BadInput([Problem("verdict", 0, "", cause, remedy.replace("--by NAME", "a name").replace("--reason TEXT", "a reason"))])


def _statement(request: Request, name: str) -> Statement:
    found = hospital_of(request).evidence.statements.get(name)
    if found is None:
        raise Refused(404, Problem("statements", 0, name[:_LONGEST], "no statement has this id", "search the evidence for it"))
    return found


def _shown(request: Request, entry: Statement, problems: tuple[Problem, ...] = (), typed: dict[str, str] | None = None, recorded: str = "") -> Response:
    reference = reference_of(hospital_of(request))
    evidence, person = hospital_of(request).evidence, person_of(request)
    feeds = [(use, reference.address(use.part, use.id)) for use in reference.uses[entry.id]]
    sources = [evidence.sources[name] for name in dict.fromkeys((entry.source, *entry.also, entry.through)) if name in evidence.sources]
    return page(
        request,
        "statement.html",
        status=422 if problems else 200,
        surface="reference",
        problems=problems,
        entry=entry,
        state=state_of(entry),
        sources=sources,
        feeds=feeds,
        disputes=[evidence.statements[other] for other in entry.disputed_by if other in evidence.statements],
        stamp=stamp_of(entry),
        typed=typed or {},
        recorded=recorded,
        may=person.may("reviewer"),
        named=person != OPEN,
        person=person,
        verdicts=VERDICTS,
        address=reference.address("statements", entry.id),
    )
