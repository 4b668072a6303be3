"""Mutation test of the evidence: every condition is changed in every small way, and the examples beside it must notice.

A mutant survives when all examples of its rule still come out as expected. No change of a safety rule may survive; the other conditions
are only reported. Run ``python tools/mutate_rules.py`` for the scores and the survivors; ``--write`` puts them into docs/mutation-score.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from ivigil.basis.facts import Facts
from ivigil.basis.quantity import UNITS
from ivigil.basis.strict_yaml import read_yaml
from ivigil.evidence.check import PlacedCase, facts_from, rule_cases, with_groups
from ivigil.evidence.compile import compile_evidence
from ivigil.evidence.conditions import Condition, facts_named, judge, written
from ivigil.evidence.files import EvidenceFile, entries_of, packaged_folder, read_folder
from ivigil.evidence.library import Evidence

PARTS = ("rules", "interactions", "groups")
OTHER_PARTS = ("premedication", "hydration", "laboratory", "vitals", "vaccines", "vaccine_rules", "exposures")
REPORT = Path("docs/mutation-score.md")
BY_HAND = "# Mutation score of the code\n"
"""The heading below which the report is written by hand and kept."""
HEAD = """# Mutation score of the evidence

Every condition of every safety rule, interaction and risk group is changed in every small way (a term dropped, `all` and `any` swapped, a negation added or
removed, an operator flipped, a threshold moved, a word left out). The examples beside the rules must notice. Made by `python tools/mutate_rules.py --write`.
"""
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


def noticed(name: str, condition: Condition, examples: list[Facts]) -> tuple[int, list[Mutant]]:
    """How many mutants one condition has, and those on which all examples agree with it."""
    mutants = list(mutants_of(condition))
    return len(mutants), [Mutant(name, change, mutant) for change, mutant in mutants if equivalent(condition, mutant, examples)]


def survivors(evidence: Evidence, cases: list[PlacedCase], parts: tuple[str, ...] = PARTS) -> tuple[int, list[Mutant]]:
    """How many mutants the conditions of these parts have, and those that no example noticed."""
    made, alive = 0, list[Mutant]()
    for part in parts:
        for entry in getattr(evidence, part).values():
            condition = evidence.every_rule[entry.id].when if part in {"rules", "interactions"} else evidence.conditions.get(entry.id)
            if condition is not None:
                examples = [with_groups(facts_from(placed.case.facts, evidence.facts), evidence) for placed in cases if placed.rule == entry.id]
                count, unseen = noticed(entry.id, condition, examples)
                made, alive = made + count, alive + unseen
    return made, alive


def population_survivors(evidence: Evidence, files: list[EvidenceFile]) -> tuple[int, list[Mutant]]:
    """The same for the populations (``who``) of product labels and subcutaneous limits.

    An example of the same product, indication and route notices a change when the row would be taken or dropped for its age or weight.
    Rows without an example that gives the age or weight they ask for are left out.
    """
    made, alive = 0, list[Mutant]()
    shown = [(str(plain.get("product", Path(file.name).stem)), plain) for file in files if file.name.startswith("cases/products/")
             for _, plain in entries_of(read_yaml(file.text, file.name)[0]) if isinstance(plain, dict)]
    for product in evidence.products.values():
        rows: list[tuple[str, tuple[str, ...], Condition | None]] = [("labelled", (row.indication,), row.who) for row in product.labelled]
        rows += [("subcutaneous", row.indications, row.who) for row in product.subcutaneous]
        for kind, named, who in rows:
            facts = facts_named(who) if who is not None else frozenset()
            examples = [facts_from({name: plain[name] for name in facts if name in plain}, evidence.facts) for about, plain in shown
                        if about == product.id and plain.get("indication") in named and facts & set(plain)
                        and (kind == "labelled" or "subcutaneous" in str(plain.get("route")))]
            if who is not None and examples:
                count, unseen = noticed(f"{product.id}, {kind}, {'/'.join(named)}", who, examples)
                made, alive = made + count, alive + unseen
    return made, alive


def score(made: int, alive: list[Mutant], what: str) -> str:
    """The score in words."""
    return f"{made - len(alive)} of {made} mutants of {what} noticed ({100 * (made - len(alive)) / made:.1f} %)"


def table(alive: list[Mutant]) -> str:
    """The survivors as rows of a Markdown table."""
    return "| Entry | Surviving change |\n|---|---|\n" + ("".join(f"| {mutant.rule} | {mutant.change} |\n" for mutant in alive) or "| none | |\n")


def main() -> int:
    """Print the scores and the survivors; exit 1 when a change of a safety rule survives."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the made part of docs/mutation-score.md")
    arguments = parser.parse_args()
    files = read_folder(packaged_folder())
    evidence = compile_evidence(files).evidence
    cases, _ = rule_cases(files)
    made, alive = survivors(evidence, cases)
    other_made, other_alive = survivors(evidence, cases, OTHER_PARTS)
    label_made, label_alive = population_survivors(evidence, files)
    safety = score(made, alive, f"{sum(len(getattr(evidence, part)) for part in PARTS)} rules and risk groups")
    care = score(other_made + label_made, other_alive + label_alive, "the other conditions with examples")
    print(safety)
    for mutant in alive:
        print(f"  survives: {mutant.rule}: {mutant.change}")
    print(care)
    for mutant in other_alive + label_alive:
        print(f"  survives: {mutant.rule}: {mutant.change}")
    if arguments.write:
        text = HEAD + f"""
**{safety}**

{table(alive)}
Premedication, hydration, laboratory tests, vital signs, vaccines, vaccine rules, exposures, and the populations of product labels.
Not gated: a test fails only for the table above. The `when` of a regimen has no examples of this kind; the vignettes show those.
A subcutaneous row that begins at the youngest labelled age has no example below that age: the label refuses there first, so the row cannot be reached.

**{care}**

{table(other_alive + label_alive)}"""
        by_hand = REPORT.read_text(encoding="utf-8").partition(BY_HAND)[2] if REPORT.exists() else ""
        REPORT.write_text(text + (f"\n{BY_HAND}{by_hand}" if by_hand else ""), encoding="utf-8")
    return 1 if alive else 0


if __name__ == "__main__":
    sys.exit(main())
