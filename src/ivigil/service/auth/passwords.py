"""Passwords: kept as argon2id hashes, checked without telling by time whether a name is known."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from ivigil.basis.problems import BadInput, Problem

_LONGEST = 1000


@lru_cache(maxsize=1)
def _hasher() -> argon2.PasswordHasher:
    return argon2.PasswordHasher()


@lru_cache(maxsize=1)
def _nobodys() -> str:
    return _hasher().hash("the password of nobody")


def _same(password: str) -> str:
    """One spelling of letters that keyboards write in several ways."""
    return unicodedata.normalize("NFKC", password)


def kept(password: str, name: str, shortest: int) -> str:
    """What is kept of a new password.

    Raises:
        BadInput: it is too short, too long, or holds the name.
    """
    problems = []
    if len(_same(password)) < shortest:
        problems.append(Problem("password", 0, "", f"shorter than {shortest} characters", "take several words that do not belong together"))
    if len(password) > _LONGEST:
        problems.append(Problem("password", 0, "", f"longer than {_LONGEST} characters", "take a shorter one"))
    if name.casefold() in password.casefold():
        problems.append(Problem("password", 0, "", "holds the name of the user", "take another one"))
    if problems:
        raise BadInput(problems)
    return _hasher().hash(_same(password))


def right(password: str, hashed: str | None) -> bool:
    """Whether a password is the one whose hash is kept. Without a hash it takes as long and is wrong."""
    try:
        _hasher().verify(hashed or _nobodys(), _same(password[:_LONGEST]))
    except (VerificationError, InvalidHashError):
        return False
    return hashed is not None
