"""When a heartbeat is missed: a job that says when it has run, and did not in time. Pure.

Times are ms since 1970. Called by `daemon.services.heartbeats`.
"""

from datetime import UTC, datetime
from typing import NamedTuple

from daemon import cron
from schema.definitions import Definition
from schema.zones import zone


class Heard(NamedTuple):
    """What was heard of a job: its last success, and a start that no end has followed."""

    at: int | None = None
    begun_at: int | None = None


def deadline(definition: Definition, heard: Heard, looking_since: int) -> int | None:
    """When it is missed; None where nothing was ever heard. Who could not hear for a time gives it its grace again."""
    expected = heard.begun_at
    if expected is None and heard.at is not None:
        expected = following(definition, heard.at)
    if expected is None:
        return None
    grace = round(definition.grace * 1000)
    return max(expected + grace, looking_since + min(grace, round(definition.interval * 1000)))


def following(definition: Definition, at: int) -> int:
    """When the next sign of life is expected after one."""
    if not definition.cron:
        return at + round(definition.interval * 1000)
    moment = datetime.fromtimestamp(at / 1000, UTC).astimezone(zone(definition.zone))
    return round(cron.following(definition.cron, moment).timestamp() * 1000)
