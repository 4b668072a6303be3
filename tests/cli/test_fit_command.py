"""``ivigil fit``: tables in, a table out, bad rows named, exit codes that a script can trust."""

from __future__ import annotations

import csv
import io
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ivigil.cli.fit_command import Choices, read_csv, run_fit

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "fit.md").read_text(encoding="utf-8")
MODEL, EVENTS, SATURABLE = re.findall(r"```(?:yaml|csv)\n(.*?)```\n", PAGE, re.DOTALL)


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """The model and the table of the documentation."""
    (tmp_path / "model.yaml").write_text(MODEL, encoding="utf-8")
    (tmp_path / "events.csv").write_text(EVENTS, encoding="utf-8")
    return str(tmp_path / "model.yaml"), str(tmp_path / "events.csv")


def test_the_example_of_the_documentation_is_fitted(files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line per subject, with every column that the page names; the bad row is on standard error and in the status."""
    assert run_fit(*files, Choices(out=str(tmp_path / "fits.csv"), posterior=200, predictions=str(tmp_path / "levels.csv"))) == 0
    rows = list(csv.DictReader(io.StringIO((tmp_path / "fits.csv").read_text(encoding="utf-8"))))
    assert [row["ID"] for row in rows] == ["ann", "bob"]
    assert rows[0]["status"] == "converged"
    assert rows[1]["status"] == "failed: line 8, DV: the level -7.0 is not above 0"
    assert rows[1]["CL"] == ""
    for column in ("objective", "eta_CL", "CL", "baseline", "se_CL", "shrinkage_CL", "n_levels", "ess", "low_eta_CL", "high_eta_CL"):
        float(rows[0][column])
    levels = list(csv.DictReader(io.StringIO((tmp_path / "levels.csv").read_text(encoding="utf-8"))))
    assert [row["ID"] for row in levels] == ["ann"] * 3
    assert levels[-1]["DV"] == ""
    assert float(levels[-1]["low"]) < float(levels[-1]["IPRED"]) < float(levels[-1]["high"])
    error = capsys.readouterr().err
    assert "events.csv:8: ID bob: DV: the level -7.0 is not above 0" in error
    assert "1 subject fitted, 1 not." in error


def test_the_saturable_example_of_the_documentation_is_fitted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With its own parameters as columns; the compiled search, which it does not have, is refused."""
    (tmp_path / "model.yaml").write_text(SATURABLE, encoding="utf-8")
    (tmp_path / "events.csv").write_text("ID,time,evid,amt,cmt,rate,DV,WT\na,0,1,28,2,140,,70\na,14,0,,,,15,70\na,28,0,,,,13,70\n", encoding="utf-8")
    names = str(tmp_path / "model.yaml"), str(tmp_path / "events.csv")
    assert run_fit(*names, Choices()) == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert row["status"] == "converged"
    assert {"kint", "J", "Km", "floor", "baseline", "eta_kint", "se_kint"} <= set(row)
    pytest.importorskip("numba")
    assert run_fit(*names, Choices(fast=True)) == 2
    assert "no compiled search" in capsys.readouterr().err


def test_a_published_model_is_fitted_by_its_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One whose source lacks what a fit needs is refused with what it lacks; a name that nothing carries with those there are."""
    events = tmp_path / "events.csv"
    events.write_text("ID,time,evid,amt,cmt,rate,DV,WT\na,0,1,28,central,168,,70\na,27,0,,,,9,70\n", encoding="utf-8")
    assert run_fit("zhang-2020", str(events), Choices()) == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert row["status"] == "converged"
    assert float(row["Q"]) == pytest.approx(0.26, rel=0.2)
    for name, why in (("luo-2020", "cannot be fitted: its source gives no usable residual error"), ("nobody-2020", "no model is called that")):
        assert run_fit(name, str(events), Choices()) == 2
        assert why in capsys.readouterr().err


def test_every_bad_row_is_listed_and_the_good_subject_is_fitted(files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Negative, zero, with a unit, unordered, twice, overlapping, no weight: each with its line; a level that cannot be makes a fit to doubt."""
    rows = {
        "good": ["0,1,28,1,168,", "27,0,,,,8.1"], "negative": ["0,1,28,1,168,", "27,0,,,,-8.1"], "zero": ["0,1,28,1,168,", "27,0,,,,0"],
        "unit": ["0,1,28,1,168,", "27,0,,,,810 mg/dL"], "dose": ["0,1,-28,1,168,", "27,0,,,,8"], "overlap": ["0,1,28,1,14,", "1,1,28,1,168,", "27,0,,,,8"],
        "unordered": ["5,0,,,,8", "0,1,28,1,168,"], "twice": ["0,1,28,1,168,", "27,0,,,,8", "27,0,,,,9"],
        "doses": ["0,1,28,1,168,", "0,1,28,1,168,", "9,0,,,,8"],
        "huge": ["0,1,28,1,168,", "27,0,,,,810"],
    }
    lines = [f"{name},{row},70" for name, some in rows.items() for row in some] + ["light,0,1,28,1,168,,", "light,27,0,,,,9,"]
    table = tmp_path / "events.csv"
    table.write_text("ID,time,evid,amt,cmt,rate,DV,WT\n" + "\n".join(lines) + "\n", encoding="utf-8")
    assert run_fit(files[0], str(table), Choices()) == 0
    shown = capsys.readouterr()
    status = {row["ID"]: row["status"] for row in csv.DictReader(io.StringIO(shown.out))}
    assert [name for name, word in status.items() if not word.startswith("failed")] == ["good", "huge"]
    for name in status:
        assert (f"ID {name}:" in shown.err) == (name not in {"good", "huge"})
    assert "1 fit to doubt" in shown.err
    assert "check units, times and doses: huge\n" in shown.err


def test_levels_may_stand_in_a_table_of_their_own(files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same fit from two tables."""
    rows = list(csv.reader(io.StringIO(EVENTS)))
    doses = [row for row in rows if row[2] != "0"]
    (tmp_path / "doses.csv").write_text("\n".join(",".join(row) for row in doses), encoding="utf-8")
    (tmp_path / "levels.csv").write_text("ID,time,DV\n" + "\n".join(f"{row[0]},{row[1]},{row[8]}" for row in rows[1:] if row[2] == "0" and row[0] == "ann"),
                                         encoding="utf-8")
    assert run_fit(*files, Choices()) == 0
    whole = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert run_fit(files[0], str(tmp_path / "doses.csv"), Choices(levels=str(tmp_path / "levels.csv"))) == 0
    apart = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert float(apart[0]["CL"]) == pytest.approx(float(whole[0]["CL"]), rel=1e-8)


def test_nobody_fitted_is_exit_code_2(files: tuple[str, str], tmp_path: Path) -> None:
    """A script must see that there is no result."""
    bad = tmp_path / "bad.csv"
    bad.write_text("ID,time,evid,amt,cmt,DV,WT\n1,0,1,-5,1,,70\n", encoding="utf-8")
    assert run_fit(files[0], str(bad), Choices(out=str(tmp_path / "out.csv"))) == 2
    assert "failed: line 2" in (tmp_path / "out.csv").read_text(encoding="utf-8")


def test_problems_of_model_and_table_are_listed_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One run shows everything that must be corrected."""
    (tmp_path / "model.yaml").write_text("structure: {compartments: 4}\nparameters: {}\nresidual: {}\n", encoding="utf-8")
    assert run_fit(str(tmp_path / "model.yaml"), str(tmp_path / "nowhere.csv"), Choices()) == 2
    error = capsys.readouterr().err
    assert "model.yaml:1: structure.compartments" in error
    assert "nowhere.csv" in error


def test_a_row_of_the_wrong_length_fails_its_subject_only(files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A comma too few does not shift values into other columns."""
    table = tmp_path / "short.csv"
    table.write_text(EVENTS + "cid,0,1,28\n", encoding="utf-8")
    assert run_fit(files[0], str(table), Choices()) == 0
    assert "a row of 4 fields under a heading of 10" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "ID,time\n", "ID,id,time\n1,1,0\n"])
def test_a_table_without_sense_is_refused(text: str, tmp_path: Path) -> None:
    """No heading, no rows, a heading twice."""
    from ivigil.basis.problems import BadInput

    (tmp_path / "table.csv").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput):
        read_csv(str(tmp_path / "table.csv"))


def test_the_default_path_imports_neither_numba_nor_scipy(files: tuple[str, str]) -> None:
    """Both are extras."""
    code = ("import sys; sys.argv = ['ivigil', 'fit', *sys.argv[1:]]\nfrom ivigil.cli.app import main\ntry:\n    main()\nexcept SystemExit:\n"
            "    print(' '.join(sys.modules), file=sys.stderr)\n")
    done = subprocess.run([sys.executable, "-c", code, *files], capture_output=True, text=True, check=True)
    assert not {"numba", "scipy"} & set(done.stderr.split())
    assert "numpy" in done.stderr.split()
