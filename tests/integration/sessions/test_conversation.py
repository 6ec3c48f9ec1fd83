"""Where the CLI had a conversation, by the files that it keeps, which a session may have written to."""

from pathlib import Path

import pytest

from daemon.sessions.conversation import goes_on_in, place


def keep(home: Path, content: bytes) -> None:
    kept = home / ".claude" / "projects" / "p" / "id.jsonl"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(content)


def test_it_is_told_by_the_first_line_that_has_it(tmp_path: Path) -> None:
    keep(tmp_path, b'{"type": "summary"}\n{"cwd": "' + str(tmp_path).encode() + b'"}\n')
    assert place(tmp_path, "id") == str(tmp_path)
    assert goes_on_in(tmp_path, "id", tmp_path)
    assert not goes_on_in(tmp_path, "id", tmp_path / "other")
    assert place(tmp_path, "another") is None


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"cwd": 5}', b'{"cwd": "\xff"}', b'{"x": ' + b"[" * 5000 + b"]" * 5000 + b"}"]
)
def test_what_can_not_be_read_tells_nothing(tmp_path: Path, content: bytes) -> None:
    keep(tmp_path, content)
    assert place(tmp_path, "id") is None
