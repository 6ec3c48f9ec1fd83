"""The few ways in which a request can fail: code, HTTP status, sentence.

Handlers raise `CallError`; the server sends it; clients raise it again; pages and `claudeopsctl` show its sentence. Any
other exception is logged whole by the server and shown as "internal".
"""

from enum import StrEnum
from typing import Any


class Code(StrEnum):
    """Why a request was not carried out."""

    INVALID = "invalid"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    BUSY = "busy"
    CONFLICT = "conflict"
    DEADLINE = "deadline"
    UNAVAILABLE = "unavailable"
    DISK_FULL = "disk_full"
    OVERLOADED = "overloaded"
    TOO_LARGE = "too_large"
    UNKNOWN_TYPE = "unknown_type"
    PROTOCOL = "proto.unsupported"
    INTERNAL = "internal"


HTTP_STATUS = {
    Code.INVALID: 422,
    Code.FORBIDDEN: 403,
    Code.NOT_FOUND: 404,
    Code.BUSY: 409,
    Code.CONFLICT: 409,
    Code.DEADLINE: 504,
    Code.UNAVAILABLE: 503,
    Code.DISK_FULL: 507,
    Code.OVERLOADED: 429,
    Code.TOO_LARGE: 413,
    Code.UNKNOWN_TYPE: 501,
    Code.PROTOCOL: 502,
    Code.INTERNAL: 500,
}


class CallError(Exception):
    """A request that was not carried out. `message` tells the reader what to do next; `data` is for programs."""

    def __init__(self, code: Code, message: str, data: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data or {}

    @property
    def http_status(self) -> int:
        """The HTTP status that a page or API route answers with."""
        return HTTP_STATUS[self.code]
