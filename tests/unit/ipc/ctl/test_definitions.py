"""Every field of a service's definition can be said on the command line, and put back."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from ipc.ctl.__main__ import read
from ipc.ctl.definitions import given, put_back
from ipc.ctl.service_commands import ASKED, RESETS
from schema.definitions import Definition

# An option for each field, and what it says. Those that an option can say twice are given twice.
OPTIONS: Mapping[str, tuple[list[str], Any]] = {
    "name": (["--name", "web"], "web"),
    "url": (["--url", "heartbeat:"], "heartbeat:"),
    "interval": (["--interval", "5m"], 300.0),
    "timeout": (["--timeout", "500ms"], 0.5),
    "retries": (["--retries", "2"], 2),
    "retry_interval": (["--retry-interval", "3"], 3.0),
    "conditions": (["--condition", "[STATUS] == 200", "--condition", "[BODY] == ok"],
                   ("[STATUS] == 200", "[BODY] == ok")),
    "warnings": (["--warning", "[RESPONSE_TIME] < 300"], ("[RESPONSE_TIME] < 300",)),
    "group": (["--group", "Shop"], "Shop"),
    "tags": (["--tag", "prod", "--tag", "eu"], ("prod", "eu")),
    "needs": (["--needs", "db"], ("db",)),
    "description": (["--description", "All of it."], "All of it."),
    "method": (["--method", "POST"], "POST"),
    "headers": (["--header", "Accept: a", "--header", "X-B: b"], {"Accept": "a", "X-B": "b"}),
    "body": (["--body", "{}"], "{}"),
    "redirects": (["--no-redirects"], False),
    "proxy": (["--proxy", "http://127.0.0.1:3128"], "http://127.0.0.1:3128"),
    "family": (["--family", "6"], 6),
    "verify": (["--no-verify"], False),
    "server_name": (["--server-name", "shop"], "shop"),
    "ca_file": (["--ca-file", "/etc/ca.pem"], "/etc/ca.pem"),
    "certificate_file": (["--certificate-file", "/etc/c.pem"], "/etc/c.pem"),
    "key_file": (["--key-file", "/etc/k.pem"], "/etc/k.pem"),
    "grace": (["--grace", "10m"], 600.0),
    "cron": (["--cron", "30 2 * * *"], "30 2 * * *"),
    "zone": (["--zone", "Europe/Berlin"], "Europe/Berlin"),
    "command": (["--command", "check --name 'a b' -v"], ("check", "--name", "a b", "-v")),
    "session_tier": (["--session-tier", "0"], 0),
    "session_after": (["--session-after", "3"], 3),
    "session_cooldown": (["--session-cooldown", "2h"], 7200.0),
    "remind": (["--remind", "0"], 0.0),
    "mute": (["--mute", "yes"], True),
    "notify": (["--notify", "slack"], ("slack",)),
    "notify_from": (["--notify-from", "warning"], "warning"),
}  # fmt: skip
WITHOUT = {"paused": "`services pause` and `resume` say it of one that is there, and add has --paused"}
FIELDS = set(Definition.__struct_fields__)


def test_every_field_has_an_option_or_a_reason_to_have_none() -> None:
    assert set(OPTIONS) | set(WITHOUT) == FIELDS
    assert not set(OPTIONS) & set(WITHOUT)
    assert read(["services", "add", "--name", "web", "--url", "heartbeat:", "--paused"]).paused is True


@pytest.mark.parametrize("field", OPTIONS)
def test_what_an_option_says_stands_in_its_field_alone(field: str) -> None:
    words, wanted = OPTIONS[field]
    found = given(read(["services", "edit", "web", *words]))
    assert found.keys() == {field}
    needed = {"name": "web", "url": "heartbeat:"}
    assert getattr(msgspec.convert({**needed, **found}, Definition), field) == wanted
    line = ["services", "add", "--name", "web", "--url", "heartbeat:", *words]
    assert getattr(msgspec.convert(given(read(line)), Definition), field) == wanted


def test_whatever_is_optional_can_be_put_back() -> None:
    line = ["services", "edit", "web", *(word for name in RESETS for word in ("--reset", name))]
    assert put_back(read(line)) == FIELDS - {"name", "url"} - set(WITHOUT)


def test_a_test_asks_with_whatever_a_probe_asks_with() -> None:
    asked = {argument.names[0] for argument in ASKED}
    for field, (words, _) in OPTIONS.items():
        if words[0] in asked | {"--timeout", "--condition", "--warning"}:
            assert given(read(["services", "test", "--url", "https://shop.example.org", *words])).keys() == {
                "url",
                field,
            }


def test_a_command_that_is_quoted_badly_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read(["services", "edit", "web", "--command", "check 'a"])
    assert "can't be read: No closing quotation" in capsys.readouterr().err
