"""The names that the order on record uses, checked against the evidence: one that nothing is called by is a slip, and never passed over."""

from __future__ import annotations

from collections.abc import Iterator

from ivigil.basis.names import meant
from ivigil.basis.problems import Problem
from ivigil.evidence.library import Evidence
from ivigil.evidence.misspelt import indication_meant
from ivigil.patient.firewall import refused
from ivigil.patient.record import Record


def unknown_names(record: Record, evidence: Evidence) -> Iterator[Problem]:
    """The regimen and the weight policy of the order, where the evidence has none of that id: with another in its place the dose would be another."""
    order = record.order
    regimens = {regimen.id: name for name, indication in evidence.indications.items() for regimen in indication.regimens}
    if order.regimen and order.regimen not in regimens:
        own = [regimen for regimen, name in regimens.items() if name in evidence.indications_called(order.indication)]
        remedy = meant(order.regimen, own or regimens, f"known: {', '.join(own)}" if own else "'ivigil evidence show INDICATION' lists them")
        yield refused(record, "order.regimen", f"no regimen is called '{order.regimen}'", remedy, order.origin)
    if order.weight_policy and order.weight_policy not in evidence.weight_policies:
        why, known = f"no weight policy is called '{order.weight_policy}'", evidence.weight_policies
        yield refused(record, "order.weight_policy", why, meant(order.weight_policy, known, f"known: {', '.join(known)}"), order.origin)


def unknown_indication(record: Record, evidence: Evidence) -> Iterator[Problem]:
    """The indication of the order where the evidence has none of that name. Alone it is no bad input: nothing is planned for it, and that is said."""
    name = record.order.indication
    if name and not evidence.indications_called(name):
        remedy = indication_meant(name, evidence) or "look it up with 'ivigil evidence search'"
        yield refused(record, "order.indication", f"'{name}' is not an indication in the evidence", remedy, record.order.origin)


def every_name(record: Record, evidence: Evidence) -> Iterator[Problem]:
    """Every name of the order that nothing is called by."""
    yield from unknown_names(record, evidence)
    yield from unknown_indication(record, evidence)
