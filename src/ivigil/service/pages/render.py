"""Templates to responses: one environment in which everything is escaped. The service's edge sets the headers that protect browsers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse, Response

from ivigil import __version__
from ivigil.basis.problems import Problem
from ivigil.evidence.library import Evidence
from ivigil.rendering.pages.assets import STYLE
from ivigil.rendering.sheet import PURPOSE
from ivigil.service.hospital import hospital_of
from ivigil.service.pages import view

HERE = Path(__file__).resolve().parent
KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
"""The static files by their endings."""
SURFACES = {
    "planning": ("Clinician planning", "Every line can be checked down to its source. It informs, and prescribes nothing."),
    "education": ("Patient education", "Repeats what the plan says in plain words. It gives no dose of its own."),
    "session": ("Session record", "What happened at an infusion, with the local protocol's words."),
    "reference": ("Clinician reference", "What each source says, where it says it, and what rests on it."),
}
"""The surfaces, labelled apart on every page."""
MENU = (("/plan", "Plan"), ("/compare", "Compare"), ("/forecast", "Forecast"), ("/ask", "Ask"), ("/evidence/", "Evidence"), ("/review", "Review"))


@lru_cache(maxsize=1)
def environment() -> jinja2.Environment:
    """The templates. Undefined names are errors, every text is escaped."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters.update(amounts=view.amounts, ward=view.ward, unit_name=view.unit_name, anchor=view.anchor_of)
    made.globals.update(program=__version__, menu=MENU, surfaces=SURFACES, purpose=PURPOSE, folded=view.folded, first_questions=view.FIRST_QUESTIONS)
    return made


@lru_cache(maxsize=1)
def static_files() -> dict[str, bytes]:
    """The files that pages load, by name; the style of the reference pages is that of ``ivigil evidence pages``."""
    found = {path.name: path.read_bytes() for path in sorted((HERE / "static").iterdir()) if path.suffix in KINDS}
    return {**found, "reference.css": STYLE.encode()}


@lru_cache(maxsize=16)
def mark_of(name: str) -> str:
    """A piece of a static file's hash, so that browsers keep it until it changes."""
    return hashlib.sha256(static_files()[name]).hexdigest()[:10]


def evidence_of(request: Request) -> Evidence:
    """The evidence behind a request."""
    return hospital_of(request).evidence


def page(request: Request, template: str, *, status: int = 200, surface: str = "planning", problems: Sequence[Problem] = (), **values: Any) -> HTMLResponse:
    """One whole page."""
    text = (
        environment()
        .get_template(template)
        .render(
            base=request.scope.get("root_path", "").rstrip("/"),
            path=request.url.path,
            surface=surface,
            problems=problems,
            evidence_version=evidence_of(request).version,
            overlay=evidence_of(request).overlay,
            mark=mark_of,
            open_mode=request.app.state.settings.mode == "open",
            signed_in_as=getattr(request.scope.get("state", {}).get("person"), "name", ""),
            **values,
        )
    )
    return HTMLResponse(text, status)


def part(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A piece of a page, for a page that is already open."""
    text = environment().get_template(template).render(base=request.scope.get("root_path", "").rstrip("/"), **values)
    return HTMLResponse(text, status)


def download(text: str | bytes, name: str, kind: str) -> Response:
    """A file to keep. ``name`` holds nothing of the patient."""
    return Response(text, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def is_part(request: Request) -> bool:
    """True when an open page asks for a piece to put in, rather than for a page."""
    return request.headers.get("hx-request") == "true"
