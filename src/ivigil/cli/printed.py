"""Plans on paper: PDF, the patient's leaflet and the calendar file."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import PurePath

from ivigil.basis.problems import BadInput, Problem
from ivigil.cli.output import columns
from ivigil.evidence.library import Evidence
from ivigil.planning.line import Plan
from ivigil.rendering.leaflet import Leaflet, leaflet_of


def printed(plans: Sequence[Plan], evidence: Evidence, form: str, out: str, link: str) -> str | bytes:
    """The plans as leaflet (text, or by the ending of ``out`` HTML or PDF), as PDF, or as calendar file. ``link`` is printed on a leaflet with its QR code.

    Raises:
        BadInput: several plans for a format that holds one, a PDF for a terminal, an address that is none, or the extra ``print`` is missing.
    """
    ending = PurePath(out).suffix.lower()
    paged = form == "pdf" or (form == "leaflet" and ending == ".pdf")
    problems = []
    if len(plans) > 1 and (form != "leaflet" or ending in {".pdf", ".html", ".htm"}):
        problems.append(Problem("--format", 0, form, f"{len(plans)} plans do not go into one file", "plan one record at a time"))
    if paged and not out and sys.stdout.isatty():
        problems.append(Problem("--format", 0, form, "a PDF cannot be shown in a terminal", "name a file with --out"))
    if link and form != "leaflet":
        problems.append(Problem("--link", 0, "", "only a leaflet carries an address", "add --format leaflet, or leave it out"))
    if problems:
        raise BadInput(problems)
    if form == "leaflet":
        return _leaflet(plans, [leaflet_of(plan, evidence) for plan in plans], ending, link)
    if form == "pdf":
        from ivigil.rendering.print.pdf import plan_pdf

        return plan_pdf(plans[0])
    from ivigil.rendering.print.calendar import calendar_file

    return calendar_file(plans[0], leaflet_of(plans[0], evidence)).encode()


def _leaflet(plans: Sequence[Plan], leaflets: Sequence[Leaflet], ending: str, link: str) -> str | bytes:
    code = ""
    if link:
        from ivigil.rendering.print.qr import qr_svg

        code = qr_svg(link)
    if ending == ".pdf":
        from ivigil.rendering.print.pdf import leaflet_pdf

        return leaflet_pdf(leaflets[0], plans[0], link=link, code=code)
    if ending in {".html", ".htm"}:
        from ivigil.rendering.leaflet_html import leaflet_html

        return leaflet_html(leaflets[0], link=link, code=code)
    from ivigil.rendering.leaflet_text import leaflet_text

    return "\n\n".join(leaflet_text(leaflet, columns(), link) for leaflet in leaflets)
