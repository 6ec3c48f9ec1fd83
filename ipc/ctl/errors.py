"""How a command fails: exit code, code for programs, sentence for people. Raised anywhere here, shown by the entry."""

from typing import Any

REFUSED, USAGE, UNREACHABLE, INTERRUPTED = 1, 2, 5, 130


class CtlError(Exception):
    """A command that did not succeed. `code` is one of `ipc.errors.Code`, or `not_running`."""

    def __init__(self, exit_code: int, code: str, message: str, data: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.code = code
        self.message = message
        self.data = data or {}


def forbidden(place: object) -> CtlError:
    """Something of the daemon's is not open to whoever asks."""
    text = f"{place} is not open to you; run this as root, as the daemon's user, or as a member of its group"
    return CtlError(UNREACHABLE, "forbidden", text)
