"""What rests on a statement, and the order in which statements wait."""

from __future__ import annotations

import pytest

from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence
from ivigil.evidence.uses import RISKS, uses, worst


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return load_evidence()


def test_every_citation_is_a_use(evidence: Evidence) -> None:
    """Rules, regimens and rates are found with the risk of what they do, worst first."""
    used = uses(evidence)
    for rule in evidence.every_rule.values():
        for cite in rule.cites:
            assert any(use.id == rule.id for use in used[cite]), cite
    for indication in evidence.indications.values():
        for regimen in indication.regimens:
            assert all(any(use.id == indication.id and use.risk == "dose" for use in used[cite]) for cite in regimen.cites)
    for product in evidence.products.values():
        for row in product.rates:
            assert all(any((use.id, use.key, use.risk) == (product.id, "rates", "rate") for use in used[cite]) for cite in row.cites)
    for where in used.values():
        ranks = [RISKS.index(use.risk) for use in where]
        assert ranks == sorted(ranks)


def test_the_contraindicating_rule_comes_first(evidence: Evidence) -> None:
    """A statement under a contraindication waits before everything else it is used for."""
    used = uses(evidence)
    contraindicated = [rule for rule in evidence.rules.values() if rule.severity == "contraindicated"]
    assert contraindicated
    assert all(worst(used[cite]) == "contraindicated" for rule in contraindicated for cite in rule.cites)


def test_composition_is_no_rate(evidence: Evidence) -> None:
    """What a product contains is not weighed like its rates."""
    product = evidence.products["privigen-us"]
    assert product.stabiliser is not None
    only = [cite for cite in product.stabiliser.cites if cite not in {one for row in product.rates for one in row.cites}]
    assert all(use.risk == "other" for cite in only for use in uses(evidence)[cite] if use.id == product.id and use.key == "stabiliser")
