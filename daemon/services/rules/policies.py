"""What an incident of a service starts and who is told of it: by the service itself, its tags, the settings. Pure.

Called by `daemon.services.policies`, `.incidents` and `.remedies`; `by_tag` judges CLAUDEOPS_SERVICE_RULES too.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from daemon.services.rules.notation import UNITS
from schema.definitions import KINDS, Definition, Kind
from schema.settings import Settings

TIERS = (0, 1, 2, 3)
AFTER_MAX = 1000
SPAN_MAX = 31 * 86400.0
# From which level on people are told: failures alone, or of what is degraded, too.
LEVELS = ("critical", "warning")
CHANNEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,79}")
ALL = "*"
FORM = "such as prod=tier:2+after:3+cooldown:2h, lab=mute, *=remind:1h"
_SPAN = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d)?")


class Policy(NamedTuple):
    """What holds for one service.

    `tier` 0: no session; `after`: failures in a row; `cooldown` and `remind` in seconds, 0: at once, and never;
    `channels`: those alone, by name or kind; empty: by the channels' own rules; `tier_by`: who says the tier.
    """

    tier: int = 0
    after: int = 1
    cooldown: float = 3600.0
    remind: float = 0.0
    mute: bool = False
    channels: tuple[str, ...] = ()
    told_from: str = LEVELS[0]
    tier_by: str = "CLAUDEOPS_INCIDENT_TIER"


class TagRule(NamedTuple):
    """What is said of the services of a tag: fields of a Policy, those alone that are named."""

    tag: str
    fields: Mapping[str, Any]


def by_tag(text: str) -> list[TagRule]:
    """The rules of a setting such as `prod=tier:2+after:3, *=remind:1h`. ValueError names what is no rule."""
    found = []
    for part in filter(None, (one.strip() for one in text.split(","))):
        tag, equals, said = (word.strip() for word in part.partition("="))
        if not tag or not equals or not said:
            raise ValueError(f"{part!r} is not of the form TAG=word:value+word:value, {FORM}")
        found.append(TagRule(tag.casefold(), dict(_field(word.strip()) for word in said.split("+"))))
    return found


def _field(word: str) -> tuple[str, Any]:
    name, _, value = word.partition(":")
    if name == "mute" and not value:
        return "mute", True
    if name not in _READ:
        raise ValueError(f"{word!r}: there are {', '.join(_READ)} (each with : and its value) and mute, {FORM}")
    field, read = _READ[name]
    try:
        return field, read(value.strip())
    except ValueError as error:
        raise ValueError(f"{word!r}: {error}") from None


def _tier(text: str) -> int:
    if not text.isdecimal() or int(text) not in TIERS:
        raise ValueError("a tier is 1, 2 or 3; 0 starts none")
    return int(text)


def _after(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= AFTER_MAX:
        raise ValueError(f"failures in a row are 1 to {AFTER_MAX}")
    return int(text)


def _span(text: str) -> float:
    match = _SPAN.fullmatch(text)
    found = float(match[1]) * UNITS[match[2] or "s"] if match else -1.0
    if not 0 <= found <= SPAN_MAX:
        raise ValueError("a time is written like 90s, 30m, 2h, 1d, at most 31d")
    return found


def _channels(text: str) -> tuple[str, ...]:
    names = tuple(name.strip().casefold() for name in text.split("|"))
    if wrong := [name for name in names if not CHANNEL.fullmatch(name)]:
        raise ValueError(f"{wrong[0]!r} is no channel; claudeopsctl notifications shows them; several have | between")
    return names


def _level(text: str) -> str:
    if text not in LEVELS:
        raise ValueError(f"one of {', '.join(LEVELS)}")
    return text


_READ: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "tier": ("tier", _tier),
    "after": ("after", _after),
    "cooldown": ("cooldown", _span),
    "remind": ("remind", _span),
    "notify": ("channels", _channels),
    "from": ("told_from", _level),
}


def of(definition: Definition, rules: Sequence[TagRule], settings: Settings) -> Policy:
    """What holds for a service: what it says itself goes before its tags' rules, the first before others, and all
    before the settings. No tier above the highest that may run."""
    found: dict[str, Any] = {
        "tier": settings.incident_tier,
        "after": settings.incident_after,
        "cooldown": float(settings.incident_cooldown),
        "remind": float(settings.incident_remind),
    }
    tags = {tag.casefold() for tag in definition.tags} | {ALL}
    for rule in reversed([rule for rule in rules if rule.tag in tags]):
        found |= rule.fields
        if "tier" in rule.fields:
            found["tier_by"] = f"CLAUDEOPS_SERVICE_RULES {rule.tag}"
    own = {
        "tier": definition.session_tier,
        "tier_by": None if definition.session_tier is None else "session_tier of the service",
        "after": definition.session_after,
        "cooldown": definition.session_cooldown,
        "remind": definition.remind,
        "mute": definition.mute or None,
        "channels": tuple(name.casefold() for name in definition.notify) or None,
        "told_from": definition.notify_from or None,
    }
    found |= {name: value for name, value in own.items() if value is not None}
    policy = Policy(**found)
    return policy._replace(tier=min(policy.tier, settings.max_tier))


class Done(NamedTuple):
    """What was done for a service so far. `queued`: this incident has had its session; `working`: one for it, or for
    an incident before, is at work still; `ended_at`: when the last of them ended, ms since 1970."""

    queued: bool = False
    working: bool = False
    ended_at: int | None = None


def starts(policy: Policy, kind: Kind, failures: int, done: Done, at: int) -> bool:
    """Whether an incident that goes on is to get its session, `failures` in a row into it.

    What tells of itself is not asked again and again, so that its first failure is enough.
    """
    if not policy.tier or done.queued or done.working:
        return False
    if done.ended_at is not None and at - done.ended_at < policy.cooldown * 1000:
        return False
    return KINDS[kind].passive or failures >= policy.after


def reminds(policy: Policy, told_at: int, at: int) -> bool:
    """Whether people are to be told again of an incident of which they were told last at `told_at` (ms since 1970)."""
    return policy.remind > 0 and not policy.mute and at - told_at >= policy.remind * 1000
