"""Three-valued logic keeps Kleene's tables in both its forms."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ivigil.basis.logic import all_of, any_of, negate, sign

truths = st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=6)


@given(truths)
def test_single_and_column_forms_agree(values: list[bool | None]) -> None:
    """And is the minimum, or the maximum, not the negative of the column codes."""
    codes = np.array([sign(value) for value in values])
    assert sign(all_of(values)) == codes.min()
    assert sign(any_of(values)) == codes.max()
    assert [sign(negate(value)) for value in values] == list(-codes)


@given(truths)
def test_de_morgan(values: list[bool | None]) -> None:
    """Not all is any not, with unknowns too."""
    assert negate(all_of(values)) == any_of(negate(value) for value in values)
