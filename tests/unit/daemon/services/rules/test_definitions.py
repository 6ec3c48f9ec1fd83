"""What may not stand in a definition, and what people may see of it."""

from typing import Any

import pytest

from daemon.services.rules import definitions
from schema.definitions import Definition


def wrong(**more: Any) -> list[str]:
    """The fields that are wrong, with what is said."""
    found = definitions.problems(Definition(name="x", **{"url": "http://shop.example/", **more}), {})
    return [f"{one.field}: {one.message}" for one in found]


LONG = "a" * 64


@pytest.mark.parametrize("host", ["exa_mple..org", ".example.org", f"{LONG}.example.org", "ü" * 60 + ".example.org"])
@pytest.mark.parametrize("url", ["http://{}/", "tcp://{}:5432", "dns://{}/example.org", "postgres://app@{}/"])
def test_a_host_with_a_part_that_no_name_can_have_is_refused(url: str, host: str) -> None:
    assert wrong(url=url.format(host)) == [f"url: {definitions.NO_NAME}"]
    assert wrong(server_name=host) == [f"server_name: {definitions.NO_NAME}"]


@pytest.mark.parametrize(
    "host", ["shop.example.", "exa_mple.org", "bücher.example", "[2001:db8::1]", "$HOST", "a" * 63]
)
def test_every_host_that_can_be_is_taken(host: str) -> None:
    assert wrong(url=f"http://{host}/") == []


def test_a_proxy_that_is_no_url_is_refused() -> None:
    assert wrong(proxy="http://[::bad") == ["proxy: a proxy is written like http://proxy.example.org:3128"]
