"""The examples beside the safety rules notice every small change of a rule."""

from tools.mutate_rules import survivors

from ivigil.evidence.check import rule_cases
from ivigil.evidence.compile import compile_evidence
from ivigil.evidence.files import packaged_folder, read_folder


def test_no_change_of_a_safety_rule_goes_unnoticed() -> None:
    """Every small change of every safety rule makes one of its examples fail."""
    files = read_folder(packaged_folder())
    cases, _ = rule_cases(files)
    made, alive = survivors(compile_evidence(files).evidence, cases)
    assert made > 600
    assert [f"{mutant.rule}: {mutant.change}" for mutant in alive] == []
