"""The patient's leaflet: a clinician's plan in plain words. It repeats the plan and general facts, and never doses anew.

Every number is the plan's own: it is taken from a line of the plan, or stands in a sentence of the evidence that is written for patients.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from ivigil.basis.reading import Reading, read
from ivigil.evidence.library import Evidence
from ivigil.planning.line import Line, Plan
from ivigil.planning.wording import day_text, lower_first
from ivigil.rendering.leaflet_curve import curve_part, written_day
from ivigil.rendering.leaflet_parts import Part
from ivigil.rendering.plain_text import clean

SURFACE = "Patient education. It repeats the plan of your care team. It does not replace their advice."
READY = ("complete", "needs-answers")
"""The plans of which a leaflet can be made."""

_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_NOW = "Call the emergency service now"
_TEAM = "Call your care team at once"
_CALLS = re.compile(r"\b[Cc]alls?\b")
_DAY = re.compile(r"\bnot before (\d{1,2} [A-Z][a-z]{2} \d{4})")
_GOES_ON = "while treatment goes on"
_ASIDE = re.compile(r" \([^()0-9]*\)")


class Leaflet(msgspec.Struct, frozen=True):
    """A whole leaflet: alarm signs first, then the parts in reading order. ``draft`` says why it must not be handed out yet."""

    patient: str
    title: str
    prepared: str
    draft: tuple[str, ...]
    alarm: tuple[tuple[str, tuple[str, ...]], ...]
    parts: tuple[Part, ...]
    foot: tuple[str, ...]

    def sentences(self) -> tuple[str, ...]:
        """All running text, for the reading grade; tables are lists of dates, times and names and are not counted."""
        return (*(said for _, group in self.alarm for said in group), *(said for part in self.parts for said in part.sentences))


def leaflet_of(plan: Plan, evidence: Evidence) -> Leaflet:
    """The leaflet of a plan. A blocked plan, or one without a dose, gives a leaflet that says only that it is not ready, with the alarm signs."""
    indication = evidence.indications.get(plan.indication)
    name = clean(indication.name.plain or indication.name.clinical) if indication is not None else ""
    ready = plan.status in READY and plan.line("course.days") is not None
    parts = tuple(_parts(plan, evidence, name, clean(indication.name.clinical) if indication is not None else "")) if ready else ()
    return Leaflet(
        patient=clean(plan.patient),
        title="Your immunoglobulin treatment",
        prepared=f"Made on {day_text(plan.as_of)}",
        draft=_draft(plan, ready),
        alarm=_alarm(plan, evidence),
        parts=tuple(part for part in parts if part.sentences or part.rows),
        foot=(SURFACE, f"Plan of {day_text(plan.as_of)}, evidence {clean(plan.evidence_version)}, ivigil {clean(plan.program_version)}."),
    )


def grade_of_leaflet(leaflet: Leaflet, brands: frozenset[str] = frozenset()) -> Reading:
    """The reading grade of the running text (``docs/reading-grade.md``)."""
    return read(" ".join(leaflet.sentences()), brands)


def _draft(plan: Plan, ready: bool) -> tuple[str, ...]:
    if not ready:
        return ("This plan is not ready. Do not start treatment with it.", "Ask your care team what happens next.")
    if plan.status == "needs-answers":
        return ("Draft. Your care team still has questions. Dates, times and doses may change.",)
    return ()


def _parts(plan: Plan, evidence: Evidence, plain: str, clinical: str) -> Iterator[Part]:
    told = {line.id.removeprefix("advice."): line for line in plan.lines if line.section == "advice"}
    yield Part("why", "Why you have this treatment", (*_named(plain, clinical), *_said(told.get("how-it-works"))), lines=("advice.how-it-works",))
    yield _dose(plan)
    yield Part("before", "Before you come", _said(told.get("before")) or _said(plan.line("hydration.oral")), lines=("advice.before",))
    yield _day(plan, told.get("day"))
    yield Part("after", "Afterwards", _said(told.get("after")), lines=("advice.after",))
    yield Part("home", "At home", _said(told.get("home")), lines=("advice.home",))
    yield Part("you", "For you in particular", _said(told.get("for-you")), lines=("advice.for-you",))
    yield _visits(plan)
    curve = curve_part(plan)
    if curve is not None:
        yield curve
    yield _vaccines(plan, told.get("vaccines"))
    yield Part("call", "When to call", _said(told.get("when-to-call")), lines=("advice.when-to-call",))
    yield _asked(plan, evidence)


def _named(plain: str, clinical: str) -> tuple[str, ...]:
    if not plain:
        return ()
    said = f"You have it for {plain}."
    return (said,) if plain.lower() == clinical.lower() else (said, f"Doctors call it: {lower_first(clinical)}.")


def _dose(plan: Plan) -> Part:
    """The dose as the plan says it, and the product by its name and strength."""
    sentences = []
    choice = next((line for line in plan.lines if line.id in {"vials.choice", "vials.short"}), None)
    if choice is not None:
        product, _, _ = clean(choice.text).partition(":")
        sentences.append(f"Your medicine is {product}.")
    sentences.append("Your dose is below. The word g means grams.")
    days = plan.line("course.days")
    if days is None:
        return Part("dose", "Your dose", tuple(sentences))
    rows = [("Each time", _first(days.text))]
    repeated = [said for said in _sentences(days.text) if said.startswith("Repeated")]
    rows += [("How often", said.rstrip(".")) for said in repeated]
    return Part("dose", "Your dose", tuple(sentences), rows=tuple(rows), lines=("course.days", "vials.choice"))


def _day(plan: Plan, told: Line | None) -> Part:
    """Each treatment day with its times, as far as the plan sets them."""
    observed = plan.line("monitoring.observe")
    stay = f"{observed.value} after the end" if observed is not None and observed.value is not None else ""
    rows = []
    before = _medicines(plan)
    for line in plan.lines:
        if not line.id.startswith("infusion.day-") or line.table is None:
            continue
        starts, ends = _times(line)
        rows.append(("Dates", _which_days(line)))
        if before:
            rows.append(("Medicine before", before))
        rows += [("Starts", starts), ("Ends", ends)] if starts else []
        if stay:
            rows.append(("Stay for", stay))
    return Part("day", "On the day", _said(told), rows=tuple(rows),
                lines=tuple(line.id for line in plan.lines if line.id.startswith("infusion.day-")))


def _which_days(line: Line) -> str:
    """``20 Nov 2026 to 23 Nov 2026`` out of the line's own sentence, so that it cannot differ from the plan."""
    inside = re.search(r"\(([^)]*)\)", line.text)
    if inside is not None:
        return clean(inside.group(1))
    return day_text(line.when) if line.when is not None else ""


def _times(line: Line) -> tuple[str, str]:
    """When the infusion starts, and when it ends: if every step is tolerated, or at the earliest where the label prints no steps."""
    table = line.table
    if table is None:
        return "", ""
    names = [column.name for column in table.columns]
    if "From" not in names or "To" not in names:
        return "", ""
    start = table.rows[0][names.index("From")]
    end = table.rows[-1][names.index("To")]
    sure = table.rows[-1][names.index("From")] is not None
    if not isinstance(start, str) or not isinstance(end, str):
        return "", ""
    return clean(start), f"about {clean(end)} if all goes well" if sure else f"{clean(end)} at the earliest"


def _medicines(plan: Plan) -> str:
    """What may be given before the infusion, by name and time; doses stay with the nurse."""
    line = plan.line("premedication.offer")
    if line is None or line.table is None:
        return ""
    names = [column.name for column in line.table.columns]
    given = [clean(str(row[names.index("Give")])) for row in line.table.rows]
    clock = re.search(r"\(([^)]*)\)", str(line.table.rows[0][names.index("When")])) if line.table.rows and "When" in names else None
    at = f", {clean(clock.group(1))}" if clock is not None else ""
    return f"{' and '.join(given)} may be offered{at}"


def _visits(plan: Plan) -> Part:
    """Days of treatment, tests that fall due and the review, in order of date."""
    dated = []
    days = plan.line("course.days")
    if days is not None and days.table is not None:
        dates = [clean(str(row[1])) for row in days.table.rows]
        dated.append((days.when, ("Treatment", dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}")))
    for line in plan.lines:
        if line.section != "monitoring" or line.when is None:
            continue
        if line.id == "monitoring.review":
            dated.append((line.when, ("Review of how well it works", f"by {day_text(line.when)}")))
        elif line.table is not None and line.table.rows:
            dated.append((line.when, (f"Test: {clean(str(line.table.rows[0][0]))}", _dates_in(line))))
    ordered = [row for _, row in sorted(dated, key=lambda item: (item[0] is None, item[0] or plan.as_of))]
    watch = plan.line("monitoring.watch")
    rows = [*ordered, *([("Watch for", _ASIDE.sub("", clean(watch.text)).removeprefix("Watch for ").rstrip("."))] if watch is not None else [])]
    return Part("visits", "Your dates", rows=tuple(rows), lines=("course.days", "monitoring.review", "monitoring.watch"))


def _dates_in(line: Line) -> str:
    """The dates in brackets at the end of the line's sentence, or its first date."""
    inside = re.findall(r"\(([^()]*\d{4}[^()]*)\)", line.text)
    if inside:
        return clean(inside[-1])
    return day_text(line.when) if line.when is not None else ""


def _vaccines(plan: Plan, told: Line | None) -> Part:
    """Each live vaccine with what the plan says of its date."""
    waits = [line for line in plan.lines if line.section == "vaccination" and line.act == "wait" and ": " in line.text]
    rows = tuple((clean(line.text).partition(": ")[0], _not_before(line)) for line in waits)
    return Part("vaccines", "Vaccines", _said(told), heads=("Vaccine", "When") if rows else (), rows=rows, lines=tuple(line.id for line in waits))


def _not_before(line: Line) -> str:
    """The latest date that the plan names for the vaccine, so that nobody turns up for one that does not count."""
    found = [(written_day(said), said) for said in _DAY.findall(line.text)]
    if not found:
        return _first(clean(line.text).partition(": ")[2])
    latest = f"not before {max(found)[1]}"
    return f"No date while treatment goes on. After the last course {latest}" if _GOES_ON in line.text else f"N{latest[1:]}"


_TOPICS_ASKED = ("other-ways", "home", "travel", "work", "choice")


def _asked(plan: Plan, evidence: Evidence) -> Part:
    """Questions that other people ask, to take along to the next visit; what the leaflet tells already is left out."""
    told = {line.id.removeprefix("advice.") for line in plan.lines if line.section == "advice"}
    topics = [topic for topic in _TOPICS_ASKED if topic not in told]
    return Part("ask", "Questions you may want to ask",
                rows=tuple((lesson.question,) for lesson in evidence.lessons.values() if lesson.topic in topics and not lesson.jurisdiction))


def _alarm(plan: Plan, evidence: Evidence) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Alarm signs in two groups, by what to do: from the plan where it has them, else from the evidence."""
    line = plan.line("advice.red-flag")
    said = _said(line) if line is not None else tuple(part for entry in evidence.advice_on.get("red-flag", ()) for part in _sentences(entry.say))
    signs: dict[str, list[str]] = {_NOW: [], _TEAM: []}
    waiting: list[str] = []
    for sentence in said:
        if _CALLS.search(sentence) is None:
            waiting.append(sentence)
            continue
        signs[_NOW if "emergency" in sentence else _TEAM].append(" ".join(waiting) or sentence)
        waiting = []
    signs[_TEAM].extend(waiting)
    return tuple((action, tuple(found)) for action, found in signs.items() if found)


def _said(line: Line | None) -> tuple[str, ...]:
    return tuple(_sentences(line.text)) if line is not None else ()


def _sentences(text: str) -> Iterable[str]:
    return [part for part in _SENTENCE.split(clean(text)) if part]


def _first(text: str) -> str:
    """The first sentence without its full stop."""
    return next(iter(_sentences(text)), "").rstrip(".")
