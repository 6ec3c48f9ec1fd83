"""What one probe has found out of one service: the values that conditions speak of.

Made by the probes of `daemon.services.probes`, judged by `daemon.services.rules.conditions`, passed on with "test now".
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec


class Cause(StrEnum):
    """Why a probe got no answer to judge, each a different thing to do for whoever is on call."""

    TIMEOUT = "timeout"
    DNS = "dns"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    RESET = "reset"
    CERTIFICATE = "certificate"
    TLS = "tls"
    PROTOCOL = "protocol"
    DENIED = "denied"
    CONDITION = "condition"
    MISSED = "missed"
    FAILED = "failed"


CAUSE_MEANING: Mapping[Cause, str] = {
    Cause.TIMEOUT: "no answer within the timeout",
    Cause.DNS: "the name could not be resolved",
    Cause.REFUSED: "nothing listens at that port",
    Cause.UNREACHABLE: "there is no way to that address",
    Cause.RESET: "the connection was cut",
    Cause.CERTIFICATE: "the certificate is not valid for this service",
    Cause.TLS: "no encrypted connection came about",
    Cause.PROTOCOL: "the answer is not of the protocol that was asked",
    Cause.DENIED: "the address is one that may not be asked",
    Cause.CONDITION: "it answered, and a condition does not hold",
    Cause.MISSED: "no sign of life came in time",
    Cause.FAILED: "the check itself says so",
}


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """The certificate that a service showed. Times are stored times (UTC)."""

    subject: str = ""
    issuer: str = ""
    expires_at: str = ""
    names: tuple[str, ...] = ()


class Facts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known after a probe. `phases` in ms, in their order; `latency_ms` is the whole of it.

    `certificate_s` and `domain_s`: seconds until the certificate or the registration ends. `cause` is None where there
    is an answer to judge; `detail` is what people are shown beside it. `unread`: why the body
    can't be read, else empty.
    """

    latency_ms: float | None = None
    connected: bool = False
    cause: Cause | None = None
    detail: str = ""
    status: int | None = None
    headers: dict[str, str] = {}
    body: bytes = b""
    unread: str = ""
    ip: str | None = None
    dns_rcode: str | None = None
    certificate_s: float | None = None
    domain_s: float | None = None
    certificate: Certificate | None = None
    phases: dict[str, float] = {}
