"""Reads patient records: the friendly YAML or JSON form, FHIR R4 bundles, lists and NDJSON, gzip of each, and standard input.

Every problem is reported at once with its line. Nothing is guessed: a number without a unit is refused with a suggestion.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
import zlib
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from ivigil.basis.facts import Codes, FactDefinition
from ivigil.basis.problems import BadInput, Problem
from ivigil.basis.strict_yaml import Lines, read_yaml
from ivigil.patient.bulk_manifest import Manifest, found_beside, manifest_of, too_few
from ivigil.patient.fhir import FhirReader, decode
from ivigil.patient.form import form_of, read_form
from ivigil.patient.record import Record
from ivigil.patient.written import PatientFile, patient_schema

__all__ = ["PatientFile", "patient_schema", "read_form", "read_record", "read_records", "text_of"]

LARGEST = 100 * 1024 * 1024
"""The most bytes one document may have, unpacked."""
DEEPEST = 40
"""The deepest nesting read."""

_HEAD = 4096
"""Where the time of a manifest stands, since it comes before the list of files."""
_ENDINGS = (".yaml", ".yml", ".json", ".ndjson", ".jsonl")


def read_record(source: Path | str | bytes, facts: Mapping[str, FactDefinition], products: Mapping[str, Codes] | None = None, place: str = "") -> list[Record]:
    """All records of a file, folder, standard input (``-``) or of bytes already in hand.

    Raises:
        BadInput: the source cannot be read or holds no usable record; every problem is listed.
    """
    if isinstance(source, bytes):
        return list(_from_bytes(source, place or "input", facts, products))
    found = list(read_records(Path(source), facts, products))
    if not found:
        raise BadInput([Problem(str(source), 0, "", "no patient in it", "give a patient record, a Bundle with a Patient, or a folder of NDJSON files")])
    return found


def read_records(path: Path, facts: Mapping[str, FactDefinition], products: Mapping[str, Codes] | None = None) -> Iterator[Record]:
    """The records of a path, one after the other. A folder of NDJSON is read whole first, since one patient's resources lie in many files.

    Raises:
        BadInput: see :func:`read_record`.
    """
    if str(path) == "-":
        yield from _from_bytes(_bounded(sys.stdin.buffer.read(LARGEST + 1), "-"), "-", facts, products)
        return
    try:
        if path.is_dir():
            yield from _folder(path, facts, products)
            return
        if not path.is_file():
            raise BadInput([Problem(str(path), 0, "", "no such file", "check the name; '-' reads standard input")])
        if _is_ndjson(path):
            reader = FhirReader(facts, products, path.name)
            problems = _lines_into(reader, path)
            if problems:
                raise BadInput(problems)
            yield from reader.records()
            return
        data = _whole(path)
        manifest = _manifest(data) if _stem(path).endswith(".json") else None
        if manifest is not None:
            yield from _export(manifest, path, facts, products)
            return
        yield from _from_bytes(data, path.name, facts, products)
    except OSError as error:
        raise BadInput([Problem(str(path), 0, "", f"cannot be read: {error.strerror or error}", "check the file and its permissions")]) from None


def text_of(data: bytes, place: str) -> str:
    """The text of a document: unpacked when it is gzipped, without byte order mark.

    Raises:
        BadInput: too large, damaged, or not UTF-8.
    """
    return _decoded(_unpacked(data, place), place)


def _manifest(data: bytes) -> Manifest | None:
    """The manifest of a bulk export in these bytes, if they are one."""
    if b'"transactionTime"' not in data[:_HEAD]:
        return None
    try:
        return manifest_of(decode(data))
    except ValueError:
        return None


def _export(manifest: Manifest, path: Path, facts: Mapping[str, FactDefinition], products: Mapping[str, Codes] | None) -> Iterator[Record]:
    """The records of an export whose files lie beside its manifest."""
    present, problems = found_beside(manifest, path)
    reader = FhirReader(facts, products, path.name)
    for listed, file in present if not problems else ():
        before = reader.seen
        problems += _lines_into(reader, file)
        short = too_few(listed, reader.seen - before, file)
        problems += [short] if short is not None else []
    if problems:
        raise BadInput(problems)
    yield from _met(reader, path.name)


def _from_bytes(data: bytes, place: str, facts: Mapping[str, FactDefinition], products: Mapping[str, Codes] | None) -> Iterator[Record]:
    text = text_of(data, place)
    stripped = text.lstrip()
    if not stripped:
        raise BadInput([Problem(place, 0, "", "the file is empty", "give a patient record or a FHIR Bundle")])
    if not stripped.startswith(("{", "[")):
        yield read_form(text, place, facts)
        return
    yield from _json(text, place, facts, products)


def _json(text: str, place: str, facts: Mapping[str, FactDefinition], products: Mapping[str, Codes] | None) -> Iterator[Record]:
    try:
        value = json.loads(text, object_pairs_hook=_once)
    except RecursionError:
        raise BadInput([Problem(place, 0, "", "nested too deeply", f"at most {DEEPEST} levels are read")]) from None
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and "\n" in text.strip():
            yield from _ndjson_text(text, place, facts, products)
            return
        if text.lstrip().startswith("{") and re.search(r"^\{\s*[a-z_]+\s*:", text.lstrip()):
            yield read_form(text, place, facts)
            return
        why = f"not valid JSON: {error.msg} (column {error.colno})"
        raise BadInput([Problem(place, error.lineno, "", why, "check commas, quotes and brackets there")]) from None
    except _Twice as error:
        raise BadInput([Problem(place, 0, str(error), "the key stands twice in one object", "keep one of them")]) from None
    if _deep(value):
        raise BadInput([Problem(place, 0, "", "nested too deeply", f"at most {DEEPEST} levels are read")])
    resources = value if isinstance(value, list) else [value]
    if resources and all(isinstance(item, dict) and "resourceType" in item for item in resources):
        reader = FhirReader(facts, products, place)
        for resource in resources:
            reader.add(resource)
        yield from _met(reader, place)
        return
    for item in resources:
        lines: Lines = {}
        if len(resources) == 1 and len(text) < 200_000:
            try:
                _, lines = read_yaml(text, place)
            except BadInput:
                lines = {}
        yield form_of(item, lines, place, facts)


def _ndjson_text(text: str, place: str, facts: Mapping[str, FactDefinition], products: Mapping[str, Codes] | None) -> Iterator[Record]:
    reader = FhirReader(facts, products, place)
    problems: list[Problem] = []
    for number, line in enumerate(text.splitlines(), 1):
        _line_into(reader, line.encode(), place, number, problems)
    if problems:
        raise BadInput(problems)
    yield from _met(reader, place)


def _met(reader: FhirReader, place: str) -> Iterator[Record]:
    """The records of a reader; a source with resources but no patient to hang them on is refused."""
    records = reader.records()
    if not records:
        raise BadInput([Problem(place, 0, "", "the FHIR data hold no Patient", "add the Patient resource to the Bundle")])
    yield from records


def _folder(path: Path, facts: Mapping[str, FactDefinition], products: Mapping[str, Codes] | None) -> Iterator[Record]:
    files = sorted(item for item in path.iterdir() if item.is_file() and _stem(item).endswith(_ENDINGS))
    lined = [item for item in files if _is_ndjson(item)]
    if lined:  # the manifest of an export may lie among its files
        files = [item for item in files if item in lined or item.suffix != ".json" or _manifest(_whole(item)) is None]
    problems: list[Problem] = []
    records: list[Record] = []
    if lined:
        reader = FhirReader(facts, products, path.name)
        for item in lined:
            problems += _lines_into(reader, item)
        records += reader.records()
    for item in files:
        if item in lined:
            continue
        try:
            records += _from_bytes(_whole(item), item.name, facts, products)
        except BadInput as error:
            problems += error.problems
    if not files:
        problems.append(Problem(str(path), 0, "", "no record in this folder", f"files must end in {', '.join(_ENDINGS)} or the same with .gz"))
    if problems:
        raise BadInput(problems)
    yield from records


def _lines_into(reader: FhirReader, path: Path) -> list[Problem]:
    problems: list[Problem] = []
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as stream:
            number = 0
            while line := stream.readline(LARGEST + 1):
                number += 1
                if len(line) > LARGEST:
                    problems.append(Problem(path.name, number, "", "a line is larger than 100 MB", "split the export"))
                    break
                _line_into(reader, line, path.name, number, problems)
                if len(problems) >= _MOST_PROBLEMS:
                    break
    except (gzip.BadGzipFile, EOFError, zlib.error):
        problems.append(Problem(path.name, 0, "", "the gzip file is damaged", "copy it again"))
    return problems


_MOST_PROBLEMS = 200


def _line_into(reader: FhirReader, line: bytes, place: str, number: int, problems: list[Problem]) -> None:
    line = line.removeprefix(b"\xef\xbb\xbf").strip()
    if not line:
        return
    try:
        resource = decode(line)
    except ValueError as error:
        problems.append(Problem(place, number, "", f"not valid JSON: {error}", "one resource a line, in UTF-8"))
        return
    if line.count(b"{") + line.count(b"[") > DEEPEST and _deep(resource):
        problems.append(Problem(place, number, "", "nested too deeply", f"at most {DEEPEST} levels are read"))
    elif isinstance(resource, dict) and isinstance(resource.get("resourceType"), str):
        reader.add(resource)
    elif not (isinstance(resource, dict) and "exportId" in resource):
        # The log of a bulk export lies among its files; anything else without a resource type is a mistake.
        problems.append(Problem(place, number, "", "not a FHIR resource", "each line needs 'resourceType'"))


def _stem(path: Path) -> str:
    return path.name.removesuffix(".gz").casefold()


def _is_ndjson(path: Path) -> bool:
    return _stem(path).endswith((".ndjson", ".jsonl"))


def _whole(path: Path) -> bytes:
    if path.stat().st_size > LARGEST:
        raise BadInput([_too_large(str(path))])
    return path.read_bytes()


def _bounded(data: bytes, place: str) -> bytes:
    if len(data) > LARGEST:
        raise BadInput([_too_large(place)])
    return data


def _too_large(place: str) -> Problem:
    return Problem(place, 0, "", "larger than 100 MB", "plan one patient at a time, or give NDJSON, which is read line by line")


def _unpacked(data: bytes, place: str) -> bytes:
    """The bytes without gzip; unpacking stops at the limit, so that a small bomb cannot fill the memory."""
    _bounded(data, place)
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        with gzip.GzipFile(fileobj=BytesIO(data)) as packed:
            return _bounded(packed.read(LARGEST + 1), place)
    except (OSError, EOFError, zlib.error):
        raise BadInput([Problem(place, 0, "", "the gzip file is damaged", "copy it again")]) from None


def _decoded(data: bytes, place: str) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in data[:64]:
        raise BadInput([Problem(place, 0, "", "the file is UTF-16 (or binary), not UTF-8", "save it as UTF-8")])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadInput([Problem(place, line, "", f"byte {error.start} is not UTF-8 (the file may be Latin-1)", "save it as UTF-8")]) from None


class _Twice(ValueError):
    """A key that stands twice in one JSON object."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _Twice(key)
            seen.add(key)
    return out


def _deep(value: Any) -> bool:
    """True when a value nests deeper than the limit; walks without recursion."""
    level: list[Any] = [value]
    for _ in range(DEEPEST + 1):
        level = [child for item in level if isinstance(item, (dict, list)) for child in (item.values() if isinstance(item, dict) else item)]
        if not level:
            return False
    return any(isinstance(item, (dict, list)) for item in level)
