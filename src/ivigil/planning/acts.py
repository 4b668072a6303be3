"""What fired rules ask for beside their own sentence: whom to ask, where to give it, what to watch, which drug to review.

Acts that another step carries out (rate caps, splits, tests, advice) are read there; this step gives the remaining ones their own line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta

import msgspec

from ivigil.basis.because import Urgency
from ivigil.basis.quantity import UnitProblem, parse_quantity
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import Act
from ivigil.planning.draft import Constraint, Context, Draft
from ivigil.planning.line import Act as LineAct
from ivigil.planning.line import Line, Section
from ivigil.planning.monitoring import last_moment
from ivigil.planning.reasons import reasons
from ivigil.planning.wording import day_text, listed, lower_first


class Voice(msgspec.Struct, frozen=True):
    """How one act is said: its line, section, verb and urgency, and what distinguishes two acts of its kind."""

    id: str
    section: Section
    act: LineAct
    urgency: Urgency
    opening: str
    thing: Callable[[Act], str]


_PLACES: dict[str, str] = {"staffed": "a staffed place", "hospital": "hospital"}

VOICES: dict[str, Voice] = {
    "second-opinion": Voice("safety.opinion", "safety", "ask", "warning", "Ask before giving it", lambda act: act.who),
    "place": Voice("infusion.place", "infusion", "choose", "warning", "Give it in", lambda act: _PLACES.get(act.place, act.place)),
    "consider-route": Voice("product.route", "product", "choose", "info", "Consider the", lambda act: f"{act.route} route"),
    "review-drug": Voice("safety.drugs", "safety", "check", "info", "Review with the prescriber", lambda act: act.drug),
    "hydrate": Voice("hydration.first", "hydration", "give", "info", "Hydrate before the infusion", lambda act: ""),
    "no-bolus": Voice("hydration.no-routine-bolus", "hydration", "avoid", "warning", "No routine saline bolus", lambda act: ""),
    "premedicate": Voice("premedication.asked", "premedication", "give", "info", "Offer", lambda act: act.give),
    "no-nsaid": Voice("premedication.no-nsaid", "premedication", "avoid", "warning", "No NSAID as premedication", lambda act: ""),
    "concentration": Voice("infusion.concentration", "infusion", "give", "warning", "Prepare as a solution of", lambda act: act.concentration),
    "glucose-meter": Voice("monitoring.glucose-meter", "monitoring", "check", "warning", "Use a glucose-specific meter or laboratory method for",
                           lambda act: f"the infusion and {act.until} after it" if act.until else "the infusion"),
    "report": Voice("monitoring.report", "monitoring", "record", "info", "Report", lambda act: act.what),
    "watch": Voice("monitoring.watch", "monitoring", "check", "info", "Watch for", lambda act: act.duration),
}
"""The acts that get a line of their own."""

_SAID_ELSEWHERE = {"hydrate": "hydration.", "premedicate": "premedication.offer", "no-nsaid": "premedication.no-nsaid", "no-bolus": "hydration.no-bolus"}
"""Acts that are silent where a preparation line already says it."""


def step(draft: Draft, evidence: Evidence, context: Context) -> Draft:
    """One line per kind of act, naming the rules that ask for it; facts that rules ask for become questions."""
    kinds: dict[str, list[Constraint]] = {}
    for constraint in draft.constraints:
        kinds.setdefault(constraint.act.act, []).append(constraint)
    draft = _asked(draft, kinds.get("ask", ()))
    for kind, voice in VOICES.items():
        asking = kinds.get(kind, [])
        if asking and not _said(kind, draft) and not (draft.blocked and voice.section not in {"safety", "product"}):
            draft = draft.saying(_line(voice, asking, draft, evidence, context))
    return draft


def _said(kind: str, draft: Draft) -> bool:
    prefix = _SAID_ELSEWHERE.get(kind)
    return prefix is not None and any(line.id.startswith(prefix) for line in draft.lines)


def _asked(draft: Draft, asking: Iterable[Constraint]) -> Draft:
    asked = tuple((one.rule.id, (one.act.fact,), one.rule.severity) for one in asking if one.act.fact and one.act.fact not in draft.facts)
    return msgspec.structs.replace(draft, undecided=draft.undecided + asked)


def _line(voice: Voice, asking: list[Constraint], draft: Draft, evidence: Evidence, context: Context) -> Line:
    things: dict[str, list[str]] = {}
    for one in asking:
        things.setdefault(_thing(voice, one.act, draft, context), []).append(lower_first(one.rule.about))
    said = "; ".join(f"{thing} ({listed(list(dict.fromkeys(abouts)))})".strip() for thing, abouts in things.items())
    remarks = " ".join(dict.fromkeys(one.act.say for one in asking if one.act.say))
    joint = " " if voice.opening.endswith((" in", " for", " of", " the", "Offer", "Report")) else ": "
    text = f"{voice.opening}{joint}{said}. {remarks}".strip()
    cites = tuple(cite for one in asking for cite in one.rule.cites)
    return Line(voice.id, voice.section, voice.act, voice.urgency, text, reasons(evidence, draft.facts, cites=cites, rule=asking[0].rule.id,
                                                                               entries=[one.rule for one in asking]))


def _thing(voice: Voice, act: Act, draft: Draft, context: Context) -> str:
    thing = voice.thing(act)
    end = _until(act.until, draft, context) if act.act == "watch" and act.until else None
    return f"{thing}, until {act.until} ({day_text(end)})" if end is not None else f"{thing}, until {act.until}" if act.act == "watch" and act.until else thing


def _until(until: str, draft: Draft, context: Context) -> date | None:
    """The date of ``day 14`` or ``48 h`` after the end of the course."""
    end = last_moment(draft, context)
    number = until.removeprefix("day ")
    try:
        length = parse_quantity(f"{number} day" if number != until else until)
    except UnitProblem:
        return None
    return (end + timedelta(days=length.canonical)).date()
