"""What a certificate file says of itself: from when to when it holds, and who may read its key. Standard library alone.

Called by the web process, which serves with it, and by `claudeopsctl doctor`. Whether certificate and key belong
together is for the TLS library to say.
"""

import base64
import binascii
import os
import re
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

PEM = re.compile(rb"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)
SEQUENCE, EXPLICIT_0, UTC_TIME, GENERALIZED_TIME = 0x30, 0xA0, 0x17, 0x18
SOON_DAYS = 14
BYTES_MAX = 1024 * 1024


class CertificateError(ValueError):
    """A file that holds no certificate; the message says why."""


class Validity(NamedTuple):
    """From when to when a certificate holds."""

    begins: datetime
    ends: datetime

    def problem(self, now: datetime) -> str:
        """Why it does not hold now, as the rest of a sentence; empty if it does."""
        if now < self.begins:
            return f"is not valid before {self.begins:%Y-%m-%d %H:%M} UTC"
        return f"has expired on {self.ends:%Y-%m-%d %H:%M} UTC" if now >= self.ends else ""

    def soon(self, now: datetime) -> str:
        """That it ends soon, as the rest of a sentence; empty if it does not."""
        left = self.ends - now
        return f"expires on {self.ends:%Y-%m-%d}, in {left.days} days" if left.days < SOON_DAYS else ""


def read(path: str) -> Validity:
    """The validity of the first certificate in a PEM file, which is the server's own. OSError, CertificateError."""
    with open(path, "rb") as file:
        return validity(file.read(BYTES_MAX))


def validity(pem: bytes) -> Validity:
    """The same of the file's content."""
    found = PEM.search(pem)
    if found is None:
        raise CertificateError('there is no "BEGIN CERTIFICATE" in it')
    try:
        return of_der(base64.b64decode(b"".join(found[1].split()), validate=True))
    except binascii.Error as error:
        raise CertificateError(f"its certificate can't be read: {error}") from error


def of_der(der: bytes) -> Validity:
    """The same of a certificate as it is sent. CertificateError."""
    try:
        # Certificate > TBSCertificate: [0] version, serial, algorithm, issuer, validity, …
        (_, certificate), *_ = values(der)
        (_, signed), *_ = values(certificate)
        fields = [value for tag, value in values(signed) if tag != EXPLICIT_0]
        begins, ends = (_moment(tag, value) for tag, value in values(fields[3]))
    except (ValueError, IndexError) as error:
        raise CertificateError(f"its certificate can't be read: {error}") from error
    return Validity(begins, ends)


def values(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(tag, content) of each DER value in a row."""
    at = 0
    while at < len(data):
        tag, length = data[at], data[at + 1]
        at += 2
        if length >= 0x80:
            size = length & 0x7F
            length = int.from_bytes(data[at : at + size], "big")
            at += size
        if at + length > len(data):
            raise ValueError("it is cut off")
        yield tag, data[at : at + length]
        at += length


def _moment(tag: int, text: bytes) -> datetime:
    if tag not in (UTC_TIME, GENERALIZED_TIME):
        raise ValueError("its validity is no time")
    digits = text.decode("ascii")
    if tag == UTC_TIME:  # RFC 5280: two digits of the year, from 1950 to 2049
        digits = ("19" if digits[:2] >= "50" else "20") + digits
    return datetime.strptime(digits, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def key_problem(path: str) -> str:
    """That others may read or write a key's file, as a sentence; empty if all is well. OSError."""
    mode = stat.S_IMODE(os.stat(path).st_mode)
    if mode & (stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP):
        return f"the private key {path} has mode {mode:04o}: others may read or change it; chmod 0640 or 0600 it"
    return ""
