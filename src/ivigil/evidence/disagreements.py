"""Where authorities disagree, found from the evidence alone, and where each of them stands.

Nothing is averaged and nobody wins here: each side is named with its place, its words and its statements. Criteria are not compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import combinations

import msgspec

from ivigil.basis.facts import Fact, Facts, Origin
from ivigil.basis.quantity import Quantity
from ivigil.evidence.conditions import Condition, judge, leaves, parse_condition, written
from ivigil.evidence.differing_waits import differing_waits
from ivigil.evidence.doses import APART, Apart, apart, dose_text, spans_apart
from ivigil.evidence.library import Evidence
from ivigil.evidence.positions import KINDS, Degree, Disagreement, Position, position
from ivigil.evidence.select import in_force
from ivigil.evidence.shapes import Indication, Regimen, Remark, Route, WeightPolicy
from ivigil.evidence.uses import uses

_DOSE_DEGREE: dict[Apart, Degree] = {"different": "different", "overlapping": "overlapping", "form": "form", "same": "form"}
_SHARED = {"weight": "the dosing weight", "target": "the IgG aimed at"}
_AGES = {"adult": Quantity(40, "year"), "child": Quantity(8, "year")}
"""Ages that stand for adults and children in every policy read."""


def disagreements(evidence: Evidence, as_of: date, topic: str = "") -> tuple[Disagreement, ...]:
    """Every disagreement among the entries in force on ``as_of``: by indication in file order, then weight, targets, vaccines and other disputes.

    ``topic`` keeps those of one indication (by id, name or code), of ``weight``, ``target`` or ``vaccine``, of one kind, or the one with this id.
    """
    found = [one for indication in evidence.indications.values() for one in _of_indication(evidence, indication, as_of)]
    found += [*_weights(evidence, as_of), *_targets(evidence), *differing_waits(evidence), *_disputes(evidence)]
    order = {name: place for place, name in enumerate((*evidence.indications, "weight", "target", "vaccine"))}
    found.sort(key=lambda one: (order.get(one.topics[0], len(order)), KINDS.index(one.kind)))
    if not topic:
        return tuple(found)
    wanted = {topic, *evidence.indications_called(topic)}
    return tuple(one for one in found if wanted & {one.id, one.kind, *one.topics})


def _of_indication(evidence: Evidence, indication: Indication, as_of: date) -> Iterator[Disagreement]:
    yield from _standing(evidence, indication, as_of)
    seen: set[tuple[str, tuple[Position, ...]]] = set()
    for group in _groups(indication, as_of):
        for one in (*_dose(evidence, indication, group), *_time(evidence, indication, group), *_named_weight(evidence, indication, group, as_of)):
            if (one.kind, one.positions) not in seen:  # two phases may differ only in regimens that are at odds with nobody
                seen.add((one.kind, one.positions))
                yield one
    yield from _indication_targets(evidence, indication, as_of)


# --- standing ---------------------------------------------------------------------------------------------------------


def _standing(evidence: Evidence, indication: Indication, as_of: date) -> Iterator[Disagreement]:
    rows = [row for row in indication.standing if in_force(row.valid, as_of) and row.verdict != "not-read"]
    against = [row for row in rows if row.verdict == "against"]
    verdicts = {row.verdict for row in rows if any(row.authority != other.authority for other in against)}
    degree: Degree | None = "opposed" if "supports" in verdicts else "conditional" if "conditional" in verdicts else None
    if degree is not None:
        stand = tuple(position(evidence, f"{row.verdict}: {row.tier or row.say}".rstrip(": "), row.cites, jurisdiction=row.jurisdiction,
                               authority=evidence.authority(row), edition=row.edition) for row in rows)
        yield Disagreement(f"{indication.id}.standing", "standing", degree, (indication.id,), f"Whether {indication.name.clinical} is treated", stand)


# --- doses ------------------------------------------------------------------------------------------------------------


class _Group(msgspec.Struct, frozen=True):
    """The regimens in force of one route and phase. ``slug`` names phases and any route but the vein, ``words`` says them."""

    slug: str
    words: str
    members: tuple[Regimen, ...]


def _groups(indication: Indication, as_of: date) -> Iterator[_Group]:
    """Phases with the same regimens are one group."""
    rows = [regimen for regimen in indication.regimens if in_force(regimen.valid, as_of)]
    phases: dict[tuple[Route, tuple[Regimen, ...]], list[str]] = {}
    for route, phase in dict.fromkeys((row.route, phase) for row in rows for phase in (row.phase, *row.also_phases)):
        members = tuple(row for row in rows if row.route == route and phase in {row.phase, *row.also_phases})
        phases.setdefault((route, members), []).append(phase)
    for (route, members), names in phases.items():
        parts = [*names, *([route] if route != "intravenous" else [])]
        yield _Group("-".join(parts), ", ".join(parts), members)


def _dose(evidence: Evidence, indication: Indication, group: _Group) -> Iterator[Disagreement]:
    """A dose is at odds with a place when no regimen of another authority there prints the same; the nearest one says how far apart they are."""
    worst: Apart = "same"
    concerned: dict[str, None] = {}
    for regimen in group.members:
        for place in dict.fromkeys(other.jurisdiction for other in group.members):
            there = [other for other in group.members if other.jurisdiction == place and _rivals(regimen, other)]
            if there:
                concerned.update(dict.fromkeys((regimen.id, *(other.id for other in there))))
                worst = max(worst, min((apart(regimen, other) for other in there), key=APART.index), key=APART.index)
    if worst != "same":
        yield Disagreement(f"{indication.id}.dose.{group.slug}", "dose", _DOSE_DEGREE[worst], (indication.id,),
                           f"Dose in {indication.name.clinical} ({group.words})",
                           tuple(_of_regimen(evidence, row, dose_text(row)) for row in group.members if row.id in concerned))


def _time(evidence: Evidence, indication: Indication, group: _Group) -> Iterator[Disagreement]:
    timed = [row for row in group.members if row.hours is not None]
    found = [spans_apart(one.hours, other.hours) for one, other in combinations(timed, 2)
             if one.hours is not None and other.hours is not None and _rivals(one, other)]
    worst: Apart = max(found, key=APART.index, default="same")
    if worst != "same":
        yield Disagreement(f"{indication.id}.time.{group.slug}", "time", _DOSE_DEGREE[worst], (indication.id,),
                           f"Infusion time in {indication.name.clinical} ({group.words})",
                           tuple(_of_regimen(evidence, row, f"over {row.hours}") for row in timed))


def _named_weight(evidence: Evidence, indication: Indication, group: _Group, as_of: date) -> Iterator[Disagreement]:
    """The weight a regimen names against its place's own rule, beside the weight that regimens of other places are worked out on."""
    usual = {name: _first_in_force(evidence, place.weight_policy, as_of) for name, place in evidence.jurisdictions.items()}
    weights = {row.id: row.weight or usual.get(row.jurisdiction, "") for row in group.members}
    known = [row for row in group.members if weights[row.id] in evidence.weight_policies]
    own = {row.id for row in known if row.weight and row.weight != usual.get(row.jurisdiction)}
    apart_in = {name for one, other in combinations(known, 2) if own & {one.id, other.id} and _rivals(one, other) and weights[one.id] != weights[other.id]
                for name in (one.id, other.id)}
    if apart_in:
        said = {row.id: _rule_text(evidence, evidence.weight_policies[weights[row.id]]) for row in known}
        yield Disagreement(f"{indication.id}.weight.{group.slug}", "weight", "different", (indication.id,),
                           f"Weight that the dose is worked out on in {indication.name.clinical} ({group.words})",
                           tuple(_of_regimen(evidence, row, said[row.id]) for row in known if row.id in apart_in))


def _rivals(one: Regimen, other: Regimen) -> bool:
    """Regimens of different places and authorities that could both be meant for one patient."""
    return one.jurisdiction != other.jurisdiction and one.authority != other.authority and not _exclude(one.when, other.when)


def _exclude(one: Condition | None, other: Condition | None) -> bool:
    """True when what one condition demands outright contradicts what the other does: yes and no, or ranges that do not meet."""
    demands = [*_demands(one), *_demands(other)]
    for first, second in combinations(demands, 2):
        if first.fact == second.fact:
            bounds = {"low": first, "high": second} if first.op in {">", ">="} else {"low": second, "high": first}
            low, high = bounds["low"], bounds["high"]
            if {first.op, second.op} == {"yes", "not"} or (low.op in {">", ">="} and high.op in {"<", "<="} and low.number >= high.number):
                return True
    return False


def _demands(condition: Condition | None) -> Iterator[Condition]:
    """The comparisons that must hold whatever else does; a denied one keeps its fact under ``not``."""
    if condition is None:
        return
    if condition.op == "all":
        for part in condition.of:
            yield from _demands(part)
    elif condition.op == "not" and not condition.of[0].of:
        yield Condition("not", fact=condition.of[0].fact)
    elif not condition.of:
        yield condition


def _of_regimen(evidence: Evidence, regimen: Regimen, says: str) -> Position:
    if regimen.when is not None:
        says += f", for: {written(regimen.when, evidence.labels)}"
    return position(evidence, says, regimen.cites, jurisdiction=regimen.jurisdiction, authority=evidence.authority(regimen), entry=regimen.id,
                    edition=regimen.edition)


# --- weight -----------------------------------------------------------------------------------------------------------


def _weights(evidence: Evidence, as_of: date) -> Iterator[Disagreement]:
    for who, age in _AGES.items():
        places: dict[str, list[str]] = {}
        for name, place in evidence.jurisdictions.items():
            policy = _first_in_force(evidence, place.weight_policy, as_of, Facts([Fact("age", age, Origin("example"))]))
            places.setdefault(policy, []).append(name)
        policies = {name: evidence.weight_policies[name] for name in places if name in evidence.weight_policies}
        stand = tuple(position(evidence, _policy_text(evidence, policy), policy.cites, jurisdiction=", ".join(places[name]), authority=policy.name, entry=name)
                      for name, policy in policies.items())
        if len(stand) > 1:
            yield Disagreement(f"weight.{who}", "weight", "different", ("weight",), f"Weight that a dose is worked out on ({who})", stand)


def _first_in_force(evidence: Evidence, name: str, as_of: date, facts: Facts | None = None) -> str:
    """The policy that holds: the one named, or the one it names in its place when it is out of date or meant for others."""
    passed: set[str] = set()
    while (policy := evidence.weight_policies.get(name)) is not None and policy.else_use and name not in passed:
        passed.add(name)
        meant = policy.population is None or facts is None or judge(policy.population, facts).truth is not False
        if meant and in_force(policy.valid, as_of):
            break
        name = policy.else_use
    return name


def _policy_text(evidence: Evidence, policy: WeightPolicy) -> str:
    text = f"{policy.gives} weight"
    if policy.formula is not None:
        factor = f", factor {policy.formula.factor:g}" if policy.formula.factor else ""
        text += f" ({evidence.formulas[policy.formula.ideal].name}{factor})"
    limits = [written(policy.when, evidence.labels) if policy.when is not None else "",
              f"more than {policy.when_over_ideal} above ideal weight" if policy.when_over_ideal is not None else ""]
    if any(limits):
        text += f" when {' and '.join(part for part in limits if part)}, otherwise {policy.otherwise} weight"
    return f"{text}, at most {policy.dose_cap} a course" if policy.dose_cap is not None else text


def _rule_text(evidence: Evidence, policy: WeightPolicy) -> str:
    """A policy with the one for the patients it is not meant for."""
    other = evidence.weight_policies.get(policy.else_use)
    if policy.population is None or other is None:
        return _policy_text(evidence, policy)
    return f"{_policy_text(evidence, policy)} for {written(policy.population, evidence.labels)}; for others {_policy_text(evidence, other)}"


# --- targets ----------------------------------------------------------------------------------------------------------


def _targets(evidence: Evidence) -> Iterator[Disagreement]:
    for purpose in dict.fromkeys(target.purpose for target in evidence.targets.values()):
        rows = [target for target in evidence.targets.values() if target.purpose == purpose and not target.superseded_by]
        if len({_asked(row.value) for row in rows if row.value is not None}) > 1:
            stand = tuple(position(evidence, row.say, row.cites, jurisdiction=row.jurisdiction, entry=row.id) for row in rows)
            yield Disagreement(f"target.{purpose}", "target", "different", ("target",), f"IgG aimed at ({purpose})", stand)


def _indication_targets(evidence: Evidence, indication: Indication, as_of: date) -> Iterator[Disagreement]:
    rows = [(row, _value(row)) for row in indication.targets if in_force(row.valid, as_of)]
    for fact in dict.fromkeys(leaf.fact for _, value in rows if value is not None for leaf in leaves(value)):
        valued = [(row, value) for row, value in rows if value is not None and any(leaf.fact == fact for leaf in leaves(value))]
        if any(one.authority != other.authority and _asked(first) != _asked(second) for (one, first), (other, second) in combinations(valued, 2)):
            shown = [row for row, value in rows if value is None or (row, value) in valued]
            stand = tuple(position(evidence, row.say, row.cites, jurisdiction=row.jurisdiction) for row in shown)
            yield Disagreement(f"{indication.id}.target.{fact}", "target", "different", (indication.id, "target"),
                               f"{evidence.labels.get(fact, fact)} aimed at in {indication.name.clinical}", stand)


def _value(remark: Remark) -> Condition | None:
    return parse_condition(remark.value) if remark.value else None


def _asked(condition: Condition) -> tuple[tuple[str, str, float], ...]:
    return tuple((leaf.fact, leaf.op, leaf.number) for leaf in leaves(condition))


# --- disputes that statements record ------------------------------------------------------------------------------------


def _disputes(evidence: Evidence) -> Iterator[Disagreement]:
    """Statements that name one another under ``disputed_by``, directly or through a third, are one dispute."""
    beside: dict[str, dict[str, None]] = {}
    for statement in evidence.statements.values():
        for other in statement.disputed_by:
            if other in evidence.statements:
                beside.setdefault(statement.id, {})[other] = None
                beside.setdefault(other, {})[statement.id] = None
    used = uses(evidence)
    taken: set[str] = set()
    names: dict[str, int] = {}
    for start in (name for name in evidence.statements if name in beside):
        if start in taken:
            continue
        joined = _joined(start, beside)
        taken.update(joined)
        members = [name for name in evidence.statements if name in joined]
        where = [use for name in members for use in used[name] if use.part != "statements"]
        indications = dict.fromkeys(use.id for use in where if use.part == "indications")
        first = sorted(indications, key=lambda name: not start.startswith(f"{name}."))
        others = dict.fromkeys("weight" if use.part == "weight_policies" else "target" if use.part == "targets" else use.id for use in where
                               if use.part != "indications")
        topics = tuple(dict.fromkeys((*first, *others))) or (start.rpartition(".")[0],)
        names[topics[0]] = names.get(topics[0], 0) + 1
        number = f".{names[topics[0]]}" if names[topics[0]] > 1 else ""
        yield Disagreement(f"{topics[0]}.dispute{number}", "dispute", "recorded", topics, _named(evidence, topics[0]),
                           tuple(position(evidence, evidence.statements[name].says, (name,)) for name in members))


def _joined(start: str, beside: dict[str, dict[str, None]]) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(beside[name])
    return found


def _named(evidence: Evidence, topic: str) -> str:
    indication, product, rule = evidence.indications.get(topic), evidence.products.get(topic), evidence.every_rule.get(topic)
    if indication is not None:
        return f"Statements on {indication.name.clinical}"
    if product is not None:
        return f"Statements on {product.brand} ({product.market})"
    return f"Statements on: {rule.about if rule is not None else _SHARED.get(topic, topic)}"
