"""An indirect response to infused IgG, such as grip strength: what the curve of a model does to what the patient can do.

``dR/dt = kin - (1 - Imax E / (C50 + E)) kout R`` with ``kin = start kout`` and E the IgG above baseline. Between two points E is taken at their mean,
and the step is then exact; at a sixteenth of a day the error is below 0.1 % of the response. R is proportional to its start, so a change in per cent
holds for any start.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from ivigil.basis.quantity import number_text
from ivigil.evidence.kinetics import Model
from ivigil.pharmacokinetics.curves import total_over
from ivigil.pharmacokinetics.history import Given
from ivigil.pharmacokinetics.kernels import Array
from ivigil.pharmacokinetics.regimen import Regimen
from ivigil.pharmacokinetics.typical import Values

_FINE = 16
"""Points a day."""


class ResponseCurve(msgspec.Struct, frozen=True, eq=False):
    """The response over time (in its own unit) on the days of the forecast, and what it comes to over the last interval of the regimen.

    ``typical_start`` is that of the patients of the model, not of this one; ``lowest`` and ``highest`` are shares of the start.
    """

    name: str
    unit: str
    typical_start: float
    share: Array
    lowest: float
    highest: float
    meaningful: float | None
    cites: tuple[str, ...]


def indirect_response(excess: Array, step: float, kout: float, c50: float, imax: float) -> Array:
    """The response as a share of its start, 1 at the first point; ``excess`` is IgG above baseline (g/L) at points ``step`` days apart."""
    middle = np.maximum((excess[1:] + excess[:-1]) / 2, 0.0)
    loss = kout * (1.0 - imax * middle / (c50 + middle))
    left = np.exp(-loss * step)
    resting = kout / loss
    out = np.empty(excess.size)
    out[0] = share = 1.0
    for place, (kept, rest) in enumerate(zip(left.tolist(), resting.tolist(), strict=True), start=1):
        share = rest + (share - rest) * kept
        out[place] = share
    return out


def response_over(model: Model, values: Values, baseline: float, given: Sequence[Given], times: Array, regimen: Regimen) -> ResponseCurve | None:
    """The response of a typical patient on the days ``times``; None where the model has none. It begins at its start on the first of them."""
    printed = model.response
    if printed is None:
        return None
    fine = np.linspace(times[0], times[-1], round(float(times[-1] - times[0]) * _FINE) + 1)
    excess = total_over(model, values, baseline, given, fine)[:, 0] - baseline
    share = indirect_response(excess, float(fine[1] - fine[0]), printed.kout.in_unit("/day"), printed.C50.in_unit("g/L"), printed.Imax)
    last = fine >= times[-1] - (regimen.every or times[-1])
    unit = printed.start.unit
    return ResponseCurve(printed.name, unit, printed.start.value, np.interp(times, fine, share), float(share[last].min()), float(share[last].max()),
                         printed.meaningful.in_unit(unit) if printed.meaningful is not None else None, printed.cites)


def response_in_words(found: ResponseCurve) -> str:
    """The change in per cent, which holds for any start, and what it is for the typical one."""
    low, high = 100 * (found.lowest - 1), 100 * (found.highest - 1)
    start, unit = found.typical_start, found.unit
    meaningful = f"; a change of {number_text(found.meaningful)} {unit} counts as meaningful" if found.meaningful is not None else ""
    return (f"At the end of this forecast {found.name} lies {low:+.0f} to {high:+.0f} % from its value without infused IgG: {start * found.lowest:.1f} to "
            f"{start * found.highest:.1f} {unit} for the typical {number_text(start)} {unit} of the model's patients, who differ widely{meaningful}. "
            "It is counted from the first dose of this forecast, as if untreated before.")
