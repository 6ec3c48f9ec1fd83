"""Pings from a network of its own: unshare --user --map-root-user --net python pinging.py WHO REPLIES URL ...

WHO as net.ipv4.ping_group_range has it, nothing for nobody; REPLIES is yes, or no for a host that takes echo requests
and says nothing. It writes what the probe found of each URL as a line of JSON, or ends with 77 and says why it can't
have such a network.
"""

import asyncio
import fcntl
import socket
import struct
import sys
from pathlib import Path

import msgspec

from daemon.services.probes import probe
from daemon.services.probes.icmp import icmp
from daemon.services.probes.probe import Target
from schema.definitions import Definition

NO_NETWORK = 77
SETTINGS = Path("/proc/sys/net")
GET_FLAGS, SET_FLAGS, UP = 0x8913, 0x8914, 1  # SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP
REQUEST = struct.Struct("16sH14x")


def prepare(who: str, replies: bool) -> None:
    """Brings the loopback interface up, and says who may ping and whether it answers. OSError."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        name, flags = REQUEST.unpack(fcntl.ioctl(any_socket, GET_FLAGS, REQUEST.pack(b"lo", 0)))
        fcntl.ioctl(any_socket, SET_FLAGS, REQUEST.pack(name, flags | UP))
    if who:  # a fresh network lets nobody
        (SETTINGS / "ipv4/ping_group_range").write_text(who)
    for setting in ("ipv4/icmp_echo_ignore_all", "ipv6/icmp/echo_ignore_all"):
        (SETTINGS / setting).write_text("0" if replies else "1")


def main(who: str, replies: str, *urls: str) -> int:
    """Prepares, and probes each URL."""
    try:
        prepare(who, replies == "yes")
    except OSError as error:
        print(error)
        return NO_NETWORK
    for url in urls:
        target = Target(id=1, definition=Definition(name="x", url=url, timeout=1.0))
        print(msgspec.json.encode(asyncio.run(probe.ask(icmp, target))).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
