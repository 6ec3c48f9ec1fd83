"""Pings in a network of the test's own, where it says who may ping and whether anybody replies."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from schema.facts import Cause, Facts
from tests.fakes.pinging import NO_NETWORK
from tests.fixtures.machine import lacking, need_program

ROOT = Path(__file__).parents[3]
EVERYBODY, NOBODY = "0 0", ""  # it has one group
SIX = Path("/proc/net/if_inet6")


def pinged(*urls: str, who: str = EVERYBODY, replies: bool = True) -> list[Facts]:
    """What the probe finds of each URL."""
    unshare = need_program("unshare", "util-linux")
    words = [unshare, "--user", "--map-root-user", "--net", sys.executable, "tests/fakes/pinging.py", who]
    told = subprocess.run(
        [*words, "yes" if replies else "no", *urls],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    if told.returncode == NO_NETWORK or told.stderr.startswith("unshare:"):
        lacking("network of its own", f"it needs user and network namespaces: {told.stdout}{told.stderr}")
    assert told.returncode == 0, told.stderr
    return [msgspec.json.decode(line, type=Facts) for line in told.stdout.splitlines()]


@pytest.mark.parametrize(
    ("url", "ip"), [("icmp://127.0.0.1", "127.0.0.1"), ("ping://[::1]", "::1"), ("icmp:localhost", "")]
)
def test_a_ping_comes_back_by_either_family_and_by_name(url: str, ip: str) -> None:
    if ip == "::1" and not SIX.exists():
        lacking("IPv6", "its kernel has none")
    (found,) = pinged(url)
    assert (found.cause, found.connected) == (None, True), found.detail
    assert found.ip == ip if ip else found.ip in ("127.0.0.1", "::1")
    assert list(found.phases) == ["dns", "wait"]
    assert 0 < (found.latency_ms or 0) < 1000


def test_who_does_not_reply_is_a_timeout() -> None:
    (found,) = pinged("icmp://127.0.0.1", replies=False)
    assert (found.cause, found.connected) == (Cause.TIMEOUT, False)
    assert found.detail == "no answer within 1 s (while it was to answer)"


def test_a_host_that_does_not_let_it_ping_says_what_to_set() -> None:
    (found,) = pinged("icmp://127.0.0.1", who=NOBODY)
    assert (found.cause, found.connected) == (Cause.FAILED, False)
    assert "sysctl -w net.ipv4.ping_group_range" in found.detail
