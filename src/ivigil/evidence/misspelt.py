"""Names in a record or a request that nothing is called by: what may have been meant instead."""

from __future__ import annotations

import difflib

from ivigil.basis.names import spaced
from ivigil.evidence.library import Evidence

_ALIKE = 0.7
"""How much of two names must be the same letters in order (difflib's ratio) for one to be taken for a slip of the other."""
_MOST = 3


def indication_meant(name: str, evidence: Evidence) -> str:
    """Which indication a misspelt name may have meant, as a question: ``did you mean 'cidp'?``; empty when none is spelt like it."""
    close = difflib.get_close_matches(spaced(name), evidence.names_of_indications, n=_MOST, cutoff=_ALIKE)
    ids = dict.fromkeys(found for one in close for found in evidence.indications_called(one))
    return f"did you mean {' or '.join(repr(one) for one in ids)}?" if ids else ""
