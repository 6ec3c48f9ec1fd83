"""Whom a certificate is for and who has signed it, read from the certificate itself: the TLS library tells that only of
one that it has verified.

Called by the probes of `daemon.services.probes` with what the other side has sent, so nothing in it is trusted: what is
no certificate is an error, what is too long is cut, and what can't be read as text stands there as a replacement sign.
"""

import ipaddress
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from schema.certificate import EXPLICIT_0, CertificateError, values

NAMES_MAX = 20
NAME_CHARS = 253
EXPLICIT_3 = 0xA3
COMMON_NAME, ORGANIZATION, ALTERNATIVE_NAMES = b"\x55\x04\x03", b"\x55\x04\x0a", b"\x55\x1d\x11"
# RFC 5280, 4.2.1.6: an e-mail address, a host, a URI.
TEXTS = frozenset({0x81, 0x82, 0x86})
ADDRESS = 0x87
# Teletex, BMP and universal strings; all others are ASCII or UTF-8.
ENCODINGS = {0x14: "latin-1", 0x1E: "utf-16-be", 0x1C: "utf-32-be"}


class Names(NamedTuple):
    """`subject` and `issuer`: common names, or else organizations; `others`: the names that it holds for."""

    subject: str
    issuer: str
    others: tuple[str, ...]


def of_der(der: bytes) -> Names:
    """The names of a certificate as it is sent. CertificateError."""
    try:
        # Certificate > TBSCertificate: [0] version, serial, algorithm, issuer, validity, subject, key, [3] extensions
        (_, certificate), *_ = values(der)
        (_, signed), *_ = values(certificate)
        fields = [(tag, value) for tag, value in values(signed) if tag != EXPLICIT_0]
        others = tuple(islice(_others(fields[6:]), NAMES_MAX))
        return Names(_name(fields[4][1]), _name(fields[2][1]), others)
    except (ValueError, IndexError) as error:
        raise CertificateError(f"its certificate can't be read: {error}") from error


def _name(sequence: bytes) -> str:
    found: dict[bytes, str] = {}
    for _, part in values(sequence):
        for _, pair in values(part):
            (_, kind), (tag, value), *_ = values(pair)
            found[kind] = value.decode(ENCODINGS.get(tag, "utf-8"), errors="replace")[:NAME_CHARS]
    return found.get(COMMON_NAME) or found.get(ORGANIZATION, "")


def _others(fields: list[tuple[int, bytes]]) -> Iterator[str]:
    for tag, wrapped in fields:
        if tag != EXPLICIT_3:
            continue
        (_, extensions), *_ = values(wrapped)
        for _, extension in values(extensions):
            (_, kind), *_, (_, content) = values(extension)
            if kind == ALTERNATIVE_NAMES:
                (_, names), *_ = values(content)
                yield from filter(None, (_other(tag, value) for tag, value in values(names)))


def _other(tag: int, value: bytes) -> str:
    if tag in TEXTS:
        return value.decode("utf-8", errors="replace")[:NAME_CHARS]
    if tag == ADDRESS and len(value) in (4, 16):
        return str(ipaddress.ip_address(value))
    return ""
