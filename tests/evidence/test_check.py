"""The evidence check reports every kind of problem, all at once, and nothing with a problem ever loads."""

from pathlib import Path

import pytest

from ivigil.basis.problems import BadInput, Problem
from ivigil.evidence.check import check
from ivigil.evidence.load import load_evidence
from ivigil.evidence.references import numbers_in

SOURCE = "- {id: label, kind: product-label, title: A label}\n- {id: ivigil-policy, kind: site-policy, title: Ours}\n"
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
    ("facts.yaml", "has.sepsis", "age", 2, "the id is taken"),
    ("cases/safety/renal-risk.yaml", "expect: fires", "expect: silent", 1, "expected 'silent', came to 'fires'"),
    ("cases/safety/renal-risk.yaml", "66 year", "66 kg", 1, "age:"),
    ("cases/safety/renal-risk.yaml", "- {name: unknown, facts: {age: 40 year}, expect: asks}\n", "", 1, "no example where the rule asks"),
])
def test_each_problem_is_found_with_its_line(folder: Path, name: str, old: str, new: str, line: int, why: str) -> None:
    """Unsupported numbers, unknown facts, wrong units, broken references and missing examples each give a row with file, line and cause."""
    problems = _edit(folder, name, old, new)
    assert any(problem.line == line and why in problem.why for problem in problems), problems


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
