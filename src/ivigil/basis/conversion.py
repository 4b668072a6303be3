"""Plain data, JSON and MessagePack to typed values, and what is known of a type, in several threads at once.

msgspec works out what it knows of a type when the type is first used. Two threads that use a type, or types that share a part, for the first time at
once crash the process (seen with msgspec 0.22.0: a segmentation fault in most of the trials of ``tests/basis/test_conversion.py`` without this
module). To learn each type under a lock was not enough: a worker under load crashed in a conversion while another thread looked into a type. So
msgspec does one thing with types at a time: learning, converting, looking into them. A conversion takes microseconds. All go through here, which a
test of the house holds.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

T = TypeVar("T")

_ONE = threading.RLock()
_LEARNT: set[Any] = set()


def convert(value: Any, kind: type[T], *, strict: bool = True) -> T:
    """A typed value from plain data.

    Raises:
        msgspec.ValidationError: the value is not of the kind.
    """
    with _ONE:
        _learn(kind)
        return msgspec.convert(value, kind, strict=strict)


def from_json(data: bytes | str, kind: type[T]) -> T:
    """A typed value from JSON.

    Raises:
        msgspec.DecodeError: not JSON, or (:class:`msgspec.ValidationError`) the value is not of the kind.
    """
    with _ONE:
        _learn(kind)
        return msgspec.json.decode(data, type=kind)


def msgpack_decoder(kind: type[T]) -> msgspec.msgpack.Decoder[T]:
    """A decoder of MessagePack to keep and use from any thread."""
    with _ONE:
        _learn(kind)
        return msgspec.msgpack.Decoder(kind)


def type_info(kind: Any) -> inspect.Type:
    """What a type is made of, for walking over plain data."""
    with _ONE:
        _learn(kind)
        return inspect.type_info(kind)


def json_schema(kind: Any) -> dict[str, Any]:
    """The JSON Schema of a type."""
    with _ONE:
        _learn(kind)
        return msgspec.json.schema(kind)


def json_schema_components(kinds: Iterable[Any], ref_template: str) -> tuple[tuple[dict[str, Any], ...], dict[str, Any]]:
    """The JSON Schemas of several types, and the parts that they share, referred to as ``ref_template`` says."""
    listed = list(kinds)
    with _ONE:
        for kind in listed:
            _learn(kind)
        return msgspec.json.schema_components(listed, ref_template=ref_template)


def _learn(kind: Any) -> None:
    """Within the lock: its parts are known before it is used."""
    if kind not in _LEARNT:
        msgspec.json.Decoder(kind)
        _LEARNT.add(kind)
