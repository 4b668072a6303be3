"""The compiled kernels equal the plain ones; they are an extra and never imported unasked."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba")

from ivigil.pharmacokinetics import fast, kernels, saturable

SPREAD = np.linspace(0.6, 1.6, 41)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("depot", [None, 0.444])
def test_the_linear_grid_is_equal(threads: int, depot: float | None) -> None:
    """Within 1e-12 relatively, with shared and with own amounts."""
    modes = kernels.modes(0.138 * SPREAD, 3.95 / SPREAD, 0.26, 4.44, depot)
    times, lengths, under = [0.0, 9.3, 28.0], [0.2, 0.0, 2.4], [False, depot is not None, False]
    for grams in (np.array([28.0, 5.0, 30.0]), np.outer([28.0, 5.0, 30.0], SPREAD)):
        given = kernels.doses(times, grams, lengths, under)
        plain = kernels.on_grid(modes, given, 80)
        assert np.allclose(fast.on_grid(modes, given, 80, threads=threads), plain, rtol=1e-12, atol=1e-13)


def test_one_compartment_is_equal() -> None:
    """Fewer exponentials than the compiled loop keeps room for."""
    modes, given = kernels.modes(0.06 * SPREAD, 2.77), kernels.doses([0.0, 28.0], [10.0, 10.0], 0.2)
    assert np.allclose(fast.on_grid(modes, given, 60), kernels.on_grid(modes, given, 60), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_saturable_model_is_equal(threads: int) -> None:
    """The same steps in another order of patients."""
    model = saturable.Catabolism(0.401, 21.5, 52.2, 0.0198, 3.01, 3.01, 1.498, 0.439, 0.824)
    given = kernels.doses([0.0, 1.0, 30.0], [70.0, 70.0, 20.0], [0.2, 0.2, 0.0], [False, False, True])
    plain = saturable.simulated(model, 12.0 * SPREAD, given, np.arange(60.0))
    compiled = fast.simulated(model, 12.0 * SPREAD, given, np.arange(60.0), threads=threads)
    assert np.allclose(compiled.total, plain.total, rtol=1e-12)
    assert np.allclose(compiled.tracer, plain.tracer, rtol=1e-12)
