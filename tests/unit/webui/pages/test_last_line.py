"""The last line of a running session: words or calls, from the end of its log."""

import json
from pathlib import Path
from typing import Any

from webui.pages import last_line

STAMP = "2026-01-31T08:05:00.000000000Z\t"


def line(*blocks: dict[str, Any], kind: str = "assistant") -> bytes:
    return (STAMP + json.dumps({"type": kind, "message": {"id": "m", "content": list(blocks)}}) + "\n").encode()


def use(name: str, **given: Any) -> bytes:
    return line({"type": "tool_use", "id": "t", "name": name, "input": given})


RESULT = line({"type": "tool_result", "tool_use_id": "t", "content": "ok"}, kind="user")


def written(path: Path, *lines: bytes) -> Path:
    path.write_bytes(b"".join(lines))
    return path


def test_it_is_the_last_call_or_the_last_words(tmp_path: Path) -> None:
    words = line({"type": "text", "text": "I look\nat \x1b[31mweb\x1b[0m."})
    log = written(tmp_path / "a", use("Read", file_path="/x"), words, RESULT)
    assert last_line.read(log) == "I look at web."
    assert last_line.read(written(log, words, use("Bash", command="docker ps"), RESULT)) == "$ docker ps"


def test_a_line_that_is_still_being_written_does_not_count(tmp_path: Path) -> None:
    log = written(tmp_path / "a", use("Bash", command="docker ps"), use("Bash", command="uptime")[:-9])
    assert last_line.read(log) == "$ docker ps"


def test_only_the_end_of_a_long_log_is_read(tmp_path: Path) -> None:
    log = written(tmp_path / "a", use("Bash", command="docker ps"), *[RESULT] * 2000)
    assert log.stat().st_size > 2 * last_line.TAIL
    assert last_line.read(log) == ""
    assert last_line.read(written(log, *[RESULT] * 2000, use("Bash", command="uptime"))) == "$ uptime"


def test_no_log_is_no_line(tmp_path: Path) -> None:
    assert last_line.read(tmp_path / "nothing") == ""
    assert last_line.read(written(tmp_path / "a", b"\xff\x00 no json\n")) == ""


def test_long_words_are_cut(tmp_path: Path) -> None:
    found = last_line.read(written(tmp_path / "a", line({"type": "text", "text": "ä" * 5000})))
    assert found == "ä" * last_line.CHARS + " …"
