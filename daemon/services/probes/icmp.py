"""ICMP echo (ping), over a socket that needs no privilege.

Linux lets a group ping so by net.ipv4.ping_group_range; where it does not, the error says what to set.
"""

import asyncio
import secrets
import socket
import struct
import time

from daemon.services.probes import connecting
from daemon.services.probes.probe import ProbeError, Target, phases
from daemon.services.probes.resolving import AddressInfo
from schema.facts import Cause, Facts

ECHO, ECHO_V6, REPLY, REPLY_V6 = 8, 128, 0, 129
HEAD = struct.Struct("!BBHHH")
NOT_ALLOWED = "this host does not let the daemon ping: sysctl -w net.ipv4.ping_group_range='0 2147483647'"


async def icmp(target: Target) -> Facts:
    """One echo request and its reply. OSError, ProbeError, TimeoutError."""
    host = target.definition.url.partition(":")[2].strip("/").partition("/")[0].strip("[]")
    began = time.perf_counter()
    info = await connecting.first_allowed(target, host, 0)
    await _echo(info)
    end = time.perf_counter()
    return Facts(latency_ms=(end - began) * 1000, connected=True, ip=str(info[4][0]), phases=phases(end))


async def _echo(info: AddressInfo) -> None:
    six = info[0] == socket.AF_INET6
    protocol = socket.IPPROTO_ICMPV6 if six else socket.IPPROTO_ICMP
    try:
        made = socket.socket(info[0], socket.SOCK_DGRAM, protocol)
    except PermissionError as error:
        raise ProbeError(Cause.FAILED, NOT_ALLOWED) from error
    with made:
        made.setblocking(False)
        sent = secrets.token_bytes(16)
        # The kernel fills in identifier and checksum of such a socket.
        packet = HEAD.pack(ECHO_V6 if six else ECHO, 0, 0, 0, 1) + sent
        loop = asyncio.get_running_loop()
        # Sends nothing, so it never waits. The loop's own would resolve the address again, and can't for this protocol.
        made.connect(info[4])
        await loop.sock_sendall(made, packet)
        while True:
            found = await loop.sock_recv(made, 2048)
            if found[0] == (REPLY_V6 if six else REPLY) and found[8:24] == sent:
                return
