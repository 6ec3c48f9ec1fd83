"""What was read of the configuration may be sent back whole: only what was edited changes."""

from typing import Any

import pytest

from ipc.errors import CallError, Code
from webui.api.answered import Config
from webui.api.asked import ConfigChange
from webui.api.config import READ_ONLY, changed

BEFORE: dict[str, Any] = {
    "interval": 3600, "tier1_model": "haiku", "tier2_model": "sonnet", "tier3_model": "opus", "dry_run": False,
    "max_tier": 3, "state_dir": "/state", "results_dir": "/results", "repos_dir": "/repos",
}  # fmt: skip


def test_every_field_that_is_told_may_be_sent() -> None:
    assert Config.__struct_fields__ == ConfigChange.__struct_fields__ == tuple(BEFORE)


def test_only_what_was_edited_changes() -> None:
    assert changed(BEFORE, BEFORE) == {}
    assert changed(BEFORE, {**BEFORE, "interval": 600, "dry_run": True}) == {"interval": 600, "dry_run": True}
    assert changed(BEFORE, {"tier1_model": "sonnet"}) == {"tier1_model": "sonnet"}


@pytest.mark.parametrize(("name", "value"), [*((name, "/x") for name in READ_ONLY[1:]), ("max_tier", 2)])
def test_what_is_read_only_is_refused_by_name_unless_it_is_as_it_was(name: str, value: Any) -> None:
    with pytest.raises(CallError, match=f"^{name}: it is {BEFORE[name]} and can't be changed here") as error:
        changed(BEFORE, {**BEFORE, "interval": 600, name: value})
    assert error.value.code is Code.INVALID
