"""The API against its own description: whatever is sent to the running daemon, it answers as the document says.

Requests are made from the OpenAPI document, fit and unfit, for a token of each role and for none. A worker that is real
starts sessions of the fake CLI meanwhile. What each answer means is `test_api`. `make fuzz` tries many more requests,
and others each time.
"""

import gc
import itertools
import json
import os
import urllib.parse
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from openapi_spec_validator import validate
from schemathesis import checks, openapi
from schemathesis.specs.openapi import checks as of_openapi

from schema.access import PREFIX
from schema.version import VERSION
from tests.acceptance.harness import Daemon, running
from webui.api.openapi import document
from webui.api.operation import Operation
from webui.api.operations import OPERATIONS
from webui.auth.rules import Door

DOCUMENT = json.loads(json.dumps(document(OPERATIONS, VERSION)))
SCHEMA = openapi.from_dict(DOCUMENT)
ROLES = ("viewer", "operator", "admin")
OWN = ("1", "2", "3")  # the ids of their tokens
FUZZ = os.environ.get("HYPOTHESIS_PROFILE") == "fuzz"
EXAMPLES = 200 if FUZZ else 6  # for each operation
CHECKS = [
    checks.not_a_server_error,
    of_openapi.status_code_conformance,
    of_openapi.content_type_conformance,
    of_openapi.response_headers_conformance,
    of_openapi.response_schema_conformance,
    of_openapi.negative_data_rejection,
]
NUMBER = itertools.count()
BY_NAME = {f"{one.method} {one.address}": one for one in OPERATIONS}


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """One for all operations."""
    # A chat that waits says so soon, and one whose session takes long is answered all the same.
    soon = {"CLAUDEOPS_CHAT_WAIT": "1", "CLAUDEOPS_CHAT_TIMEOUT": "3"}
    with running(tmp_path_factory.mktemp("api") / "daemon", **soon) as made:
        yield made


@pytest.fixture
def uncollected() -> Iterator[None]:
    """CPython 3.11's ast.parse, which the library calls in its depths, fails if garbage is collected within.

    https://github.com/python/cpython/issues/106905
    """
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(scope="module")
def tokens(daemon: Daemon) -> dict[str, str]:
    """A token of each role."""
    made = {role: daemon.json("token", "create", "--name", role, "--role", role)["token"] for role in ROLES}
    assert all(token.startswith(PREFIX) for token in made.values())
    return made


def test_the_document_is_valid_and_has_every_operation(daemon: Daemon) -> None:
    validate(DOCUMENT)
    status, headers, body = daemon.request("GET", "/api/v1/openapi.json")
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert json.loads(body) == DOCUMENT
    listed = {f"{method.upper()} {path}" for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert listed == set(BY_NAME)
    taken = {path: set(methods["post"]["requestBody"]["content"]) for path, methods in DOCUMENT["paths"].items()
             if "/webhook" in path}  # fmt: skip
    assert list(taken.values()) == [{"application/json", "text/plain"}] * 2


def test_the_document_as_yaml_says_the_same(daemon: Daemon) -> None:
    import yaml

    status, headers, body = daemon.request("GET", "/api/openapi.yaml")
    assert (status, headers["Content-Type"]) == (200, "application/yaml; charset=utf-8")
    assert yaml.safe_load(body) == DOCUMENT


@pytest.mark.usefixtures("uncollected")
@SCHEMA.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=not FUZZ,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_one_that_the_document_names(
    case: schemathesis.Case[Any], daemon: Daemon, tokens: dict[str, str]
) -> None:
    one = BY_NAME[f"{case.operation.method.upper()} {case.operation.path}"]
    base = f"http://127.0.0.1:{daemon.port}"
    if case.method != one.method:
        assert case.call(base_url=base, headers=shown(tokens["admin"]), timeout=20).status_code == 405
        return
    if one.name == "delete_tokens_one" and str(case.path_parameters["id"]) in OWN:
        case.path_parameters["id"] = 4  # made meanwhile, or nobody's; not one of those that ask here
    # An admin may try everything; that a role is missing is found before anything else is looked at.
    for role in ROLES if next(NUMBER) % 5 == 0 else ("admin",):
        response = case.call(base_url=base, headers=shown(tokens[role]), timeout=20)
        # An empty parameter is none, as the document says; the library takes it for one of another type.
        empty = any(
            value == ""
            for _, value in urllib.parse.parse_qsl(urllib.parse.urlsplit(response.request.url or "").query, True)
        )
        # One that is too large is refused, which the library does not count among the refusals.
        spared = empty or response.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        case.validate_response(response, checks=CHECKS[:-1] if spared else CHECKS)
        assert_fits(one, role, response.status_code, response.text)


def shown(token: str) -> dict[str, Any]:
    return {"Authorization": f"Bearer {token}"}


def assert_fits(one: Operation, role: str, status: int, text: str) -> None:
    """What the checks don't know: the roles. What is no address, such as one with a word for an id, has none."""
    if status == HTTPStatus.NOT_FOUND and "nothing at this address" in text:
        return
    needed = one.access.value
    enough = needed == "public" or ROLES.index(role) >= ROLES.index(needed)
    assert (status == 403) == (not enough), (one.name, role, status, text[:200])
    assert status != 401, (one.name, role, text[:200])


def test_who_shows_no_token_is_let_into_nothing_but_health(daemon: Daemon) -> None:
    for one in OPERATIONS:
        status, headers, body = daemon.request(
            one.method, one.address.replace("{id}", "1").replace("{source}", "generic").replace("{model}", "claude-ops")
        )
        if one.access.value == "public":
            assert (one.address, status) == ("/api/v1/health", 200)
        else:
            # Where a key would do as well, and none is set, that is what is told.
            assert status in ({401} if one.door is Door.NONE else {401, 503}), one.name
            assert headers["Content-Type"] == "application/json"
            assert set(json.loads(body)) == set(one.error.__struct_fields__)


def test_a_method_that_is_not_there_is_told_in_json(daemon: Daemon, tokens: dict[str, str]) -> None:
    status, headers, body = daemon.request("PATCH", "/api/v1/memories/1", headers=shown(tokens["admin"]))
    assert (status, set(json.loads(body))) == (405, {"error"})
    assert set(headers["Allow"].split(",")) == {"DELETE", "GET", "HEAD", "PUT"}


def test_the_daemon_has_nothing_to_regret(daemon: Daemon, tokens: dict[str, str]) -> None:
    status, _, body = daemon.request("GET", "/api/v1/health")
    assert (status, json.loads(body)) == (200, {"status": "ok"})
    assert "Traceback" not in daemon.log()
    assert daemon.process_of("worker")["restarts"] == 0


def test_nothing_else_is_below_the_api(daemon: Daemon, tokens: dict[str, str], tmp_path: Path) -> None:
    for path in ("/api/", "/api/v1", "/api/v1/", "/api/v1/nowhere", "/api/v2/sessions", "/api/v1/sessions/x"):
        for method in ("GET", "POST"):
            status, headers, body = daemon.request(method, path, headers=shown(tokens["admin"]))
            assert (status, headers["Content-Type"]) == (404, "application/json"), path
            assert set(json.loads(body)) == {"error"}
