"""What the declarations promise and what the handlers do are one: types, names, statuses, roles."""

import inspect
from collections import Counter
from importlib import import_module
from typing import Any

import pytest

from webui import routes
from webui.api.openapi import SAID, TAGS, document
from webui.api.operation import Operation
from webui.api.operations import OPERATIONS
from webui.auth.rules import Access

NAMES = [one.name for one in OPERATIONS]


def function(one: Operation) -> Any:
    module, _, name = one.handler.partition(":")
    return getattr(import_module(f"webui.{module}"), name)


@pytest.mark.parametrize("one", [one for one in OPERATIONS if not one.raw], ids=lambda one: one.name)
def test_a_handler_takes_and_gives_what_its_operation_declares(one: Operation) -> None:
    signature = inspect.signature(function(one))
    wanted: dict[str, type] = {"id_": int} if "id" in one.parameters else {}
    wanted |= {"query": one.query} if one.query else {}
    wanted |= {"body": one.body} if one.body else {}
    given = {name: parameter.annotation for name, parameter in signature.parameters.items() if name != "request"}
    assert given == wanted
    assert signature.return_annotation is one.reply


def test_every_operation_has_a_name_of_its_own() -> None:
    assert [name for name, times in Counter(NAMES).items() if times > 1] == []
    assert len(OPERATIONS) > 30


@pytest.mark.parametrize("one", OPERATIONS, ids=lambda one: one.name)
def test_what_changes_something_is_for_operators_or_admins(one: Operation) -> None:
    assert one.method == "GET" or one.access in (Access.OPERATOR, Access.ADMIN)


def test_every_operation_is_a_route_with_its_role() -> None:
    there = {(route.method, route.path): route.access for route in routes.TABLE}
    assert {(one.method, one.path): one.access for one in OPERATIONS}.items() <= there.items()
    below = {route.path for route in routes.TABLE if route.path.startswith("/api/v1/") and route.operation is None}
    assert below == {"/api/v1/openapi.json"}


def test_every_status_and_tag_is_explained() -> None:
    assert {status for one in OPERATIONS for status in one.statuses()} <= set(SAID)
    assert {one.tag for one in OPERATIONS} <= set(TAGS)
    for one in OPERATIONS:
        assert 500 not in one.statuses()
        assert one.status not in one.statuses()


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*map(references, value.values()))
    return set().union(*map(references, value)) if isinstance(value, list) else set()


def test_every_type_that_the_document_names_is_in_it_and_none_besides() -> None:
    made = document(OPERATIONS, "1")
    there = {f"#/components/schemas/{name}" for name in made["components"]["schemas"]}
    assert references(made) == there


def test_an_operation_of_another_protocol_is_described_in_its_own_words() -> None:
    """Such as one that streams, with errors of another shape."""
    import msgspec

    class Fault(msgspec.Struct):
        message: str

    class Spoken(msgspec.Struct):
        text: str

    one = Operation(
        "POST", "/v1/say", "x:y", Access.OPERATOR, "speech", "Says something", Spoken, body=Spoken, raw=True,
        media="text/event-stream", error=Fault, errors=(502,),
    )  # fmt: skip
    made = document([one], "1")
    responses = made["paths"]["/v1/say"]["post"]["responses"]
    assert list(responses["200"]["content"]) == ["text/event-stream"]
    assert responses["502"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Fault"}
    assert set(made["components"]["schemas"]) == {"Fault", "Spoken"}
    assert made["tags"] == [{"name": "speech"}]


def test_an_answer_that_may_be_streamed_is_described_as_both() -> None:
    paths = document(OPERATIONS, "1")["paths"]
    for path, streamed in (
        ("/v1/chat/completions", "text/event-stream"),
        ("/api/chat", "application/x-ndjson"),
        ("/api/generate", "application/x-ndjson"),
    ):
        assert list(paths[path]["post"]["responses"]["200"]["content"]) == ["application/json", streamed]
    assert "; the chat key counts as much." in paths["/v1/models"]["get"]["description"]
