"""What must hold after the load: nothing lost, nothing wrong. Every fault is named."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from html import unescape

from sqlalchemy import select

from ivigil.service.store import Store
from ivigil.service.store.tables import plans

from .callers import Answer, ask
from .expected import Expected
from .ledger import Ledger
from .service import Service

MEMORY = 2000.0
"""Megabytes that the workers may take together: what the systemd unit allows the service."""


@dataclass
class Proof:
    """What was proven, in words with figures, and what was not."""

    held: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def that(self, claim: str, faults: list[str]) -> None:
        """One claim; it holds when there is no fault."""
        if faults:
            self.broken.append(f"{claim}: {len(faults)} faults, first {'; '.join(faults[:5])}")
        else:
            self.held.append(claim)


def kept_plans(ledger: Ledger, store: Store, expected: Expected) -> list[str]:
    """Every acknowledged plan is in the database as it was made; every plan there is whole; what was deleted is gone."""
    with store.database.reading() as connection:
        rows = {row.id: row for row in connection.execute(select(plans.c.id, plans.c.owner, plans.c.record, plans.c.document))}
    owners = {person.name: person.id for person, _ in store.people.everybody()}
    faults = []
    for identity, kept in list(ledger.plans.items()):
        row = rows.get(identity)
        if row is None:
            faults.append(f"plan {identity} is lost")
        elif row.owner != owners[kept.owner]:
            faults.append(f"plan {identity} belongs to somebody else")
        elif row.record.strip() != kept.record.strip() or not expected.same(kept.document, row.document):
            faults.append(f"plan {identity} is not as it was saved")
    documents = list(expected.plans.values())
    faults += [f"plan {identity} is half" for identity, row in rows.items() if not any(expected.same(document, row.document) for document in documents)]
    faults += [f"plan {identity} was deleted and is there" for identity in ledger.forgotten if identity in rows]
    return faults


def trail(ledger: Ledger, store: Store) -> list[str]:
    """The chain is whole, and what it says was saved, deleted and judged is what was, neither more nor less."""
    faults = list(store.audit.verify().faults)
    saved, deleted = Counter[str](), Counter[str]()
    reviewed = after = 0
    while block := store.audit.entries(after=after):
        for entry in block:
            saved[entry.about] += entry.act == "plan.saved"
            deleted[entry.about] += entry.act == "plan.deleted"
            reviewed += entry.act == "evidence.reviewed"
        after = block[-1].seq
    with store.database.reading() as connection:
        there = set(connection.execute(select(plans.c.id)).scalars())
    entered = {identity for identity, count in saved.items() if count}
    faults += [f"plan {identity} has {saved[identity]} entries" for identity in ledger.plans if saved[identity] != 1]
    faults += [f"plan {identity} is there without an entry" for identity in there - entered]
    faults += [f"plan {identity} has an entry, is not there, and was not deleted" for identity in entered - there if deleted[identity] != 1]
    if reviewed < len(ledger.verdicts):
        faults.append(f"{len(ledger.verdicts)} verdicts were acknowledged and {reviewed} are in the trail")
    return faults


def feedback(ledger: Ledger, store: Store) -> list[str]:
    """Every acknowledged report is there."""
    there = {(entry.card, entry.outcome) for entry in store.feedback.entries(limit=10_000_000)}
    return [f"feedback on {card} is lost" for card, outcome in ledger.feedback if (card, outcome) not in there]


def verdicts(ledger: Ledger, service: Service) -> list[str]:
    """Every acknowledged verdict is on the page of its statement, as a service shows it that was started afterwards."""
    headers = {"authorization": f"Bearer {service.tokens['rosa']}", "accept": "text/html"}
    faults = []
    for statement in sorted({statement for statement, _ in ledger.verdicts}):
        answer: Answer = ask(service.port, "GET", f"/review/{statement}", headers=headers)
        told = unescape(answer.body.decode("utf-8", "replace"))
        faults += [f"verdict '{reason}' on {name} is lost" for name, reason in ledger.verdicts if name == statement and reason not in told]
    return faults


def sessions(ledger: Ledger, service: Service) -> list[str]:
    """Nobody who signed out is let in again."""
    return [f"session {number} lives on" for number, cookie in enumerate(ledger.left[-50:])
            if ask(service.port, "GET", "/api/v1/plans", headers={"cookie": cookie}).status != 401]


_TRACE = 4000
"""So much is told of where a crash of native code was."""


def log(service: Service, expected: Expected) -> list[str]:
    """No failure of ours, nothing of a patient."""
    told = service.log
    # A worker that ends with a code could not start while the database was away, and says so.
    ours = re.compile(r"request [0-9a-f]+ failed: |Traceback|worker \d+ ended (?!by SIGKILL|with)")
    faults = [line[:300] for line in told.splitlines() if ours.search(line)]
    faults += [f"crash in {found.group()[:_TRACE]}" for found in re.finditer(r"Current thread .*\n(?:  File .*\n)*", told)]
    names = {match.group(1).decode() for record in expected.records.values() if (match := re.search(rb"^id: (\S+)", record, re.MULTILINE))}
    return faults + [f"the log names {name}" for name in sorted(names) if name in told]


def memory(samples: dict[int, list[float]]) -> list[str]:
    """The workers together stay below what the unit allows."""
    most = sum(max(values) for values in sorted(samples.values(), key=max, reverse=True)[:2])
    return [f"{most:.0f} MB"] if most > MEMORY else []


def growth(samples: dict[int, list[float]]) -> str:
    """How the memory of the longest-lived worker grew from the first to the last quarter of its life."""
    values = max(samples.values(), key=len, default=[])
    quarter = len(values) // 4
    if not quarter:
        return "not measured"
    first, last = (sum(part) / quarter for part in (values[quarter : 2 * quarter], values[-quarter:]))
    return f"{first:.0f} to {last:.0f} MB from the second to the last quarter of the longest-lived worker's {len(values)} samples"
