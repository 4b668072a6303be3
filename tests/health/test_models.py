"""Every pharmacokinetic model has a validation vignette of the same name, in a file of the same name."""

from __future__ import annotations

from pathlib import Path

from ivigil.evidence.load import load_evidence

FOLDER = Path(__file__).resolve().parents[2] / "evidence" / "pharmacokinetics"
NO_MODELS = {"checks", "choice", "lean-mass", "settings", "states"}


def test_every_model_has_its_file_and_its_vignette_of_the_same_name() -> None:
    """Thirteen published cards, the generic antibody, and the saturable model: file, id and vignette are called alike."""
    files = {path.stem for path in FOLDER.glob("*.yaml")} - NO_MODELS
    assert files == set(load_evidence().models)
    assert files == {path.stem for path in (FOLDER / "vignettes").glob("*.yaml")} == set(load_evidence().vignettes)


def test_every_vignette_states_sources_and_deviations() -> None:
    """What a number comes from is cited beside it; where nothing departs for good, the vignette shows it by having none."""
    evidence = load_evidence()
    for name, vignette in evidence.vignettes.items():
        assert vignette.cites, name
        assert all(len(check.cites) > 1 for check in vignette.checks), name
        assert all(deviation.cites for deviation in vignette.deviations), name
