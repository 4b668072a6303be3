"""The beginnings of new entries: files that load at once, claim nothing, and say in comments what to fill in."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, get_args

import msgspec

from ivigil.basis.problems import BadInput, Problem
from ivigil.basis.quantity import UNITS, number_text
from ivigil.evidence.check import facts_from, with_groups
from ivigil.evidence.conditions import Condition, judge, leaves, parse_condition
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import Route

_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")
_PART = {"indication": "indications", "product": "products", "statement": "statements", "rule": "rules", "source": "sources"}
_OPTIONS = {"indication": {"name"}, "source": {"name"}, "product": {"name", "maker", "market", "route", "percent"}, "statement": {"source"},
            "rule": {"fact", "cites"}}
_NEEDED = {"product": ("maker", "market", "route", "percent"), "rule": ("fact",)}


class Wanted(msgspec.Struct, frozen=True):
    """The entry to begin, as given on the command line: empty text where nothing was said."""

    kind: str
    id: str
    name: str = ""
    source: str = ""
    fact: str = ""
    cites: tuple[str, ...] = ()
    maker: str = ""
    market: str = ""
    route: str = ""
    percent: str = ""


def stub_files(wanted: Wanted, evidence: Evidence) -> dict[str, str]:
    """The files of a new entry by their names inside an evidence folder.

    Raises:
        BadInput: the id is taken or malformed, or an option is missing, unknown or of no use here; all problems are listed.
    """
    problems = list(_problems(wanted, evidence))
    if problems:
        raise BadInput(problems)
    if wanted.kind == "source":
        return {f"sources/{wanted.id}.yaml": _SOURCE.format(id=wanted.id, title=_quoted(wanted.name) if wanted.name else _UNTITLED)}
    if wanted.kind == "statement":
        return _statement(wanted.id, wanted.source, evidence)
    if wanted.kind == "indication":
        return {f"indications/{wanted.id}.yaml": _INDICATION.format(id=wanted.id, name=_quoted(wanted.name or _in_words(wanted.id)))}
    return _product(wanted, evidence) if wanted.kind == "product" else _rule(wanted, evidence)


def _problems(wanted: Wanted, evidence: Evidence) -> Iterator[Problem]:
    if not _ID.fullmatch(wanted.id):
        yield Problem("ID", 0, wanted.id, "is no id", "use small letters, digits, dots and hyphens, for example our-sps.dose")
    taken = {**evidence.conditions, **evidence.groups} if wanted.kind == "rule" else getattr(evidence, _PART[wanted.kind])
    if wanted.id in taken:
        yield Problem("ID", 0, wanted.id, "the id is taken", "choose another; docs/evidence-format.md says how an overlay replaces an entry")
    for option in ("name", "source", "fact", "cites", "maker", "market", "route", "percent"):
        given = getattr(wanted, option)
        if given and option not in _OPTIONS[wanted.kind]:
            yield Problem(f"--{option}", 0, "", f"says nothing about a {wanted.kind}", "leave it out")
        if not given and option in _NEEDED.get(wanted.kind, ()):
            yield Problem(f"--{option}", 0, "", "not given", f"a {wanted.kind} cannot be written without it")
    if wanted.kind == "product":
        yield from _product_problems(wanted, evidence)
    if wanted.source and wanted.source not in evidence.sources:
        yield Problem("--source", 0, "", f"no source is called '{wanted.source}'", "look it up with 'ivigil evidence search', or leave it out for a new one")
    for cite in wanted.cites:
        if cite not in evidence.statements:
            yield Problem("--cites", 0, "", f"no statement is called '{cite}'", "look it up with 'ivigil evidence search', or leave it out for a new one")
    if wanted.kind == "rule" and wanted.fact:
        yield from _fact_problems(wanted.fact, evidence)


def _product_problems(wanted: Wanted, evidence: Evidence) -> Iterator[Problem]:
    markets = list(dict.fromkeys([*(market for place in evidence.jurisdictions.values() for market in place.markets),
                                  *(product.market for product in evidence.products.values())]))
    if wanted.market and wanted.market not in markets:
        yield Problem("--market", 0, "", f"no place buys from '{wanted.market}'", f"markets: {', '.join(markets)}")
    if wanted.route and wanted.route not in get_args(Route):
        yield Problem("--route", 0, "", f"'{wanted.route}' is no route", f"routes: {', '.join(get_args(Route))}")
    if wanted.percent and not 0 < _number(wanted.percent) <= 100:
        yield Problem("--percent", 0, "", f"'{wanted.percent}' is no strength", "write the w/v percentage: 10 is 100 mg/mL")


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value


def _fact_problems(fact: str, evidence: Evidence) -> Iterator[Problem]:
    try:
        leaf = next(leaves(parse_condition(fact)))
    except ValueError as error:
        why, _, remedy = str(error).partition("; ")
        yield Problem("--fact", 0, "", why, remedy)
        return
    known = evidence.facts.get(leaf.fact)
    if known is None:
        yield Problem("--fact", 0, "", f"'{leaf.fact}' is not a registered fact", "docs/facts.md lists them all")
    elif leaf.op == "yes" and known.kind != "yes_no":
        example = f"{leaf.fact} is {known.choices[0]}" if known.choices else f"{leaf.fact} > 1 {known.unit}".strip()
        yield Problem("--fact", 0, "", f"'{leaf.fact}' is a {known.kind}, not a yes/no fact", f"compare it with a value, as in '{example}'")


def _statement(name: str, source: str, evidence: Evidence, says: str = "Not filled in yet.", values: str = "") -> dict[str, str]:
    """A statement that nobody has read yet, and a source for it when none is named."""
    own = source or f"{name.partition('.')[0]}-source"
    files = {f"statements/{name}.yaml": _STATEMENT.format(id=name, source=own, says=_quoted(says), values=values)}
    if own not in evidence.sources:
        files[f"sources/{own}.yaml"] = _SOURCE.format(id=own, title=_UNTITLED)
    return files


def _product(wanted: Wanted, evidence: Evidence) -> dict[str, str]:
    basis, percent, brand = f"{wanted.id}.strength", number_text(_number(wanted.percent)), wanted.name or _in_words(wanted.id)
    text = _PRODUCT.format(id=wanted.id, brand=_quoted(brand), maker=_quoted(wanted.maker), market=wanted.market, route=wanted.route, percent=percent,
                           basis=basis)
    says = f"{brand} is said to be a {percent} % solution; its label was not read yet."
    return {f"products/{wanted.id}.yaml": text, **_statement(basis, "", evidence, says, f"\n  values: {{strength: {percent} %}}")}


def _rule(wanted: Wanted, evidence: Evidence) -> dict[str, str]:
    condition = parse_condition(wanted.fact)
    leaf = next(leaves(condition))
    basis = f"{wanted.id}.basis"
    cites = wanted.cites or (basis,)
    files = {
        f"safety/{wanted.id}.yaml": _RULE.format(id=wanted.id, when=_quoted(wanted.fact), cites=", ".join(cites)),
        f"cases/safety/{wanted.id}.yaml": "".join([_CASES, *_cases(wanted.id, condition, evidence)]),
    }
    if not wanted.cites:
        limit = f"\n  values: {{limit: {_quoted(_value(leaf, leaf.number))}}}" if leaf.op in {">", ">=", "<", "<="} else ""
        files.update(_statement(basis, "", evidence, values=limit))
    return files


def _cases(rule: str, condition: Condition, evidence: Evidence) -> Iterator[str]:
    """One example of each outcome, on both sides of a threshold."""
    leaf = next(leaves(condition))
    shown: set[str] = set()
    for value in _candidates(leaf, evidence):
        try:
            truth = judge(condition, with_groups(facts_from({leaf.fact: value}, evidence.facts), evidence)).truth
        except ValueError:
            continue
        outcome = "fires" if truth else "silent"
        if truth is not None and outcome not in shown:
            shown.add(outcome)
            yield f"- {{rule: {rule}, name: {_quoted(value)}, facts: {{{leaf.fact}: {_quoted(value)}}}, expect: {outcome}}}\n"
    yield f"- {{rule: {rule}, name: not known, facts: {{}}, expect: asks}}\n"


def _candidates(leaf: Condition, evidence: Evidence) -> list[str]:
    fact = evidence.facts[leaf.fact]
    if fact.kind == "yes_no":
        return ["yes", "no"]
    if fact.kind == "quantity":
        step = UNITS[leaf.unit].factor if leaf.unit else 1.0
        below = leaf.number - step if leaf.number > step else leaf.number / (1 + 1)
        return [_value(leaf, number) for number in (leaf.number, leaf.number + step, below)]
    return [*leaf.words, *fact.choices, "another"]


def _value(leaf: Condition, canonical: float) -> str:
    factor = UNITS[leaf.unit].factor if leaf.unit else 1.0
    return f"{canonical / factor:.10g} {leaf.unit}".strip()


def _in_words(name: str) -> str:
    words = re.sub(r"[-._]+", " ", name).strip()
    return words[:1].upper() + words[1:]


def _quoted(text: Any) -> str:
    return json.dumps(str(text), ensure_ascii=False)


_UNTITLED = "Not filled in yet"
_SOURCE = """\
# Where the statement was read. Fill in what the document itself prints; 'not recorded' stays where it prints none.
#   kind          product-label, guideline, policy, study, review ... (docs/evidence-format.md lists them); web-page stands here until you choose
#   title, publisher, year
#   where         so that anybody finds it again: address, DOI, page
#   jurisdiction  where it is in force, if anywhere
- id: {id}
  kind: web-page
  title: {title}
  publisher: not recorded
  year: not recorded
  where: not recorded
"""
_STATEMENT = """\
# A new statement. It counts as remembered, and plans show it as not read, until somebody fills in how it was read.
# Fill in, with the source in hand:
#   source    the document, by id (its entry stands under sources/)
#   where     the place in it: section, table, row
#   says      the fact in one or two sentences of your own, with its numbers and units
#   values    every number that a rule may use: {{dose: 2 g/kg}}
#   read      seen (read at the source), second-hand (add 'through: <source id>'), decided (a decision of your own)
#   readings  2 once a second person or reading agreed
#   jurisdiction  where it holds
- id: {id}
  source: {source}
  says: {says}{values}
  read: remembered
"""
_INDICATION = """\
# A new indication. As it stands nobody's view of it was read and no dose is planned for it.
# Begin the statements first: ivigil evidence new statement {id}.dose --into THIS-FOLDER
id: {id}
name: {{clinical: {name}}}
# Add 'plain:' beside it, the name in a patient's words, then other names and codes:
# also_called: [..., ...]
# codes: {{icd10: [...], snomed: ["..."]}}
# replacement, immunomodulation or prophylaxis, once an authority supports it:
purpose: none
# What each authority says, in its own words, with a verdict: supports, conditional or against.
# standing:
#   - {{authority: ..., jurisdiction: ..., tier: ..., verdict: ..., cites: [...]}}
# Doses, in one of three forms that never mix: course_total with over_days, per_day with days, per_interval with every.
# regimens:
#   - id: {id}.AUTHORITY
#     authority: ...
#     jurisdiction: ...
#     phase: acute
#     dose: {{course_total: ..., over_days: ...}}
#     cites: [...]
# Then criteria, targets, review, stop, outcome_measures and alternatives. Strike out below what you have read.
not_read:
  - What any authority says of immunoglobulin here
  - Doses
  - Criteria
  - Targets, reviews and rules for stopping
  - Outcome measures
  - Alternatives
  - Codes
"""
_PRODUCT = """\
# A new product, with only what the format demands. As it stands no plan chooses it.
id: {id}
brand: {brand}
maker: {maker}
market: {market}
routes: [{route}]
percent: {percent}
# 'announced' keeps plans from choosing it. Take the line out once its label was read.
status: {{state: announced, say: This entry is not filled in yet.}}
contains_cites: [{basis}]
# Fill in from the label, each with cites: form, stabiliser, contains (excipients, yes or no), iga, sodium, vials, labelled, barred,
# rates or subcutaneous, handling. Leave out what you did not read, and strike out below what you did.
not_read:
  - Liquid or powder
  - Stabiliser and other excipients
  - IgA, sodium, osmolality and pH
  - Vial sizes
  - Labelled indications and ages
  - Rates
  - Preparation and storage
  - Codes
"""
_RULE = """\
# A new rule. As it stands it only informs. Fill in:
#   about     what it is about, in a few words
#   severity  contraindicated (blocks), avoid, caution, info
#   when      comparisons, joined by all, any and not
#   say       what matters and what to do, in short sentences; every number must stand in a statement that is cited
#   then      acts, such as {{act: monitor, test: creatinine, at: before}} (docs/evidence-format.md lists them)
#   jurisdictions  if it holds only in some places
- id: {id}
  about: A rule that is not filled in yet
  severity: info
  when: {when}
  say: This rule is not filled in yet; nothing follows from it.
  cites: [{cites}]
"""
_CASES = """\
# Examples beside the rule: facts, and whether it fires, stays silent or asks. Every threshold needs one on each side. Facts not listed are unknown.
"""
