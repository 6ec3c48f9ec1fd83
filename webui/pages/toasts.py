"""What is said, in passing, of services that have changed their status while somebody looks. Pure.

Used by `webui.live.rows`. What passes unseen stands in the list and among the incidents as well.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from schema import timestamps
from schema.monitored import Monitored
from schema.states import ServiceStatus
from webui.pages import formats
from webui.pages.ansi import plain
from webui.pages.probed_rows import LOOKS, ORDER

NAME_CHARS = 60
TOGETHER = 4  # more than so many at once are told of as one
SAYS = {
    ServiceStatus.DOWN: "is down",
    ServiceStatus.TIMEOUT: "timed out",
    ServiceStatus.DEGRADED: "is degraded",
    ServiceStatus.BLOCKED: "is blocked by what it depends on",
    ServiceStatus.MAINTENANCE: "is in maintenance",
    ServiceStatus.HEALTHY: "works again",
}
# What is being tried, or is not known yet, nobody needs to be told of; nor that it then turns out to work.
QUIET = frozenset({ServiceStatus.PENDING, ServiceStatus.UNKNOWN, ServiceStatus.PAUSED})


class Toast(NamedTuple):
    """One line. `id` is the same whoever makes it, so that a reader who has seen it is not shown it again."""

    id: str
    tone: str
    icon: str
    text: str
    at: str


class Turned(NamedTuple):
    """A service that has another status. `before` is None where only the present one is known."""

    service: Monitored
    before: ServiceStatus | None


def told(found: Sequence[Turned]) -> list[Turned]:
    """Those that anybody wants to hear of."""
    return [
        one
        for one in found
        if one.service.status in SAYS
        and one.service.status is not one.before
        and not (one.service.status is ServiceStatus.HEALTHY and one.before in QUIET)
    ]


def one(turned: Turned) -> Toast:
    """The toast of one."""
    service, looks = turned.service, LOOKS[turned.service.status]
    name = plain(service.name)
    name = name if len(name) <= NAME_CHARS else f"{name[: NAME_CHARS - 1]}…"
    at = f"{formats.clock(service.since)} UTC" if service.since else ""
    return Toast(f"toast-{service.id}-{moment(service)}", looks.tone, looks.icon, f"{name} {SAYS[service.status]}", at)


def moment(service: Monitored) -> int:
    """Since when it has its status, in ms; 0 where that is not known."""
    return round(timestamps.parse(service.since).timestamp() * 1000) if service.since else 0


def together(found: Sequence[Turned]) -> Toast:
    """The toast of many: how many of each status, the worst first."""
    counts = Counter(turned.service.status for turned in found)
    statuses = sorted(counts, key=ORDER.index)
    looks = LOOKS[statuses[0]]
    words = ", ".join(f"{counts[status]} {LOOKS[status].word}" for status in statuses)
    newest = max(found, key=lambda turned: moment(turned.service)).service
    at = f"{formats.clock(newest.since)} UTC" if newest.since else ""
    return Toast(
        f"toast-{newest.id}-{moment(newest)}", looks.tone, looks.icon, f"{len(found)} services changed: {words}", at
    )
