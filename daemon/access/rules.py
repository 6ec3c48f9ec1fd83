"""Decisions about tokens and people, from values alone. Called by `daemon.access.tokens` and `daemon.access.people`."""

import re
from collections.abc import Sequence

from schema.access import SCOPES_OF, ApiToken, Scope, User, name_problem
from schema.states import Role

DIGEST = re.compile(r"[0-9a-f]{64}")


def is_digest(text: str) -> bool:
    """Whether a text is a SHA-256 in hex, as a token's or link's hash has to be."""
    return DIGEST.fullmatch(text) is not None


def token_name_problem(name: str) -> str | None:
    """Why a token can't be called so. A number would be taken for a token's id."""
    if name.isdigit():
        return "A token's name is no number; numbers are ids."
    return name_problem(name)


def scopes(role: Role, wanted: Sequence[Scope]) -> tuple[Scope, ...]:
    """The scopes of a new token, in their order; those of its role if none is named. ValueError names one too many."""
    allowed = SCOPES_OF[role]
    for scope in wanted:
        if scope not in allowed:
            raise ValueError(f"a token of the role {role.value} can't have the scope {scope.value}")
    return tuple(scope for scope in allowed if scope in wanted) if wanted else allowed


def is_no_change(user: User, role: Role | None, disabled: bool | None) -> bool:
    """Whether a person is already as wanted; None is as they are."""
    return role in (None, user.role) and disabled in (None, user.disabled_at is not None)


def outlives(token: ApiToken, user: User, role: Role | None, *, every: bool) -> bool:
    """Whether a token has to go when its maker, who has seen it, is given `role` (None: as it is) or is kept out.

    What may more than they do now would leave them what is taken from them. `every`: all that they made.
    """
    order = list(Role)
    return token.created_by == user.name and (every or order.index(token.role) > order.index(role or user.role))


def leaves_no_admin(user: User, role: Role | None, disabled: bool | None, others: int) -> bool:
    """Whether the change would leave nobody who can administer; `others`: admins beside who can sign in."""
    counts = user.role is Role.ADMIN and user.disabled_at is None
    stays = role in (None, Role.ADMIN) and not disabled
    return counts and not stays and others == 0
