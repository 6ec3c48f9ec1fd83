"""Which addresses may not be probed, in all the ways in which they can be written."""

import pytest

from daemon.services.rules.addresses import denied


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.0.1",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "100.100.100.200",
        "::ffff:169.254.169.254",
        "::ffff:100.100.100.200",
        "::169.254.169.254",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::169.254.169.254",
        "2002:a9fe:a9fe::",
    ],
)
def test_what_gives_away_credentials_is_denied_however_it_is_written(address: str) -> None:
    assert "CLAUDEOPS_PROBE_LINK_LOCAL" in (denied(address, allowed=False) or "")
    assert denied(address, allowed=True) is None


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "::", "10.0.0.7", "fd00::1", "64:ff9b::10.0.0.7", "2002:a00:7::", "example.org"]
)
def test_all_else_may_be_asked(address: str) -> None:
    assert denied(address, allowed=False) is None
