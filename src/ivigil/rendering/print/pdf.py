"""Plan and leaflet as PDF, drawings as PNG. The text goes to the typesetter as data, never as markup; the same input gives the same bytes."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.resources import files
from typing import Any, Literal

import msgspec

from ivigil.basis.problems import BadInput, Problem
from ivigil.planning.line import Plan
from ivigil.rendering.leaflet import Leaflet
from ivigil.rendering.sheet import sheet_of

Paper = Literal["a4", "us-letter"]
_LETTER = ("US", "CA", "CA-ON")
"""Where paper is cut to Letter."""


def paper_of(jurisdiction: str) -> Paper:
    """The paper of a place."""
    return "us-letter" if jurisdiction in _LETTER or jurisdiction.startswith("CA-") else "a4"


def plan_pdf(plan: Plan, paper: Paper | None = None) -> bytes:
    """The clinician's plan, arranged as everywhere else.

    Raises:
        BadInput: the extra ``print`` is not installed.
    """
    data = msgspec.to_builtins(sheet_of(plan))
    return _set("plan.typ", {**data, "patient": dict(data["heading"])["Patient"], "paper": paper or paper_of(plan.jurisdiction)}, plan)


def leaflet_pdf(leaflet: Leaflet, plan: Plan, paper: Paper | None = None, *, link: str = "", code: str = "") -> bytes:
    """The leaflet in large print; ``code`` is an SVG picture made by ivigil.

    Raises:
        BadInput: the extra ``print`` is not installed.
    """
    parts = [{"title": part.title, "text": " ".join(part.sentences), "heads": part.heads, "rows": part.rows, "picture": part.picture} for part in leaflet.parts]
    return _set("leaflet.typ", {
        "title": leaflet.title, "patient": leaflet.patient, "prepared": leaflet.prepared, "draft": " ".join(leaflet.draft), "alarm": leaflet.alarm,
        "parts": parts, "foot": leaflet.foot, "link": link, "code": code,
        "paper": paper or paper_of(plan.jurisdiction),
    }, plan)


def _set(template: str, data: dict[str, Any], plan: Plan) -> bytes:
    try:
        import typst
    except ImportError:
        raise BadInput([Problem("--format", 0, "", "PDF needs the extra 'print'", "pip install 'ivigil[print]'")]) from None
    source = files("ivigil.rendering.print").joinpath(template).read_bytes()
    made = datetime(plan.as_of.year, plan.as_of.month, plan.as_of.day, tzinfo=UTC)
    return bytes(typst.compile(source, sys_inputs={"data": msgspec.json.encode(data).decode()}, ignore_system_fonts=True, timestamp=int(made.timestamp())))


_PICTURE = """#set page(width: auto, height: auto, margin: 0pt)
#image(bytes(sys.inputs.svg), format: "svg")
"""
_PER_INCH = 144.0
"""Twice the size of the drawing, so that thin lines stay sharp."""


def png_of(svg: str) -> bytes:
    """A drawing of ivigil as PNG, for slides and records that take no SVG. The same drawing gives the same bytes.

    Raises:
        BadInput: the extra ``print`` is not installed.
    """
    try:
        import typst
    except ImportError:
        raise BadInput([Problem("--plot", 0, "", "PNG needs the extra 'print'", "pip install 'ivigil[print]', or name a file that ends in .svg")]) from None
    return bytes(typst.compile(_PICTURE.encode(), sys_inputs={"svg": svg}, format="png", ppi=_PER_INCH, ignore_system_fonts=True))
