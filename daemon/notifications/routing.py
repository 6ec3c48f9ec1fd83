"""From the outbox to the channels: which of them is told what, and what the daemon has to tell of itself.

Functions of a transaction, called by `daemon.notifications.notifications`.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from daemon.notifications import rules
from ipc.messages.system import Process
from schema import timestamps
from schema.database import Database, Row
from schema.knowledge import Level
from schema.notifications import Kind
from schema.states import DELIVERY, DeliveryStatus, follow

AT_ONCE = 500
AS_ASKED = (None, "exit code 0", "exit code 76")  # ends that somebody asked for
# The keys with which `daemon.services.incidents` tells that something fails.
FAILS = re.compile(r"incident:([0-9]+):(?:began|stays|still)")
NOBODY = "nobody was told: no channel takes it"
GONE = "its channel is not in CLAUDEOPS_APPRISE_URLS or CLAUDEOPS_WEBHOOK_URLS any more"


class Trouble(NamedTuple):
    """Something that the daemon tells of itself; once for each `key`."""

    key: str
    level: Level
    title: str
    body: str = ""


def troubles(boot: str, processes: Iterable[Process], problem: str | None, day: str) -> list[Trouble]:
    """Processes that were replaced since the daemon's start, and what keeps it from its work on `day`."""
    found = [
        Trouble(
            f"daemon:{boot}:{process.name}:{process.restarts}",
            Level.WARNING,
            f"The {process.name} process had to be started again",
            f"It ended: {process.last_exit}. Starts again since the daemon's start: {process.restarts}.",
        )
        for process in processes
        if process.restarts > 0 and process.last_exit not in AS_ASKED
    ]
    if problem:
        found.append(Trouble(f"problem:{day}:{problem[:40]}", Level.CRITICAL, "The daemon can't do its work", problem))
    return found


class Routed(NamedTuple):
    """The channels that have something new to send, and whether there is more to route."""

    told: set[str]
    full: bool


def route(
    db: Database, channels: Sequence[rules.Channel], by_channel: Mapping[str, rules.ChannelRule], lowest: str
) -> Routed:
    """Makes the deliveries of what is new. What no channel wants is not kept. Within a transaction."""
    now, told = timestamps.now(), set()
    rows = db.rows("notifications.unrouted", limit=AT_ONCE)
    for row in rows:
        # Whoever was told that something fails is told that it is over as such: they wait for it, in quiet hours too.
        kind, level = Kind(row["kind"]), row["told_as"] or row["level"]
        only = _only(row, channels)
        names = [channel.name for channel in channels if rules.wants(channel, kind, level, by_channel, lowest, only)]
        urgent = rules.urgent(kind, level)
        for name in names:
            db.change("notifications.deliver", notification_id=row["id"], channel=name, urgent=int(urgent), now=now)
        told.update(names)
        # What has a key stays, so that it is not told later on.
        if names or (row["key"] and kind in (Kind.DAEMON, Kind.DIGEST)):
            db.change("notifications.route", id=row["id"], now=now)
        else:
            _own_up(db, row)
            db.change("notifications.drop", id=row["id"])
    return Routed(told, len(rows) == AT_ONCE)


def _own_up(db: Database, row: Row) -> None:
    """The timeline of an incident says that people were told, as that was written down; it must not if nobody was."""
    found = FAILS.match(row["key"] or "")
    if found:
        db.change("incidents.nobody_told", incident_id=int(found[1]), text=NOBODY)


def _only(row: Row, channels: Sequence[rules.Channel]) -> frozenset[str]:
    """The channels that a notification is for; empty: by their rules."""
    if row["channel"]:
        return frozenset([row["channel"]])
    named = frozenset(filter(None, (row["channels"] or "").split(",")))
    # A service's rule that names none of those that there are, by a slip or for they are others now, silences nothing.
    return named if any(named & {channel.name, channel.kind} for channel in channels) else frozenset()


def suppress(db: Database, configured: Collection[str]) -> None:
    """Ends what waits for channels that are configured no more. Within a transaction."""
    follow(DELIVERY, DeliveryStatus.PENDING, DeliveryStatus.SUPPRESSED)
    for row in db.rows("notifications.open_channels"):
        if row["channel"] not in configured:
            now = timestamps.now()
            db.change("notifications.recover", channel=row["channel"], now=now, error=GONE)
            db.change("notifications.suppress", channel=row["channel"], now=now, error=GONE)


def given_up(db: Database, channels: Collection[str]) -> dict[str, int]:
    """How many notifications each channel has not got at all."""
    status = DeliveryStatus.GIVEN_UP.value
    return {name: int(db.value("notifications.count", channel=name, status=status)) for name in sorted(channels)}
