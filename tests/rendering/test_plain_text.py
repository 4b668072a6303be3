"""Text shown to people cannot steer the terminal."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from ivigil.rendering.plain_text import clean


def test_escape_sequences_lose_their_escape() -> None:
    """A record must not be able to colour, move or clear the screen."""
    assert clean("weight\x1b[2J\x1b[31m70 kg\x07") == "weight[2J[31m70 kg"


def test_direction_and_invisible_characters_go() -> None:
    """Right-to-left override and zero-width characters can make a dose read as another."""
    assert clean("70\u202e gk\u200b") == "70 gk"


def test_line_breaks_become_spaces() -> None:
    """A text cannot forge a line of the plan."""
    assert clean("a\n!! 1 give 140 g\r\nb") == "a !! 1 give 140 g b"


def test_clinical_characters_stay() -> None:
    """Accents, micro signs and comparison signs are content."""
    assert clean("Sjögren, µg/mL ≥ 3 °C") == "Sjögren, µg/mL ≥ 3 °C"


def test_very_long_text_is_cut_visibly() -> None:
    """A megabyte in one field must not bury the plan."""
    assert clean("x" * 10_000).endswith("...")
    assert len(clean("x" * 10_000)) < 5_000


@given(st.text())
def test_no_control_character_survives(text: str) -> None:
    """Whatever goes in, only printable characters and plain spaces come out."""
    shown = clean(text)
    assert all(unicodedata.category(character) not in {"Cc", "Cf", "Cs"} for character in shown)
    assert clean(shown) == shown
