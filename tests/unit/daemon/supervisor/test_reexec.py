"""What a re-execution hands over: descriptors that are its alone, also where the version before knew of fewer."""

import json
import os
from pathlib import Path

import pytest

from daemon import __main__ as entry
from daemon.supervisor import places, reexec
from daemon.supervisor.programs import Programs


def test_the_state_is_locked_now_where_the_version_before_had_no_lock_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = [os.open("/dev/null", os.O_RDONLY) for _ in range(3)] + [places.listen_http("127.0.0.1", 0)]
    for descriptor in opened:
        os.set_inheritable(descriptor, True)
    known = {**dict(zip(("lock", "rpc", "pub", "http"), opened, strict=True)), "address": "before"}
    monkeypatch.setenv(reexec.VARIABLE, json.dumps({"places": known, "fixed": {}}))
    facts = reexec.inherited()
    assert facts is not None
    assert facts["places"].state == places.NONE
    assert not any(os.get_inheritable(descriptor) for descriptor in opened)
    state = {"CLAUDEOPS_STATE_DIR": str(tmp_path / "state"), "CLAUDEOPS_RUNTIME_DIR": str(tmp_path / "run")}
    owned = entry.own(Programs(state), facts)
    assert owned.address.startswith("http://127.0.0.1:")
    assert owned[:4] == tuple(opened)
    with pytest.raises(places.LockHeldError):
        places.take_state(tmp_path / "state", tmp_path / "other")
    for descriptor in (*opened, owned.state):
        os.close(descriptor)


def test_where_no_process_can_be_made_the_daemon_goes_on_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refuse)
    assert reexec.check([]) == "no process can be made to look at it: Resource temporarily unavailable"
