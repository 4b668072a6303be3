"""What a record system reports about a card: accepted with its suggestions, or overridden with a reason."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Literal

import msgspec

from ivigil.basis.conversion import from_json
from ivigil.basis.problems import BadInput, Problem

_BODY = "body"
_LONGEST_COMMENT = 2000
_MOST = 500


class ReasonCoding(msgspec.Struct, frozen=True, omit_defaults=True):
    """The coded reason that the user chose."""

    code: str
    system: str = ""
    display: str = ""


class OverrideReason(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """Why a card was overridden: a reason, a comment, or both."""

    reason: ReasonCoding | None = None
    user_comment: str = ""


class Accepted(msgspec.Struct, frozen=True):
    """A suggestion that was taken over."""

    id: str


class Feedback(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What became of one card."""

    card: str
    outcome: Literal["accepted", "overridden"]
    outcome_timestamp: str
    accepted_suggestions: tuple[Accepted, ...] = ()
    override_reason: OverrideReason | None = None


class _Report(msgspec.Struct, frozen=True):
    feedback: tuple[Feedback, ...]


def feedback_of(body: bytes) -> tuple[Feedback, ...]:
    """The reports of a feedback call.

    Raises:
        BadInput: not a feedback object, or one that breaks a rule of the standard; every problem is listed.
    """
    try:
        report = from_json(body, _Report)
    except msgspec.ValidationError as error:
        why, _, where = str(error).partition(" - at `$")
        raise BadInput([Problem(_BODY, 0, where.strip("`."), why, "send the feedback object of CDS Hooks 2.0")]) from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise BadInput([Problem(_BODY, 0, "", "not valid JSON", "send one JSON object in UTF-8")]) from None
    problems = [problem for place, one in enumerate(report.feedback) for problem in _problems(one, f"feedback[{place}]")]
    if len(report.feedback) > _MOST:
        problems.append(Problem(_BODY, 0, "feedback", f"{len(report.feedback)} reports at once", f"send at most {_MOST}"))
    if problems:
        raise BadInput(problems)
    return report.feedback


def _problems(one: Feedback, place: str) -> list[Problem]:
    found = []
    for what, value in ((f"{place}.card", one.card), *((f"{place}.acceptedSuggestions", accepted.id) for accepted in one.accepted_suggestions)):
        try:
            uuid.UUID(value)
        except ValueError:
            found.append(Problem(_BODY, 0, what, "not a UUID", "send the uuid of the card and of its suggestion"))
    if one.outcome == "accepted" and not one.accepted_suggestions:
        found.append(Problem(_BODY, 0, f"{place}.acceptedSuggestions", "missing for an accepted card", "name the suggestions that were accepted"))
    reason = one.override_reason
    if reason is not None and reason.reason is None and not reason.user_comment.strip():
        found.append(Problem(_BODY, 0, f"{place}.overrideReason", "neither a reason nor a comment", "send one of them, or leave the key out"))
    if reason is not None and len(reason.user_comment) > _LONGEST_COMMENT:
        found.append(Problem(_BODY, 0, f"{place}.overrideReason.userComment", "too long", f"at most {_LONGEST_COMMENT} characters are kept"))
    try:
        datetime.fromisoformat(one.outcome_timestamp.replace("Z", "+00:00"))
    except ValueError:
        found.append(Problem(_BODY, 0, f"{place}.outcomeTimestamp", "not a date and time", "write for example 2026-11-20T21:25:12.777Z"))
    return found
