"""What comes after a session, decided from what it said: the next tier, nothing, or a person.

It says so by its structured output (`escalation`), or by `handoff.json` (schema_version 1). Pure; called by
`daemon.sessions.ending`.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

CONTEXT_MAX = 50_000
HIGHEST = 3


class Wanted(NamedTuple):
    """What a session asks for. `tier` is the one it names, or the next; `context` what that one must know."""

    tier: int
    services: tuple[str, ...]
    reason: str
    context: str


class Next(NamedTuple):
    """What follows: a session of `tier` with `context`, or none; and an event, unless `message` is empty."""

    tier: int | None
    context: str
    level: str
    message: str


class HandoffError(ValueError):
    """A handoff.json that can't be used; the sentence names the field."""


class CheckResult(msgspec.Struct, frozen=True):
    """One check as handoff.json tells it."""

    service: str
    check_type: Literal["http", "dns", "container", "database", "service"]
    status: Literal["healthy", "degraded", "down"]
    error: str | None = None
    response_time_ms: float | None = None


class Handoff(msgspec.Struct, frozen=True):
    """handoff.json, schema_version 1."""

    schema_version: Literal[1]
    recommended_tier: Annotated[int, msgspec.Meta(ge=2, le=3)]
    services_affected: Annotated[list[str], msgspec.Meta(min_length=1)]
    check_results: list[CheckResult] = []
    investigation_findings: Any = None
    remediation_attempted: Any = None
    cooldown_state: Any = None


def from_output(structured: Mapping[str, Any], tier: int) -> Wanted | None:
    """What a structured output asks for; None if it asks for nothing. Odd shapes count as nothing said."""
    told = structured.get("escalation")
    if not isinstance(told, dict) or told.get("needed") is not True:
        return None
    checked = [item for item in _listed(structured, "services_checked") if isinstance(item, dict)]
    ill = [item for item in checked if item.get("status") in ("degraded", "down", "unreachable")]
    failed = [str(check) for check in _listed(told, "failed_checks")]
    reason = str(told.get("reason") or "no reason given")
    parts = [
        f"Reason: {reason}",
        _list("Failed checks", failed),
        _list("Services", [f"{item.get('name')}: {item.get('status')} – {item.get('detail') or ''}" for item in ill]),
        str(told.get("context") or ""),
        f"Its summary: {structured.get('summary')}" if structured.get("summary") else "",
    ]
    services = tuple(dict.fromkeys(str(item.get("name")) for item in ill)) or tuple(failed)
    return Wanted(tier + 1, services, reason, "\n\n".join(part for part in parts if part))


def from_handoff(data: bytes) -> Wanted:
    """What a handoff.json asks for. HandoffError says what is wrong with it."""
    try:
        handoff = msgspec.json.decode(data, type=Handoff)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, RecursionError) as error:
        raise HandoffError(f"handoff.json: {error}") from error
    checks = [
        f"{check.service} ({check.check_type}): {check.status}"
        + (f", {check.response_time_ms:g} ms" if check.response_time_ms is not None else "")
        + (f" – {check.error}" if check.error else "")
        for check in handoff.check_results
    ]
    parts = [
        _list("Services affected", handoff.services_affected),
        _list("Checks", checks),
        _told("Findings", handoff.investigation_findings),
        _told("Tried so far", handoff.remediation_attempted),
        _told("Cooldowns", handoff.cooldown_state),
    ]
    reason = f"handoff.json names {', '.join(handoff.services_affected)}"
    context = "\n\n".join(part for part in parts if part)
    return Wanted(handoff.recommended_tier, tuple(handoff.services_affected), reason, context)


def _listed(given: Mapping[str, Any], name: str) -> list[Any]:
    found = given.get(name)
    return found if isinstance(found, list) else []


def _list(title: str, items: list[str]) -> str:
    return "\n".join([f"{title}:", *(f"- {item}" for item in items)]) if items else ""


def _told(title: str, value: Any) -> str:
    if value in (None, "", [], {}):
        return ""
    return f"{title}: {value if isinstance(value, str) else msgspec.json.encode(value).decode()}"


def decide(wanted: Wanted | None, *, session: int, tier: int, max_tier: int, dry_run: bool) -> Next:
    """What follows a session of `tier` that has completed."""
    if wanted is None:
        return Next(None, "", "", "")
    services = ", ".join(wanted.services) or "what it found"
    target = min(max(wanted.tier, tier + 1), max_tier)
    if dry_run:
        goal = max(wanted.tier, tier + 1)
        text = f"Escalation suppressed (dry run): would have escalated to tier {goal} for: {services}"
        if goal > HIGHEST:
            text = f"Needs human attention (dry run): {services}: {wanted.reason}"
        return Next(None, "", "info", text)
    if target <= tier:
        limit = "" if tier >= HIGHEST else f" (CLAUDEOPS_MAX_TIER is {max_tier})"
        return Next(None, "", "critical", f"Needs human attention{limit}: {services}: {wanted.reason}")
    head = f"Session {session} of tier {tier} handed over to you, tier {target}."
    return Next(target, f"{head}\n\n{wanted.context}"[:CONTEXT_MAX], "", "")


def blocked(error: HandoffError) -> Next:
    """What follows a handoff that can't be used: a person is told, nothing starts."""
    return Next(None, "", "critical", f"Escalation blocked: {error}")
