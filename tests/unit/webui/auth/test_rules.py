"""Roles, delays after wrong passwords, Origin, proxies, redirect targets."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schema.access import Scope
from schema.states import Role
from webui.auth import rules
from webui.auth.rules import Access, Failures, sign_in_delay

NONE = Failures(0, 900.0)


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (Role.VIEWER, {Access.PUBLIC, Access.SCRAPE, Access.VIEWER}),
        (Role.OPERATOR, {Access.PUBLIC, Access.SCRAPE, Access.VIEWER, Access.OPERATOR}),
        (Role.ADMIN, set(Access)),
    ],
)
def test_each_role_may_what_those_before_it_may(role: Role, allowed: set[Access]) -> None:
    assert {access for access in Access if rules.may(role, access)} == allowed


def test_the_first_wrong_passwords_cost_nothing_and_then_the_delay_doubles() -> None:
    delays = [sign_in_delay(Failures(times, 0.0), NONE, NONE) for times in range(16)]
    assert delays[:5] == [0.0] * 5
    assert delays[5:9] == [1.0, 2.0, 4.0, 8.0]
    assert delays[-1] == rules.DELAY_MAX
    assert delays == sorted(delays)


def test_a_delay_that_was_waited_for_is_over() -> None:
    assert sign_in_delay(Failures(7, 1.0), NONE, NONE) == 3.0
    assert sign_in_delay(Failures(7, 4.0), NONE, NONE) == 0.0


def test_an_address_that_tries_many_names_is_slowed_down() -> None:
    assert sign_in_delay(Failures(1, 0.0), Failures(25, 0.0), Failures(1, 0.0)) == 32.0


@settings(deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 900))
def test_a_name_under_attack_from_elsewhere_lets_its_owner_in(times: int, ago: float) -> None:
    assert sign_in_delay(NONE, NONE, Failures(times, ago)) == 0.0


def test_a_name_under_attack_slows_an_address_that_has_failed_with_it() -> None:
    assert sign_in_delay(Failures(1, 10.0), Failures(1, 10.0), Failures(60, 0.0)) == 20.0


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("x" * 100, "x" * 64),
    ],
)
def test_an_ipv6_customer_is_one_address(address: str, counted: str) -> None:
    assert rules.rate_address(address) == counted


@pytest.mark.parametrize(
    ("origin", "site", "host", "public", "allowed"),
    [
        (None, None, "a:1", "", True),
        ("http://a:1", "same-origin", "a:1", "", True),
        ("https://a:1", None, "a:1", "", True),
        ("http://a:2", None, "a:1", "", False),
        ("http://a:1", "cross-site", "a:1", "", False),
        (None, "same-site", "a:1", "", False),
        (None, "none", "a:1", "", True),
        ("null", None, "a:1", "", False),
        ("https://ops.example", None, "inner:80", "https://ops.example/", True),
        ("http://ops.example", None, "inner:80", "https://ops.example/", False),
        ("file://", None, "", "", False),
        ("http://[a", None, "[a", "", False),
    ],
)
def test_unsafe_requests_come_from_our_own_pages(
    origin: str | None, site: str | None, host: str, public: str, allowed: bool
) -> None:
    assert rules.origin_allowed(origin, site, host, public) is allowed


@pytest.mark.parametrize(
    ("host", "public", "allowed"),
    [
        ("anything", "", True),
        ("ops.example", "https://ops.example", True),
        ("OPS.example:443", "https://ops.example", True),
        ("127.0.0.1:8080", "https://ops.example", True),
        ("[::1]:8080", "https://ops.example", True),
        ("evil.example", "https://ops.example", False),
        ("[bad", "https://ops.example", False),
    ],
)
def test_a_host_is_ours_or_this_machine(host: str, public: str, allowed: bool) -> None:
    assert rules.host_allowed(host, public) is allowed


@pytest.mark.parametrize(
    "target", ["//evil.example", "/\\evil.example", "https://evil.example", "", "a", "/a\\b", "/a\n"]
)
def test_a_target_elsewhere_becomes_the_start(target: str) -> None:
    assert rules.local_target(target) == "/"


def test_a_target_here_is_kept() -> None:
    assert rules.local_target("/sessions/7?at=9#b9") == "/sessions/7?at=9#b9"


@pytest.mark.parametrize(
    ("password", "again", "name", "said"),
    [
        ("short", "short", "ada", "at least 12"),
        ("x" * 1025, "x" * 1025, "ada", "at most 1024"),
        ("Lovelace1815", "Lovelace1815", "lovelace1815", "differ from the name"),
        ("twelve letters", "twelve lettres", "ada", "two passwords differ"),
    ],
)
def test_a_password_that_can_not_be_used_says_why(password: str, again: str, name: str, said: str) -> None:
    assert said in (rules.password_problem(password, again, name) or "")
    assert rules.password_problem("twelve letters", "twelve letters", "ada") is None


@pytest.mark.parametrize(("name", "fine"), [("ada", True), ("", False), ("x" * 65, False), ("a\nb", False)])
def test_a_name_is_short_and_printable(name: str, fine: bool) -> None:
    assert (rules.name_problem(name) is None) is fine


@pytest.mark.parametrize(
    ("scopes", "expires_at", "may"),
    [
        (None, None, True),
        (frozenset(Scope), None, True),
        (frozenset(Scope), "2126-01-01T00:00:00.000Z", False),
        (frozenset({Scope.READ, Scope.ACT}), None, False),
        (frozenset({Scope.ACT}), None, False),
        (frozenset(), None, False),
    ],
)
def test_only_people_and_tokens_without_bounds_let_others_in(
    scopes: frozenset[Scope] | None, expires_at: str | None, may: bool
) -> None:
    assert rules.may_grant(scopes, expires_at) is may
