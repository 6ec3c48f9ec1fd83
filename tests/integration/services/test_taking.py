"""Services from files: ours, Gatus', Uptime Kuma's; twice the same is once, and a mistake anywhere is nothing."""

import json
import time
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from daemon.services.rules import files
from ipc.errors import CallError, Code
from ipc.messages.services import (
    AddService,
    ExportServices,
    ImportedReply,
    ImportServices,
    PauseServices,
    RemoveServices,
)
from schema.definitions import Definition
from tests.integration.services.world import World

FIFTY = "services:\n" + "".join(
    f"  - name: s{number}\n    url: http://127.0.0.1:1/{number}\n    interval: 1h\n    paused: true\n"
    f"    tags: [prod, n{number % 3}]\n" + (f"    needs: [s{number - 1}]\n" if number % 5 else "")
    for number in range(50)
)


async def take(world: World, text: str, **more: Any) -> ImportedReply:
    reply: ImportedReply = await world.ask(ImportServices(text=text, file="s.yml", by="ada", **more))
    return reply


async def test_a_file_of_fifty_twice_is_fifty_and_a_dry_run_tells_the_difference(world: World) -> None:
    dry = await take(world, FIFTY, dry_run=True)
    assert (len(dry.added), dry.dry_run) == (50, True)
    assert await world.rows("SELECT * FROM services") == []
    assert len((await take(world, FIFTY)).added) == 50
    again = await take(world, FIFTY)
    assert (again.added, again.changed, again.removed, again.unchanged) == ([], [], [], 50)
    other = FIFTY.replace("127.0.0.1:1/7\n", "127.0.0.1:1/seven\n").replace("name: s9\n", "name: nine\n", 1)
    other = other.replace("needs: [s9]", "needs: [nine]")
    dry = await take(world, other, dry_run=True, prune=True)
    assert (dry.added, dry.changed, dry.removed) == (["nine"], ["s7"], ["s9"])
    assert len(await world.rows("SELECT * FROM services")) == 50
    done = await take(world, other, prune=True)
    assert (done.added, done.changed, done.removed) == (["nine"], ["s7"], ["s9"])
    assert len(await world.rows("SELECT * FROM service_needs")) == 40


async def test_one_bad_entry_refuses_all_and_every_mistake_has_its_line_and_column(world: World) -> None:
    text = """\
services:
  - name: fine
    url: http://127.0.0.1/
  - name: bad
    url: ftp://x
    conditions:
      - "[STATUS] == 200"
      - "[NOPE] == 1"
  - name: fine
    url: http://127.0.0.1/
    interval: soon
  - name: needy
    url: http://127.0.0.1/$UNKNOWN
    needs: [nobody]
    colour: red
  - just words
"""
    reply = await take(world, text)
    assert await world.rows("SELECT * FROM services") == []
    found = [(one.line, one.column, one.message.partition(":")[0]) for one in reply.errors]
    assert (5, 10, "url") in found
    assert (7, 7, "conditions") in found
    assert (11, 15, "interval") in found
    assert (16, 5, "a service has fields") in found
    assert (15, 5, "colour") in found
    assert all(one.file == "s.yml" for one in reply.errors)


@pytest.mark.parametrize("text", ["", "\n", "# services:\n#   - name: a\n", "---\n...\n", "~", "\ufeff"])
async def test_a_file_without_anything_removes_nothing_and_says_how_none_is_written(world: World, text: str) -> None:
    await take(world, "services: [{name: a, url: 'http://127.0.0.1:1', paused: true}]")
    (told,) = (await take(world, text, prune=True)).errors
    assert (told.line, told.column, told.message) == (1, 1, files.EMPTY)
    assert (await take(world, "services: []", prune=True)).removed == ["a"]


async def test_an_export_read_on_an_empty_instance_is_exported_the_same(world: World) -> None:
    await take(world, FIFTY)
    text = (await world.ask(ExportServices())).text
    ids = [row["id"] for row in await world.rows("SELECT id FROM services")]
    again = await take(world, text)
    assert again.unchanged == 50
    await world.place.script("DELETE FROM services")
    assert len(ids) == 50
    assert len((await take(world, text)).added) == 50
    assert (await world.ask(ExportServices())).text == text


async def test_an_export_has_no_password_and_read_again_keeps_it(world: World) -> None:
    await world.add("web", url="http://ada:hush-hush@127.0.0.1:1/", headers={"X-Api-Key": "k-1234"}, paused=True)
    text = (await world.ask(ExportServices())).text
    assert "hush" not in text
    assert "k-1234" not in text
    await take(world, text.replace("paused: true", "paused: false"))
    (known,) = await world.services.catalogue.all()
    assert known.filled.url == "http://ada:hush-hush@127.0.0.1:1/"
    assert known.filled.headers == {"X-Api-Key": "k-1234"}
    await world.ask(PauseServices(ids=[known.id], paused=True))


async def test_an_export_on_an_instance_that_knows_no_password_is_refused_by_line_and_column(world: World) -> None:
    service = await world.add(
        "web", url="http://ada:hush-hush@127.0.0.1:1/?token=t-9", headers={"X-Api-Key": "k-1234"},
        proxy="http://bob:hush@127.0.0.1:3128", paused=True,
    )  # fmt: skip
    text = (await world.ask(ExportServices())).text
    for other in (text.replace("127.0.0.1:1/", "127.0.0.2:1/"), text.replace("name: web", "name: other")):
        found = (await take(world, other)).errors
        lines = other.splitlines()
        assert {one.message.partition(":")[0] for one in found} >= {"url", "headers"}
        for one in found:
            assert "write it again" in one.message
            assert lines[one.line - 1][: one.column - 1].strip().rstrip(":") in (one.message.partition(":")[0], "")
    await world.ask(RemoveServices(ids=[service.id], by="ada"))
    found = (await take(world, text)).errors
    assert sorted(one.message.partition(":")[0] for one in found) == ["headers", "proxy", "url"]
    assert await world.rows("SELECT * FROM services") == []
    whole = text.replace("ada:***", "ada:new").replace("token=***", "token=t").replace("bob:***", "bob:new")
    assert (await take(world, whole.replace("'***'", "k-5"))).added == ["web"]


async def test_a_dry_run_tells_each_field_that_changes_and_no_password(world: World) -> None:
    text = "services:\n- {name: web, url: 'http://ada:hush@127.0.0.1:1/', interval: 60s, tags: [b, a], paused: true}\n"
    await take(world, text)
    other = text.replace(":1/", ":2/").replace("60s", "30s").replace("[b, a]", "[a, b, lab]").replace("hush", "loud")
    dry = await take(world, other, dry_run=True)
    assert dry.changed == ["web"]
    assert [(one.service, one.field, one.old, one.new) for one in dry.differences] == [
        ("web", "url", "http://ada:***@127.0.0.1:1/", "http://ada:***@127.0.0.1:2/"),
        ("web", "interval", 60.0, 30.0),
        ("web", "tags", ["a", "b"], ["a", "b", "lab"]),
    ]
    (secret,) = (await take(world, text.replace("hush", "loud"), dry_run=True)).differences
    assert (secret.field, secret.old, secret.new, secret.secret) == ("url", secret.new, secret.old, True)
    assert "loud" not in str(dry)
    assert (await take(world, text, dry_run=True)).differences == []
    assert (await take(world, other)).differences == dry.differences


def test_endpoints_of_gatus_are_services() -> None:
    text = """\
x: &fast {interval: 15s, conditions: ["[STATUS] == 200", "[BODY].status == UP"]}
endpoints:
  - name: front
    group: core
    url: https://example.org
    client: {timeout: 3s, insecure: true}
    headers: {X-A: b}
    <<: *fast
  - name: names
    url: 9.9.9.9
    dns: {query-name: example.org, query-type: MX}
    conditions: ["[DNS_RCODE] == NOERROR"]
  - {name: mail, url: "starttls://mail:587", conditions: ["[CONNECTED] == true"]}
"""
    found = files.parse(text)
    front, names = (entry.definition for entry in found.entries)
    assert front == Definition(
        name="core/front", group="core", url="https://example.org", interval=15.0, timeout=3.0, verify=False,
        headers={"X-A": "b"}, conditions=("[STATUS] == 200", "[BODY].status == UP"),
    )  # fmt: skip
    assert names.url == "dns://9.9.9.9/example.org?type=MX"
    assert [(one.line, "STARTTLS" in one.message) for one in found.mistakes] == [(13, True)]
    assert list(files.checked(found.entries, {})) == []


def test_monitors_of_uptime_kuma_are_services() -> None:
    monitors = [
        {"id": 1, "name": "web", "type": "http", "url": "https://example.org", "interval": 60, "maxretries": 2,
         "retryInterval": 20, "timeout": 48, "accepted_statuscodes": ["200-299", "301"], "active": True,
         "tags": [{"name": "my tag"}]},
        {"id": 2, "name": "word", "type": "keyword", "url": "https://example.org", "keyword": "fine", "active": False},
        {"id": 3, "name": "db", "type": "port", "hostname": "db.local", "port": 5432},
        {"id": 4, "name": "job", "type": "push", "interval": 300},
        {"id": 5, "name": "steam", "type": "steam"},
    ]  # fmt: skip
    found = files.parse(json.dumps({"version": "1.23", "monitorList": monitors}, indent=1))
    web, word, db, job = (entry.definition for entry in found.entries)
    assert (web.conditions, web.retries, web.tags) == (("[STATUS] == any(pat(2*), 301)",), 2, ("my-tag",))
    assert (word.conditions[1], word.paused) == ("[BODY] == pat(*fine*)", True)
    assert (db.url, job.url, job.interval) == ("tcp://db.local:5432", "heartbeat:", 300.0)
    assert ["steam" in one.message for one in found.mistakes] == [True]
    assert list(files.checked(found.entries, {})) == []


@pytest.mark.parametrize(
    ("text", "line"), [("services: [", 2), ("a: b", 1), ("- x", 1), ("services:\n\t- x", 2), ("services: 7", 1)]
)
def test_what_is_no_such_file_says_so(text: str, line: int) -> None:
    found = files.parse(text)
    assert found.entries == []
    assert [one.line for one in found.mistakes] == [line]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("{{ ansible_managed }}", 1, "name"),
        ("a: b\n? [services]\n: []", 2, "name"),
        ("services:\n  - {{ x }}: y", 2, "name"),
        ("services:\n  - name: a\n    ? [url]\n    : http://a", 3, "name"),
        ("services: " + "[" * 200_000, 1, "deep"),
        ("- " * 200_000, 1, "deep"),
        ("monitorList: [{type: http, name: a, maxretries: .inf}]", 1, "type"),
        ("monitorList: [{type: http, name: a, accepted_statuscodes: [1-999999999999]}]", 1, "999999999999"),
    ],
)
def test_what_no_service_can_be_made_of_is_a_mistake_with_its_line(text: str, line: int, words: str) -> None:
    found = files.parse(text)
    assert found.entries == []
    assert [(one.line, words in one.message) for one in found.mistakes] == [(line, True)]


def test_every_field_of_an_entry_that_cant_be_so_is_told_at_its_place() -> None:
    found = files.parse("""\
services:
  - name: a
    url: http://a
    conditons: ["[STATUS] == 200"]
    retries: many
    tags: [1]
    7: x
  - url: http://b
    interval: soon
""")
    assert found.entries == []
    assert [(one.line, one.column, one.message) for one in found.mistakes] == [
        (4, 5, "conditons: there is no such field; did you mean `conditions`?"),
        (5, 14, "retries: Expected `int`, got `str`"),
        (6, 11, "tags: Expected `str`, got `int`"),
        (7, 5, "7: there is no such field"),
        (9, 15, "interval: Expected `float`, got `str`"),
        (8, 5, "name: it is missing"),
    ]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("services:\n- name: a\n  url: http://a\n  url: http://b\n  name: c\n", [(4, "url"), (5, "name")]),
        ("services: []\nservices: []", [(2, "services")]),
        ("services:\n- name: a\n  url: http://a\n  headers:\n    X: a\n    X: b\n", [(6, "X")]),
        ("endpoints:\n- name: a\n  url: http://a\n  url: http://b\n", [(4, "url")]),
    ],
)
def test_what_is_given_twice_is_refused_where_it_is_given_again(text: str, places: list[tuple[int, str]]) -> None:
    told = [(one.line, one.message) for one in files.parse(text).mistakes]
    assert told == [(line, f"{name}: it is given twice; leave one of the two") for line, name in places]


def bomb(first: str, level: str) -> str:
    """Some hundred bytes that stand for 9 to the power of 12 times what is in them."""
    above = "".join(f"a{n}: &a{n} {level.format(', '.join([f'*a{n - 1}'] * 9))}\n" for n in range(1, 13))
    return f"a0: &a0 {first}\n{above}"


@pytest.mark.parametrize(
    "text",
    [
        bomb("[x]", "[{}]") + "services:\n- {name: *a12, url: 'http://a'}\n",
        bomb("{x: 1}", "{{<<: [{}]}}") + "services:\n- {name: a, url: 'http://a', <<: *a12}\n",
        bomb("[x]", "[{}]") + "endpoints:\n- {name: a, url: 'http://a', alerts: *a12}\n",
        bomb("[x]", "[{}]") + "version: '1'\nmonitorList: *a12\n",
    ],
)
def test_what_stands_for_more_than_a_file_may_hold_is_refused_at_once(text: str) -> None:
    began = time.monotonic()
    (mistake,) = files.parse(text).mistakes
    assert mistake.message == "with all that its aliases stand for, a file has at most 16 MiB"
    assert time.monotonic() - began < 1.0


def test_what_an_anchor_gives_may_be_given_anew() -> None:
    found = files.parse("""\
base: &base {interval: 30s, headers: &headers {X: a}}
more: &more {timeout: 1s}
services:
  - {name: a, url: "http://a", <<: *base, interval: 1m, headers: &other {<<: *headers, X: b}}
  - {name: b, url: "http://b", <<: *base, <<: *more, headers: *other}
""")
    assert found.mistakes == []
    assert [(one.definition.interval, one.definition.headers) for one in found.entries] == [
        (60.0, {"X": "b"}),
        (30.0, {"X": "b"}),
    ]


@pytest.mark.parametrize("proxy", ["http://[::1", "http://\u2100.com", "http://", "socks5://proxy:1"])
async def test_a_proxy_that_is_no_address_is_refused_by_its_field(world: World, proxy: str) -> None:
    found = await take(world, f"services:\n- name: a\n  url: http://a\n  proxy: '{proxy}'\n")
    assert [(one.line, one.message.partition(":")[0]) for one in found.errors] == [(4, "proxy")]
    with pytest.raises(CallError) as caught:
        await world.ask(AddService(definition=Definition(name="a", url="http://a", proxy=proxy), by="ada"))
    assert (caught.value.code, list(caught.value.data["fields"])) == (Code.INVALID, ["proxy"])


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.dates(), st.binary(max_size=5)
)
THINGS = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.one_of(SCALARS, st.tuples(SCALARS)), inner)
    ),
    max_leaves=10,
)
FIELDS = st.sampled_from([
    *Definition.__struct_fields__, "client", "dns", "type", "maxretries", "accepted_statuscodes", "port", "hostname",
    "active", "retryInterval", "keyword",
])  # fmt: skip
VALUES = st.one_of(
    THINGS,
    st.sampled_from(["http", "keyword", "push", "dns", "docker", "port", "http://[::1", "1h", "* * * * *", "command:"]),
)
NODES = st.one_of(THINGS, st.dictionaries(FIELDS, VALUES))
FILES = st.dictionaries(
    st.sampled_from(["services", "endpoints", "monitorList"]), st.one_of(st.lists(NODES, max_size=3), NODES), min_size=1
)
WORDS = st.lists(
    st.sampled_from([
        "services:", "endpoints:", "monitorList:", "\n  ", "\n", "- ", "? ", ": ", "name", "url", "http://a", "{", "}",
        "[", "]", "&a ", "*a", "<<: ", "!!set ", "!!binary ", "!x ", "'", '"', "1", "0x", "2001-99-99", ".inf", "#",
    ]),
    max_size=40,
).map("".join)  # fmt: skip


@given(st.one_of(WORDS, st.text(), FILES.map(yaml.dump)))
def test_whatever_anybody_writes_it_is_services_or_mistakes(text: str) -> None:
    found = files.parse(text)
    for mistake in [*found.mistakes, *files.checked(found.entries, {})]:
        assert mistake.line >= 1
        assert mistake.message


@given(st.text(alphabet="services:nameurl -[]{}&*!|>#'\"\n\t 0123", max_size=200))
def test_whatever_a_file_holds_it_is_read_or_refused(text: str) -> None:
    found = files.parse(text)
    for mistake in [*found.mistakes, *files.checked(found.entries, {})]:
        assert mistake.line >= 1
        assert mistake.message
