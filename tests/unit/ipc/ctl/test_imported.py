"""What an import did, in words."""

import pytest

from ipc.ctl import imported


def test_each_field_that_changes_is_shown_old_and_new_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    fields = [
        ("url", "http://a", "http://b", False),
        ("interval", 60.0, 30.0, False),
        ("tags", ["prod"], ["prod", "lab"], False),
        ("verify", True, False, False),
        ("body", "", "a\n\x1b[31mb", False),
        ("proxy", "http://x:***@p", "http://x:***@p", True),
    ]
    names = ("field", "old", "new", "secret")
    found = {
        "added": ["fresh"], "changed": ["web"], "removed": ["old"], "unchanged": 2, "errors": [], "dry_run": True,
        "left_out": [{"file": "g.yaml", "line": 3, "column": 5, "message": "web: ui: shown"}],
        "differences": [{"service": "web", **dict(zip(names, one, strict=True))} for one in fields],
    }  # fmt: skip
    imported.show(found)
    told = capsys.readouterr()
    assert told.err == "g.yaml:3:5: left out: web: ui: shown\n"
    assert told.out.splitlines() == [
        "+ fresh",
        "~ web",
        "    url: http://a → http://b",
        "    interval: 60 → 30",
        "    tags: prod → prod, lab",
        "    verify: true → false",
        "    body: – → a \\x1b[31mb",
        "    proxy: http://x:***@p → http://x:***@p (another password)",
        "- old",
        "would be: 1 added, 1 changed, 1 removed, 2 as they were",
    ]
