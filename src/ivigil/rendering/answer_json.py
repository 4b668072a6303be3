"""An answer as JSON (schema ``ivigil.answer/1``); keys keep one order."""

from __future__ import annotations

from typing import Any

import msgspec

from ivigil.answers.answer import SCHEMA, Answer
from ivigil.basis.conversion import json_schema


def answer_json(answer: Answer) -> str:
    """One answer as indented JSON with a closing line break."""
    return msgspec.json.format(msgspec.json.encode(answer), indent=2).decode() + "\n"


def answer_schema() -> dict[str, Any]:
    """The JSON Schema of one answer."""
    schema = json_schema(Answer)
    schema["$defs"]["Answer"]["properties"]["schema"] = {"const": SCHEMA}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:{SCHEMA.replace('/', ':').replace('.', ':')}", "title": SCHEMA, **schema}
