"""A disagreement between two statements on safety and care is named from both sides, so that whoever meets one meets the other."""

from pathlib import Path

from ivigil.evidence.load import load_evidence

STATEMENTS = load_evidence(Path(__file__).resolve().parents[2] / "evidence").statements
ABOUT = ("safety.", "care.", "interaction.", "interference.", "supply.")


def test_disputes_are_named_from_both_sides() -> None:
    """If one statement names the other as saying otherwise, the other names it too."""
    one_way = [f"{name} -> {other}" for name, statement in STATEMENTS.items() if name.startswith(ABOUT)
               for other in statement.disputed_by if name not in STATEMENTS[other].disputed_by]
    assert not one_way


def test_the_listed_disagreements_are_disputes() -> None:
    """The disagreements that the authorities are known to have: IgA antibodies, sucrose, antibody titre, slow rate, the gaps round a live vaccine, anti-HBc."""
    for one, other in (
        ("safety.iga.us-contraindication", "safety.iga.eu-contraindication"),
        ("safety.iga.older-us-label", "safety.iga.not-absolute"),
        ("safety.renal.sucrose", "safety.renal.sucrose-no-link"),
        ("safety.haemolysis.isoagglutinin", "safety.haemolysis.titre"),
        ("safety.meningitis.slow", "safety.meningitis.recurrence"),
        ("care.v04-us", "care.v04-au"),
        ("care.us.igiv-kawasaki", "care.eu.leaflet"),
        ("care.us.igiv-kawasaki", "care.jp.high-dose"),
        ("interference.anti-hbc", "interference.anti-hbc-cancer"),
    ):
        assert other in STATEMENTS[one].disputed_by
