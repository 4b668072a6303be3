"""The documentation is true: what the program has is documented, what the documentation shows is what the program does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import pytest
import typer
from tools.make_reference import DOCS, EXAMPLE_PAGES, PAGES, ROOT, evidence, planned, renewed, write_own_files

from ivigil.basis.because import Urgency
from ivigil.basis.problems import BadInput, Problem
from ivigil.basis.strict_yaml import read_yaml
from ivigil.cli.app import app
from ivigil.cli.inputs import Choices, context_of, read_profile, records_of
from ivigil.cli.output import BAD_INPUT
from ivigil.cli.plan_command import EXIT
from ivigil.evidence import shapes
from ivigil.evidence.check import check
from ivigil.evidence.compile import SHAPER, compile_evidence
from ivigil.evidence.files import KINDS, EvidenceFile, entries_of, kind_of, packaged_folder, read_folder
from ivigil.evidence.load import load_evidence
from ivigil.evidence.references import problems_of
from ivigil.planning.line import Act, Section, Status
from ivigil.planning.worked_examples import failing
from ivigil.rendering.json import SCHEMA

PAGE_NAMES = sorted(path.name for path in DOCS.glob("*.md"))
WRITTEN = [*(name for name in PAGE_NAMES if name not in PAGES), *EXAMPLE_PAGES]
BLOCK = re.compile(r"<!-- (?P<kind>[a-z]+): (?P<what>[^\n]+?) -->\n+```yaml\n(?P<body>.*?)```\n", re.DOTALL)


@lru_cache(maxsize=64)
def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def blocks(name: str, kind: str) -> list[tuple[str, str]]:
    """The marked YAML blocks of a page: what the mark says, and the text."""
    return [(match["what"], match["body"]) for match in BLOCK.finditer(page(name)) if match["kind"] == kind]


def all_blocks(kind: str) -> list[Any]:
    return [pytest.param(what, body, id=f"{name}: {what}") for name in WRITTEN for what, body in blocks(name, kind)]


def first_cells(name: str) -> set[str]:
    """Every code word in the first column of a table of a page."""
    return {word for row in page(name).splitlines() if row.startswith("| ") for word in re.findall(r"`([^`]+)`", row.split("|")[1])}


def anchor(heading: str) -> str:
    """The anchor of a heading, as repository pages make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def commands() -> Iterator[tuple[str, Any]]:
    def walk(name: str, command: Any) -> Iterator[tuple[str, Any]]:
        yield name, command
        for inner, child in getattr(command, "commands", {}).items():
            yield from walk(f"{name} {inner}", child)

    return walk("ivigil", typer.main.get_command(app))


# --- what the program has is documented ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
def test_reference_pages_are_current(name: str) -> None:
    """`python tools/make_reference.py` was run after the last change of commands, facts or rules."""
    assert page(name) == PAGES[name]()


@pytest.mark.parametrize("name", WRITTEN)
def test_examples_and_outputs_in_written_pages_are_current(name: str) -> None:
    """Entries and outputs shown are those of today; `python tools/make_reference.py` renews them."""
    assert renewed(page(name)) == page(name)


def test_every_command_and_option_is_documented() -> None:
    """Each command has a heading and each of its options a row."""
    text = page("commands.md")
    for name, command in commands():
        assert f"\n## {name}\n" in text
        part = text.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        for parameter in command.params:
            for option in parameter.opts if parameter.param_type_name == "option" else [parameter.metavar or parameter.name.upper()]:
                assert re.search(rf"`{re.escape(option)}[ `]", part), f"{name} {option}"


@pytest.mark.parametrize(("words", "name"), [
    (get_args(Section), "how-a-plan-is-made.md"),
    (get_args(Act), "how-a-plan-is-made.md"),
    (get_args(Urgency), "how-a-plan-is-made.md"),
    (get_args(Status), "how-a-plan-is-made.md"),
    (get_args(shapes.Severity), "evidence-format.md"),
    (get_args(shapes.Read), "evidence-format.md"),
    (get_args(get_type_hints(shapes.Act)["act"]), "evidence-format.md"),
    ([pattern for pattern, _, _ in KINDS], "evidence-format.md"),
], ids=["section", "act", "urgency", "status", "severity", "reading", "rule act", "folder"])
def test_every_word_of_a_closed_list_has_a_row(words: list[str], name: str) -> None:
    """What a plan or a file may say is explained in a table."""
    assert set(words) - first_cells(name) == set()


def test_every_exit_code_has_a_row() -> None:
    """A script that reads the page knows every code."""
    part = page("how-a-plan-is-made.md").partition("### Exit codes\n")[2].partition("\n## ")[0]
    assert {int(code) for code in re.findall(r"^\| (\d) \|", part, re.MULTILINE)} == {*EXIT.values(), BAD_INPUT}


def test_every_fact_is_documented() -> None:
    """Every fact and risk group that a rule may name has a row."""
    assert {*evidence().facts, *evidence().groups} - first_cells("facts.md") == set()


def test_every_key_of_a_regimen_a_weight_policy_and_an_interval_is_explained() -> None:
    """The keys that need words have them."""
    text = page("evidence-format.md")
    plain = {"id", "cites", "name", "cvx", "cdsi", "codes", "not_read", "note", "reading", "say", "jurisdiction", "edition", "vaccines", "products", "valid"}
    from ivigil.evidence.care import AntibodyInterval

    for shape in (shapes.Regimen, shapes.WeightPolicy, AntibodyInterval, shapes.DoseLimit, shapes.Rounding, shapes.SubcutaneousSchedule, shapes.Statement):
        for key in {*shape.__struct_encode_fields__} - plain:
            assert re.search(rf"`{re.escape(key)}[`:]", text), f"{shape.__name__}: {key}"


def test_the_index_names_every_page() -> None:
    """A page that the index does not name is not found."""
    linked = set(re.findall(r"\]\(([a-z-]+\.md)", page("README.md")))
    assert {name for name in PAGE_NAMES if name != "README.md"} - linked == set()


def test_changes_of_the_evidence_are_written_up_newest_first() -> None:
    """Clinicians find what changed, from the index of the documentation."""
    assert "](../EVIDENCE-CHANGES.md)" in page("README.md")
    headings = re.findall(r"^## (.*)$", (ROOT / "EVIDENCE-CHANGES.md").read_text(encoding="utf-8"), re.MULTILINE)
    days = [date.fromisoformat(heading[:10]) for heading in headings]
    assert days
    assert days == sorted(days, reverse=True)


@pytest.mark.parametrize("name", [*PAGE_NAMES, *EXAMPLE_PAGES])
def test_every_relative_link_resolves(name: str) -> None:
    """Links lead to files that exist and to headings in them."""
    for target in re.findall(r"(?<!!)\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", page(name), flags=re.DOTALL)):
        if "://" in target or target.startswith("mailto:"):
            continue
        file, _, heading = target.partition("#")
        path = (DOCS / name).parent / file if file else DOCS / name
        assert path.exists(), target
        if heading:
            heads = {anchor(row.lstrip("# ")) for row in path.read_text(encoding="utf-8").splitlines() if row.startswith("#")}
            assert heading in heads, target


# --- what the documentation shows is what the program does --------------------------------------------------------------


@pytest.mark.parametrize(("what", "body"), all_blocks("entry"))
def test_entries_shown_parse_and_shape(what: str, body: str) -> None:
    """A whole entry shown is one that loads; a part of one is still good YAML."""
    document, lines = read_yaml(body, what)
    assert document
    place, _, keys = what.partition(": ")
    name = place.split()[0]
    kind = kind_of(name)
    assert kind is not None
    problems: list[Problem] = []
    for at, plain in entries_of(document):
        shape = shapes.RiskGroup if plain.get("group") else kind[1]
        if not keys:
            assert SHAPER.read(plain, shape, name, lines, at, problems) is not None, problems
        else:
            assert set(plain) <= set(shape.__struct_encode_fields__)


@pytest.mark.parametrize(("what", "body"), all_blocks("cases"))
def test_cases_shown_stand_in_their_file(what: str, body: str) -> None:
    """Examples shown are rows of the evidence, word for word."""
    rows = (ROOT / "evidence" / what).read_text(encoding="utf-8").splitlines()
    assert [row for row in body.splitlines() if row not in rows] == []


def test_the_unsupported_number_shown_gives_the_message_shown() -> None:
    """The first lesson of the format page: a number that its statement does not carry is refused in these words."""
    files = [EvidenceFile(file.name, file.text.replace("maximum: {rate: 4 mg/kg/min, also", "maximum: {rate: 5 mg/kg/min, also"))
             if file.name == "products/privigen-us.yaml" else file for file in read_folder(packaged_folder())]
    problem, = problems_of(compile_evidence(files))
    assert f"  {problem.place}:{problem.line}: {problem.what}: {problem.why}\n      -> {problem.remedy}\n" in page("evidence-format.md")


def test_the_three_dose_forms_shown_are_read() -> None:
    """Each form in the table is a dose that shapes."""
    part = page("evidence-format.md").partition("| Form | Reads |")[2].partition("\n\n")[0]
    forms = re.findall(r"^\| `(\{.+?\})` \|", part, re.MULTILINE)
    assert len(forms) == 3
    for form in forms:
        document, lines = read_yaml(form, "form")
        problems: list[Problem] = []
        assert SHAPER.read(document, shapes.RegimenDose, "form", lines, (), problems) is not None, problems


@pytest.mark.parametrize(("what", "body"), all_blocks("overlay"))
def test_the_overlay_shown_loads(what: str, body: str, tmp_path: Path) -> None:
    """A hospital that copies the example gets an overlay that loads and is named."""
    path = tmp_path / "ours" / what
    path.parent.mkdir(parents=True)
    path.write_text(body, encoding="utf-8")
    document, _ = read_yaml(body, what)
    kind = kind_of(what)
    assert kind is not None
    local = load_evidence(ROOT / "evidence", tmp_path / "ours").local
    assert local[f"{kind[0]} {document['id']}"] == f"replaced: {document['reason']}"


def test_the_site_files_shown_are_read(tmp_path: Path) -> None:
    """The profile, stock and price list of the first page fit together."""
    for what, body in blocks("getting-started.md", "example"):
        (tmp_path / what).write_text(body, encoding="utf-8")
    site = str(tmp_path / "site.yaml")
    assert read_profile(site).jurisdiction == "US"
    day = planned("patients/itp-bare-us.yaml", jurisdiction="US", as_of="2026-11-20").as_of
    context = context_of(Choices(site=site, as_of="2026-11-20"), evidence(), day)
    assert len(context.stock) == 2
    assert len(context.prices) == 2


def test_the_bad_record_shown_gives_the_messages_shown(tmp_path: Path) -> None:
    """A first mistake is answered with exactly these words."""
    body = dict(blocks("getting-started.md", "example"))["bad.yaml"]
    (tmp_path / "bad.yaml").write_text(body, encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        list(records_of(str(tmp_path / "bad.yaml"), evidence()))
    problems = caught.value.problems
    assert f"{len(problems)} problems in the input; nothing was planned:" in page("getting-started.md")
    for problem in problems:
        assert f"  {Path(problem.place).name}:{problem.line}: {problem.what}: {problem.why}\n      -> {problem.remedy}\n" in page("getting-started.md")


def test_the_added_indication_loads_checks_and_plans(tmp_path: Path) -> None:
    """The ten-minute example is complete: sound, planned in England, and without a dose in the United States."""
    names = write_own_files(page("add-an-indication.md"), tmp_path)
    assert sum(name.startswith("evidence/") for name in names) == 4
    local = read_folder(tmp_path / "evidence")
    assert problems_of(compile_evidence(read_folder(packaged_folder()), local, "ours")) == []
    options = {"as_of": "2026-11-20", "overlay": str(tmp_path / "evidence")}
    england = planned(str(tmp_path / "record.yaml"), jurisdiction="UK-ENG", **options)
    dose = england.line("dose.course_total")
    assert dose is not None
    assert dose.value is not None
    assert dose.value.value == pytest.approx(124)  # 2 g/kg x 62 kg
    assert planned(str(tmp_path / "record.yaml"), jurisdiction="US", **options).status == "no-evidence"


@pytest.mark.parametrize(("old", "new"), [
    ("icd10: [G25.82]", "icd: [G25.82]"),
    ("cites: [our-sps.efns.standing]", "cites: [our-sps.efn.standing]"),
    ("dose: {course_total: 2 g/kg", "dose: {course_total: 1.5 g/kg"),
])
def test_the_mistakes_shown_give_the_messages_shown(old: str, new: str, tmp_path: Path) -> None:
    """Place, cause and remedy of each mistake stand on the page as the check gives them."""
    text = page("add-an-indication.md")
    write_own_files(text, tmp_path)
    path = tmp_path / "evidence" / "indications" / "our-sps.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    problem, = problems_of(compile_evidence(read_folder(packaged_folder()), read_folder(tmp_path / "evidence"), "ours"))
    assert f"  {problem.place}:{problem.line}: {problem.what}: {problem.why}\n      -> {problem.remedy}\n" in text


def _said(problem: Problem) -> str:
    return f"  {problem.place}:{problem.line}: {problem.what}: {problem.why}\n      -> {problem.remedy}\n"


def _edited(folder: Path, *edits: tuple[str, str, str]) -> list[EvidenceFile]:
    files = {file.name: file.text for file in read_folder(folder)}
    for name, old, new in edits:
        assert old in files[name], (name, old)
        files[name] = files[name].replace(old, new)
    return [EvidenceFile(name, text) for name, text in files.items()]


def test_the_added_product_loads_checks_and_is_planned(tmp_path: Path) -> None:
    """The whole product: sound, its examples come out, and the plan gives it at the rates worked by hand. Its mistakes are answered as shown."""
    text = page("add-a-product.md")
    names = write_own_files(text, tmp_path)
    assert sum(name.startswith("evidence/") for name in names) == 4
    local = read_folder(tmp_path / "evidence")
    compiled = compile_evidence(read_folder(packaged_folder()), local, "ours")
    assert problems_of(compiled) == []
    assert failing([], local, compiled.evidence, date(2026, 11, 20)) == []
    made = planned(str(tmp_path / "record.yaml"), jurisdiction="US", as_of="2026-11-20", overlay=str(tmp_path / "evidence"))
    choice, cap = made.line("product.choice"), made.line("infusion.cap")
    assert choice is not None
    assert choice.text.startswith("Exemplar (10 %, Example Biologics)")
    assert cap is not None
    assert cap.value is not None
    assert cap.value.value == pytest.approx(168)  # 0.04 mL/kg/min x 70 kg x 60
    wrong = _edited(
        tmp_path / "evidence",
        ("products/exemplar-us.yaml", "start: {rate: 0.5 mg/kg/min, also: 0.005 mL/kg/min", "start: {rate: 0.5 mg/kg/h, also: 0.005 mL/kg/min"),
        ("statements/exemplar-us.yaml", "{start: 0.5 mg/kg/min,", "{start: 0.5 mg/kg/h,"),
        ("products/exemplar-us.yaml", "maltose:", "maltos:"), ("products/exemplar-us.yaml", "[5 g, 10 g, 20 g]", "[5 g, 10 g, 20 mg]"),
        ("statements/exemplar-us.yaml", "[5 g, 10 g, 20 g]", "[5 g, 10 g, 20 mg]"))
    shown = [_said(problem) for problem in problems_of(compile_evidence(read_folder(packaged_folder()), wrong, "ours"))]
    assert [row for row in shown if row not in text] == []
    assert len(shown) == 4
    misjudged = _edited(tmp_path / "evidence", ("cases/products/exemplar-us.yaml", "start: 21 mL/h", "start: 24 mL/h"))
    row, = failing([], misjudged, compiled.evidence, date(2026, 11, 20))
    assert _said(row) in text


def test_the_added_rule_loads_and_is_shown(tmp_path: Path) -> None:
    """The whole rule with an example of each outcome; the mistakes are answered as shown."""
    text = page("add-a-rule.md")
    write_own_files(text, tmp_path)
    assert check(None, tmp_path / "evidence") == []
    facts = [file for file in read_folder(packaged_folder()) if file.name == "facts.yaml"]
    rule = "safety/our-platelets.yaml"
    for edit in ((rule, "when: platelets >", "when: platelet >"), (rule, "when: platelets > 800 10*9/L", "when: platelets > 800")):
        found = [problem for problem in problems_of(compile_evidence([*facts, *_edited(tmp_path / "evidence", edit)])) if problem.place == rule]
        assert [_said(problem) for problem in found if _said(problem) not in text] == []
        assert found
    lost = tmp_path / "evidence" / "cases" / rule
    lost.write_text("".join(row for row in lost.read_text(encoding="utf-8").splitlines(keepends=True) if "asks" not in row), encoding="utf-8")
    assert [_said(problem) for problem in check(None, tmp_path / "evidence") if _said(problem) not in text] == []


@pytest.mark.parametrize("shape", [shapes.Product, shapes.RateSchedule, shapes.PrintedRate, shapes.ExtendedRate, shapes.AtRisk, shapes.SubcutaneousSchedule,
                                   shapes.Switch, shapes.RampUp, shapes.RampUpStep, shapes.Handling, shapes.Labelled, shapes.Measured, shapes.ProductStatus])
def test_every_key_of_a_product_is_explained(shape: type[msgspec.Struct]) -> None:
    """A writer finds each key that a product file may hold in the section on products."""
    part = page("evidence-format.md").partition("\n## Products\n")[2].partition("\n## ")[0]
    assert [key for key in shape.__struct_encode_fields__ if not re.search(rf"`[^`\n]*\b{key}\b[^`\n]*`", part)] == []


def test_the_schema_named_is_the_one_in_force() -> None:
    """The JSON schema name on the first page is the program's."""
    assert f"`{SCHEMA}`" in page("getting-started.md")


# --- hazards ------------------------------------------------------------------------------------------------------------


def hazards() -> list[Any]:
    parts = re.split(r"\n### (?=H\d\d )", page("hazard-log.md"))[1:]
    return [pytest.param(part.partition("\n## ")[0], id=part[:3]) for part in parts]


def test_every_published_hazard_is_logged_once() -> None:
    """H01 to H17 and those after them, each once and without a gap."""
    numbers = [int(number) for number in re.findall(r"^### H(\d\d) ", page("hazard-log.md"), re.MULTILINE)]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 17


@pytest.mark.parametrize("hazard", hazards())
def test_each_hazard_names_cause_harm_control_tests_and_what_is_left(hazard: str) -> None:
    """A hazard without a control or an existing test is an open one."""
    assert re.findall(r"^- \*\*(\w+)\*\*: \S", hazard, re.MULTILINE) == ["Cause", "Harm", "Control", "Tests", "Left"]
    tests = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", hazard)
    assert tests
    for file, name in tests:
        assert re.search(rf"^def {name}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE), f"{file}::{name}"
    for case, file in re.findall(r"case `([^`]+)` of `(cases/[\w/.-]+)`", hazard):
        rows, _ = read_yaml((ROOT / "evidence" / file).read_text(encoding="utf-8"), file)
        assert case in [row["name"] for row in rows]
    for file in re.findall(r"`(evidence/[\w/.-]+\.yaml)`", hazard):
        assert (ROOT / file).is_file()
