"""One way to read an answer in tests."""

from __future__ import annotations

from ivigil.answers.answer import Answer


def text_of(made: Answer) -> str:
    """All sentences of an answer."""
    return "\n".join(sentence.text for sentence in made.sentences)
