"""What must hold between entries: every reference resolves, every condition can be judged, every number is supported."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from ivigil.basis.problems import Problem
from ivigil.basis.quantity import UNITS, Quantity, Span
from ivigil.evidence.compile import Compiled, Entry
from ivigil.evidence.conditions import Condition, leaves, unit_of
from ivigil.evidence.library import Evidence
from ivigil.evidence.numbers import carried, numbers_in, supports
from ivigil.evidence.plausibility import implausible
from ivigil.evidence.questions import SHARED
from ivigil.evidence.sayable import sayable
from ivigil.evidence.shapes import ALLERGY_OF, NOT_RECORDED
from ivigil.evidence.soundness import unsound

_PLAIN_PARTS = {
    "sources", "statements", "facts", "jurisdictions", "topics", "emergencies", "corrections", "openers", "wordings", "synonyms", "outsiders", "languages",
    "word_lists",
}
"""Parts whose numbers need no statement: sources, statements themselves, and words by which a question is understood."""
_NO_NUMBERS = {
    "id", "code", "codes", "name", "names", "also_called", "cites", "contains_cites", "where", "edition", "tier", "valid", "products", "note", "brand",
    "maker", "not_read", "cvx", "cdsi", "loinc", "codes_cites", "fact", "authority", "year", "infusion", "reading", "title", "else_use", "country",
    "order", "payer", "reason", "models", "first", "beside", "indications", "replaces", "claim", "at_lines", "lines", "no_claim", "rank", "publisher",
}
"""Keys whose texts are names, places or remarks; ``for`` is one too where it lists what an entry is for."""


def problems_of(compiled: Compiled) -> list[Problem]:
    """Every problem of the compiled evidence, those of single files first, sorted by file and line."""
    found = list(compiled.problems)
    evidence = compiled.evidence
    held = _Supports(evidence, compiled.taken)
    broken = excused(compiled)
    found.extend(_clashes(compiled))
    for entry in compiled.entries:
        found.extend(_cites(entry, evidence, broken))
        found.extend(_untold(entry))
        if entry.value is None:
            continue
        found.extend(_conditions(entry, evidence, broken))
        found.extend(_named(entry, evidence, broken))
        found.extend(_without_unit(entry, entry.value))
        found.extend(unsound(entry, evidence))
        found.extend(implausible(entry, evidence))
        if entry.part not in _PLAIN_PARTS:
            found.extend(_numbers(entry, held))
    return sorted(set(found))


class Excused(msgspec.Struct, frozen=True):
    """Ids that may be named although no sound entry has them: the entry is there, its own problem is reported, and the rows of all that name it
    would hide that one. When a file could not be read at all, any id may stand in it.
    """

    ids: frozenset[str]
    any: bool

    def __contains__(self, name: object) -> bool:
        return self.any or name in self.ids


def excused(compiled: Compiled) -> Excused:
    """The ids of entries that do not shape; every id when a file is unread."""
    return Excused(frozenset(entry.id for entry in compiled.entries if entry.value is None), bool(compiled.unread))


_CONDITIONED = {"rules", "interactions", "groups", "premedication", "hydration", "laboratory", "vitals", "vaccines", "vaccine_rules", "exposures", "advice"}
"""Parts whose ids share one name space: examples, questions and reasons name any of them."""


def _clashes(compiled: Compiled) -> Iterator[Problem]:
    seen: dict[str, Entry] = {}
    for entry in compiled.entries:
        if entry.part in _CONDITIONED:
            first = seen.setdefault(entry.id, entry)
            if first is not entry:
                yield Problem(entry.file, entry.line("id"), entry.id, f"the id is taken by {first.file}:{first.line('id')}", "choose another id")


def _missing(entry: Entry, path: tuple[str | int, ...], kind: str, name: str, known: Iterable[str]) -> Problem:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    remedy = f"did you mean '{near[0]}'?" if near else f"add the {kind} first"
    return Problem(entry.file, entry.line(*path), entry.id, f"no {kind} is called '{name}'", remedy)


def _cites(entry: Entry, evidence: Evidence, broken: Excused) -> Iterator[Problem]:
    if entry.part == "statements":
        plain = entry.plain
        for key in ("source", "through"):
            if plain.get(key) and plain[key] not in evidence.sources and plain[key] not in broken:
                yield _missing(entry, (key,), "source", str(plain[key]), evidence.sources)
        for index, name in enumerate(plain.get("also") or []):
            if name not in evidence.sources and name not in broken:
                yield _missing(entry, ("also", index), "source", str(name), evidence.sources)
        if plain.get("read") == "second-hand" and not plain.get("through"):
            yield Problem(entry.file, entry.line("read"), entry.id, "second-hand, but not through which source", "add 'through: <source id>'")
        if plain.get("read") == "decided" and plain.get("source") != "ivigil-policy" and not entry.overlay:
            yield Problem(entry.file, entry.line("read"), entry.id, "decided, but not by our own policy source", "set 'source: ivigil-policy'")
    for path, node in _mappings(entry.plain):
        for key in ("cites", "contains_cites", "exempt_cites", "disputed_by"):
            cites = node.get(key)
            if isinstance(cites, list):
                for index, cite in enumerate(cites):
                    if cite not in evidence.statements and cite not in broken:
                        yield _missing(entry, (*path, key, index), "statement", str(cite), evidence.statements)
                if key == "cites" and not cites:
                    yield Problem(entry.file, entry.line(*path, key), entry.id, "cites nothing", "name the statement it rests on")


def _untold(entry: Entry) -> Iterator[Problem]:
    """A source by which its document cannot be found again."""
    if entry.part == "sources":
        for key in ("title", "publisher", "year", "where"):
            told = entry.plain.get(key)
            if told is None and key == "title":
                continue
            if told is None or not str(told).strip():
                yield Problem(entry.file, entry.line(key), entry.id, f"the source has no {key}", f"write '{NOT_RECORDED}' where the document does not tell")


def _mappings(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], dict[str, Any]]]:
    if isinstance(value, dict):
        yield path, value
        for key, item in value.items():
            yield from _mappings(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _mappings(item, (*path, index))


def _structs(value: Any) -> Iterator[Any]:
    if isinstance(value, msgspec.Struct):
        yield value
        if not isinstance(value, Condition):
            for field in value.__struct_fields__:
                yield from _structs(getattr(value, field))
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from _structs(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _structs(item)


def _conditions(entry: Entry, evidence: Evidence, broken: Excused) -> Iterator[Problem]:
    for node in _structs(entry.value):
        if not isinstance(node, Condition):
            continue
        for leaf in leaves(node):
            fact = evidence.facts.get(leaf.fact)
            if fact is None and leaf.fact in broken:
                continue
            line = next((entry.lines[path] for path, text in _texts(entry) if text == leaf.text), entry.line())
            if fact is None:
                near = difflib.get_close_matches(leaf.fact, list(evidence.facts), n=1, cutoff=0.6)
                remedy = f"did you mean '{near[0]}'?" if near else "register the fact in facts.yaml first"
                yield Problem(entry.file, line, entry.id, f"'{leaf.fact}' is not a registered fact", remedy)
            elif leaf.op == "yes" and fact.kind != "yes_no":
                yield Problem(entry.file, line, entry.id, f"'{leaf.fact}' is a {fact.kind}, not a yes/no fact", "compare it with a value")
            elif leaf.op in {">", ">=", "<", "<="} and fact.kind != "quantity":
                why = f"'{leaf.fact}' is a {fact.kind} and cannot be compared with {leaf.op}"
                yield Problem(entry.file, line, entry.id, why, "use is, in or the bare name")
            elif leaf.op in {">", ">=", "<", "<="} and unit_of(leaf) != (UNITS[fact.unit].dimension if fact.unit else ""):
                why = f"'{leaf.text}' compares a {unit_of(leaf) or 'bare number'} with {leaf.fact} in {fact.unit or 'no unit'}"
                yield Problem(entry.file, line, entry.id, why, f"write the value in {fact.unit}" if fact.unit else "write a bare number")
            elif leaf.words and fact.choices:
                for word in leaf.words:
                    if word not in fact.choices:
                        yield Problem(entry.file, line, entry.id, f"'{word}' is not a choice of {leaf.fact}", f"choices: {', '.join(fact.choices)}")


def _texts(entry: Entry) -> Iterator[tuple[tuple[str | int, ...], str]]:
    def walk(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
        if isinstance(value, dict):
            for key, item in value.items():
                yield from walk(item, (*path, key))
        elif isinstance(value, list):
            for index, item in enumerate(value):
                yield from walk(item, (*path, index))
        elif isinstance(value, str):
            yield path, value

    return walk(entry.plain, entry.at)


def _named(entry: Entry, evidence: Evidence, broken: Excused) -> Iterator[Problem]:
    """Ids of other entries that an entry names outside ``cites``."""
    places = {*evidence.jurisdictions, "international", ""}
    checks: list[tuple[str, Iterable[str], str]] = []
    for path, node in _mappings(entry.plain):
        if isinstance(node.get("jurisdiction"), str) and node["jurisdiction"] not in places:
            yield _unknown_place(entry, (*path, "jurisdiction"), node["jurisdiction"], evidence)
    yield from _words_for_ids(entry, evidence, broken)
    if entry.part == "indications":
        checks = [(product, evidence.products, "product") for regimen in entry.value.regimens for product in regimen.products]
        checks += [(regimen.weight, evidence.weight_policies, "weight policy") for regimen in entry.value.regimens if regimen.weight]
        for regimen in entry.value.regimens:
            forms = sum(form is not None for form in (regimen.dose.course_total, regimen.dose.per_day, regimen.dose.per_interval))
            if forms != 1:
                yield Problem(entry.file, entry.line("regimens"), regimen.id, "a dose has exactly one form", "give course_total, per_day or per_interval")
    if entry.part == "products":
        checks = [(label.indication, evidence.indications, "indication") for label in (*entry.value.labelled, *entry.value.barred)]
        checks += [(name, evidence.indications, "indication") for rate in (*entry.value.rates, *entry.value.subcutaneous) for name in rate.indications]
    if entry.part == "jurisdictions":
        checks = [(entry.value.weight_policy, evidence.weight_policies, "weight policy"), (entry.value.rounding, evidence.rounding, "rounding policy")]
        checks += [(name, evidence.jurisdictions, "jurisdiction") for name in entry.value.includes]
    if entry.part in {"rules", "interactions"}:
        checks = [(name, evidence.jurisdictions, "jurisdiction") for name in entry.value.jurisdictions]
        checks += [(act.fact, evidence.facts, "fact") for act in entry.value.then if act.fact]
    if entry.part == "weight_policies":
        checks = [(entry.value.formula.ideal, evidence.formulas, "formula")] if entry.value.formula is not None else []
        checks += [(name, known, kind) for name, known, kind in ((entry.value.else_use, evidence.weight_policies, "weight policy"),
                                                                 (entry.value.rounding, evidence.rounding, "rounding policy")) if name]
    if entry.part == "supply_levers":
        checks = [(name, evidence.indications, "indication") for name in entry.value.indications]
    if entry.part == "claims":
        checks = [(entry.value.article, evidence.articles, "article")]
    if entry.part in {"topics", "emergencies", "corrections", "openers", "wordings"}:
        yield from _sayable(entry, evidence, broken)
    if entry.part == "articles" and not broken.any:
        yield from _unclaimed(entry, evidence)
    if entry.part in {"models", "model_choices", "forecast_states", "model_checks", "vignettes"}:
        checks = list(_named_by_models(entry.part, entry.value, evidence))
    if entry.part == "plausibility":
        known = [*(one.id for indication in evidence.indications.values() for one in indication.regimens), *evidence.products, *evidence.statements]
        checks = [(name, known, "regimen, product or statement") for name in entry.value.excepted]
    if entry.part == "dose_limits":
        checks = [(name, evidence.indications, "indication") for name in (*entry.value.indications, *entry.value.excepted)]
    for name, names, kind in checks:
        if name not in names and name not in broken and kind == "jurisdiction":
            yield _unknown_place(entry, (), name, evidence)
        elif name not in names and name not in broken:
            yield _missing(entry, (), kind, name, names)


def _unknown_place(entry: Entry, path: tuple[str | int, ...], name: str, evidence: Evidence) -> Problem:
    problem = _missing(entry, path, "jurisdiction", name, evidence.jurisdictions)
    near = f"{problem.remedy} " if "mean" in problem.remedy else ""
    return msgspec.structs.replace(problem, remedy=f"{near}known: {', '.join(evidence.jurisdictions)}, international")


def _words_for_ids(entry: Entry, evidence: Evidence, broken: Excused) -> Iterator[Problem]:
    """Names that look like free text and are ids all the same: an authority, the test of a rule, the excipient of a product."""
    if entry.part == "indications":
        for path, node in _mappings(entry.plain):
            name = node.get("authority")
            if isinstance(name, str) and name not in evidence.sources and name not in broken:
                problem = _missing(entry, (*path, "authority"), "source", name, evidence.sources)
                yield msgspec.structs.replace(problem, why=f"the authority '{name}' is no source")
    if entry.part in {"rules", "interactions"}:
        for index, act in enumerate(entry.value.then):
            if act.act == "monitor" and act.test and act.test not in evidence.tests and act.test not in broken:
                yield _missing(entry, ("then", index, "test"), "test", act.test, evidence.tests)
    if entry.part == "laboratory":
        for index, name in enumerate(entry.value.tests):
            if name not in evidence.tests and name not in broken:
                yield _missing(entry, ("tests", index), "test", name, evidence.tests)
    if entry.part == "products":
        excipients = [fact.removeprefix("product.").removeprefix("contains_") for fact in evidence.facts
                      if fact.startswith("product.contains_") or fact.removeprefix("product.") in ALLERGY_OF]
        for name in entry.value.contains:
            if name not in excipients and f"product.contains_{name}" not in broken:
                problem = _missing(entry, ("contains", name), "excipient", name, excipients)
                yield msgspec.structs.replace(problem, remedy=problem.remedy if "mean" in problem.remedy else
                                              f"known: {', '.join(excipients)}; for another, register the fact 'product.contains_{name}' in facts.yaml first")


def _sayable(entry: Entry, evidence: Evidence, broken: Excused) -> Iterator[Problem]:
    """What an entry for questions names: sentences, related topics, facts, indications."""
    value = entry.value
    said = [name for key in ("show", "tell") for name in getattr(value, key, ())] + ([value.claim] if entry.part == "corrections" else [])
    for name in said:
        if sayable(evidence, name) is None and name not in broken:
            yield _missing(entry, (), "sentence", name, (*evidence.statements, *evidence.lessons, *evidence.claims, *evidence.advice))
    for key, kind, known in (("related", "topic", evidence.topics), ("topics", "topic", evidence.topics), ("over", "topic", evidence.topics),
                             ("fact", "fact", evidence.facts), ("facts", "fact", evidence.facts), ("indications", "indication", evidence.indications),
                             ("places", "jurisdiction", evidence.jurisdictions)):
        for name in getattr(value, key, ()):
            if name not in known and name not in broken:
                yield _missing(entry, (key,), kind, name, known)
    if entry.part == "openers":
        for index, listed in enumerate(value.words):
            for name in (word[1:] for word in listed if word.startswith(SHARED)):
                if name not in evidence.word_lists and name not in broken:
                    yield _missing(entry, ("words", index), "word list", name, evidence.word_lists)


_COUNTED = {"over_days", "days", "day", "times_baseline", "value", "expected"}
"""Ranges that are counts; every other range is an amount or a time and needs its unit."""


def _without_unit(entry: Entry, value: Any, path: tuple[str | int, ...] = ()) -> Iterator[Problem]:
    """Ranges that are bare numbers. A single quantity without a unit does not shape; a range does, because days are ranges too."""
    if isinstance(value, Span):
        if not value.unit and path[-1] not in _COUNTED:
            what = f"{entry.id}: {'.'.join(str(part) for part in path)}"
            yield Problem(entry.file, entry.line(*path), what, f"{value} has no unit", "write the number with its unit, for example '2 g/kg' or '30-60 min'")
    elif isinstance(value, msgspec.Struct):
        if not isinstance(value, Condition | Quantity):
            for field, key in zip(value.__struct_fields__, value.__struct_encode_fields__, strict=True):
                yield from _without_unit(entry, getattr(value, field), (*path, key))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _without_unit(entry, item, (*path, index))


def _named_by_models(part: str, value: Any, evidence: Evidence) -> Iterator[tuple[str, Iterable[str], str]]:
    """Indications and models that the pharmacokinetic evidence names."""
    indications: tuple[str, ...] = getattr(value, "indications", ())
    models: tuple[str, ...] = ()
    if part == "models":
        branches = [branch for parameter in (*value.parameters.values(), value.baseline) for branch in parameter.branches]
        indications = (*value.domain.indications, *(name for branch in branches for name in branch.indications))
    elif part == "model_choices":
        models = (value.first, *value.beside)
    elif part == "model_checks":
        indications = (value.indication,) if value.indication else ()
    elif part == "vignettes":
        models, indications = (value.id,), tuple(check.indication for check in value.checks if check.indication)
        yield from ((name, evidence.model_checks, "model check") for name in value.shares)
    yield from ((name, evidence.indications, "indication") for name in indications)
    yield from ((name, evidence.models, "model") for name in models)


def _unclaimed(entry: Entry, evidence: Evidence) -> Iterator[Problem]:
    """Every line of a founding article is claimed by an entry or named as holding no claim, and none is both."""
    article = entry.value
    claimed = {line for claim in evidence.claims.values() if claim.article == article.id for line in lines_of(claim.at_lines)}
    empty = set(lines_of(article.no_claim))
    everything = set(range(1, article.lines + 1))
    for lines, key, why, remedy in (
        (everything - claimed - empty, "lines", "lines that no claim covers", "add claims, or list them under no_claim"),
        (claimed & empty, "no_claim", "lines both claimed and said to hold no claim", "keep one of the two"),
        ((claimed | empty) - everything, "lines", "lines beyond the end of the article", "correct the line numbers"),
    ):
        if lines:
            yield Problem(entry.file, entry.line(key), entry.id, f"{why}: {', '.join(map(str, sorted(lines)))}", remedy)


def lines_of(written: Iterable[str]) -> Iterator[int]:
    """The line numbers of texts like ``20`` and ``22-26``; what is neither gives none."""
    for text in written:
        first, _, last = text.partition("-")
        if first.isdigit() and (last or first).isdigit():
            yield from range(int(first), int(last or first) + 1)


class _Supports:
    """The numbers each statement carries: with units in base form, and bare. Statements that share an id carry none until that is settled."""

    def __init__(self, evidence: Evidence, taken: frozenset[str]) -> None:
        self.by_statement = {statement.id: supports(statement) for statement in evidence.statements.values() if statement.id not in taken}

    def holds(self, number: float, dimension: str, factor: float, cites: Iterable[str], *, strict: bool = False) -> bool:
        """Whether a cited statement carries the number. ``strict`` wants it there with its unit: a bare 10 is no 10 %."""
        return any(carried(number, dimension, factor, [one for one in self.by_statement.get(cite, ()) if one[1] or not strict]) for cite in cites)


_UNITS_OF_KEYS = {"percent": "%"}
"""Keys whose bare number has a unit all the same: a strength must be printed as one, not just be some number of the label."""


def _numbers(entry: Entry, held: _Supports) -> Iterator[Problem]:
    everything = tuple(cite for _, node in _mappings(entry.plain) for key in ("cites", "contains_cites") for cite in node.get(key) or [])

    def walk(value: Any, path: tuple[str | int, ...], cites: tuple[str, ...]) -> Iterator[Problem]:
        if isinstance(value, dict):
            own = tuple(value["cites"]) if isinstance(value.get("cites"), list) else ()
            for key, item in value.items():
                if key not in _NO_NUMBERS and not (key == "for" and isinstance(item, list)):
                    yield from walk(item, (*path, key), own + cites if own else cites)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                yield from walk(item, (*path, index), cites)
        elif value is not None and not isinstance(value, bool):
            resting = cites or everything
            # A statement that does not exist is reported by itself; rows for its numbers would only hide that one.
            if not all(cite in held.by_statement for cite in resting):
                return
            strict = bool(path) and path[-1] in _UNITS_OF_KEYS
            for number, dimension, factor in numbers_in(f"{value} {_UNITS_OF_KEYS[str(path[-1])]}" if strict else str(value)):
                if not held.holds(number, dimension, factor, resting, strict=strict):
                    named = ", ".join(resting) or "nothing"
                    yield Problem(entry.file, entry.line(*path), f"{entry.id}: {'.'.join(str(part) for part in path)}",
                                  f"'{value}' holds {number:g}, which is not supported by {named if len(named) < 160 else named[:157] + '...'}",
                                  "cite the statement that carries it, or correct the number")

    yield from walk(entry.plain, (), ())
