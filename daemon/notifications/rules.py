"""What goes to which channel, when, and in which words: decided from values.

Pure: clocks, chance and the rows come as arguments. Called by the rest of `daemon.notifications`.
"""

import hashlib
import math
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from daemon.triggers.rules import quiet_hours
from schema.declarations import several
from schema.knowledge import Level
from schema.notifications import Kind
from schema.settings import URLS

LEVELS = tuple(level.value for level in Level)
NONE = "none"
SCHEMA = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://\S")
DIGITS = 4
TITLE_MAX = 120
BODY_MAX = 1500
GATHERED_LINES = 30
GATHER_MAX = 1000
MINUTE = 60.0


class Channel(NamedTuple):
    """Where to send: a name that may be shown, and the URL that may not. `secret`: what posts to a program are signed
    with; empty for apprise's channels."""

    name: str
    url: str
    secret: str = ""

    @property
    def kind(self) -> str:
        """The name without its fingerprint, such as `slack`."""
        return self.name.rpartition("-")[0]

    def __repr__(self) -> str:
        """Without the URL, so that it gets into no traceback."""
        return f"Channel({self.name})"


def channels(text: str) -> tuple[list[Channel], list[str]]:
    """(the channels of CLAUDEOPS_APPRISE_URLS, each once; a sentence for each part that is no URL)."""
    found: dict[str, Channel] = {}
    problems = []
    for number, part in enumerate(several(URLS, text), 1):
        match = SCHEMA.match(part)
        if match is None:
            problems.append(f"CLAUDEOPS_APPRISE_URLS: part {number} is no apprise URL, such as ntfys://ntfy.sh/topic")
            continue
        digest = hashlib.sha256(part.encode()).hexdigest()
        for digits in range(DIGITS, len(digest)):
            name = f"{match[1].lower()}-{digest[:digits]}"
            if name not in found or found[name].url == part:
                found.setdefault(name, Channel(name, part))
                break
    return list(found.values()), problems


class ChannelRule(NamedTuple):
    """What one channel is told: from a level on (empty: the level of all), and kinds (empty: all)."""

    level: str
    kinds: frozenset[str]
    nothing: bool = False


def channel_rules(text: str) -> dict[str, ChannelRule]:
    """The rules of a setting such as `mailto=digest+budget, ntfy=critical`. ValueError names what is no rule."""
    found = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        name, equals, said = (word.strip() for word in part.partition("="))
        words = [word.strip().lower() for word in said.split("+")]
        if not name or not equals or not all(words):
            raise ValueError(f"{part!r} is not of the form CHANNEL=word+word, such as mailto=digest+budget")
        known = {NONE, *LEVELS, *(kind.value for kind in Kind)}
        if unknown := [word for word in words if word not in known]:
            raise ValueError(f"{unknown[0]!r} is neither a level nor a kind; there are {', '.join(sorted(known))}")
        levels = [word for word in words if word in LEVELS]
        if len(levels) > 1:
            raise ValueError(f"{part!r} names more than one level; name the lowest alone")
        kinds = frozenset(words) - {NONE, *LEVELS}
        found[name.lower()] = ChannelRule(levels[0] if levels else "", kinds, NONE in words)
    return found


def wants(
    channel: Channel, kind: Kind, level: str, rules: Mapping[str, ChannelRule], lowest: str, only: Collection[str]
) -> bool:
    """Whether a channel is told something. `lowest`: CLAUDEOPS_NOTIFY_LEVEL; `only`: the channels that it is for, by
    name or kind; empty: by their rules."""
    if only:
        return channel.name in only or channel.kind in only
    if kind is Kind.TEST:
        return True
    rule = rules.get(channel.name) or rules.get(channel.kind) or ChannelRule("", frozenset())
    if rule.nothing or (rule.kinds and kind.value not in rule.kinds):
        return False
    # The digest is asked for by a setting of its own, whatever the level.
    return kind is Kind.DIGEST or LEVELS.index(level) >= LEVELS.index(rule.level or lowest)


def urgent(kind: Kind, level: str) -> bool:
    """Whether quiet hours let it pass: what is critical, and a test, for which somebody waits."""
    return level == Level.CRITICAL.value or kind is Kind.TEST


def quiet(setting: str, moment: datetime) -> bool:
    """Whether `moment` (local) lies in the quiet hours of a setting such as `22:00-06:30`."""
    hours = quiet_hours(setting)
    return hours is not None and hours.hold(moment)


class Pace(NamedTuple):
    """How a channel that fails is tried again, in seconds: first after, at longest after, given up after.

    `refusals`: so often in a row a message is refused before it alone is given up.
    """

    first: float = 10.0
    longest: float = 900.0
    give_up: float = 86400.0
    refusals: int = 6


def pause(attempts: int, pace: Pace, jitter: float) -> float:
    """Seconds until the next attempt after `attempts` that failed. `jitter` in [0, 1] spreads it by up to a quarter."""
    doubled = pace.first * 2.0 ** min(max(attempts, 1) - 1, 32)
    return min(pace.longest, doubled * (1.0 + jitter / 4.0))


def wait(next_at: datetime, now: datetime, pace: Pace) -> float:
    """Seconds until the next attempt; 0 where it is due, or farther away than any is: the clock was set back."""
    left = (next_at - now).total_seconds()
    return left if 0 < left <= pace.longest else 0.0


def over(since: datetime, now: datetime, pace: Pace) -> bool:
    """Whether what has failed since then is given up."""
    return (now - since).total_seconds() >= pace.give_up


class Share(NamedTuple):
    """What a channel may send now: so many one by one; or `gather` of them in one message; or nothing for `wait` s."""

    singles: int
    gather: int = 0
    wait: float = 0.0


def share(waiting: int, sent: Sequence[float], now: float, rate: int) -> Share:
    """The share of a channel with `waiting` notifications that sent messages at the moments `sent` (oldest first)."""
    if rate <= 0 or not waiting:
        return Share(waiting)
    recent = [moment for moment in sent if now - moment < MINUTE]
    free = rate - len(recent)
    if free <= 0:
        return Share(0, wait=max(0.05, recent[-rate] + MINUTE - now))
    if waiting <= free:
        return Share(waiting)
    # Of a little more than is free, the last one gathers the rest.
    if waiting <= rate and free > 1 and waiting - (free - 1) <= GATHERED_LINES:
        return Share(free - 1)
    # More than a minute's messages is gathered at once: so that each has its line, if the minute has room for that.
    messages = math.ceil(waiting / GATHERED_LINES)
    return Share(0, gather=GATHER_MAX if messages > free else math.ceil(waiting / messages))


class Words(NamedTuple):
    """A message as the channel gets it."""

    title: str
    body: str
    level: str


def printable(text: str) -> str:
    """A text without control characters, such as escapes of a terminal; line ends stay."""
    return "".join(sign if sign.isprintable() or sign == "\n" else " " for sign in text)


def head(text: str, limit: int = TITLE_MAX) -> str:
    """The first line of a text, cut with a mark."""
    line = " ".join((text.strip().splitlines() or [""])[0].split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def cut(text: str) -> str:
    """A text of bearable length."""
    return text if len(text) <= BODY_MAX else text[: BODY_MAX - 1] + "…"


def address(public_url: str, path: str) -> str:
    """The link to a path of the dashboard; empty where nobody knows how browsers reach it."""
    return public_url.rstrip("/") + path if public_url and path else ""


def words(id_: int, level: str, title: str, body: str, link: str) -> Words:
    """One notification. Its number stands in it, so that one that comes twice is known as one."""
    parts = [body, link, f"Claude Ops, notification {id_}"]
    return Words(f"[{level}] {title}", "\n\n".join(part for part in parts if part), level)


def gathered(items: Sequence[tuple[int, str, str]], link: str) -> Words:
    """Many notifications, (id, level, title) each, in one message; what matters most at the top."""
    level = max((level for _, level, _ in items), key=LEVELS.index)
    ordered = sorted(items, key=lambda item: -LEVELS.index(item[1]))
    lines = [f"[{level_}] {title} ({id_})" for id_, level_, title in ordered[:GATHERED_LINES]]
    if len(items) > GATHERED_LINES:
        lines.append(f"and {len(items) - GATHERED_LINES} more")
    parts = ["\n".join(lines), link, f"Claude Ops, notifications {items[0][0]} to {items[-1][0]}"]
    return Words(f"[{level}] {len(items)} notifications", "\n\n".join(part for part in parts if part), level)


def digest_day(setting: str, moment: datetime) -> str | None:
    """The day whose digest is due at `moment` (local), as `2026-01-31`; None before its time, or without one."""
    if not setting.strip():
        return None
    hours, _, minutes = setting.strip().partition(":")
    due = moment.replace(hour=int(hours), minute=int(minutes), second=0, microsecond=0)
    return f"{moment:%Y-%m-%d}" if moment >= due else None
