"""The description of the interface is true: it is valid OpenAPI 3.1, its examples run, and what it does not say never happens."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
import schemathesis
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from schemathesis.core.result import Err

HERE = "http://127.0.0.1"


@pytest.fixture
def document(client: TestClient) -> dict[str, Any]:
    """The description as it is served."""
    served: dict[str, Any] = client.get("/api/v1/openapi.json").json()
    return served


def _conforms(value: Any, schema: dict[str, Any], document: dict[str, Any]) -> None:
    registry = Registry().with_resource("urn:api", Resource.from_contents({"components": document["components"]}, default_specification=DRAFT202012))
    moved = _based(schema)
    jsonschema.Draft202012Validator(moved, registry=registry).validate(value)


def _based(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {key: f"urn:api{value}" if key == "$ref" else _based(value) for key, value in schema.items()}
    return [_based(one) for one in schema] if isinstance(schema, list) else schema


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    """No dangling reference, no second operation of the same name, every operation in words."""
    assert document["openapi"] == "3.1.0"
    names = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names))

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                target: Any = document
                for step in node["$ref"].removeprefix("#/").split("/"):
                    target = target[step]
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(document)
    assert all(operation["summary"] and operation["description"] for path in document["paths"].values() for operation in path.values())


def test_every_example_runs_and_answers_as_described(client: TestClient, document: dict[str, Any]) -> None:
    """What a reader copies works, and the answer has the described shape."""
    ran = 0
    for path, operations in document["paths"].items():
        if "{identity}" in path:
            continue
        for method, operation in operations.items():
            parameters = operation.get("parameters", [])
            address = path
            for one in parameters:
                if one["in"] == "path":
                    address = address.replace(f"{{{one['name']}}}", one["example"])
            query = {one["name"]: one["example"] for one in parameters if one["in"] == "query" and "example" in one}
            bodies: list[tuple[str, Any]] = [("", None)]
            if "requestBody" in operation:
                contents = operation["requestBody"]["content"].items()
                bodies = [(kind, example["value"]) for kind, media in contents for example in media.get("examples", {}).values()]
            for kind, value in bodies:
                sent = {"json": value} if kind == "application/json" else {"content": value} if value is not None else {}
                extra = {"indication": "pid"} if path.endswith("/forecast") and kind == "application/yaml" else {}
                answer = client.request(method, address, params={**query, **extra}, headers={"content-type": kind} if kind else {}, **sent)
                assert answer.status_code < 300, (method, path, answer.text)
                described = operation["responses"][str(answer.status_code)].get("content", {})
                media_type = answer.headers["content-type"].partition(";")[0]
                if media_type in described and media_type.endswith("json"):
                    _conforms(answer.json(), described[media_type]["schema"], document)
                ran += 1
    assert ran >= 15


def test_a_refusal_has_the_described_shape(client: TestClient, document: dict[str, Any]) -> None:
    """One schema for every error."""
    refusal = document["components"]["schemas"]["Refusal"]
    for answer in (client.post("/api/v1/plan", content=b"x: 1"), client.get("/api/v1/evidence/nothing"), client.patch("/api/v1/plan"), client.get("/nowhere")):
        assert answer.status_code >= 400
        _conforms(answer.json(), refusal, document)


@pytest.mark.filterwarnings("ignore")
def test_what_a_generator_thinks_of_never_breaks_it(app: FastAPI) -> None:
    """Bounded: some requests for every operation, made from the description; none is answered with a failure of ours."""
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app, headers={"host": "127.0.0.1"})
    tried = 0
    for result in schema.get_all_operations():
        assert not isinstance(result, Err)
        operation = result.ok()

        @settings(max_examples=12, deadline=None, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate],
                  suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def run(case: Any) -> None:
            nonlocal tried
            tried += 1
            answer = case.call(headers={"host": "127.0.0.1"})
            assert answer.status_code < 500, (case.method, case.path, answer.text)

        run()
    assert tried > 100

