"""What can go wrong with the database, as callers can act on it; SQLite's errors become these.

Raised by `schema.database`, which passes them on under its own name, too.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import apsw

FULL = "the disk that holds the database is full: {}; free some space"


class DatabaseError(Exception):
    """A statement that can't be carried out; the message says what to do."""


class DiskFullError(DatabaseError):
    """No space left: nothing was written; it works again once there is space."""


class DiskError(DatabaseError):
    """The disk can't be read or written; it may be again at another try."""


class LockedError(DatabaseError):
    """Another process held the database for longer than the busy timeout."""


class CorruptError(DatabaseError):
    """The file is damaged or is no database."""


class ConstraintError(DatabaseError):
    """A row that the schema refuses, such as a second running session of one tier."""


class UnknownVersionError(DatabaseError):
    """The file is of a newer version of this program, or of an older one of the Go program."""


@contextmanager
def translated() -> Iterator[None]:
    """Turns SQLite's errors into ours."""
    try:
        yield
    except apsw.FullError as error:
        raise DiskFullError(FULL.format(error)) from error
    except apsw.IOError as error:
        # Opening makes a file beside the database, and where there is no room for that SQLite says only this.
        if getattr(error, "extendedresult", 0) == apsw.SQLITE_IOERR_SHMSIZE:  # its stubs do not have it
            raise DiskFullError(FULL.format(error)) from error
        raise DiskError(f"the disk that holds the database fails: {error}; look into the system's log") from error
    except (apsw.BusyError, apsw.LockedError) as error:
        raise LockedError(f"another process keeps the database locked ({error}); end it, or try again") from error
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise CorruptError(f"the database is damaged: {error}; restore a backup") from error
    except apsw.ConstraintError as error:
        raise ConstraintError(str(error)) from error
    except apsw.Error as error:
        raise DatabaseError(f"{type(error).__name__}: {error}") from error
