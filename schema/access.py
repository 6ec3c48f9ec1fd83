"""Who may use the dashboard: people and API tokens as rows, what a token is made of, and what it may be good for.

Stored by the worker, passed on by `ipc.messages.access`, shown by `webui.pages.users` and `claudeopsctl`.
"""

import hashlib
import secrets
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from schema import actors
from schema.states import Role

PREFIX = "co_"
BEARER = "bearer "  # before an address that has shown a wrong token or key: it slows nobody's sign-in
FINGERPRINT = 12
MARK = 3
NAME_MAX = 64


class Scope(StrEnum):
    """What a token is good for, within its role."""

    READ = "read"
    ACT = "act"
    METRICS = "metrics"


SCOPE_MEANING: Mapping[Scope, str] = {
    Scope.READ: "pages, lists and live streams",
    Scope.ACT: "whatever changes something, as far as its role may",
    Scope.METRICS: "/metrics",
}
# What a token of a role may have, and has if nothing is said.
SCOPES_OF: Mapping[Role, tuple[Scope, ...]] = {
    Role.VIEWER: (Scope.READ, Scope.METRICS),
    Role.OPERATOR: (Scope.READ, Scope.ACT, Scope.METRICS),
    Role.ADMIN: (Scope.READ, Scope.ACT, Scope.METRICS),
}


class ApiToken(msgspec.Struct, frozen=True, kw_only=True):
    """An API token, without the token. `fingerprint`: the first digits of the token's SHA-256."""

    id: int
    name: str
    role: Role
    scopes: list[Scope]
    fingerprint: str
    created_at: str
    created_by: str
    expires_at: str | None = None
    last_used_at: str | None = None
    last_used_from: str | None = None
    revoked_at: str | None = None
    revoked_by: str | None = None


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A person. `password`: whether one was set; `seen_at` is exact to the hour."""

    id: int
    name: str
    role: Role
    created_at: str
    seen_at: str | None = None
    disabled_at: str | None = None
    password: bool = True


def new_secret() -> str:
    """32 random bytes as text."""
    return secrets.token_urlsafe(32)


def new_token() -> str:
    """A new API token. Whoever makes it shows it once; all others see its digest."""
    return PREFIX + new_secret()


def digest(token: str) -> str:
    """How a token, a link or a cookie is stored: its SHA-256, hex."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def name_mark(name: str) -> str:
    """How a name is counted that somebody tried to sign in with, in three digits.

    It may be a password that was typed into the wrong field: this says too little to find it by. Two names that share
    a mark share their failures, which slow down only addresses that have failed with one of them.
    """
    return digest(name.strip().casefold())[:MARK]


def fingerprint(digest_: str) -> str:
    """What tells one token from another in lists."""
    return digest_[:FINGERPRINT]


def token_from_row(row: Mapping[str, Any]) -> ApiToken:
    """A row of `tokens.*`."""
    values = {**row, "scopes": row["scopes"].split(), "fingerprint": fingerprint(row["token_hash"])}
    return msgspec.convert(values, ApiToken)


def user_from_row(row: Mapping[str, Any]) -> User:
    """A row of `users.page` or `users.shown`."""
    return msgspec.convert({**row, "password": bool(row["password"])}, User)


def name_problem(name: str) -> str | None:
    """Why a new user or token can't be called so."""
    if not name:
        return "Give a name."
    if len(name) > NAME_MAX:
        return f"A name has at most {NAME_MAX} characters."
    if not name.isprintable():
        return "A name is made of printable characters."
    if name.lower().startswith(actors.TOKEN):
        return f"A name does not begin with {actors.TOKEN}, which stands before the names of tokens."
    if name.lower().startswith(actors.KEY):
        return f"A name does not begin with {actors.KEY}, by which keys are told."
    if name.lower() in actors.PARTS:
        return f"The audit log tells of parts of the daemon by the names {', '.join(actors.PARTS)}; choose another."
    if name.lower().endswith(actors.BY_SOCKET):
        return f"A name does not end in {actors.BY_SOCKET}, by which unix users are told."
    return None
