"""Which addresses may not be probed: those by which a host of a cloud gives away its credentials. Pure.

Handed by `daemon.services.services` to the probes, which ask it about each address that a name led to, redirects too.
"""

from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address, ip_network

LINK_LOCAL = (ip_network("169.254.0.0/16"), ip_network("fe80::/10"))
# Those that lie elsewhere: Alibaba, Amazon and Google over IPv6, Oracle.
METADATA = frozenset({"100.100.100.200", "fd00:ec2::254", "fd20:ce::254", "192.0.0.192"})
# Networks whose addresses end in one of IPv4, to which a gateway may lead: compatible, NAT64.
WITH_IPV4 = (ip_network("::/96"), ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/96"))


@lru_cache(maxsize=4096)  # the same few are asked again and again
def denied(address: str, *, allowed: bool) -> str | None:
    """Why an address may not be asked; None if it may."""
    if allowed:
        return None
    try:
        found = ip_address(address.partition("%")[0])
    except (ValueError, AddressValueError):
        return None
    if isinstance(found, IPv6Address):
        found = _within(found) or found
    if str(found) in METADATA or any(found in network for network in LINK_LOCAL if network.version == found.version):
        return (
            f"{found} is a link-local or metadata address, which gives away a host's credentials;"
            " CLAUDEOPS_PROBE_LINK_LOCAL=true allows it"
        )
    return None


def _within(address: IPv6Address) -> IPv4Address | None:
    """The address of IPv4 that one of IPv6 stands for, if any."""
    if any(address in network for network in WITH_IPV4) and int(address) > 1:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
