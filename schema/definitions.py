"""What a service is that the daemon probes: its definition, the kinds of probes, maintenance windows.

Written by people in forms, on the command line and in YAML; stored by `daemon.services`; shown by the pages.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

import msgspec

# Stands for what is kept, and shown to nobody.
MASK = "***"


class Kind(StrEnum):
    """How a service is probed."""

    HTTP = "http"
    TCP = "tcp"
    TLS = "tls"
    DNS = "dns"
    ICMP = "icmp"
    WEBSOCKET = "websocket"
    GRPC = "grpc"
    HEARTBEAT = "heartbeat"
    CONTAINER = "container"
    POSTGRES = "postgres"
    MYSQL = "mysql"
    REDIS = "redis"
    DOMAIN = "domain"
    COMMAND = "command"
    OBSERVED = "observed"


class Probed(NamedTuple):
    """A kind of probe. `schemes` are those of its URLs; `conditions` hold where a service names none."""

    schemes: tuple[str, ...]
    example: str
    doc: str
    conditions: tuple[str, ...] = ("[CONNECTED] == true",)
    # The daemon asks nobody: something else tells it.
    passive: bool = False


KINDS: Mapping[Kind, Probed] = {
    Kind.HTTP: Probed(
        ("http", "https"), "https://example.org/health", "An HTTP request over a fresh connection.", ("[STATUS] < 400",)
    ),
    Kind.TCP: Probed(("tcp",), "tcp://db.example.org:5432", "A TCP connection."),
    Kind.TLS: Probed(("tls",), "tls://mail.example.org:993", "A TLS handshake, with the certificate's names and end."),
    Kind.DNS: Probed(
        ("dns",), "dns://9.9.9.9/example.org?type=A", "A question to a name server.", ("[DNS_RCODE] == NOERROR",)
    ),
    Kind.ICMP: Probed(("icmp", "ping"), "icmp://10.0.0.1", "An echo request (ping)."),
    Kind.WEBSOCKET: Probed(("ws", "wss"), "wss://example.org/live", "A WebSocket handshake."),
    Kind.GRPC: Probed(
        ("grpc", "grpcs"), "grpc://10.0.0.1:50051/my.Service", "The gRPC health check of one service, or of all.",
        ("[BODY].status == SERVING",),
    ),
    Kind.HEARTBEAT: Probed(
        ("heartbeat",), "heartbeat:", "Waits for a sign of life: a job that asks a URL when it has run.", passive=True
    ),
    Kind.CONTAINER: Probed(
        ("docker", "podman"), "docker:web", "A container's state and health, from the engine's socket.",
        ("[BODY].State.Running == true", "[BODY].State.Health.Status != unhealthy"),
    ),
    Kind.POSTGRES: Probed(("postgres", "postgresql"), "postgres://app@db.example.org/app", "A PostgreSQL sign-in."),
    Kind.MYSQL: Probed(("mysql",), "mysql://app@db.example.org/app", "A MySQL or MariaDB sign-in and ping."),
    Kind.REDIS: Probed(("redis", "rediss"), "redis://cache.example.org", "A Redis or Valkey PING."),
    Kind.DOMAIN: Probed(
        ("domain",), "domain:example.org", "When a domain's registration ends, by RDAP.",
        ("[DOMAIN_EXPIRATION] > 30d",),
    ),
    Kind.COMMAND: Probed(
        ("command",), "command:", "A command of the operator; its exit code is [STATUS].", ("[STATUS] == 0",)
    ),
    Kind.OBSERVED: Probed(
        ("observed",), "observed:web", "What sessions report of a service that they know by this name.", passive=True
    ),
}  # fmt: skip
SCHEMES: Mapping[str, Kind] = {scheme: kind for kind, probed in KINDS.items() for scheme in probed.schemes}


class Definition(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One service as its author describes it. Times in seconds; `$NAME` in texts is a variable of the daemon.

    `conditions` all have to hold; `warnings` that don't hold make it degraded. `needs`: services that it depends on.
    """

    name: str
    url: str
    interval: float = 60.0
    timeout: float = 10.0
    retries: int = 0
    retry_interval: float | None = None
    conditions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    group: str = ""
    tags: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    description: str = ""
    paused: bool = False
    # HTTP, WebSocket
    method: str = "GET"
    headers: dict[str, str] = {}
    body: str = ""
    redirects: bool = True
    proxy: str = ""
    # What is connected to
    family: int = 0
    verify: bool = True
    server_name: str = ""
    ca_file: str = ""
    certificate_file: str = ""
    key_file: str = ""
    # Heartbeats: how long after the time a sign of life may come, and the times if they are no plain interval.
    grace: float = 60.0
    cron: str = ""
    zone: str = "UTC"
    # Commands
    command: tuple[str, ...] = ()
    # What an incident starts, and who is told of it. None and empty: as the rules of its tags say, or the settings.
    session_tier: int | None = None
    session_after: int | None = None
    session_cooldown: float | None = None
    remind: float | None = None
    mute: bool = False
    notify: tuple[str, ...] = ()
    notify_from: str = ""


def as_shown(definition: Definition) -> Definition:
    """A definition as who may not change it is shown it: what is sent and what is run may hold a password anywhere."""
    program, *words = " ".join(definition.command).split(" ")
    command = (program, MASK) if words else definition.command
    return msgspec.structs.replace(definition, body=definition.body and MASK, command=command)


class Window(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A maintenance window: once (`starts_at`, a stored time) or by a cron expression in a zone.

    It holds for the services and for the tags that it names; the tag `*` is every service.
    """

    title: str
    minutes: int
    starts_at: str = ""
    cron: str = ""
    zone: str = "UTC"
    services: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
