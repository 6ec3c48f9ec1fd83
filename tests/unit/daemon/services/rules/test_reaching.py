"""The addresses by which this host knows that it is not cut off."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.services.rules.reaching import Place, places


def test_hosts_addresses_and_ipv6_are_read() -> None:
    assert places(" 192.0.2.1:53, gateway.example.org:443,[2001:db8::1]:443 ,") == [
        Place("192.0.2.1", 53), Place("gateway.example.org", 443), Place("2001:db8::1", 443),
    ]  # fmt: skip
    assert places("") == []


@pytest.mark.parametrize("text", ["host", ":53", "host:", "host:0", "host:99999", "http://host:1/", "a@b:1", "h:1/x"])
def test_what_names_no_place_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(ValueError, match="host:port"):
        places(text)


@given(st.text(max_size=60))
def test_whatever_is_written_is_read_or_refused(text: str) -> None:
    try:
        found = places(text)
    except ValueError:
        return
    assert all(place.host and 0 < place.port < 65536 for place in found)
