"""The IgG curve of the leaflet: the plan's numbers in plain words and as a picture that stands alone."""

from __future__ import annotations

import io
import re
import statistics
import xml.etree.ElementTree as ElementTree

import msgspec
import pytest
from pypdf import PdfReader
from tests.planning.test_outlook import evidence, patient, planned

from ivigil.basis.reading import read
from ivigil.planning.line import Plan
from ivigil.rendering.leaflet import leaflet_of
from ivigil.rendering.leaflet_curve import curve_part
from ivigil.rendering.leaflet_html import leaflet_html
from ivigil.rendering.leaflet_parts import Part
from ivigil.rendering.leaflet_text import leaflet_text
from ivigil.rendering.print.pdf import leaflet_pdf

DRAWN = ["patients/pid-adult-us", "patients/sid-cll-uk", "patients/scig-switch-us", "patients/mmn-au", "patients/scid-infant-fructose-eu",
         "examples/pid-with-levels"]
SVG = "{http://www.w3.org/2000/svg}"


def _part(made: Plan) -> Part:
    part = curve_part(made)
    assert part is not None
    return part


@pytest.mark.parametrize("name", DRAWN)
def test_every_number_is_the_plans_own(name: str) -> None:
    """Dates and levels of sentences, rows and picture stand in the table of the plan's line."""
    made = planned(patient(name))
    line, part = made.line("outlook.curve"), _part(made)
    assert line is not None
    assert line.table is not None
    known = {f"{cell:.1f}" if isinstance(cell, float | int) else str(cell) for row in line.table.rows for cell in row}
    assert {row[0] for row in part.rows} <= known
    said = " ".join([*(row[1] for row in part.rows), *re.findall(r'aria-label="([^"]*)"', part.picture)])
    assert set(re.findall(r"\d+\.\d+", said)) <= known
    assert set(re.findall(r"\d+", " ".join(part.sentences))) <= {"9", "10"}


@pytest.mark.parametrize("name", DRAWN)
def test_it_is_easy_to_read_and_says_what_it_is(name: str) -> None:
    """A forecast, with its doubt, at a grade of 6 or less; the whole leaflet stays at 8."""
    sentences = _part(planned(patient(name))).sentences
    assert statistics.median(read(sentence).grade for sentence in sentences) <= 6
    assert read(" ".join(sentences)).grade <= 8
    assert "This is a forecast." in " ".join(sentences)
    assert "Only a blood test shows your real level." in " ".join(sentences)


@pytest.mark.parametrize("name", DRAWN)
def test_the_picture_stands_alone_and_stays_inside(name: str) -> None:
    """Valid XML without scripts, styles, links; letters of 22 units; every point, dot and letter inside its frame."""
    picture = _part(planned(patient(name))).picture
    root = ElementTree.fromstring(picture)
    _, _, width, height = (float(part) for part in str(root.get("viewBox")).split())
    assert root.get("role") == "img"
    assert root.get("aria-label")
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {"svg", "title", "rect", "line", "text", "polygon", "polyline", "circle", "path", "g"}
    assert not re.search(r"href|style|url\(|<script", picture)
    for element in root.iter():
        for x, y in re.findall(r"([-\d.]+),([-\d.]+)", element.get("points", "")):
            assert 0 <= float(x) <= width
            assert 0 <= float(y) <= height
    for text in root.iter(f"{SVG}text"):
        assert text.get("font-size") == "22"


@pytest.mark.parametrize(("name", "why"), [("patients/gbs-underweight-us", "not be sure enough"), ("patients/itp-child-uk", "No study that we could use"),
                                           ("patients/abmr-kidney-transplant-us", "only blood tests")])
def test_where_there_is_no_curve_it_says_why(name: str, why: str) -> None:
    """In plain words, without a picture and without a number."""
    part = _part(planned(patient(name)))
    assert why in " ".join(part.sentences)
    assert (part.picture, part.rows) == ("", ())
    assert not re.search(r"\d", " ".join(part.sentences))


def test_a_plan_without_outlook_has_no_such_part() -> None:
    """Nothing is said of a forecast that nobody asked for."""
    assert curve_part(planned(patient("patients/pid-adult-us"), outlook=False)) is None


def test_the_same_picture_stands_in_every_form() -> None:
    """HTML holds it as it is, the text has its rows, the PDF its heading and its numbers; the same plan gives the same bytes."""
    made = planned(patient("patients/pid-adult-us"))
    leaflet, part = leaflet_of(made, evidence()), _part(made)
    assert part.picture in leaflet_html(leaflet)
    text = leaflet_text(leaflet)
    paper = leaflet_pdf(leaflet, made)
    printed = " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(paper)).pages).split())
    for date, level in part.rows:
        assert f"{date}: {level}" in text
        assert level in printed
    assert leaflet_pdf(leaflet_of(made, evidence()), made) == paper


def test_hostile_cells_of_a_saved_plan_never_become_markup() -> None:
    """Markup in a cell is never drawn."""
    made = planned(patient("patients/pid-adult-us"))
    line = made.line("outlook.curve")
    assert line is not None
    assert line.table is not None
    rows = tuple((row[0], "<script>", *row[2:]) for row in line.table.rows)
    bad = msgspec.structs.replace(line, table=msgspec.structs.replace(line.table, rows=rows))
    other = msgspec.structs.replace(made, lines=tuple(bad if one.id == "outlook.curve" else one for one in made.lines))
    assert "<script" not in leaflet_html(leaflet_of(other, evidence()))
