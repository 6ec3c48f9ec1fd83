"""Who may command the daemon, by what the kernel says of a peer."""

import os
import pwd
from pathlib import Path
from types import SimpleNamespace

import pytest

from daemon.system.peers import Peers
from ipc.server import Peer

OWN, GROUP = 4000, 5000
KNOWN = {6001: ("ada", 6001, [6001, GROUP]), 6002: ("bob", 6002, [6002])}


@pytest.fixture
def group(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The group of the runtime directory, which a test may change; the users of this machine."""
    groups = [GROUP]

    def entry(uid: int) -> SimpleNamespace:
        name, gid, _ = KNOWN[uid]
        return SimpleNamespace(pw_name=name, pw_gid=gid)

    def listed(name: str, _gid: int) -> list[int]:
        return next(found for known, _, found in KNOWN.values() if known == name)

    monkeypatch.setattr(os, "getuid", lambda: OWN)
    monkeypatch.setattr(Path, "stat", lambda _: SimpleNamespace(st_gid=groups[0]))
    monkeypatch.setattr(pwd, "getpwuid", entry)
    monkeypatch.setattr(os, "getgrouplist", listed)
    return groups


@pytest.mark.parametrize(
    ("uid", "gid", "may"),
    [
        (OWN, 9, True),
        (0, 0, True),
        (7777, GROUP, True),
        (6001, 6001, True),
        (6002, 6002, False),
        (7777, 7777, False),
    ],
    ids=["own user", "root", "primary group", "further group", "no member", "user that nobody knows"],
)
@pytest.mark.usefixtures("group")
def test_its_user_root_and_the_members_of_the_directorys_group_may(
    tmp_path: Path, uid: int, gid: int, may: bool
) -> None:
    assert Peers(tmp_path).allowed(Peer(uid, gid, 1)) is may


def test_a_directory_of_roots_group_lets_no_one_in_by_it(tmp_path: Path, group: list[int]) -> None:
    group[0] = 0
    assert not Peers(tmp_path).allowed(Peer(7777, 0, 1))
