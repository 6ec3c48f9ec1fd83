"""Bodies that come compressed are read as far as they are kept, so that a small one can't become a huge one.

Called by `daemon.services.probes.http`. Not left to the library, to which an answer that it can't decode is none at
all: its status and its headers can be judged all the same.
"""

import zlib

from daemon.services.probes.probe import ProbeError
from schema.facts import Cause

ACCEPTED = "gzip, deflate"
GZIP = frozenset({"gzip", "x-gzip"})
# What else stands for an encoding is no such thing, such as `utf-8`, and the body is as it came.
NOT_READ = frozenset({"br", "zstd", "compress", "x-compress"})
GZIP_WINDOW, ZLIB_WINDOW, BARE_WINDOW = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS
ZLIB_METHOD = 8


class Body:
    """The first part of a body, decoded as it comes. `unread`: why that can't be done, else empty."""

    def __init__(self, encoding: str, size_max: int) -> None:
        found = [name for part in encoding.split(",") if (name := part.strip().lower()) not in ("", "identity")]
        known = GZIP | NOT_READ | {"deflate"}
        self._encoding = ", ".join(found) if known & set(found) else ""
        self._readable = len(found) == 1 and not NOT_READ & set(found)
        self._size_max = size_max
        self._stream: zlib._Decompress | None = None
        self._parts: list[bytes] = []
        self._size = 0
        self.unread = ""

    def add(self, part: bytes) -> bool:
        """Takes what has come next; False once there is no need for more. ProbeError."""
        if self._encoding and not self._readable:
            self.unread = f"the body is encoded as {self._encoding}, which can't be read here"
        elif self._encoding:
            self._decode(part)
            return self._size < self._size_max
        else:
            self._parts.append(part)
        self._size += len(part)
        return self._size < self._size_max

    def text(self) -> bytes:
        """What was read of it."""
        return b"".join(self._parts)[: self._size_max]

    def _decode(self, part: bytes) -> None:
        """A body may be several streams, one behind the other."""
        while part and self._size < self._size_max:
            if self._stream is None:
                self._stream = zlib.decompressobj(self._window(part[0]))
            try:
                plain = self._stream.decompress(part, self._size_max - self._size)
            except zlib.error as error:
                raise ProbeError(Cause.PROTOCOL, f"its {self._encoding} is broken") from error
            self._parts.append(plain)
            self._size += len(plain)
            part = self._stream.unused_data
            if self._stream.eof:
                self._stream = None

    def _window(self, first: int) -> int:
        if self._encoding in GZIP:
            return GZIP_WINDOW
        # Many servers send `deflate` without the header that belongs to it.
        return ZLIB_WINDOW if first & 0x0F == ZLIB_METHOD else BARE_WINDOW
