"""The example of a hospital: its overlay loads, its plans come out, and exactly the lines it touches are marked as local."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import msgspec
import pytest

from ivigil.basis.strict_yaml import read_yaml
from ivigil.cli.inputs import Choices, context_of, for_record, read_profile, records_of
from ivigil.evidence.check import check
from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence
from ivigil.planning.line import Plan
from ivigil.planning.plan import plan
from ivigil.rendering.html import plans_html
from ivigil.rendering.json import plan_json, read_plan
from ivigil.rendering.markdown import plan_markdown
from ivigil.rendering.terminal import terminal_text
from ivigil.rendering.why import why_text

ROOT = Path(__file__).resolve().parents[2]
HOSPITAL = ROOT / "examples" / "our-hospital"
AS_OF = "2026-11-20"
MARKED = {
    # adult with secondary antibody deficiency: first infusion, 16 % above ideal weight
    "sid-cll-uk": {"dose.weight", "dose.weights", "dose.per_interval", "safety.naive-patient", "infusion.start", "infusion.cap", "infusion.policy",
                   "infusion.day-1", "infusion.place", "premedication.none-by-default", "monitoring.observe", "advice.day"},
    # 2 g/kg: the packaged premedication is offered
    "gbs-autonomic-uk": {"dose.weight", "dose.weights", "dose.course_total", "safety.naive-patient", "infusion.start", "infusion.cap", "infusion.policy",
                         "infusion.day-1", "infusion.place", "monitoring.observe", "advice.day"},
    # a child: the weight policy is not meant for children and says so, paracetamol 1 g neither
    "itp-child-uk": {"dose.weight", "dose.weights", "safety.naive-patient", "infusion.start", "infusion.cap", "infusion.policy", "infusion.day-1",
                     "infusion.place", "premedication.none-by-default", "monitoring.observe", "advice.day"},
}
"""The local lines of each plan, written by hand from what the overlay holds."""


def evidence() -> Evidence:
    return load_evidence(None, HOSPITAL / "evidence")


def planned(name: str, overlay: bool = True) -> Plan:
    known = evidence() if overlay else load_evidence()
    choices = Choices(as_of=AS_OF, site=str(HOSPITAL / "site.yaml")) if overlay else Choices(as_of=AS_OF, jurisdiction="UK-ENG")
    record, = records_of(str(ROOT / "patients" / f"{name}.yaml"), known)
    return plan(record, known, for_record(context_of(choices, known, date.fromisoformat(AS_OF)), choices, record))


def local(made: Plan) -> dict[str, tuple[str, ...]]:
    return {line.id: line.because.local for line in made.lines if line.because.local}


def test_the_overlay_is_sound() -> None:
    """`ivigil evidence check --overlay` has nothing to say: every number stands in a statement, every sentence for patients is easy."""
    assert check(None, HOSPITAL / "evidence") == []


@pytest.mark.parametrize("name", MARKED)
def test_exactly_the_touched_lines_are_local(name: str) -> None:
    """No touched line without the mark, no mark on a line that the overlay leaves as it is."""
    assert set(local(planned(name))) == MARKED[name]


@pytest.mark.parametrize("name", MARKED)
def test_without_the_overlay_nothing_is_local(name: str) -> None:
    """The mark, its legend and the overlay's name appear only with an overlay."""
    made = planned(name, overlay=False)
    assert local(made) == {}
    assert '"local"' not in plan_json(made)
    assert "local =" not in terminal_text(made)


def test_lines_beside_the_marked_ones_are_unchanged() -> None:
    """Sections that the overlay does not touch say what they said before."""
    before, after = planned("gbs-autonomic-uk", overlay=False), planned("gbs-autonomic-uk")
    for section in ("indication", "vaccination", "hydration"):
        assert [line.text for line in after.lines if line.section == section] == [line.text for line in before.lines if line.section == section]


def test_the_reason_names_the_entry_and_what_was_done() -> None:
    """Replaced with the reason of the file, or added; through the statement also its source."""
    because = local(planned("sid-cll-uk"))
    assert because["premedication.none-by-default"] == (
        "premedication.none-by-default replaced: Our drug committee offers paracetamol before every first infusion.",
        "our-hospital.premedication added", "our-hospital-policy added")
    assert because["dose.per_interval"] == ("our-hospital-weight added",)
    assert because["infusion.cap"] == ("our-hospital-ramp added",)


def test_every_rendering_shows_the_mark() -> None:
    """Terminal, Markdown, HTML and JSON mark the line, the legend explains the mark, why gives the reason, the footer the overlay."""
    made = planned("sid-cll-uk")
    terminal = " ".join(terminal_text(made).split())
    assert "90 min after the end. (local) [" in terminal
    assert "local = rests on an entry of the hospital's overlay" in terminal
    assert "with overlay our-hospital" in terminal
    assert "*(local)*" in plan_markdown(made)
    assert '<span class="badge">local</span>' in plans_html([made])
    assert msgspec.json.decode(plan_json(made))["lines"][0]["because"].get("local") is None
    assert read_plan(plan_json(made), "plan.json") == made
    assert "- naive-patient replaced: After two late reactions" in why_text(made, "safety.naive-patient", evidence())


def test_the_policy_changes_what_it_says_it_changes() -> None:
    """Ideal weight at 176 cm is 52 kg + 0.75 kg x (176 - 152) = 70 kg; 0.4 of the excess of 81.4 kg over it is added: 74.56 kg, not 81 kg."""
    weight = planned("sid-cll-uk").line("dose.weight")
    assert weight is not None
    assert weight.value is not None
    assert weight.value.value == pytest.approx(74.56)
    before = planned("sid-cll-uk", overlay=False).line("dose.weight")
    assert before is not None
    assert before.value is not None
    assert before.value.value == 81


def test_the_ramp_stays_within_the_limits_in_force() -> None:
    """No step of the hospital's ladder is above the lowest limit of the plan."""
    made = planned("sid-cll-uk")
    cap, day = made.line("infusion.cap"), made.line("infusion.day-1")
    assert cap is not None
    assert cap.value is not None
    assert day is not None
    assert day.table is not None
    flows = [row[5] for row in day.table.rows if isinstance(row[5], float)]
    assert len(flows) == 4
    assert flows == sorted(flows)
    assert max(flows) <= cap.value.value


def test_the_two_price_lists_are_one() -> None:
    """The list that plans count with and the entries with their source hold the same invented prices."""
    profile = read_profile(str(HOSPITAL / "site.yaml"))
    assert isinstance(profile.prices, str)
    rows, _ = read_yaml((HOSPITAL / profile.prices).read_text(encoding="utf-8"), profile.prices)
    own = [price for price in evidence().prices.values() if price.id.startswith("our-hospital")]
    assert {(row["product"], row["currency"], row["per_gram"]) for row in rows} == {(price.product, price.currency, price.per_gram) for price in own}
    assert {row["product"] for row in rows} == set(profile.formulary)


def test_every_number_of_the_overlay_is_the_hospitals_own() -> None:
    """Each added statement has the hospital's source, of kind site-policy, and says that it was decided; each says it is invented."""
    known = evidence()
    own = [known.statements[key.partition(" ")[2]] for key in known.local if key.startswith("statements ")]
    assert own
    assert {statement.source for statement in own} == {"our-hospital-policy"}
    assert {statement.read for statement in own} == {"decided"}
    source = known.sources["our-hospital-policy"]
    assert source.kind == "site-policy"
    assert "Invented for this example" in source.note
