"""Findings in few bytes: a letter for each status, in `service_states.beats` and `results.beat`, and its phases.

Written by the worker, drawn by the pages.
"""

from collections.abc import Mapping

import msgspec

from schema.states import ServiceStatus

LETTERS: Mapping[ServiceStatus, str] = {
    ServiceStatus.HEALTHY: "h",
    ServiceStatus.DEGRADED: "g",
    ServiceStatus.DOWN: "d",
    ServiceStatus.TIMEOUT: "t",
    ServiceStatus.PENDING: "p",
    ServiceStatus.MAINTENANCE: "m",
    ServiceStatus.BLOCKED: "b",
    ServiceStatus.UNKNOWN: "u",
}
# In `beats` alone: a time in which nobody looked; as many as findings are missing, but never so many that others go.
NO_DATA = "n"
NO_DATA_MAX = 10
STATUSES: Mapping[str, ServiceStatus] = {letter: status for status, letter in LETTERS.items()}
SHOWN = 100
PHASES = ("dns", "connect", "tls", "wait", "transfer")


def pack(phases: Mapping[str, float]) -> bytes | None:
    """Phases in ms as they are stored, in tenths of a ms; None without any."""
    tenths = [round(phases[name] * 10) if name in phases else None for name in PHASES]
    return msgspec.msgpack.encode(tenths) if any(tenths) else None


def unpack(packed: bytes | None) -> dict[str, float]:
    """Stored phases in ms, in their order."""
    if not packed:
        return {}
    tenths = msgspec.msgpack.decode(packed, type=list[int | None])
    return {name: part / 10 for name, part in zip(PHASES, tenths, strict=True) if part is not None}
