"""The coverage of the evidence as a report: the counts first, the long lists last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from ivigil.evidence.coverage import FIELDS, PRODUCT_FIELDS, REVIEWS, Coverage
from ivigil.rendering.report import Report, Section

COVERAGE_SCHEMA = "ivigil.coverage/1"
_FIELD_WORDS = {"standing": "standing", "criteria": "criteria", "dose": "dose", "review": "review or stop rule"}
_LETTERS = ("S standing, C criteria, D dose, R review or stop rule. A capital was read in a document; a small letter rests on memory or a decision only; "
            "- was not read. Rows that are out of force do not count.")


def coverage_report(coverage: Coverage, *, full: bool) -> Report:
    """``full`` adds the long lists: every authority, product, orphan, gap and entry without an example."""
    sections = [*_summaries(coverage), _endings(coverage), _matrix(coverage, full)]
    if full:
        sections += [_authorities(coverage), _products(coverage), *_orphans(coverage), *_without_examples(coverage), *_gaps(coverage)]
    more = () if full else ("--format markdown lists every authority, product, orphan and gap; --format json gives all of it as data.",)
    return Report("Coverage of the evidence",
                  (f"What was read and what was not, on {coverage.as_of}. A field that was not read is not a no: a plan says that it is missing.", *more),
                  tuple(sections))


def coverage_json(coverage: Coverage) -> str:
    """The whole account as indented JSON with a closing line break."""
    document: dict[str, Any] = {"schema": COVERAGE_SCHEMA, **msgspec.to_builtins(coverage)}
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


# --- counts -----------------------------------------------------------------------------------------------------------


def _summaries(coverage: Coverage) -> Iterator[Section]:
    total = len(coverage.indications)
    rows = []
    for field, letter in FIELDS.items():
        per_place = [str(sum(field in coverage.at(name, place).read for name in coverage.indications)) for place in coverage.places]
        anywhere = sum(any(field in cell.read for cell in coverage.cells if cell.indication == name) for name in coverage.indications)
        rows.append((f"{letter} {_FIELD_WORDS[field]}", str(anywhere), *per_place))
    yield Section("Indications by field and place",
                  (f"Of {total} indications: for how many the field was read in a document, anywhere and in each place.",),
                  ("Field", "Anywhere", *coverage.places), tuple(rows))
    read = [(reading, str(sum(states.values())), *(str(states[state]) for state in REVIEWS)) for reading, states in coverage.readings.items()]
    sums = [sum(states[state] for states in coverage.readings.values()) for state in REVIEWS]
    yield Section("Statements by how they were read and where they stand in review", (),
                  ("Read", "All", *(state.replace("-", " ") for state in REVIEWS)), (*read, ("all", str(sum(sums)), *map(str, sums))))
    markets = list(dict.fromkeys(product.market for product in coverage.products))
    counts = [(field, f"{sum(field in product.read for product in coverage.products)} of {len(coverage.products)}",
               *(str(sum(field in product.read for product in coverage.products if product.market == market)) for market in markets))
              for field in PRODUCT_FIELDS]
    held = [str(sum(product.market == market for product in coverage.products)) for market in markets]
    yield Section("Products by field and market", (), ("Field", "All", *markets), (("products", str(len(coverage.products)), *held), *counts))
    texts = {part: [len(gap.texts) for gap in coverage.gaps if gap.part == part] for part in dict.fromkeys(gap.part for gap in coverage.gaps)}
    yield Section("Known gaps", ("What the entries themselves say was not read.",), ("Part", "Entries", "Gaps"),
                  (*((_words(part), str(len(sizes)), str(sum(sizes))) for part, sizes in texts.items()),
                   ("all", str(len(coverage.gaps)), str(sum(len(gap.texts) for gap in coverage.gaps)))))
    yield Section("Statements that nothing uses",
                  ("Neither an entry nor a dispute names them. Those that ivigil decided may be cited by a step of the program itself.",),
                  ("Read", "Statements"), tuple((reading, str(len(names))) for reading, names in coverage.orphans.items()) or (("none", "0"),))
    if coverage.examples:
        yield Section("Examples", (), ("Part", "Entries", "Examples", "Entries without one"),
                      tuple((_words(one.part), str(len(one.counts)), str(sum(one.counts.values())), str(len(one.without))) for one in coverage.examples))
    if coverage.no_dose_no_gap:
        yield Section("Problems", ("These indications print no dose and do not say that none was read.",), items=coverage.no_dose_no_gap)


def _matrix(coverage: Coverage, full: bool) -> Section:
    places = tuple("int." if place == "international" and not full else place for place in coverage.places)
    rows = []
    for name in coverage.indications:
        cells = [coverage.at(name, place).marks for place in coverage.places]
        shown = cells if full else [cell.replace(" ", "") for cell in cells]
        rows.append((name, *("-" if not any(letter.isalpha() for letter in cell) else cell for cell in shown)))
    return Section("Indications by place", (_LETTERS, "All authorities of a place are joined."), ("Indication", *places), tuple(rows))


def _endings(coverage: Coverage) -> Section:
    rows = [(one.ends, "out of force" if one.expired else "ends within a year", f"{_words(one.part)}: {one.id}") for one in coverage.endings]
    rows += [("", "only expired rows left", f"{one.indication}, {one.jurisdiction}: {_FIELD_WORDS[one.field]}") for one in coverage.expired_only]
    text = () if rows else ("Nothing has expired, and nothing ends within a year.",)
    return Section("Out of force, or soon", text, ("Last day", "State", "What"), tuple(rows))


# --- long lists -------------------------------------------------------------------------------------------------------


def _authorities(coverage: Coverage) -> Section:
    rows = tuple((cell.indication, cell.jurisdiction, cell.authority, cell.marks) for cell in coverage.cells)
    return Section("Indications by authority", (_LETTERS,), ("Indication", "Place", "Authority", "Read"), rows)


def _products(coverage: Coverage) -> Section:
    rows = tuple((product.id, product.market, *("yes" if field in product.read else "-" for field in PRODUCT_FIELDS)) for product in coverage.products)
    return Section("Products by field", (), ("Product", "Market", *PRODUCT_FIELDS), rows)


def _orphans(coverage: Coverage) -> Iterator[Section]:
    for reading, names in coverage.orphans.items():
        yield Section(f"Statements that nothing uses: {reading}", (", ".join(names),))


def _without_examples(coverage: Coverage) -> Iterator[Section]:
    for one in coverage.examples:
        if one.without:
            yield Section(f"Without an example: {_words(one.part)}", (", ".join(one.without),))
    for one in coverage.examples:
        yield Section(f"Examples: {_words(one.part)}", (_counted(one.counts.items()),))


def _counted(counts: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts if count)


def _gaps(coverage: Coverage) -> Iterator[Section]:
    for part in dict.fromkeys(gap.part for gap in coverage.gaps):
        rows = tuple((gap.id, str(len(gap.texts)), "; ".join(text.rstrip(".") for text in gap.texts)) for gap in coverage.gaps if gap.part == part)
        yield Section(f"Not read: {_words(part)}", (), ("Entry", "Gaps", "Not read"), rows)


def _words(part: str) -> str:
    return part.replace("_", " ")
