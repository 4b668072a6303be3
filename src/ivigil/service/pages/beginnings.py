"""How a page about a record begins: from an example that its address names, or from a posted form; without a record, with the page that asks for one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from fastapi import Request
from fastapi.responses import Response

from ivigil.basis.problems import BadInput, Problem
from ivigil.service.pages.plan_pages import example_in, started
from ivigil.service.pages.posted import posted

Go = Callable[[Request, Mapping[str, str]], Awaitable[Response]]
"""Makes the page of the fields, which hold a record."""


async def from_address(request: Request, onward: str, go: Go) -> Response:
    """The page of the example that the address names, else the page that asks for a record."""
    query = dict(request.query_params)
    example, problems = example_in(query)
    if example is None:
        return started(request, {**query, "record": ""}, problems, 404, onward)
    return await go(request, {"jurisdiction": example.jurisdiction, **query, "record": example.text})


async def from_form(request: Request, onward: str, go: Go) -> Response:
    """The page of a posted form, or the page that asks for a record with what is wrong."""
    try:
        fields = await posted(request)
    except BadInput as error:
        return started(request, {}, error.problems, onward=onward)
    if not fields.get("record", "").strip():
        return started(request, fields, [Problem("record", 0, "", "no record is given", "paste one, choose a file or open an example")], onward=onward)
    return await go(request, fields)
