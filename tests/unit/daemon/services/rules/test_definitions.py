"""What may not stand in a definition, and what people may see of it."""

from typing import Any

import pytest

from daemon.services.rules import definitions
from daemon.services.rules.definitions import problems
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


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://ada:word@shop.example/", "https://ada:***@shop.example/"),
        ("https://ghp_TOKEN@git.example/", "https://***:***@git.example/"),
        ("https://sk_live_X:@pay.example/", "https://***:***@pay.example/"),
        ("wss://ghp_TOKEN@git.example/", "wss://***:***@git.example/"),
        ("postgres://app@db.example/app", "postgres://app@db.example/app"),
        ("redis://:word@cache.example", "redis://:***@cache.example"),
        ("https://shop.example/@me?at=a@b", "https://shop.example/@me?at=a@b"),
        ("not a url", "not a url"),
    ],
)
def test_what_a_url_is_signed_in_to_with_is_masked_however_it_is_written(url: str, shown: str) -> None:
    assert definitions.masked(url) == shown
    assert definitions.masked(shown) == shown


@pytest.mark.parametrize(
    "name",
    ["key", "sig", "auth", "pass", "pwd", "X-Auth-Key", "api_key", "apiKey", "authKey", "access-key", "X-Amz-Signature",
     "password", "passphrase", "Authorization", "Cookie", "jwt", "client_secret", "AUTH", "x.key"],
)  # fmt: skip
def test_what_sounds_secret_is_masked(name: str) -> None:
    assert (
        definitions.masked(f"https://shop.example/?a=1&{name}=word&b=2") == f"https://shop.example/?a=1&{name}=***&b=2"
    )
    assert definitions.SECRETIVE.search(name)


@pytest.mark.parametrize("name", ["author", "monkey", "keyboard", "design", "passenger", "Accept", "X-Request-Id"])
def test_what_only_contains_such_a_word_is_shown(name: str) -> None:
    assert definitions.masked(f"https://shop.example/?{name}=word") == f"https://shop.example/?{name}=word"


SIGNED_IN = "https://ada:made-up@web.example.org/"


@pytest.mark.parametrize("name", ["Authorization", "authorization"])
def test_a_password_in_the_url_and_one_in_a_header_are_one_too_many(name: str) -> None:
    (problem,) = problems(Definition(name="web", url=SIGNED_IN, headers={name: "Bearer made-up"}), {})
    assert problem.field == "headers"
    assert "the URL has a name or password already" in problem.message
    assert problems(Definition(name="web", url=SIGNED_IN, headers={"X-Key": "made-up"}), {}) == []
    assert problems(Definition(name="web", url="https://a.example.org/?q=@", headers={name: "Bearer x"}), {}) == []


@pytest.mark.parametrize("name", [".", ".."])
def test_a_name_whose_page_has_no_address_is_refused_for_a_new_service(name: str) -> None:
    (problem,) = problems(Definition(name=name, url="https://web.example.org/"), {})
    assert problem.field == "name"
    assert problems(Definition(name=name, url="https://web.example.org/"), {name: ()}, name) == []
