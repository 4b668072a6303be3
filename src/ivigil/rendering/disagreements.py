"""Where authorities disagree as a report: how many, on what, then every position."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from ivigil.evidence.positions import DEGREES, KINDS, Disagreement, DisagreementKind, Position
from ivigil.rendering.report import Report, Section

DISAGREEMENTS_SCHEMA = "ivigil.disagreements/1"
_KIND_WORDS: dict[DisagreementKind, str] = {
    "standing": "whether it is treated", "dose": "dose", "time": "infusion time", "weight": "dosing weight", "target": "target",
    "vaccine": "wait of a live vaccine", "dispute": "statements that dispute one another",
}
_SHARED = {"weight": "Dosing weight", "target": "Targets", "vaccine": "Live vaccines"}


def disagreements_report(found: Sequence[Disagreement], as_of: str, names: dict[str, str], *, everything: bool = True) -> Report:
    """``names`` gives the clinical name of each indication. With ``everything`` the counts come first."""
    sections = [*_counts(found)] if everything else []
    for topic in dict.fromkeys(one.topics[0] for one in found):
        mine = [one for one in found if one.topics[0] == topic]
        sections.append(Section(_topic(topic, names), (f"Topic {topic}.",) if _topic(topic, names) != topic else ()))
        sections += [_positions(one) for one in mine]
    intro = (f"Found from the entries in force on {as_of}. No side is preferred here and nothing is averaged; a plan follows its own jurisdiction and names "
             "the others. Criteria are not compared.",)
    return Report("Where authorities disagree", intro if found else (*intro, "Nothing was found."), tuple(sections))


def disagreements_json(found: Sequence[Disagreement], version: str, as_of: str) -> str:
    """The disagreements as indented JSON with a closing line break."""
    document = {"schema": DISAGREEMENTS_SCHEMA, "version": version, "as_of": as_of, "disagreements": msgspec.to_builtins(list(found))}
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def _topic(topic: str, names: dict[str, str]) -> str:
    return _SHARED.get(topic) or names.get(topic, topic)


def _counts(found: Sequence[Disagreement]) -> Iterator[Section]:
    rows = [(_KIND_WORDS[kind], words, str(count)) for kind in KINDS for degree, words in DEGREES.items()
            if (count := sum((one.kind, one.degree) == (kind, degree) for one in found))]
    yield Section("How many", (), ("About", "How far apart", "Found"), tuple(rows))
    topics = dict.fromkeys(one.topics[0] for one in found)
    listed = [(topic, ", ".join(dict.fromkeys(_short(one) for one in found if one.topics[0] == topic))) for topic in topics]
    yield Section("By topic", ("'ivigil evidence disagreements ID' shows one topic.",), ("Topic", "Disagreements"), tuple(listed))


def _short(one: Disagreement) -> str:
    return one.kind if one.degree in {"recorded", "different"} else f"{one.kind} ({one.degree})"


def _positions(one: Disagreement) -> Section:
    beside = f" Also concerns {', '.join(one.topics[1:])}." if len(one.topics) > 1 else ""
    places: dict[tuple[str, str], list[str]] = {}
    for where in one.positions:
        said = f"{_who(where)}: {where.says.rstrip('.')} [{', '.join(where.cites)}]"
        places.setdefault((where.read, said), []).append(where.jurisdiction or "-")
    rows = tuple((", ".join(dict.fromkeys(names)), read, said) for (read, said), names in places.items())
    return Section(one.about, (f"{one.id}: {DEGREES[one.degree]}.{beside}",), ("Where", "How read", "Who says what"), rows, level=3)


def _who(where: Position) -> str:
    return f"{where.authority}, {where.edition}" if where.edition else where.authority
