"""Mutation test of the safety rules: every condition is changed in every small way, and the examples beside the rules must notice.

A mutant survives when all examples of its rule still come out as expected. Run ``python tools/mutate_rules.py`` for the score and the
survivors; ``--write`` puts the table into docs/mutation-score.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from ivigil.basis.facts import Facts
from ivigil.basis.quantity import UNITS
from ivigil.evidence.check import PlacedCase, facts_from, rule_cases, with_groups
from ivigil.evidence.compile import compile_evidence
from ivigil.evidence.conditions import Condition, judge, written
from ivigil.evidence.files import packaged_folder, read_folder
from ivigil.evidence.library import Evidence

PARTS = ("rules", "interactions", "groups")
_FLIPPED = {">": ">=", ">=": ">", "<": "<=", "<=": "<"}
_TURNED = {">": "<", ">=": "<=", "<": ">", "<=": ">="}


class Mutant(msgspec.Struct, frozen=True):
    """A changed condition of one rule, with the change in words."""

    rule: str
    change: str
    condition: Condition


def mutants_of(condition: Condition) -> Iterator[tuple[str, Condition]]:
    """Every single change: a term dropped, all and any swapped, a negation added or removed, an operator or threshold moved, a word left out."""
    replace = msgspec.structs.replace
    if condition.op in {"all", "any"}:
        swapped = "any" if condition.op == "all" else "all"
        if len(condition.of) > 1:
            yield f"{condition.op} becomes {swapped}: {written(condition)}", replace(condition, op=swapped)
        for index, part in enumerate(condition.of):
            rest = condition.of[:index] + condition.of[index + 1:]
            if rest:
                yield f"without {written(part)}", replace(condition, of=rest)
            for change, mutant in mutants_of(part):
                yield change, replace(condition, of=(*condition.of[:index], mutant, *condition.of[index + 1:]))
    elif condition.op == "not":
        yield f"not removed before {written(condition.of[0])}", condition.of[0]
        for change, mutant in mutants_of(condition.of[0]):
            yield change, replace(condition, of=(mutant,))
    else:
        yield f"not {written(condition)}", Condition("not", (condition,))
        if condition.op in _FLIPPED:
            yield f"{condition.text}: operator {_FLIPPED[condition.op]}", replace(condition, op=_FLIPPED[condition.op])
            yield f"{condition.text}: operator {_TURNED[condition.op]}", replace(condition, op=_TURNED[condition.op])
            one = UNITS[condition.unit].factor if condition.unit else 1.0
            yield f"{condition.text}: threshold 10 x", replace(condition, number=condition.number * 10)
            yield f"{condition.text}: threshold / 10", replace(condition, number=condition.number / 10)
            yield f"{condition.text}: threshold + 1 {condition.unit}", replace(condition, number=condition.number + one)
        if condition.op == "in" and len(condition.words) > 1:
            for word in condition.words:
                yield f"{condition.text}: without {word}", replace(condition, words=tuple(other for other in condition.words if other != word))


def equivalent(one: Condition, other: Condition, cases: list[Facts]) -> bool:
    """True when two conditions agree on all given facts."""
    return all(judge(one, facts).truth == judge(other, facts).truth for facts in cases)


def survivors(evidence: Evidence, cases: list[PlacedCase]) -> tuple[int, list[Mutant]]:
    """How many mutants were made, and those that no example noticed."""
    made = 0
    alive: list[Mutant] = []
    for part in PARTS:
        for entry in getattr(evidence, part).values():
            facts = [with_groups(facts_from(placed.case.facts, evidence.facts), evidence) for placed in cases if placed.rule == entry.id]
            for change, condition in mutants_of(entry.when):
                made += 1
                if equivalent(entry.when, condition, facts):
                    alive.append(Mutant(entry.id, change, condition))
    return made, alive


def main() -> int:
    """Print the score and the survivors; exit 1 when any survive."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write docs/mutation-score.md")
    arguments = parser.parse_args()
    files = read_folder(packaged_folder())
    evidence = compile_evidence(files).evidence
    cases, _ = rule_cases(files)
    made, alive = survivors(evidence, cases)
    rules = sum(len(getattr(evidence, part)) for part in PARTS)
    score = f"{made - len(alive)} of {made} mutants of {rules} rules and risk groups noticed ({100 * (made - len(alive)) / made:.1f} %)"
    print(score)
    for mutant in alive:
        print(f"  survives: {mutant.rule}: {mutant.change}")
    if arguments.write:
        rows = "".join(f"| {mutant.rule} | {mutant.change} |\n" for mutant in alive) or "| none | |\n"
        text = ("# Mutation score of the safety rules\n\nEvery condition of every safety rule, interaction and risk group is changed in every small way (a term dropped, "
                "`all` and `any` swapped, a negation added or removed, an operator flipped, a threshold moved, a word left out). The examples beside the rules "
                f"must notice. Made by `python tools/mutate_rules.py --write`.\n\n**{score}**\n\n| Rule | Surviving change |\n|---|---|\n{rows}")
        Path("docs/mutation-score.md").write_text(text, encoding="utf-8")
    return 1 if alive else 0


if __name__ == "__main__":
    sys.exit(main())
