"""The examples beside the evidence, as they are written: a name, what is given, and what must come of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from ivigil.basis.problems import BadInput
from ivigil.basis.strict_yaml import read_yaml
from ivigil.evidence.files import EvidenceFile, entries_of

_SHOWN_APART = {"name", "expect", "rule", "policy", "check"}


class Example(msgspec.Struct, frozen=True):
    """One example: what is given as pairs of key and value, and the outcome in words."""

    name: str
    given: tuple[tuple[str, str], ...]
    outcome: str


Examples = dict[tuple[str, str], tuple[Example, ...]]
"""Examples by the folder below ``cases/`` and the id of the entry that they belong to: of a dose, its regimen."""


def examples_of(files: Iterable[EvidenceFile]) -> Examples:
    """Every example of the files; a file that cannot be read gives none, since ``ivigil evidence check`` names its problems."""
    found: dict[tuple[str, str], list[Example]] = {}
    for file in files:
        place, _, name = file.name.rpartition("/")
        if not place.startswith("cases/"):
            continue
        folder, stem = place.removeprefix("cases/"), name.removesuffix(".yaml")
        try:
            document, _ = read_yaml(file.text, file.name)
        except BadInput:
            continue
        for _, plain in entries_of(document):
            if isinstance(plain, dict):
                for owner in _owners(plain, folder, stem):
                    found.setdefault((folder, owner), []).append(_example(plain))
    return {key: tuple(examples) for key, examples in found.items()}


def _owners(plain: dict[str, Any], folder: str, stem: str) -> list[str]:
    """An example of a product names an indication too, and one of a vaccine interval a blood product; neither is its owner."""
    if folder == "products" and isinstance(plain.get("products"), list):
        return [str(name) for name in plain["products"]]
    keys = {"products": ("product",), "indications": ("regimen", "indication"), "weight-policies": ("policy",)}.get(folder, ("rule",))
    return [next((str(plain[key]) for key in keys if plain.get(key)), stem)]


def _example(plain: dict[str, Any]) -> Example:
    given = {**{key: value for key, value in plain.items() if key not in _SHOWN_APART and key != "facts"}, **_mapping(plain.get("facts"))}
    return Example(str(plain.get("name", "")), tuple((key, _said(value)) for key, value in given.items()), _said(plain.get("expect", "")))


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return "; ".join(f"{str(key).replace('_', ' ')} {_said(one)}" for key, one in value.items())
    if isinstance(value, list):
        return ", ".join(_said(one) for one in value)
    return str(value)
