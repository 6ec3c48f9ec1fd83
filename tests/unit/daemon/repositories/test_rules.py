"""What a merge gives, and that nothing secret is shown."""

import json
import string
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from daemon.repositories import rules
from daemon.repositories.rules import BASELINE, HIDDEN, TOTAL_MAX, Server, merge, secret_values, seen, shown
from daemon.repositories.servers import Definition, Source

NAMES = st.sampled_from(["clock", "grafana", "notes", "search"])
REPOSITORIES = st.sampled_from(["alpha", "beta", "gamma", "delta"])


def one(word: str) -> Definition:
    return {"command": word}


def source(name: str, *servers: str) -> Source:
    return Source(name, {server: one(f"{name}-{server}") for server in servers})


def given_to_cli(servers: list[Server]) -> dict[str, str]:
    """What the CLI gets: command by name."""
    found = json.loads(rules.content(servers))["mcpServers"]
    return {name: server["command"] for name, server in found.items()}


def by_name(servers: list[Server], name: str) -> list[Server]:
    return [server for server in servers if server.name == name]


BASE = source(BASELINE, "grafana", "clock")


def test_repositories_lie_over_the_baseline_in_alphabetical_order() -> None:
    merged = merge(BASE, [source("b", "grafana", "notes"), source("a", "grafana")], replace=True)
    assert given_to_cli(merged) == {"clock": "baseline-clock", "grafana": "b-grafana", "notes": "b-notes"}
    assert by_name(merged, "grafana") == [Server("grafana", "b", one("b-grafana"), (BASELINE, "a"))]
    assert by_name(merged, "notes")[0].replaces == ()


def test_a_server_is_replaced_whole_and_not_field_by_field() -> None:
    base = Source(BASELINE, {"x": {"command": "old", "env": {"TOKEN": "t"}}})
    merged = merge(base, [Source("a", {"x": {"command": "new"}})], replace=True)
    assert merged[0].definition == {"command": "new"}


def test_with_replacing_off_the_baseline_stays_and_the_refusal_is_shown() -> None:
    merged = merge(BASE, [source("a", "grafana", "notes"), source("b", "notes")], replace=False)
    assert given_to_cli(merged) == {"clock": "baseline-clock", "grafana": "baseline-grafana", "notes": "b-notes"}
    kept, refused = by_name(merged, "grafana")
    assert (kept.source, kept.refused) == (BASELINE, None)
    assert (refused.source, refused.replaces) == ("a", ())
    assert "CLAUDEOPS_MCP_REPLACE" in (refused.refused or "")


def test_a_name_that_only_its_tools_share_counts_as_the_same() -> None:
    """Both have tools named mcp__my_server__…: leaving the dot out is no way around."""
    base = Source(BASELINE, {"my.server": one("operator")})
    over = [Source("a", {"my_server": one("repository")})]
    assert given_to_cli(merge(base, over, replace=False)) == {"my.server": "operator"}
    assert given_to_cli(merge(base, over, replace=True)) == {"my_server": "repository"}


def test_two_of_the_operators_servers_with_the_same_tools_are_told_apart_by_a_refusal() -> None:
    merged = merge(Source(BASELINE, {"a.b": one("first"), "a_b": one("second")}), [], replace=True)
    assert given_to_cli(merged) == {"a.b": "first"}
    assert "a.b" in (by_name(merged, "a_b")[0].refused or "")


def test_a_session_has_a_bounded_number_of_servers() -> None:
    merged = merge(BASE, [source(f"r{n:03}", f"s{n}") for n in range(TOTAL_MAX + 5)], replace=True)
    assert len(given_to_cli(merged)) == TOTAL_MAX
    assert len([server for server in merged if server.refused]) == 7
    assert given_to_cli(merged)["grafana"] == "baseline-grafana"


@given(st.dictionaries(REPOSITORIES, st.sets(NAMES)), st.sets(REPOSITORIES), st.booleans(), st.randoms())
def test_what_bad_repositories_would_have_given_never_changes_what_the_good_ones_give(
    named: dict[str, set[str]], bad: set[str], replace: bool, shuffle: Any
) -> None:
    """A bad one counts as one without servers; so it is as if it were not mounted."""
    sources = [source(name, *servers) for name, servers in named.items()]
    emptied = [Source(one.name, {}) if one.name in bad else one for one in sources]
    shuffle.shuffle(emptied)
    good = [one for one in sources if one.name not in bad]
    assert merge(BASE, emptied, replace=replace) == merge(BASE, good, replace=replace)


@given(st.dictionaries(REPOSITORIES, st.sets(NAMES)), st.booleans())
def test_each_server_is_that_of_the_last_who_may_name_it(named: dict[str, set[str]], replace: bool) -> None:
    wanted = {name: f"{BASELINE}-{name}" for name in BASE.servers}
    for repository in sorted(named):
        for name in named[repository]:
            if replace or name not in BASE.servers:
                wanted[name] = f"{repository}-{name}"
    merged = merge(BASE, [source(name, *servers) for name, servers in named.items()], replace=replace)
    assert given_to_cli(merged) == wanted
    offered = sum(len(servers) for servers in named.values()) + len(BASE.servers)
    replaced = sum(len(server.replaces) for server in merged)
    assert len(merged) + replaced == offered  # each is in use, replaced or refused: none is lost without a word


# What is shown

SECRETS = st.text(string.ascii_letters + string.digits, min_size=12, max_size=40).filter(
    lambda text: not text.startswith("x")
)
PLACES = [
    ["--token", "{}"],
    ["--api-key={}"],
    ["-e", "GRAFANA_TOKEN={}"],
    ["-e", "DB_PASSWORD={}"],
    ["--header", "Authorization: Bearer {}"],
    ["--header", "X-Api-Key: {}"],
    ["--url", "https://user:{}@example.org/path"],
    ["https://example.org/sse?api_key={}&x=1"],
    ['{{"apiKey": "{}"}}'],
    ["bash", "-c", "SECRET={} exec run"],
    ["sk-ant-{}"],
    ["ghp_{}"],
]


@given(SECRETS, st.sampled_from(PLACES))
def test_no_secret_of_a_command_line_is_shown(secret: str, place: list[str]) -> None:
    words = [word.format(secret) for word in place]
    assert secret not in shown({"command": "npx", "args": ["-y", "thing", *words]})


@given(SECRETS, st.sampled_from(["https://{}@example.org", "https://example.org/?token={}", "https://h/?auth={}"]))
def test_no_secret_of_a_url_is_shown(secret: str, place: str) -> None:
    assert secret not in shown({"type": "http", "url": place.format(secret)})


@given(SECRETS)
def test_environment_and_headers_are_never_shown(secret: str) -> None:
    assume(secret not in "npx http://127.0.0.1")
    assert secret not in shown({"command": "npx", "env": {"HARMLESS": secret}})
    assert secret not in shown({"type": "http", "url": "http://127.0.0.1", "headers": {"X": secret}})


@pytest.mark.parametrize(
    ("definition", "text"),
    [
        ({"command": "npx", "args": ["-y", "@modelcontextprotocol/server-github"]}, None),
        ({"command": "/opt/mcp/bin/postgres-mcp", "args": ["--access-mode=restricted", "--port", "8000"]}, None),
        ({"command": "npx", "args": ["--token", "${GRAFANA_TOKEN}"]}, "npx --token '${GRAFANA_TOKEN}'"),
        ({"command": "run", "args": ["--url", "https://mcp.example.org:8443/sse"]}, None),
        ({"type": "sse", "url": "https://mcp.example.org/sse"}, "sse https://mcp.example.org/sse"),
        ({"command": "run", "args": ["a b", "q1w2e3r4t5y6u7i8o9p0"]}, f"run 'a b' {HIDDEN}"),
        ({"command": "run", "args": ["\x1b[2J\nx"]}, "run '\ufffd[2J x'"),
    ],
)
def test_what_is_harmless_can_be_read(definition: Definition, text: str | None) -> None:
    assert shown(definition) == (text or " ".join([definition["command"], *definition["args"]]))


def test_a_long_command_is_cut() -> None:
    assert len(shown({"command": "x", "args": ["y"] * 1000})) == rules.SHOWN_MAX


def test_secret_values_are_told_for_redaction_and_references_are_not() -> None:
    env = {"API_TOKEN": "abcd1234", "PORT": "8080", "OTHER_TOKEN": "${OTHER_TOKEN}", "SHORT_KEY": "abc"}
    servers = [
        Server("a.b", BASELINE, {"command": "x", "env": env}),
        Server("web", "infra", {"type": "http", "url": "https://x", "headers": {"Authorization": "Bearer s3cr3t"}}),
    ]
    assert secret_values(servers) == [("MCP_a_b_API_TOKEN", "abcd1234"), ("MCP_web_Authorization", "s3cr3t")]


# How the last session found them


def test_status_is_read_from_a_sessions_row() -> None:
    told = '[{"name":"clock","status":"connected","tools":2},{"name":"broken","status":"failed"}]'
    assert seen(told) == {"clock": ("connected", 2), "broken": ("failed", 0)}
    assert seen(None) == {}
    with pytest.raises(msgspec.DecodeError):
        seen("{")
