"""What people are told where the database or its disk refuses: a code, and a sentence that says what to do.

Called by `daemon.parts` and `daemon.worker` around all that answers requests, and by handlers that add words of theirs.
"""

import contextlib
import errno
from collections.abc import Iterator, Mapping

from ipc.errors import CallError, Code
from ipc.messages.envelope import Reply
from ipc.server import Call, Handler
from schema.database import ConstraintError, CorruptError, DatabaseError, DiskFullError, LockedError

NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})


def refusal(error: DatabaseError | OSError, before: str = "", after: str = "") -> CallError:
    """The answer to a request that met this error; `before` and `after` are what else there is to say."""
    code = Code.DISK_FULL if _is_full(error) else Code.UNAVAILABLE
    if isinstance(error, OSError) and error.filename and str(error.filename) not in before:
        before += f"{error.filename}: "
    return CallError(code, f"{before}{_sentence(error)}{after}")


def _is_full(error: BaseException) -> bool:
    return isinstance(error, DiskFullError) or (isinstance(error, OSError) and error.errno in NO_SPACE)


def _sentence(error: DatabaseError | OSError) -> str:
    if isinstance(error, OSError):
        return "the disk is full; free some space" if _is_full(error) else error.strerror or str(error)
    if isinstance(error, DiskFullError | LockedError | CorruptError):
        return str(error)
    return f"the database can't be used: {error}; `claudeopsctl doctor` says more"


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Turns what the database refuses into a CallError. What is a fault of ours stays one."""
    try:
        yield
    except ConstraintError:
        raise  # a row that nobody should have tried to store
    except DatabaseError as error:
        raise refusal(error) from error
    except OSError as error:
        if not _is_full(error):
            raise
        raise refusal(error) from error


def in_words(table: Mapping[type, Handler]) -> dict[type, Handler]:
    """The worker's table, each of whose handlers tells of such trouble in words."""
    return {kind: _telling(handler) for kind, handler in table.items()}


def _telling(handler: Handler) -> Handler:
    async def telling(call: Call, request: object) -> Reply:
        with told():
            return await handler(call, request)

    return telling
