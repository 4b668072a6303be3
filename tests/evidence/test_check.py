"""The evidence check reports every kind of problem, all at once, and nothing with a problem ever loads."""

from pathlib import Path

import pytest

from ivigil.basis.problems import BadInput, Problem
from ivigil.evidence.check import check
from ivigil.evidence.files import EvidenceFile
from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence
from ivigil.evidence.numbers import numbers_in

SOURCE = """\
- {id: label, kind: product-label, title: A label, publisher: A maker, year: "2024", where: set id 1}
- {id: ivigil-policy, kind: site-policy, title: Ours, publisher: Us, year: not recorded, where: not recorded}
"""
STATEMENTS = """\
- id: label.renal
  source: label
  says: Age over 65 years is a risk factor for kidney injury.
  values: {age: 65 year}
  read: seen
"""
FACTS = """\
- {id: age, kind: quantity, unit: year, label: Age, source: body}
- {id: has.sepsis, kind: yes_no, label: Sepsis}
- {id: blood_group, kind: choice, label: Blood group, choices: [A, B, AB, O]}
""".replace("source:", "from:")
RULE = """\
id: renal-risk
about: Kidney injury
severity: caution
when: {any: [age > 65 year, has.sepsis]}
say: A kidney risk factor is present.
cites: [label.renal]
"""
CASES = """\
- {name: over, facts: {age: 66 year}, expect: fires}
- {name: not over, facts: {age: 65 year, has.sepsis: no}, expect: silent}
- {name: unknown, facts: {age: 40 year}, expect: asks}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small evidence folder without problems."""
    base = tmp_path / "evidence"
    for name, text in {"sources/a.yaml": SOURCE, "statements/a.yaml": STATEMENTS, "facts.yaml": FACTS, "safety/renal-risk.yaml": RULE,
                       "cases/safety/renal-risk.yaml": CASES}.items():
        path = base / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return base


def _edit(folder: Path, name: str, old: str, new: str) -> list[Problem]:
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return check(folder)


def test_sound_evidence_has_no_problems(folder: Path) -> None:
    """The base folder of these tests is clean, so each test below sees only its own problem."""
    assert check(folder) == []


@pytest.mark.parametrize(("name", "old", "new", "line", "why"), [
    ("safety/renal-risk.yaml", "65 year", "66 year", 4, "not supported"),
    ("safety/renal-risk.yaml", "age >", "aeg >", 4, "'aeg' is not a registered fact"),
    ("safety/renal-risk.yaml", "65 year", "65 kg", 4, "compares a mass"),
    ("safety/renal-risk.yaml", "65 year", "65", 4, "bare number"),
    ("safety/renal-risk.yaml", "has.sepsis", "blood_group", 4, "not a yes/no fact"),
    ("safety/renal-risk.yaml", "has.sepsis", "blood_group is C", 4, "not a choice"),
    ("safety/renal-risk.yaml", "label.renal", "label.renel", 6, "no statement is called"),
    ("safety/renal-risk.yaml", "cites: [label.renal]", "cites: []", 6, "cites nothing"),
    ("safety/renal-risk.yaml", "severity: caution", "severity: serious", 3, "not one of"),
    ("safety/renal-risk.yaml", "about:", "abuot:", 2, "unknown key"),
    ("safety/renal-risk.yaml", "is present.", "is present in 40 % of patients.", 5, "holds 40"),
    ("statements/a.yaml", "source: label", "source: lable", 2, "no source is called"),
    ("statements/a.yaml", "read: seen", "read: second-hand", 5, "second-hand"),
    ("statements/a.yaml", "read: seen", "read: decided", 5, "decided"),
    ("sources/a.yaml", "title: A label, ", "", 1, "'title' is missing"),
    ("sources/a.yaml", "A label", "''", 1, "the source has no title"),
    ("sources/a.yaml", "publisher: Us, ", "", 2, "the source has no publisher"),
    ("sources/a.yaml", '"2024"', "' '", 1, "the source has no year"),
    ("sources/a.yaml", ", where: set id 1", "", 1, "the source has no where"),
    ("facts.yaml", "has.sepsis", "age", 2, "the id is taken"),
    ("safety/renal-risk.yaml", "cites: [label.renal]", "cites: [label.renal]\nthen: [{act: tell, say: Immediate nephrological consultation.}]", 7, "grade"),
    ("cases/safety/renal-risk.yaml", "expect: fires", "expect: silent", 1, "expected 'silent', came to 'fires'"),
    ("cases/safety/renal-risk.yaml", "66 year", "66 kg", 1, "age:"),
    ("cases/safety/renal-risk.yaml", "- {name: unknown, facts: {age: 40 year}, expect: asks}\n", "", 1, "no example where the rule asks"),
])
def test_each_problem_is_found_with_its_line(folder: Path, name: str, old: str, new: str, line: int, why: str) -> None:
    """Unsupported numbers, unknown facts, wrong units, broken references and missing examples each give a row with file, line and cause."""
    problems = _edit(folder, name, old, new)
    assert any(problem.line == line and why in problem.why for problem in problems), problems


def _rows(problems: list[Problem]) -> list[tuple[str, int, str]]:
    return [(problem.place, problem.line, problem.what) for problem in problems]


def test_a_missing_statement_is_one_row(folder: Path) -> None:
    """Where a cited statement does not exist, its numbers are not called unsupported as well: the one row is the cause."""
    problems = _edit(folder, "safety/renal-risk.yaml", "label.renal", "label.renel")
    assert _rows(problems) == [("safety/renal-risk.yaml", 6, "renal-risk")]
    assert problems[0].remedy == "did you mean 'label.renal'?"


def test_an_entry_that_cites_nothing_still_has_no_number(folder: Path) -> None:
    """Leaving the citation out does not make a number pass."""
    problems = _edit(folder, "safety/renal-risk.yaml", "cites: [label.renal]", "cites: []")
    assert any("holds 65, which is not supported by nothing" in problem.why for problem in problems)


@pytest.mark.parametrize(("name", "old", "new", "row", "remedy"), [
    ("statements/a.yaml", "says:", "syas:", ("statements/a.yaml", 3, "label.renal: syas"), "did you mean 'says'?"),
    ("safety/renal-risk.yaml", "severity:", "sevrity:", ("safety/renal-risk.yaml", 3, "renal-risk: sevrity"), "did you mean 'severity'?"),
    ("facts.yaml", "label: Age", "lable: Age", ("facts.yaml", 1, "age: lable"), "did you mean 'label'?"),
    ("sources/a.yaml", "title: A label", "titel: A label", ("sources/a.yaml", 1, "label: titel"), "did you mean 'title'?"),
    ("safety/renal-risk.yaml", "age > 65 year", "age > 65", ("safety/renal-risk.yaml", 4, "renal-risk"), "write the value in year"),
    ("safety/renal-risk.yaml", "about:", "\tabout:", ("safety/renal-risk.yaml", 2, ""), "indent with spaces, not tabs"),
    ("statements/a.yaml", "says: Age", "says: Note: age", ("statements/a.yaml", 3, ""), "a text that holds ': ' stands in quotes; check the indentation too"),
    ("sources/a.yaml", "title: A label", "title: A label, newest of two", ("sources/a.yaml", 1, "label: newest of two"),
     "inside braces a comma ends a text: where 'newest of two' belongs to the text before it, put the whole text in quotes"),
    ("safety/renal-risk.yaml", "65 year", "65 yaers", ("safety/renal-risk.yaml", 4, "renal-risk: when"), "did you mean 'year'"),
])
def test_one_mistake_is_one_row(folder: Path, name: str, old: str, new: str, row: tuple[str, int, str], remedy: str) -> None:
    """A misspelt key, a missing unit or a file that is no YAML is reported once, by entry and line, not once for everything that names it."""
    problems = _edit(folder, name, old, new)
    assert _rows(problems) == [row]
    assert problems[0].remedy.startswith(remedy)


def test_an_id_taken_in_another_file_is_one_row(folder: Path) -> None:
    """Two statements with one id: the second is named with the place of the first, and numbers that rest on either are left until that is settled."""
    (folder / "statements" / "b.yaml").write_text("- {id: label.renal, source: label, says: Another fact., read: seen}\n", encoding="utf-8")
    problems = check(folder)
    assert _rows(problems) == [("statements/b.yaml", 1, "label.renal")]
    assert problems[0].why == "the id is taken by statements/a.yaml:1"


@pytest.mark.parametrize(("dose", "found"), [
    ("course_total: 2 g/kg, over_days: 2-5", []), ("course_total: 2, over_days: 2-5", ["x: regimens.0.dose.course_total"]),
    ("per_interval: 1-2, every: 4", ["x: regimens.0.dose.every", "x: regimens.0.dose.per_interval"]),
])
def test_a_dose_without_its_unit_is_refused(folder: Path, dose: str, found: list[str]) -> None:
    """Only days are counted without a unit; 2 is not a dose."""
    (folder / "indications").mkdir()
    (folder / "statements" / "b.yaml").write_text("- {id: b, source: label, says: 1 or 2 g/kg over 2-5 days or at 4 weeks, read: seen}\n", encoding="utf-8")
    (folder / "indications" / "x.yaml").write_text(
        f"id: x\nname: {{clinical: X}}\npurpose: immunomodulation\n"
        f"regimens: [{{id: x.a, authority: label, jurisdiction: '', phase: acute, dose: {{{dose}}}, cites: [b]}}]\n",
        encoding="utf-8")
    problems = check(folder)
    assert sorted(problem.what for problem in problems) == found
    assert all("has no unit" in problem.why and "2 g/kg" in problem.remedy for problem in problems)


def test_all_problems_are_reported_together(folder: Path) -> None:
    """Three mistakes in three files give three rows in one run."""
    _edit(folder, "safety/renal-risk.yaml", "severity: caution", "severity: serious")
    _edit(folder, "facts.yaml", "kind: choice", "kind: chioce")
    problems = _edit(folder, "statements/a.yaml", "read: seen", "raed: seen")
    assert {"safety/renal-risk.yaml", "facts.yaml", "statements/a.yaml"} <= {problem.place for problem in problems}


def test_a_problem_never_half_loads(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One wrong number in one file and the whole evidence refuses to load; nothing is cached."""
    monkeypatch.setenv("IVIGIL_CACHE", str(tmp_path / "cache"))
    _edit(folder, "safety/renal-risk.yaml", "65 year", "66 year")
    with pytest.raises(BadInput, match="not supported"):
        load_evidence(folder)
    assert not (tmp_path / "cache").exists()


def test_units_may_differ_between_rule_and_statement(folder: Path) -> None:
    """65 years support 780 months: units are converted, numbers are not compared as text."""
    assert _edit(folder, "safety/renal-risk.yaml", "65 year", "780 month") == []


def test_the_compiled_bundle_equals_the_sources(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Loading from the bundle gives the same evidence as reading the files, and an edit makes a new bundle."""
    monkeypatch.setenv("IVIGIL_CACHE", str(tmp_path / "cache"))
    first = load_evidence(folder)
    assert load_evidence(folder) == first
    assert len(list((tmp_path / "cache").iterdir())) == 1
    _edit(folder, "safety/renal-risk.yaml", "is present.", "was found.")
    assert load_evidence(folder).version != first.version


def test_a_damaged_or_unwritable_cache_does_no_harm(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A truncated bundle is read again from the sources; a cache path that is a file is simply not used."""
    monkeypatch.setenv("IVIGIL_CACHE", str(tmp_path / "cache"))
    first = load_evidence(folder)
    bundle, = (tmp_path / "cache").iterdir()
    bundle.write_bytes(bundle.read_bytes()[:40])
    assert load_evidence(folder) == first
    (tmp_path / "file").write_text("x", encoding="utf-8")
    monkeypatch.setenv("IVIGIL_CACHE", str(tmp_path / "file"))
    assert load_evidence(folder) == first


def _overlay(tmp_path: Path, extra: str) -> Path:
    local = tmp_path / "our-hospital"
    (local / "safety").mkdir(parents=True)
    (local / "safety" / "renal-risk.yaml").write_text(RULE.replace("is present.", "is present; call the renal team.") + extra, encoding="utf-8")
    return local


def test_an_overlay_replaces_with_a_reason(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hospital's own rule takes the place of ours when it says so and why; the version changes with it."""
    monkeypatch.setenv("IVIGIL_CACHE", str(tmp_path / "cache"))
    local = _overlay(tmp_path, "replaces: renal-risk\nreason: local renal service\n")
    evidence = load_evidence(folder, local)
    assert evidence.rules["renal-risk"].say.endswith("call the renal team.")
    assert evidence.local == {"rules renal-risk": "replaced: local renal service"}
    assert evidence.overlay == "our-hospital"
    assert evidence.version != load_evidence(folder).version


def test_an_overlay_cannot_replace_silently(folder: Path, tmp_path: Path) -> None:
    """An id that is taken needs 'replaces' and 'reason'."""
    assert any("replaces an entry" in problem.why for problem in check(folder, _overlay(tmp_path, "")))


def _written(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_a_rule_of_an_overlay_needs_its_own_examples(folder: Path, tmp_path: Path) -> None:
    """A hospital's rule is shown to fire, stay silent and ask, and on both sides of its threshold, like ours."""
    ours = tmp_path / "our-hospital"
    _written(ours, "safety/ours.yaml", RULE.replace("id: renal-risk", "id: our-rule"))
    whys = [problem.why for problem in check(folder, ours)]
    assert whys == ["no example where 'age > 65 year' does not hold", "no example where 'age > 65 year' holds", "no example where the rule asks",
                    "no example where the rule fires", "no example where the rule stays silent"]
    _written(ours, "cases/safety/ours.yaml", CASES.replace("{name", "{rule: our-rule, name"))
    assert check(folder, ours) == []
    _written(ours, "cases/safety/ours.yaml", CASES.replace("{name", "{rule: our-rule, name").replace("66 year", "64 year"))
    assert ("cases/safety/ours.yaml", "our-rule: expected 'fires', came to 'asks'") in [(problem.place, problem.why) for problem in check(folder, ours)]


def test_packaged_examples_show_a_replaced_rule_only_where_they_still_hold(folder: Path, tmp_path: Path) -> None:
    """A replaced rule with the old condition needs nothing more; with another threshold the old example is passed over and new ones are asked for."""
    ours = _overlay(tmp_path, "replaces: renal-risk\nreason: local renal service\n")
    assert check(folder, ours) == []
    _written(ours, "statements/ours.yaml", STATEMENTS.replace("label.renal", "our.renal").replace("65", "67"))
    changed = RULE.replace("65", "67").replace("label.renal", "our.renal") + "replaces: renal-risk\nreason: local renal service\n"
    _written(ours, "safety/renal-risk.yaml", changed)
    assert [problem.why for problem in check(folder, ours)] == ["no example where 'age > 67 year' holds", "no example where the rule fires"]
    _written(ours, "cases/safety/renal-risk.yaml", "- {name: over, facts: {age: 68 year}, expect: fires}\n")
    assert check(folder, ours) == []


def test_an_example_that_nothing_runs_is_no_example(folder: Path) -> None:
    """An outcome that the folder does not know would stand there for ever without being tried."""
    _written(folder, "cases/premedication/offers.yaml", "- {name: odd, rule: renal-risk, facts: {age: 66 year}, expect: {dose: 1 g}}\n")
    assert [(problem.place, problem.line, problem.what, problem.why) for problem in check(folder)] == [
        ("cases/premedication/offers.yaml", 1, "odd", "nothing runs an example like this")]


def test_worked_examples_are_asked_for_once_the_evidence_loads(folder: Path, tmp_path: Path) -> None:
    """The planner that stands above the evidence runs its examples over the merged evidence, and not over one that does not load."""
    asked: list[int] = []
    row = Problem("cases/x.yaml", 1, "x", "came to something else", "correct it")
    ours = _overlay(tmp_path, "replaces: renal-risk\nreason: local renal service\n")

    def worked(files: list[EvidenceFile], local: list[EvidenceFile], evidence: Evidence) -> list[Problem]:
        asked.append(len(local))
        return [row] if evidence.rules["renal-risk"].say.endswith("team.") else []

    assert check(folder, ours, None, worked) == [row]
    _written(ours, "safety/renal-risk.yaml", "id: [")
    assert row not in check(folder, ours, None, worked)
    assert asked == [1]


def test_a_source_of_an_overlay_is_told_too(folder: Path, tmp_path: Path) -> None:
    """A hospital's own source needs title, publisher, year and place like ours, and the remedy says what to write."""
    source = tmp_path / "our-hospital" / "sources" / "ours.yaml"
    source.parent.mkdir(parents=True)
    source.write_text("- {id: our-guide, kind: guideline, title: Our guide, publisher: Our hospital}\n", encoding="utf-8")
    problems = check(folder, tmp_path / "our-hospital")
    assert [problem.why for problem in problems] == ["the source has no where", "the source has no year"]
    assert {problem.remedy for problem in problems} == {"write 'not recorded' where the document does not tell"}


def _local(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> Evidence:
    monkeypatch.setenv("IVIGIL_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "ours" / "evidence" / name
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    assert check(folder, tmp_path / "ours" / "evidence") == []
    return load_evidence(folder, tmp_path / "ours" / "evidence")


def test_what_rests_on_an_overlay_is_found(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the rule itself, a statement, a statement's source, a risk group in the condition, or the entry and what stands inside it."""
    group = "- {id: risk.age, group: true, when: age > 65 year, cites: [label.renal]}\n"
    (folder / "safety" / "groups.yaml").write_text(group, encoding="utf-8")
    (folder / "facts.yaml").write_text(FACTS + "- {id: risk.age, kind: yes_no, label: Old age, from: derived}\n", encoding="utf-8")
    path = folder / "safety" / "renal-risk.yaml"
    path.write_text(RULE.replace("any: [age > 65 year, has.sepsis]", "any: [risk.age, has.sepsis]"), encoding="utf-8")
    evidence = _local(folder, tmp_path, monkeypatch, "safety/ours.yaml", group.replace("- {", "- {replaces: risk.age, reason: our own age, "))
    assert evidence.overlay == "ours"
    assert evidence.local == {"groups risk.age": "replaced: our own age"}
    assert evidence.local_of(["renal-risk"]) == ("risk.age replaced: our own age",)
    assert evidence.local_of([evidence.groups["risk.age"]]) == ("risk.age replaced: our own age",)
    assert evidence.local_of(["label.renal", "age", None, evidence.rules["renal-risk"]]) == ()


def test_a_statement_is_local_when_its_source_is(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hospital that replaces a label by its own copy of it touches all that was read there."""
    ours = "- {id: label, replaces: label, reason: newer, kind: product-label, title: Newer, publisher: Us, year: '2026', where: set id 2}\n"
    evidence = _local(folder, tmp_path, monkeypatch, "sources/ours.yaml", ours)
    assert evidence.local_of(["label.renal"]) == ("label replaced: newer",)


@pytest.mark.parametrize(("text", "numbers"), [
    ("0.2-0.8 g/kg", [0.2, 0.8]), ("within 2 to 5 days", [2, 5]), ("IgG1, CD19 and B19", []), ("36-96 h and day 5-10", [36, 96, 5, 10]), ("1,200", [1, 200]),
])
def test_numbers_are_found_in_sentences(text: str, numbers: list[float]) -> None:
    """The unsupported-number check sees every number of a sentence but not digits inside names."""
    assert [number for number, _, _ in numbers_in(text)] == numbers


ARTICLE = "- {id: an-article, title: An article, publisher: Somebody, lines: 6, no_claim: ['1-2', '5']}\n"
CLAIM = """\
- {id: c.age, article: an-article, at_lines: ['3-4', '6'], topic: kidney, claim: Old age harms the kidney at 50., verdict: refined, cites: [label.renal]}
"""


@pytest.mark.parametrize(("old", "new", "why"), [
    ("", "", ""),
    ("'3-4', '6'", "'3-4'", "lines that no claim covers: 6"),
    ("'3-4', '6'", "'3-6'", "lines both claimed and said to hold no claim: 5"),
    ("'3-4', '6'", "'3-4', '6-7'", "lines beyond the end of the article: 7"),
    ("article: an-article", "article: another", "no article is called 'another'"),
    ("[label.renal]", "[]", "cites nothing"),
    ("refined", "refined, say: Above 66 years.", "not supported"),
])
def test_every_line_of_a_founding_article_is_claimed_or_empty(folder: Path, old: str, new: str, why: str) -> None:
    """A line of an article that nobody accounts for does not load; numbers of the claim are the article's, numbers of the answer are ours."""
    (folder / "claims").mkdir()
    (folder / "claims" / "articles.yaml").write_text(ARTICLE)
    (folder / "claims" / "a.yaml").write_text(CLAIM.replace(old, new) if old else CLAIM)
    problems = check(folder)
    assert any(why in problem.why for problem in problems) if why else problems == []


WORDS = {
    "indications/x.yaml": """\
id: x
name: {clinical: X}
purpose: immunomodulation
standing:
  - {authority: label, jurisdiction: US, verdict: supports, cites: [label.renal]}
""",
    "products/p.yaml": """\
id: p-us
brand: P
maker: M
market: US
routes: [intravenous]
percent: 10
contains: {maltose: "no", corn_derived: "yes"}
contains_cites: [p.strength]
""",
    "safety/our-rule.yaml": """\
id: our-rule
about: Tests
severity: info
when: has.sepsis
say: Test.
then: [{act: monitor, test: creatinine, at: before}]
cites: [label.renal]
""",
    "monitoring/tests.yaml": "- {id: creatinine, name: creatinine}\n",
    "jurisdictions.yaml": "- {id: US, name: United States, markets: [US]}\n",
    "weight-policies/a.yaml": "{id: actual, name: Actual, cites: [label.renal]}\n",
    "rounding/a.yaml": "{id: exact, name: Exact, how: exact, cites: [label.renal]}\n",
    "statements/p.yaml": "- {id: p.strength, source: label, says: P is a 10 % solution., read: seen}\n",
    "cases/safety/our-rule.yaml": "- {name: a, facts: {has.sepsis: yes}, expect: fires}\n- {name: b, facts: {has.sepsis: no}, expect: silent}\n"
                              "- {name: c, facts: {}, expect: asks}\n",
}


@pytest.mark.parametrize(("name", "old", "new", "row", "remedy"), [
    ("indications/x.yaml", "", "", None, ""),
    ("indications/x.yaml", "authority: label", "authority: lable", (5, "the authority 'lable' is no source"), "did you mean 'label'?"),
    ("safety/our-rule.yaml", "test: creatinine", "test: creatinin", (6, "no test is called 'creatinin'"), "did you mean 'creatinine'?"),
    ("products/p.yaml", "maltose:", "maltos:", (7, "no excipient is called 'maltos'"), "did you mean 'maltose'?"),
    ("products/p.yaml", "maltose:", "peanut:", (7, "no excipient is called 'peanut'"),
     "known: maltose, corn_derived; for another, register the fact 'product.contains_peanut' in facts.yaml first"),
    ("products/p.yaml", "percent: 10", "percent: 5", (6, "'5' holds 5, which is not supported by p.strength"), "cite the statement"),
    ("statements/p.yaml", "a 10 % solution", "the 10 and a solution", (6, "'10' holds 10, which is not supported by p.strength"), "cite the statement"),
    ("statements/p.yaml", "a 10 % solution", "a solution of 100 mg/mL or 10 %", None, ""),
])
def test_names_that_look_like_words_are_ids(folder: Path, name: str, old: str, new: str, row: tuple[int, str] | None, remedy: str) -> None:
    """Authorities, tests of rules and excipients are resolved like other ids, with a suggestion; a strength must be printed as a strength."""
    for path, text in WORDS.items():
        _written(folder, path, text)
    (folder / "facts.yaml").write_text(FACTS + "- {id: product.contains_maltose, kind: yes_no, label: Maltose}\n"
                                       "- {id: product.corn_derived, kind: yes_no, label: Corn}\n", encoding="utf-8")
    problems = _edit(folder, name, old, new)
    assert [(problem.line, problem.why) for problem in problems] == ([row] if row is not None else [])
    assert all(remedy in problem.remedy for problem in problems)


def test_files_that_would_be_passed_over_are_named(folder: Path, tmp_path: Path) -> None:
    """A file that ends in .yml, an empty one, and the folder above the evidence: nothing is left out in silence."""
    _written(folder, "statements/more.yml", STATEMENTS)
    assert [(problem.place, problem.remedy) for problem in check(folder)] == [("statements/more.yml", "call it more.yaml")]
    (folder / "statements" / "more.yml").unlink()
    _written(folder, "statements/empty.yaml", "# nothing yet\n")
    assert [(problem.place, problem.why) for problem in check(folder)] == [("statements/empty.yaml", "the file is empty")]
    (folder / "statements" / "empty.yaml").unlink()
    _written(tmp_path / "ours", "evidence/statements/ours.yaml", STATEMENTS.replace("label.renal", "ours.renal"))
    _written(tmp_path / "ours", "prices.yaml", "[]\n")
    assert [(problem.why, problem.remedy) for problem in check(folder, tmp_path / "ours")] == [
        ("holds no evidence itself; its folder 'evidence' does", f"name {(tmp_path / 'ours' / 'evidence').as_posix()}")]
    assert check(folder, tmp_path / "ours" / "evidence") == []


def test_an_unknown_jurisdiction_lists_the_known_ones(folder: Path) -> None:
    """Places are few, so the remedy names them all beside the nearest."""
    for path, text in WORDS.items():
        _written(folder, path, text)
    (folder / "facts.yaml").write_text(FACTS + "- {id: product.contains_maltose, kind: yes_no, label: Maltose}\n"
                                       "- {id: product.corn_derived, kind: yes_no, label: Corn}\n", encoding="utf-8")
    problems = _edit(folder, "indications/x.yaml", "jurisdiction: US", "jurisdiction: USA")
    assert [(problem.line, problem.remedy) for problem in problems] == [(5, "did you mean 'US'? known: US, international")]
