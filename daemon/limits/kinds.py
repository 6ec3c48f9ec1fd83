"""What a session's tool call does, in the words that the limits are written in.

`rules` and `calls` make these values; the hook, the approvals and the cooldowns read them. Nothing here decides.
"""

from enum import StrEnum
from typing import NamedTuple

DYNAMIC = "…"  # in `Found.words`: from here on the words are not known
HANDOFF = "handoff.json"  # `Found.target` of a write that hands over to the next tier
SHOWN_MAX = 4000  # characters of a command that isn't understood


class Decision(StrEnum):
    """What becomes of a call: it runs, it doesn't, or a person is asked."""

    ALLOW = "allow"
    DENY = "deny"
    ASK = "ask"


class Kind(StrEnum):
    """What a simple command or a tool call does, from harmless to not understood."""

    READ = "read"  # looks, and changes nothing
    RESTART = "restart"  # starts or restarts one service that is already there
    REDEPLOYMENT = "redeployment"  # replaces what runs: compose up, helm upgrade, kubectl apply, ansible-playbook
    CHANGE = "change"  # any other understood change: stop, scale, enable, kill, HTTP POST
    WRITE = "write"  # writes files
    PACKAGE = "package"  # installs or removes packages
    HOST = "host"  # the machine itself: reboot, mount, firewall, users
    DESTROY = "destroy"  # can't be taken back: prune, drop, rm -rf of roots, force push
    SECRET = "secret"  # reads credentials
    STEER = "steer"  # steers the daemon itself: its command line, its processes, its files
    UNKNOWN = "unknown"  # not understood


class Found(NamedTuple):
    """One simple command (or tool call) as understood.

    `text`: the whole of it, quoted anew. `target`: the service, container, unit, deployment or release that a restart
    or redeployment is counted for; None if it can't be told. `host`: where ssh or docker's -H leads. `through`: the
    wrappers around it, outermost first. `reason`: one short sentence for the operator and the model. `words`: the
    argv, unwrapped, as far as it is constant (a word that isn't ends the tuple); `disallowed` patterns look at these.
    """

    kind: Kind
    text: str
    target: str | None = None
    host: str | None = None
    through: tuple[str, ...] = ()
    reason: str = ""
    words: tuple[str, ...] = ()


class Judgement(NamedTuple):
    """What was decided, why, by which rule, and what it rests on. `found` is never empty."""

    decision: Decision
    reason: str
    rule: str
    found: tuple[Found, ...]


def not_understood(command: object, why: str) -> Found:
    """A command that isn't understood, as it is shown: at most SHOWN_MAX characters of it."""
    text = str(command)
    shown = text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}… ({len(text)} characters)"
    return Found(Kind.UNKNOWN, shown, reason=f"not understood: {why}")
