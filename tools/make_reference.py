"""Writes the reference pages of docs/ from the code and the evidence, and renews the examples and outputs inside the written pages.

Run ``python tools/make_reference.py`` after a change of commands, facts, rules or wording; ``tests/contracts/test_docs.py`` fails until it
was run. The pages of ``PAGES`` are made whole. In the other pages a comment stands before each
block that is filled in::

    <!-- entry: safety/renal-risk.yaml renal-risk -->              one entry of the evidence as its file writes it
    <!-- entry: indications/gbs.yaml gbs: id regimens[0] -->       some of its keys, the first item of a list
    <!-- output: ivigil plan patients/a.yaml --jurisdiction US --as-of 2026-11-20 | DOSE -->      a section of a real plan
    <!-- output: ivigil plan patients/a.yaml --jurisdiction US --as-of 2026-11-20 | lines dose.regimen course.days -->
    <!-- output: ivigil why patients/a.yaml dose.cap --jurisdiction US --as-of 2026-11-20 | first 12 -->
    <!-- output: ivigil evidence disagreements kawasaki --as-of 2026-11-20 -->

A page may hold files of its own (``<!-- file: indications/x.yaml -->``); a command finds them under ``our-evidence/``.
"""

from __future__ import annotations

import re
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec

from ivigil.basis.facts import FactDefinition
from ivigil.basis.quantity import UNITS, spellings
from ivigil.basis.strict_yaml import Lines, read_yaml
from ivigil.cli.inputs import Choices, context_of, for_record, records_of
from ivigil.evidence.check import examples_of
from ivigil.evidence.conditions import written
from ivigil.evidence.coverage import Coverage, coverage
from ivigil.evidence.disagreements import disagreements
from ivigil.evidence.files import entries_of, read_folder
from ivigil.evidence.knowledge import Claim
from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence
from ivigil.evidence.references import lines_of
from ivigil.evidence.shapes import Act, SafetyRule
from ivigil.planning.line import Plan
from ivigil.planning.plan import plan
from ivigil.rendering.coverage import coverage_report
from ivigil.rendering.disagreements import disagreements_report
from ivigil.rendering.entry import entry_text
from ivigil.rendering.report import Report, report_markdown, report_terminal
from ivigil.rendering.sheet import sheet_of
from ivigil.rendering.terminal import terminal_text
from ivigil.rendering.why import why_text

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from tools import every_regimen, foreign_checks, model_checks  # noqa: E402 - beside this file, also when this one is run as a script

DOCS = ROOT / "docs"
EXAMPLE_PAGES = ("../examples/our-hospital/README.md",)
"""Written pages outside docs/, as seen from there."""
WIDTH = 100
DAY = date(2026, 11, 20)
"""The day on which the pages look at the evidence, so that they change only with it."""
MADE = "<!-- Made by tools/make_reference.py; a change here is overwritten. -->"
ORIGINS = {
    "body": "Body", "results": "Results and vital signs", "conditions": "Conditions", "medicines": "Medicines", "allergies": "Allergies",
    "history": "Earlier immunoglobulin", "order": "The order", "derived": "Worked out", "product": "The product",
}
OWN = re.compile(r"<!-- file: (?P<name>\S+) -->\n+```yaml\n(?P<body>.*?)```\n", re.DOTALL)
FILLED = re.compile(r"<!-- (?P<kind>entry|output): (?P<what>[^\n]+?) -->\n+```(?:yaml|text)\n(?P<body>.*?)```\n", re.DOTALL)


@lru_cache(maxsize=1)
def evidence() -> Evidence:
    """The packaged evidence."""
    return load_evidence(ROOT / "evidence")


# --- whole pages ------------------------------------------------------------------------------------------------------


def facts_page() -> str:
    """Every fact of the register with its unit, freshness and question, then the risk groups."""
    out = ["# Facts", "", MADE, "", f"The register holds {len(evidence().facts)} facts. A rule may name only these and the risk groups at the end.",
           "*Old after* is when a value on record is shown as old and asked for again. A fact that is *not routine* is asked last and holds no plan up.", ""]
    by_origin: dict[str, list[FactDefinition]] = {}
    for fact in evidence().facts.values():
        by_origin.setdefault(fact.source, []).append(fact)
    for origin, title in ORIGINS.items():
        facts = by_origin.pop(origin, [])
        if facts:
            out += [f"## {title}", "", "| Fact | Meaning | Value | Old after | Asked as |", "|---|---|---|---|---|", *(_fact_row(fact) for fact in facts), ""]
    assert not by_origin, f"no heading for facts from {', '.join(by_origin)}"
    out += ["## Risk groups", "", "Named conditions that several rules share. They are used like yes/no facts; questions are asked about the facts inside.", "",
            "| Group | Meaning | Holds when |", "|---|---|---|"]
    out += [f"| `{group.id}` | {group.about} | {_cell(written(group.when, evidence().labels))} |" for group in evidence().groups.values()]
    return "\n".join(out) + "\n"


def units_page() -> str:
    """Every unit by what it measures, with its size in the first of its kind, its UCUM code and other spellings."""
    out = ["# Units", "", MADE, "", f"The {len(UNITS)} units that records and evidence may use, by what they measure. Another is refused with the",
           "nearest names; none is guessed. Capitals and small letters are the same, so `ML/H` is read as `mL/h`.", ""]
    by_kind: dict[str, list[str]] = {}
    for name, unit in UNITS.items():
        by_kind.setdefault(unit.dimension, []).append(name)
    for dimension, names in by_kind.items():
        first = names[0]
        out += [f"## {dimension.capitalize()}", "", f"| Unit | In {first} | UCUM code | Also read |", "|---|---|---|---|"]
        for name in names:
            also = ", ".join(f"`{alias}`" for alias in spellings(name))
            out.append(f"| `{name}` | {f'{UNITS[name].factor / UNITS[first].factor:.6g}'} | `{UNITS[name].ucum}` | {also} |")
        out.append("")
    return "\n".join(out)


def _fact_row(fact: FactDefinition) -> str:
    value = {"quantity": fact.unit or "number", "yes_no": "yes or no", "choice": ", ".join(fact.choices) or "a word", "text": "text"}[fact.kind]
    stage = "" if fact.stage == "patient" else f" (known with the {fact.stage})"
    routine = "" if fact.routine else "; not routine"
    return f"| `{fact.id}` | {_cell(fact.label)}{stage} | {_cell(value)} | {fact.fresh or ''} | {_cell(fact.ask)}{routine} |"


def commands_page() -> str:
    """Every command with its arguments and options, as ``--help`` gives them."""
    import typer

    from ivigil.cli.app import app

    out = ["# Commands", "", MADE, "", "`ivigil COMMAND --help` says the same. [Exit codes](how-a-plan-is-made.md#exit-codes) tell a script what came out.", ""]
    group: Any = typer.main.get_command(app)
    for name, command in _commands(group, "ivigil"):
        out += [f"## {name}", "", _sentences(command.help or ""), "", "| Argument or option | Meaning |", "|---|---|"]
        out += [f"| {names} | {_cell(help_text)} |" for names, help_text in _parameters(command)]
        out.append("")
    return "\n".join(out).rstrip() + "\n"


def _commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    yield name, command
    for inner, child in sorted(getattr(command, "commands", {}).items()):
        yield from _commands(child, f"{name} {inner}")


def _parameters(command: Any) -> Iterator[tuple[str, str]]:
    for parameter in command.params:
        choices = getattr(parameter.type, "choices", ())
        words = f" One of: {', '.join(choices)}." if choices else ""
        if parameter.param_type_name == "argument":
            yield f"`{parameter.metavar or parameter.name.upper()}`", f"{parameter.help or ''}{words}".strip()
        else:
            metavar = f" {parameter.metavar}" if parameter.metavar else ""
            yield ", ".join(f"`{option}{metavar}`" for option in parameter.opts), f"{parameter.help or ''}{words}".strip()
    yield "`-h`, `--help`", "Print the help and stop."


def _sentences(text: str) -> str:
    return " ".join(text.split())


def rules_page() -> str:
    """Every safety rule and interaction in words, with what follows and what it rests on: a page to review line by line."""
    rules = evidence().every_rule.values()
    out = ["# Safety rules", "", MADE, "",
           f"{len(evidence().rules)} safety rules and {len(evidence().interactions)} interactions, as the evidence holds them. The words for severity and acts "
           "are explained in [the evidence format](evidence-format.md#safety-rules-and-interactions). *Stage* is when the rule can be judged: on the patient, "
           "on each candidate product, or on the course.", ""]
    for rule in rules:
        out += [*_rule_lines(rule), ""]
    return "\n".join(out).rstrip() + "\n"


def _rule_lines(rule: SafetyRule) -> Iterator[str]:
    yield f"## {rule.id}"
    yield ""
    where = f"; only in {', '.join(rule.jurisdictions)}" if rule.jurisdictions else ""
    yield f"**{rule.about}** ({rule.code}, {rule.severity}; stage: {evidence().stage_of(rule)}{where}). {rule.say}" if rule.code else (
        f"**{rule.about}** ({rule.severity}; stage: {evidence().stage_of(rule)}{where}). {rule.say}")
    yield ""
    yield f"- raised when: {written(rule.when, evidence().labels)}"
    if rule.reading:
        yield f"- read as: {rule.reading}"
    if rule.then:
        yield f"- then: {'; '.join(_act_text(act) for act in rule.then)}"
    yield f"- rests on: {', '.join(f'{cite} ({evidence().statements[cite].read})' for cite in rule.cites)}"


def _act_text(act: Act) -> str:
    parts = [
        act.to,
        f"with {act.give}" if act.give else "",
        act.test,
        act.at,
        f"for {act.duration}" if act.duration else "",
        f"until {act.until}" if act.until else "",
        f"at most {act.per_day_at_most} a day" if act.per_day_at_most else "",
        f"at least {act.days_at_least} days" if act.days_at_least else "",
        f"at least {act.hours} a day" if act.hours else "",
        *(act.fact, act.who, act.route, act.place, act.drug, act.prefer, act.concentration, act.what),
        f"if {written(act.condition, evidence().labels)}" if act.condition is not None else "",
        f'"{act.say}"' if act.say else "",
    ]
    return " ".join([f"`{act.act}`", *(part for part in parts if part)])


def claims_page() -> str:
    """Every claim of the founding articles with the verdict, what ivigil says instead, and the statements that decide it."""
    out = ["# The founding articles, claim by claim", "", MADE, "",
           "Two public articles founded ivigil. Every claim that they make about immunoglobulin stands here in our own words, with what the evidence "
           "does to it: *carried* (the statements say the same), *refined* (true with a limit), *disputed* (authorities differ), *superseded* (was so) or "
           "*rejected* (not so, or unsafe as written). `ivigil evidence show ID` prints a claim or a statement in full.", ""]
    for article in evidence().articles.values():
        claims = sorted((claim for claim in evidence().claims.values() if claim.article == article.id), key=_first_line)
        counts = ", ".join(f"{count} {verdict}" for verdict in get_args(get_type_hints(Claim)["verdict"])
                           if (count := sum(claim.verdict == verdict for claim in claims)))
        out += [f"## {article.title}", "", f"{article.publisher}; {article.where}. {len(claims)} claims: {counts}.", "",
                "| Topic | Claim | Verdict | What ivigil says | Statements |", "|---|---|---|---|---|", *(_claim_row(claim) for claim in claims), ""]
    return "\n".join(out).rstrip() + "\n"


def _first_line(claim: Claim) -> int:
    return next(lines_of(claim.at_lines))


def _claim_row(claim: Claim) -> str:
    cites = ", ".join(f"`{cite}`" for cite in claim.cites)
    return f"| {_cell(claim.topic)} | {_cell(claim.claim)} | {claim.verdict} | {_cell(claim.say) or 'the same'} | {cites} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def coverage_page() -> str:
    """What was read and what was not, whole: the counts first, the long lists last."""
    return report_markdown(coverage_report(covered(), full=True), MADE)


def disagreements_page() -> str:
    """Every disagreement with every position."""
    return report_markdown(_disagreements(""), MADE)


@lru_cache(maxsize=1)
def covered() -> Coverage:
    """The coverage of the packaged evidence on the day of the pages."""
    return coverage(evidence(), DAY, examples_of(read_folder(ROOT / "evidence"), evidence()))


def _disagreements(topic: str) -> Report:
    names = {name: indication.name.clinical for name, indication in evidence().indications.items()}
    return disagreements_report(disagreements(evidence(), DAY, topic), DAY.isoformat(), names, everything=not topic)


def regimens_page() -> str:
    """Every regimen planned on a patient it is meant for."""
    title, _, rest = every_regimen.page(evidence()).partition("\n")
    return f"{title}\n\n{MADE}\n{rest}"


def foreign_page() -> str:
    """Our evidence beside what others publish, row by row."""
    return foreign_checks.foreign_checks_page(evidence(), MADE)


def model_checks_page() -> str:
    """What each pharmacokinetic model must reproduce."""
    return f"# {model_checks.TITLE}\n\n{MADE}\n\n{model_checks.page_body(evidence())}"


PAGES: dict[str, Callable[[], str]] = {
    "facts.md": facts_page,
    "units.md": units_page,
    "commands.md": commands_page,
    "safety-rules.md": rules_page,
    "every-regimen.md": regimens_page,
    "founding-claims.md": claims_page,
    "foreign-checks.md": foreign_page,
    "coverage.md": coverage_page,
    "disagreements.md": disagreements_page,
    "model-checks.md": model_checks_page,
}
"""The pages that are made whole."""


# --- blocks inside written pages --------------------------------------------------------------------------------------


def renewed(text: str) -> str:
    """A written page with every marked block as it is today."""
    with tempfile.TemporaryDirectory() as folder:
        write_own_files(text, Path(folder))

        def fill(match: re.Match[str]) -> str:
            what = match["what"]
            fence, body = ("yaml", entry_block(what)) if match["kind"] == "entry" else ("text", output_block(what.replace("our-evidence", folder)))
            return f"<!-- {match['kind']}: {what} -->\n\n```{fence}\n{body.rstrip()}\n```\n"

        return FILLED.sub(fill, text)


def write_own_files(text: str, folder: Path) -> list[str]:
    """Write the files that a page holds below ``folder`` and give their names."""
    names = []
    for match in OWN.finditer(text):
        path = folder / match["name"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(match["body"], encoding="utf-8")
        names.append(match["name"])
    return names


def entry_block(what: str) -> str:
    """The lines of one entry of the evidence, whole or the keys named after a colon."""
    place, _, keys = what.partition(": ")
    name, _, entry_id = place.partition(" ")
    text = (ROOT / "evidence" / name).read_text(encoding="utf-8")
    document, lines = read_yaml(text, name)
    rows = text.splitlines()
    starts = [(at, entry) for at, entry in entries_of(document) if entry["id"] == entry_id]
    if len(starts) != 1:
        raise ValueError(f"{name} holds no entry '{entry_id}'")
    (at, entry), = starts
    last = _end(rows, lines, at, 0)
    if not keys:
        return _dedented(rows[lines.get(at, 1) - 1 if at else 0:last])
    out: list[str] = []
    for wanted in keys.split():
        key, _, span = wanted.rstrip("]").partition("[")
        if key not in entry:
            raise ValueError(f"{name}: {entry_id} has no key '{key}'")
        out.extend(_key_rows(rows, lines, (*at, key), [int(part) for part in span.split(":")] if span else [], last))
    return _dedented(out)


def _key_rows(rows: list[str], lines: Lines, path: tuple[str | int, ...], span: list[int], last: int) -> list[str]:
    first = lines[path]
    siblings = sorted({line for other, line in lines.items() if len(other) == len(path) and other[:-1] == path[:-1] and line > first})
    end = siblings[0] - 1 if siblings else last
    if not span:
        return _plain(rows[first - 1:end])
    items = sorted(line for other, line in lines.items() if len(other) == len(path) + 1 and other[:-1] == path)
    begin, stop = span[0], span[-1] + (len(span) == 1)
    finish = items[stop] - 1 if stop < len(items) else end
    return _plain([rows[first - 1], *rows[items[begin] - 1:finish]])


def _plain(rows: list[str]) -> list[str]:
    return [row.replace("- ", "  ", 1) if row.startswith("- ") else row for row in rows]


def _end(rows: list[str], lines: Lines, at: tuple[str | int, ...], least: int) -> int:
    following = [line for other, line in lines.items() if len(other) == 1 and len(at) == 1 and isinstance(other[0], int) and line > max(lines[at], least)]
    return min(following) - 1 if following else len(rows)


def _dedented(rows: Iterable[str]) -> str:
    kept = [row for row in rows if not row.startswith("#")]
    edge = min((len(row) - len(row.lstrip()) for row in kept if row.strip()), default=0)
    return "\n".join(row[edge:] for row in kept)


def output_block(what: str) -> str:
    """What a command prints, whole, one section of a plan, or its first lines."""
    command, _, part = what.partition(" | ")
    text = _printed(command)
    if part.startswith("first "):
        rows = text.splitlines()
        count = int(part.removeprefix("first "))
        return "\n".join([*rows[:count], *(["..."] if len(rows) > count else [])])
    if part.startswith("lines "):
        return _lines(text, command, part.split()[1:])
    return _section(text, part) if part else text


def _lines(text: str, command: str, wanted: list[str]) -> str:
    words, options = _options(shlex.split(command)[2:])
    sheet = sheet_of(planned(words[0], **options))
    numbers = {row.id: row.number for row in (*sheet.critical, *(row for block in sheet.blocks for row in block.rows))}
    rows = text.splitlines()
    starts = {int(found[1]): place for place, row in reversed(list(enumerate(rows))) if (found := re.match(r"^(?:!!|! |  ) {0,4}(\d+) [a-z]+ ", row))}
    out: list[str] = []
    for name in wanted:
        if name not in numbers:
            raise ValueError(f"the plan has no line '{name}'; it has {', '.join(numbers)}")
        begin = starts[numbers[name]]
        end = next((place for place in range(begin + 1, len(rows)) if place in starts.values() or re.match(r"^[A-Z][A-Z ]+-{3,}$", rows[place])), len(rows))
        out += rows[begin:end]
    return "\n".join(out).rstrip()


def _section(text: str, title: str) -> str:
    rows = text.splitlines()
    heads = [number for number, row in enumerate(rows) if re.match(r"^[A-Z][A-Z ]+-{3,}$", row)]
    for place, number in enumerate(heads):
        if rows[number].rstrip("-").strip() == title:
            end = heads[place + 1] if place + 1 < len(heads) else len(rows)
            return "\n".join(rows[number:end]).rstrip()
    raise ValueError(f"the plan has no section '{title}'")


def _printed(command: str) -> str:
    program, verb, *rest = shlex.split(command)
    assert program == "ivigil"
    if (verb, rest[0]) == ("evidence", "show"):
        return entry_text(evidence(), rest[1], WIDTH)
    if verb == "evidence":
        assert rest[-2:] == ["--as-of", DAY.isoformat()]
        return report_terminal(coverage_report(covered(), full=False) if rest[0] == "coverage" else _disagreements(rest[1]), WIDTH)
    words, options = _options(rest)
    made = planned(words[0], **options)
    return why_text(made, words[1], _known(options.get("overlay", "")), WIDTH) if verb == "why" else terminal_text(made, WIDTH, False)


def _options(rest: list[str]) -> tuple[list[str], dict[str, str]]:
    words, options, waiting = [], {}, ""
    for part in rest:
        if waiting:
            options[waiting], waiting = part, ""
        elif part.startswith("--"):
            waiting = part.removeprefix("--").replace("-", "_")
        else:
            words.append(part)
    return words, options


def _known(overlay: str) -> Evidence:
    """The packaged evidence, with an overlay on top if one is named; a relative name counts from the repository."""
    return load_evidence(ROOT / "evidence", ROOT / overlay) if overlay else evidence()


@lru_cache(maxsize=64)
def planned(name: str, **options: str) -> Plan:
    """The plan of one example record; ``as_of`` counts as today, so that no clock is read."""
    rooted = {name: str(ROOT / value) if name in {"site", "overlay"} else value for name, value in options.items()}
    choices = msgspec.convert(rooted, Choices)
    known = _known(choices.overlay)
    context = context_of(choices, known, date.fromisoformat(choices.as_of))
    record, = records_of(str(ROOT / name), known)
    return plan(record, known, for_record(context, choices, record))


def main() -> int:
    """Write every page that is not current and name it."""
    for name, page in PAGES.items():
        _write(DOCS / name, page())
    for path in [*sorted(DOCS.glob("*.md")), *(DOCS / name for name in EXAMPLE_PAGES)]:
        if path.name not in PAGES:
            _write(path, renewed(path.read_text(encoding="utf-8")))
    return 0


def _write(path: Path, text: str) -> None:
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
        print(f"written: {path.resolve().relative_to(ROOT)}")


if __name__ == "__main__":
    sys.exit(main())
