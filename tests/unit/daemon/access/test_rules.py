"""What a token may be good for, and when a change would leave nobody to administer."""

import pytest

from daemon.access import rules
from schema.access import SCOPES_OF, Scope, User, digest, name_problem, new_token
from schema.states import Role


def user(role: Role = Role.ADMIN, disabled_at: str | None = None) -> User:
    return User(id=1, name="ada", role=role, created_at="2026-01-01T00:00:00.000Z", disabled_at=disabled_at)


def test_without_a_word_a_token_is_good_for_what_its_role_may() -> None:
    for role in Role:
        assert rules.scopes(role, []) == SCOPES_OF[role]


def test_scopes_that_are_named_come_once_and_in_their_order() -> None:
    assert rules.scopes(Role.ADMIN, [Scope.METRICS, Scope.READ, Scope.READ]) == (Scope.READ, Scope.METRICS)


def test_a_viewer_has_no_scope_that_acts() -> None:
    with pytest.raises(ValueError, match="viewer can't have the scope act"):
        rules.scopes(Role.VIEWER, [Scope.READ, Scope.ACT])


@pytest.mark.parametrize(
    ("role", "disabled", "others", "left_alone"),
    [
        (Role.VIEWER, None, 0, True),
        (Role.OPERATOR, None, 0, True),
        (None, True, 0, True),
        (Role.ADMIN, True, 0, True),
        (Role.ADMIN, None, 0, False),
        (None, False, 0, False),
        (Role.VIEWER, None, 1, False),
        (None, True, 1, False),
    ],
)
def test_the_last_admin_stays_one(role: Role | None, disabled: bool | None, others: int, left_alone: bool) -> None:
    assert rules.leaves_no_admin(user(), role, disabled, others) is left_alone


@pytest.mark.parametrize("known", [user(Role.OPERATOR), user(disabled_at="2026-01-01T00:00:00.000Z")])
def test_who_is_no_admin_now_can_be_changed_at_will(known: User) -> None:
    assert not rules.leaves_no_admin(known, Role.VIEWER, True, 0)


def test_what_is_already_so_is_no_change() -> None:
    assert rules.is_no_change(user(), Role.ADMIN, False)
    assert rules.is_no_change(user(), None, None)
    assert not rules.is_no_change(user(), None, True)
    assert not rules.is_no_change(user(), Role.VIEWER, None)


@pytest.mark.parametrize(
    "name", ["", "a" * 65, "a\x1b[2J", "token:x", "Token:x", "key:chat", "Rules", "daemon", "root (claudeopsctl)"]
)
def test_such_a_name_nobody_has(name: str) -> None:
    assert name_problem(name)
    assert rules.token_name_problem(name)


def test_a_number_names_no_token_but_may_name_a_person() -> None:
    assert rules.token_name_problem("12")
    assert name_problem("12") is None


def test_only_a_sha_256_in_hex_is_a_digest() -> None:
    made = new_token()
    assert rules.is_digest(digest(made))
    assert not rules.is_digest(made)
    assert not rules.is_digest(digest(made).upper())
    assert not rules.is_digest(digest(made) + "\n")


def test_tokens_differ_and_have_32_bytes() -> None:
    made = {new_token() for _ in range(100)}
    assert len(made) == 100
    assert {len(token) for token in made} == {46}
    assert all(token.startswith("co_") for token in made)
