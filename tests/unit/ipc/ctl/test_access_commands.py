"""The words of `claudeopsctl token` and `users` are those of the states."""

from ipc.ctl import access_commands
from schema.access import SCOPE_MEANING, SCOPES_OF, Scope
from schema.states import Role


def test_the_words_to_choose_from_are_those_that_are_declared() -> None:
    assert set(access_commands.ROLES) == set(Role)
    assert set(access_commands.SCOPES) == set(Scope) == set(SCOPE_MEANING)
    assert set(SCOPES_OF) == set(Role)
