"""What a check of a service means for its cooldowns, and which service needs eyes first. Pure.

Called by `daemon.health.checks`.
"""

from collections.abc import Iterable, Sequence

from daemon.limits.names import compose_services
from ipc.messages.knowledge import ServiceHealth

HEALTHY = "healthy"
WORST_FIRST = ("down", "unreachable", "degraded")
UNKNOWN = "unknown"


def counts(status: str, *, dry_run: bool) -> int:
    """What a check adds to the healthy ones in a row: 1 or 0. A status other than healthy makes them begin anew.

    A dry run's good news counts nothing: what it would have repaired is not repaired. Its bad news count.
    """
    return int(status == HEALTHY and not dry_run)


def clears(streak: int, since_action: int, needed: int) -> bool:
    """Whether a service's counters begin anew: healthy `needed` times in a row, all after its last action."""
    return min(streak, since_action) >= needed


def counted_as(service: str) -> tuple[str, ...]:
    """What an action is counted for where a session names its service: of a container of compose, its services."""
    return compose_services(service) or (service,)


def names(service: str) -> tuple[str, ...]:
    """Every name that an action of a service may have been counted under."""
    return tuple(dict.fromkeys((service, *compose_services(service))))


def cleared_by(service: str) -> tuple[str, ...]:
    """The names whose counters healthy checks of a service clear: its own, and its service's if it is plain which."""
    services = compose_services(service)
    return (service, *services) if len(services) == 1 else (service,)


def refused(found: Iterable[dict[str, object]], action: str, names: Sequence[str]) -> bool:
    """Whether a call that was not let through would have done the action to one of these names, or to one unnamed."""
    return any(part.get("kind") == action and part.get("target") in (*names, None) for part in found)


def worst_first(services: Iterable[ServiceHealth]) -> list[ServiceHealth]:
    """What is down before what is slow before what nobody knows, and the healthy last; by name within each."""
    order = {status: place for place, status in enumerate((*WORST_FIRST, UNKNOWN, HEALTHY))}
    return sorted(services, key=lambda health: (order.get(health.status, order[UNKNOWN]), health.service))
