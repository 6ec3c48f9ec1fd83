"""What a test of a service has found, as pages show it: each phase, each condition with its values. Pure."""

from typing import NamedTuple

from ipc.messages.services import TriedCondition, TriedReply
from webui.pages import probed_rows
from webui.pages.ansi import plain

BODY_CHARS = 500
PHASES = {"dns": "Name", "connect": "Connection", "tls": "TLS", "wait": "First byte", "transfer": "Transfer"}


class Phase(NamedTuple):
    """A part of the time that it took."""

    label: str
    value: str


class Tried(NamedTuple):
    """The context of `_service_fields.html:tried_box`."""

    tone: str
    icon: str
    word: str
    latency: str
    answer: str
    detail: str
    phases: list[Phase]
    conditions: list[TriedCondition]
    certificate: str
    body: str


def view(reply: TriedReply) -> Tried:
    """A reply of the worker."""
    facts, looks = reply.facts, probed_rows.LOOKS[reply.status]
    answer = [f"status {facts.status}" if facts.status is not None else "", f"from {facts.ip}" if facts.ip else ""]
    certificate = facts.certificate
    return Tried(
        tone=looks.tone,
        icon=looks.icon,
        word=looks.word,
        latency=probed_rows.latency(facts.latency_ms),
        answer=", ".join(part for part in answer if part),
        detail=plain(reply.detail),
        phases=phases(facts.phases),
        conditions=[TriedCondition(plain(one.shown), one.holds) for one in reply.conditions],
        certificate=f"Certificate of {plain(certificate.subject)} by {plain(certificate.issuer)}, "
        f"good until {certificate.expires_at[:10]}." if certificate else "",
        body=plain(facts.body.decode("utf-8", "replace"))[:BODY_CHARS],
    )  # fmt: skip


def phases(found: dict[str, float]) -> list[Phase]:
    """Phases with their names."""
    return [Phase(PHASES.get(name, name), f"{value:.1f} ms") for name, value in found.items()]
