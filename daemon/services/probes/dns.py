"""DNS: one question to one name server. The records are [BODY], a line each, and the reply's code is [DNS_RCODE]."""

import socket
import time
from urllib.parse import parse_qs, urlsplit

from daemon.services.probes import connecting
from daemon.services.probes.probe import ProbeError, Target, phases
from schema.facts import Cause, Facts

PORT = 53


async def dns(target: Target) -> Facts:
    """One question, over TCP again where the answer is cut. OSError, ProbeError, TimeoutError."""
    # Here and not above: who probes no name server does not pay for the library.
    import dns.asyncbackend
    import dns.asyncquery
    import dns.exception
    import dns.message
    import dns.rcode

    parts = urlsplit(target.definition.url)
    kind = (parse_qs(parts.query).get("type") or ["A"])[0].upper()
    try:
        question = dns.message.make_query(parts.path.strip("/"), kind)
    except (dns.exception.DNSException, ValueError) as error:
        raise ProbeError(Cause.FAILED, f"this can't be asked: {error}") from error
    began = time.perf_counter()
    port = parts.port or PORT
    info = await connecting.first_allowed(target, parts.hostname or "", port)
    address, backend = str(info[4][0]), dns.asyncbackend.get_default_backend()
    try:
        # A socket that is connected hears that nothing listens at that port.
        way = (info[0], socket.SOCK_DGRAM, 0, None, (address, port))
        async with await backend.make_socket(*way) as made:  # type: ignore[no-untyped-call]  # the library gives no types
            reply, _ = await dns.asyncquery.udp_with_fallback(question, address, port=port, udp_sock=made)
    except dns.exception.DNSException as error:
        raise ProbeError(Cause.PROTOCOL, f"no answer of a name server: {error}") from error
    end = time.perf_counter()
    records = sorted(record.to_text() for rrset in reply.answer for record in rrset)
    return Facts(
        latency_ms=(end - began) * 1000,
        connected=True,
        ip=address,
        body="\n".join(records).encode(),
        dns_rcode=dns.rcode.to_text(reply.rcode()),
        phases=phases(end),
    )
