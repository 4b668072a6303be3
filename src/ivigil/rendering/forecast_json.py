"""A forecast as JSON: everything shown, with the daily curve of each model and the bands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from ivigil.basis.problems import Problem
from ivigil.pharmacokinetics.curves import STEP
from ivigil.pharmacokinetics.for_record import Made
from ivigil.pharmacokinetics.forecast import ModelCurve
from ivigil.pharmacokinetics.kernels import Array
from ivigil.pharmacokinetics.personal import PersonalFit
from ivigil.pharmacokinetics.response import ResponseCurve

SCHEMA = "urn:ivigil:forecast:1"
_DAILY = int(1 / STEP)


def forecast_plain(whole: Made, evidence_version: str) -> dict[str, Any]:
    """Builtins only: days count from ``as_of``, levels are g/L, percentiles are the 5th, 50th and 95th."""
    made, without = whole.forecast, whole.without
    return {
        "schema": SCHEMA, "patient": whole.record.id, "as_of": whole.as_of.isoformat(), "evidence_version": evidence_version,
        "status": made.status, "choice": made.choice,
        "person": msgspec.to_builtins(made.person), "regimen": {**msgspec.to_builtins(made.regimen), "grams_per_year": made.regimen.per_year},
        "regimen_notes": list(whole.chosen.notes),
        "verdicts": msgspec.to_builtins(made.verdicts),
        "states": [{"id": state.id, "forecast": state.forecast, "say": state.say, "cites": list(state.cites)} for state in made.states],
        "remarks": msgspec.to_builtins(made.remarks),
        "doses": msgspec.to_builtins(made.given), "levels": msgspec.to_builtins(made.history.levels),
        "fits": [_fit(fit) for fit in made.fits],
        "target": made.target, "attainment": made.attainment, "trough_spread_between_models": made.trough_spread,
        "days": _list(made.times[::_DAILY]),
        "models": [_curve(curve) for curve in made.curves],
        "bands": None if made.bands is None else {name: None if band is None else [_list(row[::_DAILY]) for row in band]
                                                  for name, band in made.bands._asdict().items()},
        "next_level": msgspec.to_builtins(whole.sampling),
        "options": msgspec.to_builtins(whole.options),
        "without_change": None if without is None else [_curve(curve) for curve in without.curves],
    }


def forecasts_json(forecasts: Sequence[dict[str, Any]], problems: Sequence[Problem] = ()) -> str:
    """One forecast alone, or several with the records that could not be used."""
    plain: Any = forecasts[0] if len(forecasts) == 1 and not problems else {
        "schema": SCHEMA, "forecasts": list(forecasts), "failed": [msgspec.to_builtins(problem) for problem in problems]}
    return msgspec.json.format(msgspec.json.encode(plain), indent=1).decode() + "\n"


def _curve(curve: ModelCurve) -> dict[str, Any]:
    return {"model": curve.model, "name": curve.name, "fit": curve.verdict.fit, "individual": curve.individual, "clearance_ratio": curve.clearance_ratio,
            "summary": msgspec.to_builtins(curve.summary), "endogenous": curve.endogenous.value, "total": _list(curve.total[::_DAILY]),
            "infused": _list(curve.total[::_DAILY] - curve.endogenous.value), "response": None if curve.response is None else _response(curve.response)}


def _response(found: ResponseCurve) -> dict[str, Any]:
    """The share of the start day by day; ``lowest`` and ``highest`` over the last interval."""
    return {"name": found.name, "unit": found.unit, "typical_start": found.typical_start, "share_of_start": _list(found.share[::_DAILY]),
            "lowest_share": found.lowest, "highest_share": found.highest, "meaningful_change": found.meaningful, "cites": list(found.cites)}


def _fit(fit: PersonalFit) -> dict[str, Any]:
    """What the levels came to under one model; deviations are logarithms, ``covariance`` is theirs and, last, that of the baseline's logarithm."""
    own = fit.individual
    return {"model": fit.model, "status": fit.status, "why": fit.why, "objective": fit.objective, "shrinkage": fit.shrinkage,
            "levels": msgspec.to_builtins(fit.levels),
            "individual": None if own is None else {"deviations": _list(own.etas), "baseline": own.baseline,
                                                    "covariance": [_list(row) for row in own.covariance]}}


def _list(values: Array) -> list[float]:
    rounded: list[float] = np.round(values, 4).tolist()
    return rounded
