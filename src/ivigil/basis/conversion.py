"""Plain data, JSON and MessagePack to typed values, in several threads at once.

msgspec works out what it knows of a type when the type is first used. Two threads that use a type, or types that share a part, for the first time at
once crash the process (seen with msgspec 0.22.0: a segmentation fault in most of the trials of ``tests/basis/test_conversion.py`` without this
module). So each type is learnt under one lock before it is used; all conversions to types go through here, which a test of the house holds.
"""

from __future__ import annotations

import threading
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_LEARNING = threading.Lock()
_LEARNT: set[Any] = set()


def convert(value: Any, kind: type[T], *, strict: bool = True) -> T:
    """A typed value from plain data.

    Raises:
        msgspec.ValidationError: the value is not of the kind.
    """
    _learn(kind)
    return msgspec.convert(value, kind, strict=strict)


def from_json(data: bytes | str, kind: type[T]) -> T:
    """A typed value from JSON.

    Raises:
        msgspec.DecodeError: not JSON, or (:class:`msgspec.ValidationError`) the value is not of the kind.
    """
    _learn(kind)
    return msgspec.json.decode(data, type=kind)


def msgpack_decoder(kind: type[T]) -> msgspec.msgpack.Decoder[T]:
    """A decoder of MessagePack to keep and use from any thread."""
    _learn(kind)
    return msgspec.msgpack.Decoder(kind)


def _learn(kind: Any) -> None:
    if kind not in _LEARNT:
        with _LEARNING:
            if kind not in _LEARNT:
                msgspec.json.Decoder(kind)
                _LEARNT.add(kind)
