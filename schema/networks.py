"""Addresses and networks in the text of a setting.

Called by `schema.configuration`, so that a wrong one is refused before anything starts, and by the web process, which
asks for each request whether it came from one of them.
"""

from ipaddress import IPv4Network, IPv6Network

Network = IPv4Network | IPv6Network


def networks(text: str) -> list[Network]:
    """What stands in `text`, with commas or spaces between. ValueError names what is none, and how to write one."""
    return [_network(part) for part in text.replace(",", " ").split()]


def _network(text: str) -> Network:
    try:
        return IPv6Network(text, strict=False) if ":" in text else IPv4Network(text, strict=False)
    except ValueError:
        raise ValueError(f"{text!r} is no address or network; write it as 192.0.2.7 or 10.0.0.0/8") from None
