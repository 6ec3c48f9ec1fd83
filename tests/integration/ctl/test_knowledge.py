"""`claudeopsctl events, memories, health, cooldowns, audit, mcp, repositories`: shapes, following, hostile text."""

import json
import os
import pwd
import signal
from typing import Any

import pytest

from tests.integration.ctl.stage import Stage, wait_for

ME = f"{pwd.getpwuid(os.getuid()).pw_name} (claudeopsctl)"
AT = "2026-01-31T08:05:00.000Z"
WILD = "it is\n\x1b]0;down\x07 \x9b2J"
CLEAN = "it is \\x1b]0;down\\x07 \\x9b2J"


def event(id_: int, **facts: Any) -> dict[str, Any]:
    return {"id": id_, "level": "info", "service": "web", "session_id": 7, "message": WILD, "created_at": AT, **facts}


def memory(id_: int, **facts: Any) -> dict[str, Any]:
    known = {"service": "web", "category": "timing", "observation": WILD, "confidence": 0.7, "active": True}
    return {"id": id_, **known, "created_at": AT, "updated_at": AT, **facts}


ROWS: dict[tuple[str, ...], tuple[str, dict[str, Any]]] = {
    ("events", "list"): ("events", event(1)),
    ("memories", "list"): ("memories", memory(1)),
    ("cooldowns",): ("cooldowns", {
        "service": WILD, "action": "restart", "used": 2, "limit": 2, "window_s": 14400, "blocked": True,
        "last_at": AT, "resets_at": AT, "healthy_checks": 1,
    }),
    ("health",): ("health", {
        "service": "web", "status": "down", "checked_at": AT, "healthy_checks": 0, "detail": WILD, "session_id": 7,
    }),
    ("audit", "list"): ("audit", {
        "id": 1, "at": AT, "actor": "rules", "action": "call.deny", "session_id": 7, "subject": WILD, "rule": "r",
        "detail": "",
    }),
    ("repositories",): ("repositories", {
        "name": "infra", "path": "/repos/infra", "runbook": True, "checks": ["http.md", "dns.md"], "problem": WILD,
    }),
    ("mcp",): ("mcp", {
        "name": "docker", "source": "infra", "command": WILD, "replaces": "baseline", "status": "connected", "tools": 4,
    }),
}  # fmt: skip


@pytest.mark.parametrize("words", ROWS, ids=" ".join)
def test_each_list_is_a_list_of_rows_and_a_table_that_commands_nothing(served: Stage, words: tuple[str, ...]) -> None:
    noun, row = ROWS[words]
    assert served.json(*words) == []
    served.rows(noun, row)
    (told,) = served.json(*words)
    assert row.items() <= told.items()
    text = served.ctl(*words).stdout
    assert len(text.splitlines()) == 2
    assert CLEAN in text
    assert "\x1b" not in text


def test_events_are_chosen_by_level_service_and_session(served: Stage) -> None:
    others = (event(2, level="critical"), event(3, service="db"), event(4, session_id=8))
    served.rows("events", event(1), *others)
    for words, ids in (
        ((), [4, 3, 2, 1]),
        (("--level", "critical"), [2]),
        (("--service", "db"), [3]),
        (("--session", "8"), [4]),
        (("--limit", "1", "--before", "4"), [3]),
    ):
        assert [row["id"] for row in served.json("events", "list", *words)] == ids


def test_following_events_loses_and_repeats_nothing_over_killed_workers(served: Stage) -> None:
    served.rows("events", *(event(id_) for id_ in range(1, 6)))
    process = served.popen("events", "list", "-f", "--json", "--limit", "2", "--service", "web")
    assert process.stdout is not None
    seen = [json.loads(process.stdout.readline())["id"] for _ in range(2)]
    served.kill_worker()
    # More than one answer holds, and some of another service.
    served.rows("events", *(event(id_, service="db" if id_ % 7 == 0 else "web") for id_ in range(1, 301)))
    served.start_worker()
    wanted = [4, 5, *(id_ for id_ in range(6, 301) if id_ % 7)]
    seen += [json.loads(process.stdout.readline())["id"] for _ in range(len(wanted) - 2)]
    assert seen == wanted
    served.rows("events", event(301, message="the end"))
    assert json.loads(process.stdout.readline())["message"] == "the end"
    process.send_signal(signal.SIGINT)
    rest, told = process.communicate(timeout=10)
    assert (process.returncode, rest) == (130, b"")
    assert b"Traceback" not in told


def test_followed_events_are_a_line_each_for_people(served: Stage) -> None:
    process = served.popen("events", "list", "-f", "--limit", "0")
    wait_for(lambda: served.calls("events.list"))
    served.rows("events", event(1))
    assert process.stdout is not None
    assert process.stdout.readline().decode() == f"2026-01-31 08:05:00  info      {'web':<16}  {CLEAN}\n"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    told = served.ctl("events", "list", "-f", "--before", "4")
    assert (told.returncode, "leave one of" in told.stderr) == (2, True)


def test_memories_are_chosen(served: Stage) -> None:
    served.rows("memories", memory(1), memory(2, service=None), memory(3, category="behavior"), memory(4, active=False))
    for words, ids in (
        ((), [1, 2, 3]),
        (("--all",), [1, 2, 3, 4]),
        (("--service", "web", "--category", "timing"), [1]),
        (("--limit", "1"), [1]),
    ):
        assert [row["id"] for row in served.json("memories", "list", *words)] == ids


def test_a_memory_is_added_changed_and_deleted_by_name(served: Stage) -> None:
    told = served.json("memories", "add", "slow on Mondays", "--category", "timing", "--service", "web")
    assert (told["id"], told["observation"], told["confidence"]) == (5, "slow on Mondays", 0.7)
    told = served.json("memories", "edit", "5", "--service", "", "--confidence", "0.9", "--active", "no")
    assert (told["service"], told["confidence"], told["active"]) == ("", 0.9, False)
    assert told["observation"] == "slow on Mondays", "what is not given stays"
    assert served.ctl("memories", "edit", "5", "--observation", WILD).stdout == (
        f"memory 5 (timing, 0.90, inactive): {CLEAN}\n"
    )
    assert served.json("memories", "delete", "5") == {"done": True, "id": 5, "text": "memory 5 is deleted"}
    assert served.json("memories", "delete", "5", code=1)["error"]["code"] == "not_found"
    changes = ("memories.add", "memories.change", "memories.delete")
    assert {call["body"]["by"] for name in changes for call in served.calls(name)} == {ME}


def test_a_change_of_nothing_is_wrong_usage(served: Stage) -> None:
    told = served.ctl("memories", "edit", "5")
    assert told.returncode == 2
    assert "nothing is to be changed; give --observation" in told.stderr
    assert served.calls() == []


def test_memories_are_exported_whole(served: Stage) -> None:
    """More than one answer can hold, the first of no service and the last of another."""
    ids = range(1, 1101)
    general = memory(1, service=None, observation="one\u2028two\x85three", active=True)
    served.rows("memories", general, *(memory(id_) for id_ in ids[1:]), memory(1101, service="db", active=False))
    plain = served.ctl("memories", "export").stdout
    rows = json.loads(plain)
    assert ([row["id"] for row in rows], rows[0]["observation"]) == ([*ids], general["observation"])
    assert plain == json.dumps(rows, ensure_ascii=False, indent=2) + "\n"
    assert [row["id"] for row in served.json("memories", "export", "--all")] == [*ids, 1101]
    assert [row["id"] for row in served.json("memories", "export", "--all", "--service", "db")] == [1101]
    assert served.json("memories", "export", "--service", "nothing") == []
    assert served.ctl("memories", "export", "--format", "markdown", "--json").returncode == 2
    lines = served.ctl("memories", "export", "--format", "markdown", "--all").stdout.split("\n")
    one = f"- [timing] {CLEAN} (confidence 0.70"
    assert lines[:3] == ["# Memories", "", "## General"]
    assert lines[5:11] == ["", "## db", "", f"{one}, inactive)", "", "## web"]
    assert lines[12:] == [*[f"{one})"] * 1099, ""]


def test_a_list_is_as_long_as_asked_for_and_the_most_certain_come_first(served: Stage) -> None:
    """More than one answer can hold."""
    served.rows("memories", *({**memory(id_), "confidence": 0.3 + id_ / 10_000} for id_ in range(1, 1202)))
    found = [row["id"] for row in served.json("memories", "list", "--limit", "1100")]
    assert found == [*range(1201, 101, -1)]
    assert len(served.json("memories", "list", "--limit", "5000")) == 1201


def test_of_an_export_that_breaks_off_nothing_is_told(served: Stage) -> None:
    served.rows("memories", *(memory(id_) for id_ in range(1, 150)), {**memory(150), "confidence": "no number"})
    told = served.ctl("memories", "export")
    assert (told.returncode != 0, told.stdout) == (True, "")
    assert told.stderr.startswith("claudeopsctl: ")


def test_a_services_counters_begin_anew(served: Stage) -> None:
    known = ROWS[("cooldowns",)][1]
    served.rows("cooldowns", {**known, "service": "web"}, {**known, "service": "db", "blocked": False})
    text = served.ctl("cooldowns").stdout
    assert "blocked  2 of 2 in 4 h 00 m" in text
    assert [row["service"] for row in served.json("cooldowns", "clear", "web")] == ["db"]
    assert served.calls("cooldowns.clear")[0]["body"] == {"service": "web", "by": ME}
    assert served.ctl("cooldowns", "clear", "db").stdout.startswith("the counters of db begin anew\n")


def test_the_audit_log_is_chosen_by_action_and_session(served: Stage) -> None:
    known = ROWS[("audit", "list")][1]
    served.rows("audit", known, {**known, "id": 2, "action": "call.allow"}, {**known, "id": 3, "session_id": 8})
    for words, ids in (
        ((), [3, 2, 1]),
        (("--action", "call.allow"), [2]),
        (("--session", "8"), [3]),
        (("--before", "3", "--limit", "1"), [2]),
    ):
        assert [row["id"] for row in served.json("audit", "list", *words)] == ids


def test_what_could_not_be_read_of_the_servers_is_told_beside_the_list(served: Stage) -> None:
    served.rows("mcp", ROWS[("mcp",)][1], {**ROWS[("mcp",)][1], "name": "x", "replaces": None, "refused": "forbidden"})
    for words in (("mcp",), ("mcp", "--json")):
        told = served.ctl(*words)
        assert told.returncode == 0
        assert told.stderr == "claudeopsctl: bad.json: \\x1b[31mnot JSON; mend it\n"
    text = served.ctl("mcp").stdout
    assert "replaces baseline's" in text
    assert "left out: forbidden" in text


def test_without_a_daemon_each_says_what_to_do(stage: Stage) -> None:
    for words in (
        *ROWS,
        ("triggers", "list"),
        ("approvals", "list"),
        ("memories", "export"),
        ("sessions", "chain", "1"),
    ):
        told = stage.json(*words, code=5)
        assert told["error"]["code"] == "not_running", words
