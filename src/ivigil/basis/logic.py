"""Three-valued logic: yes, no, unknown. One by one as ``True``/``False``/``None``, on columns as ``1``/``-1``/``0``.

With that coding *and* is the minimum, *or* the maximum and *not* the negative (strong Kleene logic), in both forms.
"""

from __future__ import annotations

from collections.abc import Iterable

Truth = bool | None
"""``True``, ``False`` or ``None`` for unknown."""


def all_of(values: Iterable[Truth]) -> Truth:
    """False as soon as one is false, unknown if any is unknown, else true."""
    unknown = False
    for value in values:
        if value is False:
            return False
        unknown = unknown or value is None
    return None if unknown else True


def any_of(values: Iterable[Truth]) -> Truth:
    """True as soon as one is true, unknown if any is unknown, else false."""
    unknown = False
    for value in values:
        if value is True:
            return True
        unknown = unknown or value is None
    return None if unknown else False


def negate(value: Truth) -> Truth:
    """Unknown stays unknown."""
    return None if value is None else not value


def sign(value: Truth) -> int:
    """The column code of a truth value: 1, -1 or 0."""
    return 0 if value is None else 1 if value else -1
