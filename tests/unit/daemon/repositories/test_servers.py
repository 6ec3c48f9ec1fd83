"""Every file is either a set of servers that the CLI takes, or problems that name file, server and field."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.repositories.servers import (
    FILE_MAX,
    PROBLEMS_MAX,
    RESERVED,
    SERVERS_MAX,
    Definition,
    ServersError,
    printable,
    read,
)

GOOD: list[Definition] = [
    {"command": "npx"},
    {"type": "stdio", "command": "npx", "args": ["-y", "x"], "env": {"PORT": "8080", "TOKEN": "${TOKEN}"}},
    {"command": "npx", "timeout": 5, "somethingNew": {"kept": [1]}},
    {"type": "http", "url": "https://mcp.example.org/", "headers": {"Authorization": "Bearer ${TOKEN}"}},
    {"type": "sse", "url": "${MCP_URL}/sse"},
    {"type": "ws", "url": "wss://mcp.example.org"},
    {"type": "http", "url": "http://127.0.0.1:1", "command": "ignored"},
]
BAD: list[tuple[Any, str]] = [
    ("npx", ": is not an object with a command or a url"),
    ([], ": is not an object with a command or a url"),
    ({}, ": Object missing required field `command`"),
    ({"command": ""}, ", field command: Expected `str` of length >= 1"),
    ({"command": 5}, ", field command: Expected `str`, got `int`"),
    ({"command": "x", "args": "-y"}, ", field args: Expected `array`, got `str`"),
    ({"command": "x", "args": [1]}, ", field args[0]: Expected `str`, got `int`"),
    ({"command": "x", "env": {"PORT": 8080}}, ", field env[...]: Expected `str`, got `int`"),
    ({"command": "x", "env": None}, ", field env: Expected `object`, got `null`"),
    ({"url": "https://example.org"}, ", field type: is missing; with a url it is http, sse or ws"),
    ({"type": "http"}, ": Object missing required field `url`"),
    ({"type": "http", "url": "example.org"}, ", field url: Expected `str` matching regex"),
    ({"type": "http", "url": "file:///etc/passwd"}, ", field url: Expected `str` matching regex"),
    ({"type": "sdk", "name": "x"}, ", field type: is none of stdio, http, sse, ws"),
    ({"type": ["stdio"], "command": "x"}, ", field type: is none of stdio, http, sse, ws"),
    ({"command": "x", "more": json.loads("[" * 30 + "]" * 30)}, ": is nested too deeply"),
]
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=8,
)


def file(**servers: Any) -> bytes:
    return json.dumps({"mcpServers": servers}).encode()


def problems(data: bytes, *, strict: bool = True) -> list[str]:
    with pytest.raises(ServersError) as caught:
        read(data, "infra/.claude-ops/mcp.json", strict=strict)
    return caught.value.problems


def taken_or_told(data: bytes) -> bool:
    try:
        return all(isinstance(server, dict) for server in read(data, "x", strict=True).values())
    except ServersError as error:
        return bool(error.problems) and all(problem.startswith("x: ") for problem in error.problems)


@pytest.mark.parametrize("definition", GOOD)
def test_a_good_server_is_kept_as_it_is_written(definition: Definition) -> None:
    assert read(file(good=definition), "x", strict=True) == {"good": definition}


@pytest.mark.parametrize(("definition", "told"), BAD)
def test_a_bad_server_is_told_with_its_file_name_and_field(definition: Any, told: str) -> None:
    (problem,) = problems(file(bad=definition, good=GOOD[0]))
    assert problem.startswith("infra/.claude-ops/mcp.json: server bad" + told)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "Input data was truncated"),
        (b"{", "Input data was truncated"),
        (b"[]", "Expected `object`, got `array`"),
        (b"\xff\xfe", "JSON is malformed"),
        (b'{"mcpServers": []}', "Expected `object | null`, got `array`"),
        (b'{"grafana": {"command": "x"}}', "has no mcpServers"),
        (b'{"mcpServers": {"a": {"command": "\\ud800"}}}', ""),
        (b'{"mcpServers": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", ""),
        (b'{"mcpServers": {"a": ' + b'{"a":' * 20_000 + b"1" + b"}" * 20_000 + b"}}", "is nested too deeply"),
        (b" " * (FILE_MAX + 1), f"has more than {FILE_MAX} bytes"),
    ],
)
def test_a_file_that_is_no_such_thing_is_told_with_its_name(data: bytes, told: str) -> None:
    (problem,) = problems(data)
    assert problem.startswith("infra/.claude-ops/mcp.json: ")
    assert told in problem


@pytest.mark.parametrize("data", [b"{}", b'{"mcpServers": {}}', b'{"mcpServers": null, "other": 1}'])
def test_a_file_without_servers_is_no_problem(data: bytes) -> None:
    assert read(data, "x", strict=True) == {}


@pytest.mark.parametrize("name", ["grafana", "Grafana-2", "a_b", "a", "x" * 64])
def test_plain_names_are_taken(name: str) -> None:
    assert read(file(**{name: GOOD[0]}), "x", strict=True)


@pytest.mark.parametrize("name", ["", "a__b", "_a", "a_", "a.b", "a b", "ä", "x" * 65, "a\n", "-a", *sorted(RESERVED)])
def test_a_repository_can_not_use_a_name_whose_tools_pass_for_anothers(name: str) -> None:
    """`mcp__grafana__*` may be listed as reading; a server `grafana__x` would have tools of that name."""
    (problem,) = problems(file(**{name: GOOD[0]}))
    assert "name" in problem
    assert problem.isprintable()


def test_the_operators_own_names_may_be_what_the_cli_takes() -> None:
    assert read(file(**{"my server.2": GOOD[0], "a__b": GOOD[0]}), "x", strict=False).keys() == {"my server.2", "a__b"}


def test_too_many_servers_and_too_many_problems_are_bounded() -> None:
    assert problems(file(**{f"s{n}": GOOD[0] for n in range(SERVERS_MAX + 1)})) == [
        f"infra/.claude-ops/mcp.json: has {SERVERS_MAX + 1} servers and may have {SERVERS_MAX}"
    ]
    told = problems(file(**{f"s{n}": {} for n in range(SERVERS_MAX)}))
    assert len(told) == PROBLEMS_MAX + 1
    assert told[-1].endswith(f"and {SERVERS_MAX - PROBLEMS_MAX} more servers are wrong")


@given(JSON)
def test_whatever_is_in_a_file_it_is_taken_or_told(content: Any) -> None:
    for data in (json.dumps(content).encode(), json.dumps({"mcpServers": content}).encode(), file(a=content)):
        assert taken_or_told(data)


@given(st.binary(max_size=200))
def test_whatever_bytes_a_file_has_they_are_taken_or_told(data: bytes) -> None:
    assert taken_or_told(data)


@given(st.text(st.characters(codec=None)))
def test_names_can_be_shown_whatever_they_hold(text: str) -> None:
    shown = printable(text.encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape"))
    assert shown.isprintable()
    shown.encode()
