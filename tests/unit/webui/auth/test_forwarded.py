"""Only trusted proxies say who asks, and only what they added themselves is believed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.networks import networks
from webui.auth import rules
from webui.auth.forwarded import Asker, Said, asker, is_proxy

PEER = Asker("10.0.0.2", "http", "inner:8080")
OURS = networks("10.0.0.0/8, ::1")


@pytest.mark.parametrize(
    ("peer", "said", "address"),
    [
        ("203.0.113.9", ["1.1.1.1"], "203.0.113.9"),
        ("10.0.0.2", ["1.1.1.1"], "1.1.1.1"),
        ("10.0.0.2", ["6.6.6.6, 1.1.1.1"], "1.1.1.1"),
        ("10.0.0.2", ["6.6.6.6, 1.1.1.1, 10.0.0.3"], "1.1.1.1"),
        ("10.0.0.2", ["6.6.6.6", "1.1.1.1"], "1.1.1.1"),
        ("10.0.0.2", ["1.1.1.1:5050"], "1.1.1.1"),
        ("10.0.0.2", ["[2001:db8::7]:443"], "2001:db8::7"),
        ("::ffff:10.0.0.2", ["1.1.1.1"], "1.1.1.1"),
        ("::1", ["1.1.1.1"], "1.1.1.1"),
        ("10.0.0.2", ["6.6.6.6, not an address"], "10.0.0.2"),
        ("10.0.0.2", ["10.0.0.9, 10.0.0.8"], "10.0.0.9"),
        ("10.0.0.2", [""], "10.0.0.2"),
    ],
)
def test_the_first_address_from_the_right_that_is_no_proxy_of_ours_asks(
    peer: str, said: list[str], address: str
) -> None:
    assert asker(PEER._replace(address=peer), Said(x_for=said), OURS).address == address
    elements = [", ".join(f'for="{part.strip()}"' for part in line.split(",")) for line in said]
    assert asker(PEER._replace(address=peer), Said(forwarded=elements), OURS).address == address


def test_scheme_and_host_are_those_of_a_trusted_proxy() -> None:
    said = Said(["1.1.1.1"], ["https"], ["ops.example.org"])
    assert asker(PEER, said, OURS) == Asker("1.1.1.1", "https", "ops.example.org")
    assert asker(PEER._replace(address="8.8.8.8"), said, OURS) == Asker("8.8.8.8", "http", "inner:8080")
    forwarded = Said(forwarded=['for=6.6.6.6;proto=http;host=evil, for=1.1.1.1;proto=https;host="ops.example.org"'])
    assert asker(PEER, forwarded, OURS) == Asker("1.1.1.1", "https", "ops.example.org")
    chain = Said(["6.6.6.6, 1.1.1.1, 10.0.0.3"], ["http, https, http"], ["a, ops.example.org, b"])
    assert asker(PEER, chain, OURS) == Asker("1.1.1.1", "https", "ops.example.org")


@pytest.mark.parametrize("host", ["a b", "evil\r\nX: y", "a/b", "a@b", "x" * 300, ""])
@pytest.mark.parametrize("scheme", ["javascript", "HTTPSX", ""])
def test_nonsense_changes_nothing(host: str, scheme: str) -> None:
    found = asker(PEER, Said(["1.1.1.1"], [scheme], [host]), OURS)
    assert found == Asker("1.1.1.1", "http", "inner:8080")


def test_two_kinds_of_header_that_do_not_agree_are_both_left_aside() -> None:
    # A proxy that sets one of them passes the other on as its client made it up.
    assert asker(PEER, Said(x_for=["6.6.6.6"], forwarded=["for=1.1.1.1"]), OURS) == PEER
    assert asker(PEER, Said(x_for=["1.1.1.1"], x_proto=["https"], forwarded=["for=1.1.1.1"]), OURS).scheme == "https"


@given(st.lists(st.text(max_size=60), max_size=4), st.lists(st.text(max_size=60), max_size=4))
def test_whatever_is_said_the_answer_is_an_address_or_the_peer(x_for: list[str], forwarded: list[str]) -> None:
    found = asker(PEER, Said(x_for=x_for, forwarded=forwarded), OURS)
    assert found.address == PEER.address or rules.rate_address(found.address) != ""
    assert found.scheme in ("http", "https")
    stranger = PEER._replace(address="8.8.8.8")
    assert asker(stranger, Said(x_for=x_for, forwarded=forwarded), OURS) == stranger


def test_without_trusted_proxies_nobody_is_one() -> None:
    assert not is_proxy("127.0.0.1", [])
    assert asker(PEER._replace(address="127.0.0.1"), Said(["1.1.1.1"]), []).address == "127.0.0.1"
