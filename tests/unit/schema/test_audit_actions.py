"""What can stand in the audit log: each with a sentence, and each written by somebody."""

import re
from pathlib import Path

import pytest

from schema.audit_actions import MEANING, Action
from schema.states import ApprovalStatus

ROOT = Path(__file__).parents[3]
# Made from another Enum where they are written.
MADE = {f"call.{decision}" for decision in ("allow", "deny", "ask")} | {f"approval.{one}" for one in ApprovalStatus}


def test_each_has_a_sentence() -> None:
    assert set(MEANING) == set(Action)


@pytest.mark.parametrize("action", list(Action))
def test_each_is_a_noun_with_what_became_of_it(action: Action) -> None:
    assert re.fullmatch(r"[a-z_]+\.[a-z_]+", action.value)
    assert action.name == action.value.replace(".", "_").upper()


def test_each_is_written_by_the_daemon() -> None:
    written = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "daemon").rglob("*.py"))
    named = set(re.findall(r"Action\.([A-Z_]+)\b", written))
    assert {action.value for action in Action if action.name not in named} <= MADE
