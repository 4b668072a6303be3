"""``ivigil forecast`` and ``ivigil models`` from end to end."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from ivigil.basis.problems import BadInput
from ivigil.rendering.print.pdf import png_of

PATIENTS = Path(__file__).resolve().parents[2] / "patients"
PID = ["forecast", str(PATIENTS / "pid-adult-us.yaml"), "--dose", "0.4 g/kg", "--every", "4 week", "--as-of", "2026-11-20"]


def ivigil(*arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([sys.executable, "-m", "ivigil", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return done


def test_verdicts_come_before_numbers() -> None:
    """Which models may speak, then what they say, then what it rests on."""
    text = ivigil(*PID, "--target-trough", "7 g/L").stdout
    heads = ["WHICH MODELS MAY SPEAK", "BEFORE YOU READ THE NUMBERS", "WHAT COMES OF IT", "CURVE", "DOSE FOR A STEADY TROUGH", "RESTS ON"]
    places = [text.index(head) for head in heads]
    assert places == sorted(places)
    assert "second-hand" in text


def test_json_holds_everything_shown() -> None:
    """Curves, bands, verdicts, options; infused and endogenous apart."""
    plain = json.loads(ivigil(*PID, "--format", "json", "--target-trough", "700 mg/dL", "--missed", "2").stdout)
    assert plain["status"] == "forecast"
    assert plain["target"] == pytest.approx(7.0)
    first = plain["models"][0]
    assert len(first["total"]) == len(plain["days"]) == len(plain["bands"]["together"][0])
    assert first["total"][5] == pytest.approx(first["endogenous"] + first["infused"][5], abs=1e-3)
    assert plain["options"]
    assert plain["without_change"]


def test_the_picture_stands_alone(tmp_path: Path) -> None:
    """Valid XML without scripts or links, with a title, light and dark."""
    target = tmp_path / "curve.svg"
    ivigil(*PID, "--plot", str(target))
    text = target.read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "prefers-color-scheme:dark" in text
    assert "script" not in text
    assert not re.search(r"(href|src|url\()", text.replace("http://www.w3.org/2000/svg", ""))
    assert "nan" not in text.lower()


@pytest.mark.parametrize(("arguments", "why"), [
    (["--model", "no-such"], "not known"), (["--weeks", "0"], "cannot be shown"), (["--target-trough", "7"], "no unit"),
    (["--as-of", "soon"], "not a date"),
    (["--as-of", "2199-01-01"], "lies ahead"), (["--plot", "curve.gif"], "only SVG"), (["--indication", "no-such"], "names no indication"),
    (["--jurisdiction", "XX"], "not known"),
])
def test_bad_options_are_refused(arguments: list[str], why: str) -> None:
    """Exit code 2, nothing on standard output, a remedy for each."""
    done = ivigil(*PID, *arguments, code=2)
    assert why in done.stderr
    assert not done.stdout


def test_options_records_and_regimen_are_told_together(tmp_path: Path) -> None:
    """A target in the wrong unit, an unknown model, a dose below nought, no interval, and a record without a weight: one run, each once."""
    record = tmp_path / "light.yaml"
    record.write_text("id: a\nage: 30 year\norder: {indication: pid, dose: 30 g, every: 4 week}\n", encoding="utf-8")
    wrong = ["--dose=-0.4 g/kg", "--every", "0 week", "--model", "nope", "--target-trough", "700 g/L", "--as-of", "2026-11-20"]
    done = ivigil(*PID[:2], str(record), *wrong, code=2)
    assert "5 problems in the input" in done.stderr
    for why in ("did you mean 700 mg/dL = 7 g/L?", "'nope' is not known", "no believable course", "'0 week' is not above nought", "weight: missing"):
        assert done.stderr.count(why) == 1, why


def test_no_dose_is_shown_that_is_not_believable() -> None:
    """A target of 40 g/L takes more than 2.2 g/kg a month; the intervals that would are named, and have no row."""
    plain = json.loads(ivigil(*PID, "--format", "json", "--target-trough", "40 g/L").stdout)
    assert all(option["grams"] <= 2.2 * 70 for option in plain["options"])
    assert "more than the 2.2 g/kg that is believable for a course: no dose is shown" in " ".join(ivigil(*PID, "--target-trough", "40 g/L").stdout.split())


def test_a_missing_weight_is_refused(tmp_path: Path) -> None:
    """No clearance without it."""
    record = tmp_path / "light.yaml"
    record.write_text("id: a\nage: 30 year\norder: {indication: pid, dose: 30 g, every: 4 week}\n", encoding="utf-8")
    assert "weight: missing" in ivigil("forecast", str(record), code=2).stderr


def test_one_bad_record_does_not_stop_the_others(tmp_path: Path) -> None:
    """It is listed; the other is forecast; the exit code tells."""
    for name, more in (("a", "weight: 70 kg\n"), ("b", "")):
        (tmp_path / f"{name}.yaml").write_text(f"id: {name}\nage: 30 year\n{more}order: {{indication: pid, dose: 30 g, every: 4 week}}\n", encoding="utf-8")
    done = ivigil("forecast", str(tmp_path / "b.yaml"), str(tmp_path / "a.yaml"), code=2)
    assert "IgG forecast - a" in done.stdout
    assert "1 record could not be used; 1 forecast made" in done.stderr
    assert "weight: missing" in done.stderr


WRONG = """\
id: {name}
age: 30 year
sex: male
weight: 70 kg
height: 175 cm
results:
  igg: [{levels}]
infusions:
  - {{on: 2026-06-01, product: {product}, dose: {dose}, route: intravenous}}
  - {{on: 2026-06-29, product: Privigen, dose: 28 g, route: intravenous}}
  - {{on: 2026-07-27, product: Privigen, dose: 28 g, route: intravenous}}
order: {{indication: pid, dose: 28 g, every: 4 week}}
"""
GOOD = "{value: 8 g/L, on: 2026-07-20}"


def test_wrong_levels_doses_and_products_are_refused_or_flagged_all_at_once(tmp_path: Path) -> None:
    """Levels that cannot be, in a unit that cannot be, or with a date ahead refuse the record, together; the other record is forecast with its doubts."""
    bad = ["{value: -6.1 g/L, on: 2026-07-01}", "{value: 610 g/L, on: 2026-07-02}", "{value: 6 mmol/L, on: 2026-07-03}", "{value: 8, on: 2026-07-04}",
           "{value: 8 g/L, on: 2027-07-05}", GOOD]
    (tmp_path / "a.yaml").write_text(WRONG.format(name="a", levels=", ".join(bad), product="Privigen", dose="28 g"), encoding="utf-8")
    flagged = ["{value: 8 mg/dL, on: 2026-07-20}", "{value: 0 g/L, on: 2026-07-21}", "{value: 7.9 g/L, on: 2026-07-22}", "{value: 8.1 g/L, on: 2026-07-23}",
               "{value: 6.2 g/L, on: 2026-07-23}", "{value: 8.3 g/L, on: 2026-06-20}"]
    (tmp_path / "b.yaml").write_text(WRONG.format(name="b", levels=", ".join(flagged), product="Privigenx", dose="0 g"), encoding="utf-8")
    done = ivigil("forecast", str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml"), "--as-of", "2026-11-20", code=2)
    for why in ("-6.1 g/L is not a believable", "did you mean 610 mg/dL = 6.1 g/L?", "is a substance concentration", "has no unit", "lies after 2026-11-20"):
        assert why in done.stderr
    text = " ".join(done.stdout.split())
    for why in ("were mg/dL and g/L mixed up?", "0 g/L of 2026-07-21 is not a believable level", "shares its day with another level", "0 g is not above 0",
                "IgG forecast - b"):
        assert why in text
    assert "1 record could not be used; 1 forecast made" in done.stderr


def test_a_losing_state_has_no_numbers_and_its_own_exit_code(tmp_path: Path) -> None:
    """Not forecastable without levels."""
    record = tmp_path / "n.yaml"
    record.write_text("id: n\nage: 30 year\nweight: 70 kg\nconditions: [nephrotic syndrome]\norder: {indication: pid, dose: 30 g, every: 4 week}\n",
                      encoding="utf-8")
    text = ivigil("forecast", str(record), code=4).stdout
    assert "Not forecastable without levels" in text
    assert "WHAT COMES OF IT" not in text


def test_trough_targets_of_a_place_are_named_not_chosen() -> None:
    """Several authorities differ; the prescriber chooses."""
    assert "Trough target, not chosen by ivigil" in ivigil(*PID, "--jurisdiction", "EU").stdout


def test_a_change_is_compared_with_the_regimen_without_it() -> None:
    """What a missed and a late dose cost."""
    text = ivigil(*PID, "--missed", "2", "--late", "3:7", "--loading", "0.8 g/kg").stdout
    assert "WITH AND WITHOUT THE CHANGE" in text
    assert "the first 55.88 g" in text


def test_a_doubtful_ordered_dose_is_not_forecast(tmp_path: Path) -> None:
    """The unit firewall speaks before the forecast; a dose given on the command line does not need the order's."""
    record = tmp_path / "d.yaml"
    record.write_text("id: d\nage: 30 year\nweight: 70 kg\norder: {indication: cidp, dose: 0.4 g/kg, days: 5, every: 4 week}\n", encoding="utf-8")
    assert "order.each" in ivigil("forecast", str(record), code=2).stderr
    assert "CURVE" in ivigil("forecast", str(record), "--dose", "2 g/kg", "--days", "5").stdout


def test_models_are_listed_shown_and_checked() -> None:
    """All of them; the check fails when one drifts."""
    assert "zhang-2020" in ivigil("models", "list").stdout
    assert len(json.loads(ivigil("models", "list", "--format", "json").stdout)) == 15
    assert "pk.zhang-2020.CL" in ivigil("models", "show", "zhang-2020").stdout
    assert ", 0 outside the declared range" in ivigil("models", "check").stdout
    assert "no entry has this id" in ivigil("models", "show", "no-such", code=2).stderr


def test_a_forecast_loads_no_solver_and_no_compiler() -> None:
    """SciPy, numba and the terminal library cost more than the forecast."""
    probe = ("import sys; sys.argv = ['ivigil', *sys.argv[1:]]\nfrom ivigil.cli.app import main\ntry:\n    main()\n"
             "except SystemExit:\n    print(' '.join(sys.modules), file=sys.stderr)")
    done = subprocess.run([sys.executable, "-c", probe, *PID], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert not loaded & {"scipy", "numba", "rich", "numpy.ma", "ivigil.planning.plan"}


LEVELS = ["forecast", str(PATIENTS.parent / "examples" / "pid-with-levels.yaml"), "--as-of", "2026-11-20"]


def test_levels_on_record_are_fitted_and_shown(tmp_path: Path) -> None:
    """Text, JSON and picture say that the curve is this patient's own, from which levels, and what could not be fitted."""
    text = ivigil(*LEVELS).stdout
    assert "MEASURED LEVELS AND THE FIT" in text
    assert "Fitted to 4 measured levels" in text
    assert "could not be fitted" in text
    plain = json.loads(ivigil(*LEVELS, "--format", "json").stdout)
    fits = {fit["model"]: fit for fit in plain["fits"]}
    assert fits["navarro-mora-2022"]["status"] == "fitted"
    assert [one["value"] for one in fits["navarro-mora-2022"]["levels"]] == [6.1, 6.4, 6.0, 6.3]
    assert fits["luo-2020"]["individual"] is None
    assert all(model["individual"] for model in plain["models"])
    picture = tmp_path / "curve.svg"
    ivigil(*LEVELS, "--plot", str(picture))
    drawn = picture.read_text(encoding="utf-8")
    assert "fitted to the levels" in drawn
    assert drawn.count('class="level"') == 4


def test_the_fast_kernels_are_compiled_once() -> None:
    """With the extra installed it says where they are; a second time is a matter of loading."""
    pytest.importorskip("numba")
    assert "on disk" in ivigil("models", "warm-up").stderr


def test_without_the_extra_it_is_said_how_to_get_it() -> None:
    """Exit code 2 and a remedy."""
    probe = ("import sys; sys.modules['numba'] = None; sys.argv = ['ivigil', 'models', 'warm-up']\nfrom ivigil.cli.app import main\nmain()")
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "ivigil[fast]" in done.stderr


def test_the_picture_as_png(tmp_path: Path) -> None:
    """Twice the 960 x 500 of the drawing at 144 dots an inch is 1440 x 750: points of print are 4/3 of its units. The same forecast gives the same bytes."""
    first, again = tmp_path / "curve.png", tmp_path / "again.png"
    ivigil(*PID, "--plot", str(first))
    ivigil(*PID, "--plot", str(again))
    data = first.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert (int.from_bytes(data[16:20]), int.from_bytes(data[20:24])) == (1440, 750)
    assert again.read_bytes() == data


def test_png_without_its_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra ``print`` is named, and the way without it."""
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(BadInput) as caught:
        png_of("<svg/>")
    assert "ivigil[print]" in caught.value.problems[0].remedy
    assert ".svg" in caught.value.problems[0].remedy
