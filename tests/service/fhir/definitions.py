"""Two independent checks of FHIR R4 resources against HL7's own definitions.

The first walks a resource beside the snapshot of its StructureDefinition: known names, cardinality, arrays, types, patterns of primitives, required
bindings. The second evaluates every invariant of severity error with fhirpathpy, which shares no code with ours or with the first.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from fhirpathpy import compile as compiled
from fhirpathpy.models import models

Json = dict[str, Any]

_PATTERNS = {
    "date": r"\d{4}(-\d{2}(-\d{2})?)?", "dateTime": r"\d{4}(-\d{2}(-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2}))?)?)?",
    "instant": r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})", "id": r"[A-Za-z0-9\-.]{1,64}", "code": r"[^\s]+( [^\s]+)*",
    "uri": r"\S*", "url": r"\S*", "canonical": r"\S*", "time": r"\d{2}:\d{2}:\d{2}", "string": r"(?s)[\r\n\t\S ]+", "markdown": r"(?s)[\r\n\t\S ]+",
}
_KINDS: dict[str, tuple[type, ...]] = {"boolean": (bool,), "decimal": (int, float), "integer": (int,), "positiveInt": (int,), "unsignedInt": (int,)}
_SYSTEM = "http://hl7.org/fhirpath/System."


class Definitions:
    """The definitions of one folder."""

    def __init__(self, folder: Path) -> None:
        self.types: dict[str, list[Json]] = {}
        for one in _lines(folder / "structuredefinitions.ndjson.gz"):
            if one.get("derivation") != "constraint":
                self.types[one["name"]] = one["snapshot"]["element"]
        self.sets: dict[str, Json] = {}
        self.systems: dict[str, set[str]] = {}
        for one in _lines(folder / "valuesets-codesystems.ndjson.gz"):
            if one["resourceType"] == "ValueSet":
                self.sets[one["url"]] = one
            elif one.get("content") == "complete":
                self.systems[one["url"]] = set(_concepts(one.get("concept", [])))

    def codes(self, url: str) -> set[str] | None:
        """Every code of a value set; None where it is not among the definitions or names whole systems that are not."""
        found: set[str] = set()
        chosen = self.sets.get(url.partition("|")[0])
        for include in chosen.get("compose", {}).get("include", []) if chosen is not None else [{}]:
            if include.get("concept"):
                found |= {one["code"] for one in include["concept"]}
            elif include.get("system") in self.systems and not include.get("filter"):
                found |= self.systems[include["system"]]
            else:
                return None
        return found

    # --- first check --------------------------------------------------------------------------------------------------

    def faults(self, resource: Json) -> list[str]:
        """Everything in a resource that its definition does not allow."""
        kind = resource.get("resourceType", "")
        if kind not in self.types:
            return [f"{kind or 'no resourceType'}: not among the definitions"]
        return list(self._object(resource, kind, kind, kind))

    def _object(self, node: Any, kind: str, base: str, where: str) -> Iterator[str]:
        if not isinstance(node, dict) or not node:
            yield f"{where}: not an object, or an empty one"
            return
        known = {"resourceType"} if "resourceType" in node else set()
        for element in self.types[kind]:
            path = element["path"]
            if not path.startswith(base + ".") or "." in path[len(base) + 1:]:
                continue
            name = path[len(base) + 1:]
            options = [(name, one.get("code", "")) for one in element.get("type", [{}])]
            if name.endswith("[x]"):
                options = [(name[:-3] + code[0].upper() + code[1:], code) for _, code in options]
            present = [(key, code) for key, code in dict(options).items() if key in node]
            known |= {key for key, _ in present}
            values = [value for key, _ in present for value in (node[key] if isinstance(node[key], list) else [node[key]])]
            if len(present) > 1 or len(values) < element["min"] or (element["max"] != "*" and len(values) > int(element["max"])):
                yield f"{where}.{name}: {len(values)} values, {element['min']}..{element['max']} allowed"
            for key, code in present:
                if isinstance(node[key], list) is not (element.get("base", element)["max"] not in {"0", "1"}):
                    yield f"{where}.{key}: a list where none belongs, or the other way round"
                for place, value in enumerate(node[key] if isinstance(node[key], list) else [node[key]]):
                    yield from self._value(value, element, code, kind, path, f"{where}.{key}[{place}]")
        yield from (f"{where}.{key}: unknown" for key in set(node) - known)

    def _value(self, value: Any, element: Json, code: str, kind: str, path: str, where: str) -> Iterator[str]:
        if "contentReference" in element:
            yield from self._object(value, kind, element["contentReference"].lstrip("#"), where)
        elif code in {"BackboneElement", "Element"}:
            yield from self._object(value, kind, path, where)
        elif code == "Resource":
            yield from self.faults(value)
        elif code.startswith(_SYSTEM) or code in _PATTERNS or code in _KINDS or code in {"base64Binary", "oid", "uuid", "xhtml"}:
            yield from _primitive(value, "string" if code.startswith(_SYSTEM) else code, where)
        else:
            yield from self._object(value, code, code, where)
        binding = element.get("binding", {})
        if binding.get("strength") == "required":
            yield from self._bound(value, binding["valueSet"], where)

    def _bound(self, value: Any, url: str, where: str) -> Iterator[str]:
        allowed = self.codes(url)
        given = [value] if isinstance(value, str) else [one.get("code") for one in value.get("coding", [value])] if isinstance(value, dict) else []
        if allowed is not None and given and not any(one in allowed for one in given):
            yield f"{where}: {given} is not of {url}"

    # --- second check -------------------------------------------------------------------------------------------------

    def broken(self, resource: Json) -> list[str]:
        """The invariants of a resource that do not hold, by fhirpathpy."""
        return list(self._invariants(resource, resource["resourceType"], resource["resourceType"], resource))

    def _invariants(self, node: Json, kind: str, base: str, resource: Json) -> Iterator[str]:
        for element in self.types[kind]:
            path = element["path"]
            if path == base:
                for rule in element.get("constraint", []):
                    if rule["severity"] == "error" and rule["key"] not in {"ele-1", "ext-1"} and not _holds(rule["expression"], node, resource):
                        yield f"{base}: {rule['key']}: {rule['human']}"
            elif path.startswith(base + ".") and "." not in path[len(base) + 1:] and "contentReference" not in element:
                name = path[len(base) + 1:]
                for one in element.get("type", []):
                    code = one["code"]
                    key = name[:-3] + code[0].upper() + code[1:] if name.endswith("[x]") else name
                    value = node.get(key)
                    for child in value if isinstance(value, list) else [value]:
                        if isinstance(child, dict) and code == "Resource":
                            yield from self.broken(child)
                        elif isinstance(child, dict):
                            within = code in {"BackboneElement", "Element"}
                            yield from self._invariants(child, kind if within else code, path if within else code, resource)


def _has_value(nodes: list[Any]) -> bool:
    """FHIR's own addition to FHIRPath, which the library lacks: one primitive with a value."""
    return len(nodes) == 1 and nodes[0] is not None and not isinstance(nodes[0], dict)


@cache
def _expression(text: str) -> Any:
    return compiled(text, models["r4"], {"userInvocationTable": {"hasValue": {"fn": _has_value}}})


def _holds(text: str, node: Json, resource: Json) -> bool:
    result = _expression(text)(node, {"resource": resource, "rootResource": resource, "context": node})
    return result in ([True], [])


def _primitive(value: Any, code: str, where: str) -> Iterator[str]:
    lowest = {"positiveInt": 1, "unsignedInt": 0}.get(code)
    kinds = _KINDS.get(code, (str,))
    if not isinstance(value, kinds) or (kinds != (bool,) and isinstance(value, bool)):
        yield f"{where}: {value!r} is no {code}"
    elif code in _PATTERNS and not re.fullmatch(_PATTERNS[code], str(value)):
        yield f"{where}: {value!r} does not look like a {code}"
    elif lowest is not None and isinstance(value, int) and value < lowest:
        yield f"{where}: {value!r} is no {code}"


def _lines(path: Path) -> Iterator[Json]:
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        yield from map(json.loads, stream)


def _concepts(concepts: list[Json]) -> Iterator[str]:
    for one in concepts:
        yield one["code"]
        yield from _concepts(one.get("concept", []))
