"""What a question about the coming IgG of one patient gets: lines of the shared forecast with its models, or its own reason why there is none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import msgspec

from ivigil.answers.diseases import Here
from ivigil.answers.planned import context_for
from ivigil.answers.said import Said, frame, marks_of, plain_for
from ivigil.answers.understand import Question
from ivigil.answers.vocabulary import Vocabulary
from ivigil.basis.problems import BadInput
from ivigil.basis.quantity import number_text
from ivigil.patient.record import Record
from ivigil.planning.outlook import CHOICE, model_cites
from ivigil.planning.plan import looking_ahead
from ivigil.planning.wording import day_text

if TYPE_CHECKING:  # the arithmetic is loaded when somebody asks for it
    from ivigil.pharmacokinetics.asked import Asked
    from ivigil.pharmacokinetics.forecast import Forecast, ModelCurve
    from ivigil.pharmacokinetics.sampling import Sampling

Wish = Literal["trough", "below", "half-life", "next-level"]
WISHES: tuple[Wish, ...] = ("trough", "below", "half-life", "next-level")
_WARNED = {"clearance-alarm", "fit-poor", "baseline-doubtful", "baseline-uncertain", "dose-impossible", "unit-slip"}
_BASIS = {"steady-state-assumed", "no-dose-on-record", "history-short", "baseline-assumed", "baseline-measured", "baseline-fitted", "levels-fitted"}
_NO_DRAWING = {"clearance-alarm", "fit-poor"}
_NINE_IN_TEN = 1.645
"""Standard deviations to either side that hold nine in ten of a normal distribution."""
_CONFIRM = "A forecast is no measurement: confirm with a level before changing treatment."
_CONFIRM_PLAIN = ("This is a forecast. Only a blood test shows your real level.", "Do not change your dose because of it. Ask your team.")
_NONE_PLAIN = "A forecast would not be sure enough for you. Only a blood test can tell. Please ask your team when the next one is due."


class _Seen(msgspec.Struct, frozen=True, eq=False):
    """A forecast with where its regimen came from."""

    forecast: Forecast
    sampling: Sampling | None
    notes: tuple[str, ...]


def wishes_of(question: Question, vocabulary: Vocabulary) -> tuple[Wish, ...]:
    """What is asked of the coming IgG; a level that is fallen below must be named."""
    found = [wish for wish in WISHES if vocabulary.marks[f"ahead-{wish}"].found(question.words)]
    return tuple(wish for wish in found if wish != "below" or question.amounts.levels)


def ahead(here: Here, question: Question, wishes: tuple[Wish, ...], record: Record) -> tuple[Said, ...]:
    """The forecast of the dose that is asked about, else of that of the record, else of the planned one. A patient hears of no dose of the question.

    Raises:
        BadInput: the record contradicts itself or cannot be right; every problem is listed.
    """
    seen = _forecast(here, question, record)
    if isinstance(seen, str):
        said = frame(_NONE_PLAIN) if plain_for(here.audience) else _line(here, f"IgG is not forecast: {seen.rstrip('.')}.", (CHOICE,))
        return (said,)
    if seen.forecast.status != "forecast":
        return tuple(_not_forecast(here, seen.forecast))
    if not plain_for(here.audience):
        return tuple(dict.fromkeys(_clinical(here, question, wishes, seen)))
    first = seen.forecast.curves[0]
    sure = (first.verdict.fit == "fits" or first.individual) and not any(remark.kind in _NO_DRAWING for remark in seen.forecast.remarks)
    return tuple(_plain(here, question, wishes, seen)) if sure else (frame(_NONE_PLAIN),)


def _forecast(here: Here, question: Question, record: Record) -> _Seen | str:
    """The forecast, or in words why there is none."""
    from ivigil.pharmacokinetics.for_record import Wanted, forecast_for, sampling_of

    named = question.indications[0] if len(question.indications) == 1 and not record.order.indication else ""
    wanted, asked = Wanted(indication=named), _asked(here, question)
    try:
        made = forecast_for(record, asked, wanted, here.evidence, here.as_of)
        return _Seen(made.forecast, made.sampling, made.chosen.notes)
    except BadInput as error:
        why = "; ".join(dict.fromkeys(f"{problem.why} ({problem.remedy.rstrip('.')})" for problem in error.problems))
        if asked.dose or any(problem.place not in {"dose", "every"} for problem in error.problems):
            return why
    planned = looking_ahead(record, here.evidence, context_for(here, record, named))
    if planned is None or isinstance(planned, str):
        return planned or why
    return _Seen(planned, sampling_of(planned, here.evidence, float(planned.times[-1])), ("The dose, interval and first day are those of the plan.",))


def _asked(here: Here, question: Question) -> Asked:
    """The regimen of the question, where a clinician names a dose: what if."""
    from ivigil.pharmacokinetics.asked import Asked

    amounts = question.amounts
    if plain_for(here.audience) or len(amounts.doses) != 1 or amounts.doses[0].amount.low != amounts.doses[0].amount.high:
        return Asked()
    dose = amounts.doses[0].amount
    return Asked(dose=f"{number_text(dose.low)} {dose.unit}", every=f"{number_text(amounts.weeks)} week" if amounts.weeks else "")


def _line(here: Here, text: str, cites: tuple[str, ...], *more: str) -> Said:
    named = tuple(dict.fromkeys(cites))
    return Said(text, named, "forecast", (*marks_of(here.evidence, named), *more))


def _not_forecast(here: Here, made: Forecast) -> Iterator[Said]:
    """The states that forbid it, or the first reason of each model that was thought of."""
    if plain_for(here.audience):
        yield frame(_NONE_PLAIN)
        return
    for state in made.states:
        if state.forecast == "needs-levels":
            yield _line(here, f"IgG is not forecast without levels. {state.say}", state.cites, "warning")
        else:
            yield _line(here, state.say, state.cites)
    if made.status == "no-model":
        verdict = next((one for one in made.verdicts if one.model == made.choice and one.reasons), None)
        why = f" ({'; '.join(reason.say.rstrip('.') for reason in verdict.reasons)})" if verdict is not None else ""
        cites = tuple(cite for reason in verdict.reasons for cite in reason.cites) if verdict is not None else ()
        yield _line(here, f"IgG is not forecast: no published model speaks for this patient and dose{why}.", (CHOICE, *cites))


def _clinical(here: Here, question: Question, wishes: tuple[Wish, ...], seen: _Seen) -> Iterator[Said]:
    made = seen.forecast
    first = made.curves[0]
    cites = (*model_cites(first, here.evidence), CHOICE)
    for wish in wishes:
        if wish == "trough":
            yield _line(here, _trough(here, made, first), cites)
        elif wish == "below":
            yield from (_line(here, _below(here, made, first, level.in_unit("g/L")), cites) for level in question.amounts.levels)
        elif wish == "half-life":
            yield _line(here, _half_life(made, first), cites)
        else:
            yield _line(here, _next_level(here, seen, first), (*cites, "pk-policy.distribution"))
    if "trough" not in wishes:
        yield _line(here, _trough(here, made, first), cites)
    yield _line(here, _regimen(here, made), cites)
    yield from (_line(here, note, (CHOICE,)) for note in seen.notes)
    if len(made.curves) > 1:
        yield _line(here, _between(made), tuple(cite for curve in made.curves for cite in model_cites(curve, here.evidence)))
    for kinds, more in ((_WARNED, ("warning",)), (_BASIS, ())):
        yield from (_line(here, remark.say, remark.cites or cites, *more) for remark in made.remarks if remark.kind in kinds)
    yield from (_line(here, state.say, state.cites) for state in made.states)
    yield frame(_CONFIRM)


def _whose(curve: ModelCurve) -> str:
    stretch = "; ".join(reason.say.rstrip(".") for reason in curve.verdict.reasons)
    whose = "this patient, fitted to the levels" if curve.individual else "a typical patient like this one"
    return f"{curve.name}, {whose}{f'; a stretch: {stretch}' if stretch else ''}"


def _trough(here: Here, made: Forecast, first: ModelCurve) -> str:
    found, plan = first.summary, made.regimen
    if plan.every is not None and found.next_trough is not None:
        at = plan.start + plan.every
        text = f"IgG just before the dose of {_day(here, at)}: {found.next_trough:.1f} g/L{_range(made, at)}"
        if found.trough is not None and found.peak is not None:
            text += f"; steady state {found.trough:.1f} to {found.peak:.1f} g/L"
    else:
        text = f"IgG is highest on {_day(here, found.highest_on)}: {found.highest:.1f} g/L{_range(made, found.highest_on)}"
        if found.rise_after_two_weeks is not None:
            text += f"; two weeks after the dose it is {found.rise_after_two_weeks:.1f} g/L above the level before it"
    return f"{text} ({_whose(first)})."


def _range(made: Forecast, day: float) -> str:
    band = made.bands.together if made.bands is not None else None
    if band is None:
        return ""
    at = int(abs(made.times - day).argmin())
    return f" (9 in 10: {band[0, at]:.1f} to {band[2, at]:.1f})"


def _below(here: Here, made: Forecast, first: ModelCurve, level: float) -> str:
    shown = f"{number_text(level)} g/L"
    now, falls = _crossing(made, list(first.total), level)
    start = f"IgG is below {shown} today, and " if now else "IgG "
    if falls is None:
        text = f"{start}stays below {shown} until {_last(here, made)}" if now and _never_above(made, first, level) else (
            f"{start}rises above it and does not fall below it again before {_last(here, made)}" if now else
            f"{start}does not fall below {shown} before {_last(here, made)}")
    else:
        text = f"{start}falls below {shown}{' again' if now else ''} on {_day(here, falls)}"
    band = made.bands.together if made.bands is not None else None
    if band is not None:
        low_now, low = _crossing(made, list(band[0]), level)
        edge = f"falls below it on {_day(here, low)}" if low is not None else "is below it throughout" if low_now else "does not fall below it"
        text += f"; the lower end of the range of 9 in 10 {edge}"
    return f"{text} ({_whose(first)})."


def _crossing(made: Forecast, curve: list[float], level: float) -> tuple[bool, float | None]:
    """Whether the curve is below the level on the day of the forecast, and the first later day on which it falls below it."""
    ahead_of = [(float(day), float(value)) for day, value in zip(made.times, curve, strict=True) if day >= 0]
    falls = next((day for (_, before), (day, value) in pairwise(ahead_of) if value < level <= before), None)
    return ahead_of[0][1] < level, falls


def _never_above(made: Forecast, first: ModelCurve, level: float) -> bool:
    return not any(value >= level for day, value in zip(made.times, first.total, strict=True) if day >= 0)


def _last(here: Here, made: Forecast) -> str:
    return _day(here, float(made.times[-1]))


def _half_life(made: Forecast, first: ModelCurve) -> str:
    others = [curve.summary.half_life for curve in made.curves[1:]]
    beside = f"; {min(others):.0f} to {max(others):.0f} days under the other models" if others else ""
    return f"Half-life {first.summary.half_life_means}: {first.summary.half_life:.0f} days{beside} ({_whose(first)})."


def _next_level(here: Here, seen: _Seen, first: ModelCurve) -> str:
    found = seen.sampling
    if found is None:
        return "No day stands out for the next level: there is no repeated dose, or the scatter of the model was not read."
    before = any(dose.day == found.day for dose in seen.forecast.given)
    span = f"; {_day(here, found.first)} to {_day(here, found.last)} is nearly as good" if found.first < found.last else ""
    narrower = f"+/-{_NINE_IN_TEN * found.without:.1f} to +/-{_NINE_IN_TEN * found.with_it:.1f} g/L (90 %, assay apart; {first.name})"
    return (f"The next level worth drawing is on {_day(here, found.day)}{', before the infusion' if before else ''}{span}. "
            f"It would narrow the trough to come from {narrower}.")


def _regimen(here: Here, made: Forecast) -> str:
    plan = made.regimen
    every = f" every {number_text(plan.every)} days" if plan.every is not None else ", once"
    over = f" over {plan.days} days" if plan.days > 1 else ""
    return f"Forecast of {number_text(plan.grams)} g{over}{every}, {plan.route.replace('-', ' ')}, from {_day(here, plan.start)}."


def _between(made: Forecast) -> str:
    lows = [curve.summary.next_trough for curve in made.curves if curve.summary.next_trough is not None]
    between = f"; between them the next trough is {min(lows):.1f} to {max(lows):.1f} g/L" if len(lows) > 1 else ""
    return f"{len(made.curves)} published models speak for this patient{between}."


def _plain(here: Here, question: Question, wishes: tuple[Wish, ...], seen: _Seen) -> Iterator[Said]:
    """The same in plain words. Nothing is said of a dose."""
    made = seen.forecast
    first = made.curves[0]
    found, plan = first.summary, made.regimen
    cites = (*model_cites(first, here.evidence), CHOICE)
    own = "It is worked out from your own blood tests." if first.individual else "It is made for a typical person like you."
    if set(wishes) & {"trough", "below"} and plan.every is not None and found.next_trough is not None:
        at = plan.start + plan.every
        yield _line(here, f"Just before your dose of {_day(here, at)} your IgG may be about {found.next_trough:.1f} g/L{_range_plain(made, first, at)}.", cites)
    for level in question.amounts.levels if "below" in wishes else ():
        _, falls = _crossing(made, list(first.total), level.in_unit("g/L"))
        unlikely = f"is not likely to fall below {level} before {_last(here, made)}"
        when = f"may fall below {level} on about {_day(here, falls)}" if falls is not None else unlikely
        yield _line(here, f"Your IgG {when}.", cites)
    if "half-life" in wishes:
        yield _line(here, f"Half of the IgG that you are given is gone after about {found.half_life:.0f} days.", cites)
    if "next-level" in wishes and seen.sampling is not None:
        yield _line(here, f"The best day for your next IgG test may be {_day(here, seen.sampling.day)}.", (*cites, "pk-policy.distribution"))
    yield _line(here, own, cites)
    yield from (frame(said) for said in _CONFIRM_PLAIN)


def _range_plain(made: Forecast, first: ModelCurve, day: float) -> str:
    whose = "9 times in 10 it is" if first.individual else "In 9 of 10 people like you it is"
    return _range(made, day).replace(" (9 in 10: ", f". {whose} ").replace(")", " g/L")


def _day(here: Here, days: float) -> str:
    day: date = here.as_of + timedelta(days=int(days // 1))
    return day_text(day)
