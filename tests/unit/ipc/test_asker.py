"""Who asks, for rows that say so: the kernel's word, but for the web process, which speaks for people."""

import os
import pwd

from ipc.asker import unix_user
from ipc.server import Call, Peer

OURS = os.geteuid()
OTHER = next(entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid != OURS)


def call(uid: int) -> Call:
    return Call("id", Peer(uid, 0, 1), 0.0, "")


def test_whoever_comes_as_another_user_is_that_user_whatever_the_request_says() -> None:
    name = pwd.getpwuid(OTHER).pw_name
    assert call(OTHER).asker("ada") == call(OTHER).asker() == f"{name} (claudeopsctl)"
    assert call(4_000_000_000).asker("ada") == "uid 4000000000 (claudeopsctl)"


def test_our_own_user_tells_for_whom_it_asks() -> None:
    assert call(OURS).asker("ada") == "ada"
    assert call(OURS).asker("") == unix_user(OURS)
