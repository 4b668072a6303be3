"""Proves the evidence: every file read, every reference resolved, every number supported, every patient sentence easy, every rule shown by examples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from ivigil.basis.facts import Fact, FactDefinition, Facts, Origin
from ivigil.basis.names import meant
from ivigil.basis.problems import BadInput, Problem
from ivigil.basis.quantity import UnitProblem, parse_quantity
from ivigil.basis.shapes import Shaper
from ivigil.basis.strict_yaml import Lines, read_yaml
from ivigil.evidence.compile import Compiled, Progress, compile_evidence
from ivigil.evidence.conditions import Condition, facts_named, judge, leaves
from ivigil.evidence.files import EvidenceFile, entries_of, overlay_name, packaged_folder, read_folder
from ivigil.evidence.library import Evidence
from ivigil.evidence.plain_language import hard_texts
from ivigil.evidence.references import excused, problems_of
from ivigil.evidence.touched import was_replaced

_OUTCOMES = {"fires", "silent", "asks"}
_CASE_KEYS = {"name", "rule", "facts", "expect"}
WORKED_APART = ("cases/indications/", "cases/products/", "cases/weight-policies/", "cases/vaccination/")
"""Where examples may have outcomes that are mappings."""
_SHOWN_PARTS = {"rules", "interactions", "premedication", "hydration", "laboratory", "vaccines", "vaccine_rules", "exposures"}


class RuleCase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An example beside a rule: facts, and whether the rule fires, stays silent or asks. Facts not listed are unknown."""

    name: str
    expect: Literal["fires", "silent", "asks"]
    facts: dict[str, str | bool | int | float] = {}
    rule: str = ""


class PlacedCase(msgspec.Struct, frozen=True):
    """A case with its file and line, the rule it belongs to, and whether a hospital's overlay brought it."""

    case: RuleCase
    rule: str
    file: str
    line: int
    local: bool = False


Worked = Callable[[list[EvidenceFile], list[EvidenceFile], Evidence], Iterable[Problem]]
"""Runs the examples worked by hand, of the folder and of its overlay. They need the planner, which stands above the evidence."""


def check(
    folder: Path | None = None, overlay: Path | None = None, progress: Progress | None = None, worked: Worked = lambda files, local, evidence: ()
) -> list[Problem]:
    """Every problem of the evidence in ``folder`` (the packaged one by default) with an ``overlay`` on top; empty when all is well.

    ``worked`` is asked once the evidence loads.
    """
    try:
        files = read_folder(folder or packaged_folder())
        local = read_folder(overlay) if overlay is not None else None
    except BadInput as error:
        return list(error.problems)
    compiled = compile_evidence(files, local, overlay_name(overlay), progress)
    problems = problems_of(compiled)
    loads = not problems
    problems.extend(hard_texts(compiled))
    cases, found = rule_cases(files)
    own, wrong_own = rule_cases(local or [])
    cases += [msgspec.structs.replace(case, local=True) for case in own]
    problems += [*found, *wrong_own]
    # The examples of a rule that is wrong, or that names a wrong fact, would fail for that reason, in a row for each of them.
    wrong = {problem.what.partition(":")[0] for problem in problems}
    unsure = excused(compiled)
    wrong |= {name for name, condition in compiled.evidence.conditions.items() if any(leaf.fact in unsure for leaf in leaves(condition))}
    if not compiled.unread:
        judged = [(case, _judged(case, compiled.evidence)) for case in cases if case.rule not in wrong]
        # A packaged example of a rule that the overlay replaced described the packaged rule: where it no longer holds it shows nothing.
        judged = [(case, why) for case, why in judged if why is None or case.local or not _was_replaced(case.rule, compiled.evidence)]
        problems.extend(why for _, why in judged if why is not None)
        problems.extend(problem for problem in _coverage([case for case, _ in judged], compiled) if problem.what not in wrong)
    if loads:
        problems.extend(worked(files, local or [], compiled.evidence))
    return sorted(set(problems))


def rule_cases(files: Iterable[EvidenceFile]) -> tuple[list[PlacedCase], list[Problem]]:
    """The examples that say whether a condition fires, stays silent or asks. Without ``rule`` a case belongs to the rule named like its file.

    Examples of other kinds (doses, rates, weights, dates) are mappings; the planner runs those. One that nothing runs is a problem.
    """
    cases: list[PlacedCase] = []
    problems: list[Problem] = []
    for file in files:
        if not file.name.startswith("cases/"):
            continue
        try:
            document, lines = read_yaml(file.text, file.name)
        except BadInput as error:
            problems.extend(error.problems)
            continue
        cases.extend(_cases_of(document, lines, file, problems))
    return cases, problems


def examples_of(files: Iterable[EvidenceFile], evidence: Evidence) -> dict[str, int]:
    """How many examples show each rule, indication, product or policy, by id.

    An example shows what it names; one that names a regimen shows its indication, and one that names nothing shows what its file is called after.
    """
    indication_of = {regimen.id: indication.id for indication in evidence.indications.values() for regimen in indication.regimens}
    counts: dict[str, int] = {}
    for file in files:
        if not file.name.startswith("cases/"):
            continue
        stem = file.name.rsplit("/", 1)[1].removesuffix(".yaml")
        document, _ = read_yaml(file.text, file.name)
        for _, plain in entries_of(document):
            for name in dict.fromkeys(_shown_by(plain, stem, indication_of, file.name.startswith("cases/products/"))):
                counts[name] = counts.get(name, 0) + 1
    return counts


def _shown_by(plain: Any, stem: str, indication_of: dict[str, str], of_product: bool) -> Iterator[str]:
    named = plain if isinstance(plain, dict) else {}
    products = [str(name) for name in (named.get("product"), *(named.get("products") or ())) if name]
    if of_product:
        yield from products or [stem]
    elif "regimen" in named:
        yield indication_of.get(str(named["regimen"]), stem)
    else:
        yield str(named.get("rule") or named.get("policy") or named.get("indication") or stem)


def _cases_of(document: Any, lines: Lines, file: EvidenceFile, problems: list[Problem]) -> Iterator[PlacedCase]:
    shaper = Shaper()
    stem = file.name.rsplit("/", 1)[1].removesuffix(".yaml")
    for at, plain in entries_of(document):
        beside_a_rule = file.name.startswith(("cases/safety/", "cases/interactions/"))
        if not isinstance(plain, dict) or (not beside_a_rule and (str(plain.get("expect")) not in _OUTCOMES or set(plain) - _CASE_KEYS)):
            if not file.name.startswith(WORKED_APART):
                name = str(plain.get("name", "")) if isinstance(plain, dict) else ""
                problems.append(Problem(file.name, lines.get(at, 0), name, "nothing runs an example like this",
                                        "give 'name', 'facts' and 'expect: fires', 'silent' or 'asks'"))
            continue
        case = shaper.read(plain, RuleCase, file.name, lines, at, problems)
        if case is not None:
            yield PlacedCase(case, case.rule or stem, file.name, lines.get(at, 0))


def facts_from(written: dict[str, Any], register: dict[str, FactDefinition]) -> Facts:
    """Facts as examples write them: ``yes``/``no``, quantities with units, words.

    Raises:
        ValueError: an unregistered fact or a value of the wrong kind.
    """
    facts = []
    for name, value in written.items():
        definition = register.get(name)
        if definition is None:
            raise ValueError(f"'{name}' is not a registered fact")
        facts.append(Fact(name, _value(definition, value), Origin("case")))
    return Facts(facts)


def _value(definition: FactDefinition, value: Any) -> Any:
    if definition.kind == "yes_no":
        if value in {"yes", "no"} or isinstance(value, bool):
            return value is True or value == "yes"
        raise ValueError(f"{definition.id} is yes or no, not '{value}'")
    if definition.kind == "quantity" and definition.unit:
        try:
            return parse_quantity(str(value)).to(definition.unit)
        except UnitProblem as error:
            raise ValueError(f"{definition.id}: {error}") from None
    if definition.kind == "quantity":
        raise ValueError(f"{definition.id} has no unit in the register")
    return str(value)


def _judged(placed: PlacedCase, evidence: Evidence) -> Problem | None:
    outcome = {True: "fires", False: "silent", None: "asks"}
    condition = evidence.conditions.get(placed.rule)
    if condition is None:
        remedy = meant(placed.rule, evidence.conditions, "name the rule with 'rule: <id>'")
        return Problem(placed.file, placed.line, placed.case.name, f"no rule is called '{placed.rule}'", remedy)
    try:
        facts = facts_from(placed.case.facts, evidence.facts)
    except ValueError as error:
        return Problem(placed.file, placed.line, placed.case.name, str(error), "correct the example")
    came = outcome[judge(condition, with_groups(facts, evidence)).truth]
    if came == placed.case.expect:
        return None
    return Problem(placed.file, placed.line, placed.case.name, f"{placed.rule}: expected '{placed.case.expect}', came to '{came}'",
                   "correct the rule or the example")


def _was_replaced(rule: str, evidence: Evidence) -> bool:
    """Whether the overlay replaced a rule, or a risk group that it names."""
    names = {rule, *facts_named(evidence.conditions[rule])} if rule in evidence.conditions else {rule}
    return any(was_replaced(evidence.local, part, name) for name in names for part in (*_SHOWN_PARTS, "groups"))


def with_groups(facts: Facts, evidence: Evidence) -> Facts:
    """These facts and every risk group that they decide."""
    for group in evidence.groups.values():
        truth = judge(group.when, facts).truth
        if truth is not None and group.id not in facts:
            facts = facts.having([Fact(group.id, truth, Origin("derived"))])
    return facts


def _coverage(cases: list[PlacedCase], compiled: Compiled) -> Iterator[Problem]:
    """Each rule has an example that fires, one that stays silent and one that asks, and one on each side of every threshold."""
    evidence = compiled.evidence
    by_rule: dict[str, list[PlacedCase]] = {}
    for placed in cases:
        by_rule.setdefault(placed.rule, []).append(placed)
    for entry in compiled.entries:
        condition = evidence.conditions.get(entry.id)
        if entry.part not in _SHOWN_PARTS or condition is None:
            continue
        mine = by_rule.get(entry.id, [])
        for outcome, words in (("fires", "fires"), ("silent", "stays silent"), ("asks", "asks")):
            if not any(placed.case.expect == outcome for placed in mine):
                yield Problem(entry.file, entry.line(), entry.id, f"no example where the rule {words}", f"add one to cases/{entry.file}")
        for leaf in leaves(condition):
            if leaf.op in {">", ">=", "<", "<="}:
                yield from _sides(entry.file, entry.line(), entry.id, leaf, mine, evidence)


def _sides(file: str, line: int, rule: str, leaf: Condition, cases: list[PlacedCase], evidence: Evidence) -> Iterator[Problem]:
    sides = set()
    for placed in cases:
        if leaf.fact in placed.case.facts:
            try:
                sides.add(judge(leaf, facts_from({leaf.fact: placed.case.facts[leaf.fact]}, evidence.facts)).truth)
            except ValueError:
                continue
    for truth, words in ((True, "holds"), (False, "does not hold")):
        if truth not in sides:
            yield Problem(file, line, rule, f"no example where '{leaf.text}' {words}", f"add one to cases/{file}")
