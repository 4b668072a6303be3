"""The review life cycle: what a statement's verdicts add up to, and how one is written into its file."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivigil.basis.problems import BadInput
from ivigil.basis.strict_yaml import read_yaml
from ivigil.evidence.review import APPROVERS, WEAKEST_FIRST, refusal, stamp_of, state_of
from ivigil.evidence.shapes import Statement, Verdict
from ivigil.evidence.verdicts import record_verdict, with_verdict

PLAIN = Statement(id="a.b", source="s", says="One gram is given.", read="seen")
VERDICT = Verdict(status="approved", by="A. Reader", date="2026-11-21", of=stamp_of(PLAIN))


def _with(*verdicts: tuple[str, str], of: str = "") -> Statement:
    given = tuple(msgspec.convert({"status": status, "by": by, "date": "2026-11-21", "of": of, "reason": "r"}, Verdict) for status, by in verdicts)
    return msgspec.structs.replace(PLAIN, reviews=given)


@pytest.mark.parametrize(("verdicts", "status"), [
    ((), "submitted"),
    ((("under-review", "A"),), "under-review"),
    ((("approved", "A"),), "under-review"),
    ((("approved", "A"), ("approved", "B")), "approved"),
    ((("approved", "A"), ("approved", "a ")), "under-review"),
    ((("submitted", "A"), ("approved", "A"), ("approved", "B")), "under-review"),
    ((("submitted", "C"), ("approved", "A"), ("approved", "B")), "approved"),
    ((("approved", "A"), ("approved", "B"), ("rejected", "C")), "rejected"),
    ((("rejected", "C"), ("approved", "A")), "under-review"),
    ((("approved", "A"), ("under-review", "C"), ("approved", "B")), "under-review"),
    ((("approved", "A"), ("superseded", "B")), "superseded"),
])
def test_verdicts_add_up(verdicts: tuple[tuple[str, str], ...], status: str) -> None:
    """Approved needs two people who did not submit it; the last rejection, supersession or new round decides."""
    assert state_of(_with(*verdicts)).status == status


@given(st.lists(st.tuples(st.sampled_from(WEAKEST_FIRST), st.sampled_from(["A", "B", "C", "a"])), max_size=8))
def test_nobody_approves_alone(verdicts: list[tuple[str, str]]) -> None:
    """Whatever the order of verdicts, an approved statement has two different approvers among them."""
    state = state_of(_with(*verdicts))
    if state.status == "approved":
        assert len({by.casefold() for status, by in verdicts if status == "approved"}) >= APPROVERS
        assert len(set(state.approved_by)) >= APPROVERS


def test_a_changed_statement_is_no_longer_approved() -> None:
    """Verdicts bind to the text that was judged."""
    approved = _with(("approved", "A"), ("approved", "B"), of=stamp_of(PLAIN))
    assert state_of(approved).status == "approved"
    changed = msgspec.structs.replace(approved, says="Ten grams are given.")
    assert (state_of(changed).status, state_of(changed).outdated) == ("submitted", 2)
    assert state_of(msgspec.structs.replace(approved, note="for writers")).status == "approved"


@pytest.mark.parametrize(("before", "verdict", "why"), [
    ((), {"status": "approved", "by": " "}, "--by"),
    ((), {"status": "rejected", "by": "A"}, "--reason"),
    ((), {"status": "superseded", "by": "A"}, "--reason"),
    ((), {"status": "under-review", "by": "A", "due": "soon"}, "--due"),
    ((("approved", "A"),), {"status": "approved", "by": "A"}, "already"),
    ((("submitted", "A"),), {"status": "approved", "by": "A"}, "submitted it"),
    ((("approved", "A"),), {"status": "approved", "by": "B"}, ""),
    ((), {"status": "rejected", "by": "A", "reason": "the label says otherwise"}, ""),
])
def test_what_may_be_recorded(before: tuple[tuple[str, str], ...], verdict: dict[str, str], why: str) -> None:
    """A verdict needs a name, a rejection a reason, an approval another person; each refusal says what to do."""
    told = refusal(_with(*before), msgspec.convert({"date": "2026-11-21", **verdict}, Verdict))
    assert why in told if why else told == ""


FILE = """# A heading that stays.
- id: a.b
  source: s
  says: "One gram is given: slowly."   # a remark
  read: seen
  values:
    dose: 1 g

- id: a.c
  source: s
  says: Two grams are given.
  read: seen
"""


@pytest.mark.parametrize("statement", ["a.b", "a.c"])
def test_a_verdict_changes_nothing_else(statement: str) -> None:
    """Comments, order and other statements stay; the file reads as before with one verdict more."""
    once = with_verdict(FILE, "a.yaml", statement, VERDICT)
    assert once is not None
    twice = with_verdict(once, "a.yaml", statement, msgspec.structs.replace(VERDICT, by='B. "Q" Reader: #2', reason="yes: {it} does"))
    assert twice is not None
    written = [line for line in FILE.splitlines() if line]
    assert [line for line in twice.splitlines() if line in written] == written
    document, _ = read_yaml(twice, "a.yaml")
    entry = next(one for one in document if one["id"] == statement)
    assert [(verdict["by"], verdict.get("reason", "")) for verdict in entry["reviews"]] == [("A. Reader", ""), ('B. "Q" Reader: #2', "yes: {it} does")]


def test_a_flow_list_of_verdicts_is_continued() -> None:
    """Verdicts written by hand on one line are kept."""
    text = FILE.replace("  values:", '  reviews: [{status: superseded, by: X, date: "2026-01-01", reason: old}]\n  values:')
    after = with_verdict(text, "a.yaml", "a.b", VERDICT)
    assert after is not None
    document, _ = read_yaml(after, "a.yaml")
    assert [verdict["by"] for verdict in document[0]["reviews"]] == ["X", "A. Reader"]
    assert document[0]["values"] == {"dose": "1 g"}


def test_a_file_of_one_mapping() -> None:
    """A file that holds one statement as a mapping takes a verdict too."""
    after = with_verdict("id: a.b\nsource: s\nsays: One.\nread: seen\n", "a.yaml", "a.b", VERDICT)
    assert after is not None
    assert read_yaml(after, "a.yaml")[0]["reviews"][0]["by"] == "A. Reader"


def test_it_is_written_where_the_statement_stands(tmp_path: Path) -> None:
    """In the overlay when that holds it, else in the packaged folder; an unknown statement is refused."""
    for folder in ("base", "over"):
        (tmp_path / folder / "statements").mkdir(parents=True)
    (tmp_path / "base" / "statements" / "a.yaml").write_text(FILE)
    (tmp_path / "over" / "statements" / "b.yaml").write_text(FILE.replace("a.c", "z.z"))
    folders = [tmp_path / "base", tmp_path / "over"]
    assert record_verdict(folders, "a.b", VERDICT).name == "b.yaml"
    assert record_verdict(folders, "a.c", VERDICT).name == "a.yaml"
    with pytest.raises(BadInput, match="no file holds this statement"):
        record_verdict(folders, "nobody", VERDICT)
    assert not list(tmp_path.rglob(".*.new"))


def test_a_disk_that_refuses_leaves_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is told with a remedy, and the file stays as it was."""
    path = tmp_path / "statements" / "a.yaml"
    path.parent.mkdir()
    path.write_text(FILE)

    def full(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(BadInput) as caught:
        record_verdict([tmp_path], "a.b", VERDICT)
    assert caught.value.problems[0].why == "No space left on device"
    assert "--overlay" in caught.value.problems[0].remedy
    assert path.read_text() == FILE
