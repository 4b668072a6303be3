"""Where every entry of the evidence stands on the site: its page, its anchor, its title, and who names it.

Ids of an overlay are a user's input. A file name or anchor is the id itself only when it is plain and short; any other id is cut down to plain
letters and gets a piece of its hash.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from ivigil.evidence.care import AntibodyInterval
from ivigil.evidence.conditions import Condition, facts_named
from ivigil.evidence.library import Evidence
from ivigil.evidence.sayable import SAYABLE
from ivigil.evidence.uses import PARTS

FOLDERS: dict[str, str] = {
    "indications": "indications",
    "products": "products",
    "rules": "rules",
    "interactions": "rules",
    "groups": "rules",
    "sources": "sources",
}
"""Parts whose entries have a page each, and the folder of the pages."""

TOPICS: dict[str, tuple[str, ...]] = {
    "vaccine-intervals": ("antibody_intervals",),
    "vaccines": ("vaccines", "vaccine_rules", "exposures"),
    "weights": ("weight_policies", "formulas", "rounding", "dose_limits", "plausibility"),
    "infusion": ("ramps", "infusion_policies"),
    "preparation": ("premedication", "hydration"),
    "monitoring": ("targets", "tests", "laboratory", "vitals", "thresholds", "outcomes", "reviews"),
    "interference": ("interference",),
    "reactions": ("reaction_onsets", "reaction_grades", "reaction_steps", "reaction_drugs", "next_doses", "reaction_frequencies", "reporting"),
    "supply": ("supply_schemes", "supply_levers", "supply_figures", "prices"),
    "advice": ("advice", "lessons"),
    "mechanisms": ("mechanisms",),
    "glossary": ("terms",),
    "claims": ("articles", "claims"),
    "models": ("models", "model_choices", "forecast_states", "forecast_settings", "lean_mass", "vignettes", "model_checks"),
    "facts": ("facts",),
    "jurisdictions": ("jurisdictions",),
    "questions": ("topics", "emergencies", "corrections", "openers", "wordings", "synonyms", "outsiders", "languages", "word_lists"),
}
"""Parts that share a page, where each entry has an anchor. A statement has its anchor on the page of its source."""

MENU_TOPICS = frozenset({"vaccine-intervals", "reactions", "monitoring"})
"""Topics that every page leads to."""

KINDS: dict[str, str] = {
    "indications": "indication",
    "products": "product",
    "rules": "safety rule",
    "interactions": "interaction",
    "groups": "risk group",
    "sources": "source",
    "statements": "statement",
    "antibody_intervals": "vaccine interval",
    "vaccines": "vaccine",
    "vaccine_rules": "vaccine rule",
    "exposures": "exposure",
    "weight_policies": "weight policy",
    "formulas": "weight formula",
    "rounding": "rounding",
    "dose_limits": "dose limit",
    "plausibility": "band of plausibility",
    "ramps": "site rate ladder",
    "infusion_policies": "infusion policy",
    "premedication": "premedication",
    "hydration": "hydration",
    "targets": "target",
    "tests": "test",
    "laboratory": "laboratory monitoring",
    "vitals": "vital signs",
    "thresholds": "threshold",
    "outcomes": "outcome measure",
    "reviews": "review point",
    "interference": "laboratory interference",
    "reaction_onsets": "reaction",
    "reaction_grades": "reaction grade",
    "reaction_steps": "reaction step",
    "reaction_drugs": "reaction medicine",
    "next_doses": "next dose",
    "reaction_frequencies": "reaction frequency",
    "reporting": "reporting",
    "supply_schemes": "supply scheme",
    "supply_levers": "supply lever",
    "supply_figures": "supply figure",
    "prices": "price",
    "advice": "advice",
    "lessons": "lesson",
    "mechanisms": "mechanism",
    "terms": "term",
    "articles": "article",
    "claims": "claim",
    "models": "pharmacokinetic model",
    "model_choices": "choice of model",
    "forecast_states": "state without a forecast",
    "forecast_settings": "forecast setting",
    "lean_mass": "lean mass formula",
    "model_checks": "model check",
    "vignettes": "model vignette",
    "facts": "fact",
    "jurisdictions": "jurisdiction",
    "topics": "topic",
    "emergencies": "emergency",
    "corrections": "correction",
    "openers": "opening of an answer",
    "wordings": "wording",
    "synonyms": "words that mean the same",
    "outsiders": "subject outside the evidence",
    "languages": "language",
    "word_lists": "word list",
}
"""What one entry of a part is called."""

REFERS: dict[str, tuple[str, ...]] = {
    "cites": ("statements",),
    "contains_cites": ("statements",),
    "exempt_cites": ("statements",),
    "disputed_by": ("statements",),
    "source": ("sources",),
    "also": ("sources",),
    "through": ("sources",),
    "indications": ("indications",),
    "topics": ("topics",),
    "related": ("topics",),
    "over": ("topics",),
    "claim": ("claims",),
    "show": SAYABLE,
    "tell": SAYABLE,
    "indication": ("indications",),
    "excepted": ("indications",),
    "pregnancy_except": ("indications",),
    "products": ("products",),
    "product": ("products",),
    "tests": ("tests",),
    "test": ("tests",),
    "vaccines": ("vaccines",),
    "fact": ("facts", "groups"),
    "measure": ("facts",),
    "needs": ("facts",),
    "weight": ("weight_policies",),
    "weight_policy": ("weight_policies",),
    "else_use": ("weight_policies",),
    "ideal": ("formulas",),
    "rounding": ("rounding",),
    "interval_entry": ("antibody_intervals",),
    "also_show": ("antibody_intervals",),
    "follows": ("antibody_intervals",),
    "superseded_by": ("antibody_intervals", "targets"),
    "article": ("articles",),
    "jurisdiction": ("jurisdictions",),
    "jurisdictions": ("jurisdictions",),
    "markets": ("jurisdictions",),
    "includes": ("jurisdictions",),
}
"""Keys whose words are ids of other entries, and the parts in which to look."""

ANTIBODY_PRODUCTS = {
    "igiv": "intravenous immunoglobulin",
    "igsc": "subcutaneous immunoglobulin",
    "anti-d": "anti-D immunoglobulin",
    "botulism-ig": "botulism immunoglobulin",
    "cmv-igiv": "cytomegalovirus immunoglobulin",
    "hepa-ig": "immunoglobulin against hepatitis A",
    "hepb-ig": "hepatitis B immunoglobulin",
    "measles-ig": "immunoglobulin against measles",
    "plasma-platelets": "plasma or platelets",
    "rabies-ig": "rabies immunoglobulin",
    "rbc-adenine-saline": "red cells, adenine-saline added",
    "rbc-packed": "packed red cells",
    "rbc-washed": "washed red cells",
    "rsv-antibody": "RSV antibody",
    "tetanus-ig": "tetanus immunoglobulin",
    "varicella-ig": "varicella immunoglobulin",
}
"""Antibody products that the interval tables name, in words."""
Key = tuple[str, str]
"""Part and id."""
_PLAIN = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,78}[a-z0-9])?")
_RESERVED = {"index", "con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}
"""Our own page, and names that one operating system keeps for its devices."""
_TITLES = ("title", "name", "about", "term", "question", "drug", "reaction", "outcome", "test", "claim", "label", "say", "topic")


def slug(entry_id: str) -> str:
    """A name that is safe as a file name on every system and as an anchor: the id itself when it is plain, else plain letters and a hash."""
    if _PLAIN.fullmatch(entry_id) and ".." not in entry_id and entry_id.partition(".")[0] not in _RESERVED:
        return entry_id
    plain = re.sub(r"[^a-z0-9]+", "-", entry_id.lower()).strip("-")[:60].strip("-")
    return f"{plain or 'entry'}-{hashlib.sha256(entry_id.encode()).hexdigest()[:8]}"


class Places:
    """The map of the site."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.page_of: dict[Key, str] = {}
        self.anchor_of: dict[Key, str] = {}
        taken: set[str] = set()
        for part, folder in FOLDERS.items():
            for name in getattr(evidence, part):
                self.page_of[part, name] = _free(f"{folder}/{slug(name)}", taken) + ".html"
        for topic, parts in TOPICS.items():
            for part in parts:
                for name in getattr(evidence, part):
                    self.page_of[part, name] = f"{topic}.html"
                    self.anchor_of[part, name] = _free(f"{KINDS[part].replace(' ', '-')}-{slug(name)}", taken)
        for statement in evidence.statements.values():
            self.page_of["statements", statement.id] = self.page_of.get(("sources", statement.source), "index.html")
            self.anchor_of["statements", statement.id] = _free(f"statement-{slug(statement.id)}", taken)
        self.named_by = self._named_by()
        self.labels = {**evidence.labels, **{group.id: group.about or group.id for group in evidence.groups.values()}}

    def href(self, part: str, name: str, page: str) -> str:
        """The relative link from ``page`` to an entry, or an empty text when there is no such entry."""
        target = self.page_of.get((part, name))
        if target is None:
            return ""
        anchor = self.anchor_of.get((part, name), "")
        fragment = f"#{anchor}" if anchor else ""
        return fragment if target == page and fragment else f"{root(page)}{target}{fragment}"

    def find(self, key: str, name: str) -> Key | None:
        """The entry that the word under this key of an entry names, if it names one."""
        return next(((part, name) for part in REFERS.get(key, ()) if name in getattr(self.evidence, part)), None)

    def title(self, part: str, name: str) -> str:
        """What an entry is called in lists and headings."""
        entry = getattr(self.evidence, part)[name]
        if part == "indications":
            return str(entry.name.clinical)
        if part == "products":
            return f"{entry.brand} ({entry.market})"
        if part == "sources":
            return ", ".join(word for word in (entry.title, entry.publisher if entry.publisher not in entry.title else "", entry.year) if word)
        if part == "antibody_intervals":
            return f"{entry.jurisdiction}: {interval_title(entry)}" if entry.jurisdiction else interval_title(entry)
        if part in {"statements", "vaccine_rules", "prices"}:
            return str(getattr(entry, "about", "") or name)
        found = next((str(value) for field in _TITLES if (value := getattr(entry, field, ""))), name)
        return found if len(found) <= 90 else found[:87].rsplit(" ", 1)[0] + " ..."

    def _named_by(self) -> dict[Key, tuple[tuple[Key, str], ...]]:
        """Which entries name each entry, and under which of their keys."""
        found: dict[Key, dict[tuple[Key, str], None]] = {}
        for part in PARTS:
            for name, entry in getattr(self.evidence, part).items():
                for target, key in self._names(entry, "", ""):
                    if target != (part, name):
                        found.setdefault(target, {})[(part, name), key] = None
        return {target: tuple(users) for target, users in found.items()}

    def _names(self, node: Any, key: str, top: str) -> Iterator[tuple[Key, str]]:
        if isinstance(node, Condition):
            for fact in sorted(facts_named(node)):
                found = self.find("fact", fact)
                if found is not None:
                    yield found, top
        elif isinstance(node, msgspec.Struct):
            for field in node.__struct_fields__:
                yield from self._names(getattr(node, field), field, top or field)
        elif isinstance(node, tuple | list):
            for item in node:
                yield from self._names(item, key, top)
        elif isinstance(node, str):
            found = self.find(key, node)
            if found is not None:
                yield found, top


def topics_of(evidence: Evidence) -> list[str]:
    """The topics that have a page: those with entries, and those in the menu of every page."""
    return [topic for topic, parts in TOPICS.items() if topic in MENU_TOPICS or any(getattr(evidence, part) for part in parts)]


def interval_title(entry: AntibodyInterval) -> str:
    """``IGIV, 400 mg/kg (varicella contact)``."""
    names = (entry.product,) if entry.product else entry.products or ("any antibody product",)
    name = ", ".join(ANTIBODY_PRODUCTS.get(one, one.replace("-", " ")) for one in names)
    dose = f", {entry.dose}" if entry.dose is not None else ""
    label = f"{entry.vaccine_product}: after " if entry.vaccine_product else ""
    return f"{label}{name}{dose}{f' ({entry.purpose})' if entry.purpose else ''}"


def root(page: str) -> str:
    """The way from a page up to the folder of the site."""
    return "../" * page.count("/")


def _free(name: str, taken: set[str]) -> str:
    """The name, or with a number when another id came to the same one."""
    free, number = name, 1
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    taken.add(free)
    return free
