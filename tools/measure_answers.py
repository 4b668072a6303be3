"""Measures the answers on the questions of ``tests/answers/questions``.

``python tools/measure_answers.py`` measures the development half and names every question that fails; ``--part fresh`` does so for the later set.
``--part locked`` prints counts only, so that nothing can be tuned to it. ``--write`` measures all three and writes ``docs/answer-quality.md``.
The exit code is 1 where a threshold is missed.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from ivigil import __version__
from ivigil.answers.ask import Use
from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from tools.answer_measures import DAY, FACTS, OUTCOME, REFUSED, SHOWN, WRONG, Asker, Figures, Measure, measured  # noqa: E402 - also as a script
from tools.dense_search import with_looser_search, with_vectors, without_vectors  # noqa: E402
from tools.installed import as_installed  # noqa: E402
from tools.plain_questions import Count, counted  # noqa: E402
from tools.question_set import PARTS, Part, Question, read_questions  # noqa: E402

PAGE = ROOT / "docs" / "answer-quality.md"
RUNS = 5
READ: tuple[Part, ...] = ("development", "fresh")
"""Whose failing questions are named."""
NAMES: dict[Part, str] = {"development": "development half", "locked": "locked half", "fresh": "later set"}
USING: tuple[tuple[str, tuple[Use, ...]], ...] = (("BM25 only", ()), ("+ synonyms", ("synonyms",)), ("+ topics", ("synonyms", "topics")))
HEADING = ("", "| {} | Questions | Right outcome | Facts found | Wrong texts |", "|---|---|---|---|---|")


def page(figures: dict[Part, Figures], ablation: Sequence[tuple[str, Figures]], process: float, evidence: Evidence) -> str:
    """``docs/answer-quality.md``."""
    failing = [one for part in READ for one in figures[part].outcomes if one.failures]
    out = [*_head(figures, evidence), *_measures(figures, process), *_meaning()]
    for part in PARTS:
        out += [f"## By kind of trap, {NAMES[part]}", *_groups("Trap", figures[part], lambda one: one.trap or "none"), ""]
    out += ["## By topic, all", *_groups("Topic", Figures([one for got in figures.values() for one in got.outcomes]), lambda one: one.topic), ""]
    out += ["## Plain questions", "", *_plain(counted(evidence)), ""]
    out += ["## What each part of the search adds", "", *_ablation(ablation), ""]
    out += [f"## Questions of the development half and of the later set that fail ({len(failing)})", "", "| Question | What is wrong |", "|---|---|"]
    out += [f"| `{one.question.id}` | {_cell('; '.join(one.failures[:3]))} |" for one in failing]
    return "\n".join(out) + "\n"


def _head(figures: dict[Part, Figures], evidence: Evidence) -> list[str]:
    number = {part: len(one.outcomes) for part, one in figures.items()}
    traps = sum(one.question.trap is not None for got in figures.values() for one in got.outcomes)
    return ["# How good the answers are", "", "<!-- Made by tools/measure_answers.py --write; a change here is overwritten. -->", "",
            f"`ivigil ask` was asked {sum(number.values())} questions with [answer keys](../tests/answers/questions/README.md), {traps} of them",
            "traps. The keys were written from the statements of the evidence before any answer was seen, but for a list of equal wordings",
            "that was added to both halves after a first run of the development half. The development half",
            f"({number['development']} questions) may be read while the answers are worked on; of the locked half ({number['locked']})",
            "no text is printed. Its counts, and which part of the program they came from, were looked at well over a hundred times, and which",
            "rules were kept and how strict they are was chosen with them: an unknown question is answered and refused less well, as",
            "[plain questions](#plain-questions) show.",
            f"The later set ({number['fresh']}) was written from the evidence by people who had seen neither",
            "the program nor its answers. Since it was first asked it may be read like the development half; what its keys forbid and what they",
            "want in the short answer was widened after that.", "",
            f"ivigil {__version__}, evidence {evidence.version[:12]}, asked as of {DAY.isoformat()}; Python {platform.python_version()},",
            f"{os.cpu_count()} processors.", ""]


def _measures(figures: dict[Part, Figures], process: float) -> list[str]:
    out = ["| Measure | Target | Development | Locked | Later |", "|---|---|---|---|---|"]
    out += [f"| {same[0].name} | {_target(same[0])} | {' | '.join(map(_shown, same))} |"
            for same in zip(*(figures[part].measures() for part in PARTS), strict=True)]
    rows: list[tuple[str, str, Callable[[Figures], str]]] = [
        ("Words of an answer, median", "", lambda one: f"{one.words(0.5):.0f}"),
        ("95th percentile", "", lambda one: f"{one.words(0.95):.0f}"),
        ("Median reading grade of what patients are told", "at most 6", lambda one: f"{one.median_grade:.1f}"),
        ("Processor time of one answer, the faster of two, median", "", lambda one: f"{one.milliseconds(0.5):.1f} ms"),
        ("95th percentile", "at most 50 ms", lambda one: f"{one.milliseconds(0.95):.1f} ms"),
    ]
    out += [f"| {name} | {target} | {' | '.join(shown(figures[part]) for part in PARTS)} |" for name, target, shown in rows]
    out.append(f"| Processor time of the whole command, median of {RUNS} | at most 0.6 s | {process:.2f} s | | |")
    return [*out, "", "What misses its target is in bold.", ""]


def _meaning() -> list[str]:
    return ["A sentence is *carried* when it is word for word what a cited statement says. One that is composed from an entry, a",
            "calculation and a row of a table are carried when each number, with its unit, stands in a cited statement, in the question",
            "or in the record, or is worked out from these; of a composed sentence half of the words must also be those of its statements",
            "or of the entries made from them. A line of a plan is carried when the plan has it, a line of a forecast when its numbers stand",
            "in the report of the command or in the plan's outlook, words of our own when they hold no number.",
            "`tools/answer_support.py` judges this, not the program that answers.", "",
            "A fact that stops a mistake is one without which somebody who reads only the short answer would be led astray; only the later set marks them.", "",
            "Not measured: whether a composed sentence puts its statement fairly beyond its numbers and words, and whether a clinician",
            "would have answered otherwise. No clinician has read the keys yet.", ""]


def _groups(title: str, figures: Figures, name: Callable[[Question], str]) -> list[str]:
    rows = [f"| {group} | {number} | {right} | {found} of {asked} | {wrong} |" for group, number, right, asked, found, wrong in figures.by(name)]
    return [line.format(title) for line in HEADING] + rows


def _plain(counts: Sequence[Count]) -> list[str]:
    out = ["Questions without keys, typed by people who had seen neither the program nor the evidence (those of *held* had read the statements",
           "that answer them). *At first* is how many came out right when the file was first asked, which is what an unknown question meets;",
           "what was wrong was then read and worked on. Of *own-doses* only the refusal that says whose matter a dose is counts as right; of",
           "*held* any answer, in brackets how many cite the statement that was meant. Some that were meant to have no answer have a fair one.", "",
           "| Questions | Right is | At first | Now |", "|---|---|---|---|"]
    for one in counts:
        cited = f" ({one.cited})" if one.cited else ""
        name = f"[{one.name}](../tests/answers/questions/plain/{one.name}.yaml)"
        out.append(f"| {name} | {one.expect} | {one.first} of {one.whole} | {one.right} of {one.whole}{cited} |")
    return out


def _ablation(ablation: Sequence[tuple[str, Figures]]) -> list[str]:
    out = ["Locked half. *BM25 only* searches the statements with the words of the question; synonyms are names, abbreviations and",
           "patients' words; topics (what is asked about) choose entries before the search. *Dense* adds up to three entries that are near in",
           "a latent semantic space of the evidence's own words (truncated singular value decomposition; pretrained sentence models were",
           "not tried). The last row adds as many without vectors. ivigil uses neither: see [why](answers.md#how-a-question-is-understood).",
           "`tools/dense_search.py` makes both again.", "",
           f"| Search | {FACTS} | {OUTCOME} | {REFUSED} | {WRONG} |", "|---|---|---|---|---|"]
    for name, figures in ablation:
        by_name = {one.name: one for one in figures.measures()}
        out.append(f"| {name} | {' | '.join(_shown(by_name[column]) for column in (FACTS, OUTCOME, REFUSED, WRONG))} |")
    return out


def _cell(text: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split()).replace("|", "\\|").replace("<", "&lt;")


def _target(measure: Measure) -> str:
    if measure.target is None:
        return ""
    return "none" if measure.most else f"{100 * measure.target:g} %"


def _shown(measure: Measure) -> str:
    if not measure.whole:
        return "none asked"
    percent = math.floor(1000 * measure.part / measure.whole) / 10
    text = f"{measure.part} of {measure.whole}" if measure.most else f"{percent:g} % ({measure.part} of {measure.whole})"
    return text if measure.met else f"**{text}**"


def process_seconds() -> float:
    """The median processor time of the whole command, the evidence already compiled."""
    command = [sys.executable, "-m", "ivigil", "ask", "What is the dose in Kawasaki disease?", "--jurisdiction", "US"]
    times = []
    with tempfile.TemporaryDirectory() as kept:
        for turn in range(RUNS + 1):
            before = os.times()
            subprocess.run(command, check=True, capture_output=True, cwd=ROOT, env=as_installed(kept))
            after = os.times()
            if turn:  # the first fills what is kept
                times.append(after.children_user + after.children_system - before.children_user - before.children_system)
    return statistics.median(times)


def report(part: Part, figures: Figures) -> str:
    """What is printed: the measures, and of a part that may be read every failing question with its reasons."""
    out = [f"{part}: {len(figures.outcomes)} questions"]
    out += [f"  {' ' if one.met else '!'} {one.name}: {_shown(one).strip('*')}{f' (target {_target(one)})' if one.target is not None else ''}"
            for one in figures.measures()]
    out += [f"    {figures.words(0.5):.0f} words median, {figures.words(0.95):.0f} 95th percentile; median reading grade {figures.median_grade:.1f}",
            f"    {figures.milliseconds(0.5):.1f} ms median, {figures.milliseconds(0.95):.1f} ms 95th percentile"]
    if part in READ:
        for outcome in figures.outcomes:
            if outcome.failures:
                out += [f"{outcome.question.id}: {_cell(outcome.question.question[:SHOWN])}", *(f"    {_cell(failure)}" for failure in outcome.failures)]
    return "\n".join(out)


def main() -> int:
    """Measure and print, and write the page if asked to."""
    parser = argparse.ArgumentParser(description="Measure the answers of ivigil ask.")
    parser.add_argument("--part", choices=PARTS, default="development", help="which part to measure; of the locked half only counts are printed")
    parser.add_argument("--write", action="store_true", help="measure all parts and write docs/answer-quality.md")
    chosen = parser.parse_args()
    evidence = load_evidence()
    parts: tuple[Part, ...] = PARTS if chosen.write else (chosen.part,)
    figures: dict[Part, Figures] = {part: measured(Asker(evidence), read_questions(part)) for part in parts}
    for part, got in figures.items():
        print(report(part, got))
    if chosen.write:
        locked = read_questions("locked")
        ablation = [(name, measured(Asker(evidence, using), locked)) for name, using in USING]
        ablation.append(("+ topics + dense", measured(Asker(with_vectors(evidence)), locked)))
        ablation.append(("+ topics + three more finds", measured(Asker(with_looser_search(evidence)), locked)))
        without_vectors(evidence)
        PAGE.write_text(page(figures, ablation, process_seconds(), evidence), encoding="utf-8")
    return 0 if all(one.met for got in figures.values() for one in got.measures()) else 1


if __name__ == "__main__":
    sys.exit(main())
