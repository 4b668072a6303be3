"""Summaries of many virtual patients: the same as with all curves in memory, in a memory that does not grow."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given as holds
from hypothesis import strategies as some
from tests.pharmacokinetics.people import ADULT, evidence

from ivigil.pharmacokinetics.curves import total_over
from ivigil.pharmacokinetics.history import Given
from ivigil.pharmacokinetics.streamed import Stream, population, virtual_patients
from ivigil.pharmacokinetics.typical import CannotCompute

MODEL = evidence().models["navarro-mora-2022"]
DOSES = tuple(Given(28.0 * index, 28.0, "intravenous", 1 / 6) for index in range(4))
DAYS = np.arange(0.0, 113.0, 7.0)


def test_percentiles_are_those_of_the_whole_curves() -> None:
    """30,000 patients at once against the stream, within one bin and the step between neighbours; the mean to rounding, the share to 0.1 %."""
    found = population(MODEL, ADULT, 4.0, 0.4, DOSES, DAYS, 30_000, evidence(), target=7.0, seed=3, block=4000)
    curves = np.concatenate([total_over(MODEL, values, baselines, DOSES, DAYS)
                             for values, baselines in virtual_patients(MODEL, ADULT, 4.0, 0.4, 30_000, evidence(), 3, 4000)], axis=1)
    assert found.percentiles == pytest.approx(np.quantile(curves, found.shares, axis=1), rel=0.004)
    assert found.mean == pytest.approx(curves.mean(axis=1), rel=1e-9)
    assert found.above_target == pytest.approx((curves >= 7.0).mean(axis=1), abs=0.001)


def peak_memory(number: int) -> int:
    """Bytes at the highest point."""
    tracemalloc.start()
    population(MODEL, ADULT, 4.0, 0.4, DOSES, DAYS, number, evidence(), block=1000)
    top = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return top


def test_memory_does_not_grow_with_the_patients() -> None:
    """Thirty times as many patients need the same memory, within 5 %."""
    peak_memory(1000)
    assert peak_memory(60_000) < 1.05 * peak_memory(2000)


@holds(some.lists(some.floats(0.1, 300.0), min_size=1, max_size=60), some.floats(0.01, 0.99))
def test_a_quantile_is_within_a_bin_of_a_level_of_its_rank(levels: list[float], share: float) -> None:
    """For every list of levels, whatever blocks they come in."""
    whole, parts = Stream(1), Stream(1)
    whole.add(np.array([levels]))
    for level in levels:
        parts.add(np.array([[level]]))
    assert whole.quantiles([share])[0, 0] == parts.quantiles([share])[0, 0]
    true = sorted(levels)[int(np.ceil(share * len(levels))) - 1]
    assert whole.quantiles([share])[0, 0] == pytest.approx(true, rel=0.0026)


def test_quantiles_rise_with_their_share() -> None:
    """And levels beyond the ends count at them."""
    stream = Stream(1)
    stream.add(np.array([[1e-6, 1.0, 5.0, 9.0, 1e6]]))
    found = stream.quantiles([0.05, 0.3, 0.5, 0.7, 0.99])[:, 0]
    assert all(low <= high for low, high in pairwise(found.tolist()))
    assert found[0] <= 0.0503
    assert found[-1] >= 498.0


def test_what_cannot_be_summed_is_refused() -> None:
    """Other times, no number, no patient, irregular days, a model without scatter."""
    stream = Stream(2)
    with pytest.raises(ValueError, match="2 times"):
        stream.add(np.ones((3, 4)))
    with pytest.raises(ValueError, match="finite"):
        stream.add(np.array([[1.0], [np.nan]]))
    for days, number in ((DAYS, 0), (np.array([0.0, 1.0, 3.0]), 5)):
        with pytest.raises(ValueError, match="regular days"):
            population(MODEL, ADULT, 4.0, 0.4, DOSES, days, number, evidence())
    with pytest.raises(CannotCompute, match="not known"):
        population(evidence().models["landersdorfer-2013"], ADULT, 4.0, 0.4, DOSES, DAYS, 5, evidence())


def test_it_reports_how_far_it_is() -> None:
    """For a progress bar."""
    seen: list[tuple[int, int]] = []
    population(MODEL, ADULT, 4.0, 0.4, DOSES, DAYS, 2500, evidence(), block=1000, report=lambda done, of: seen.append((done, of)))
    assert seen == [(1000, 2500), (2000, 2500), (2500, 2500)]
