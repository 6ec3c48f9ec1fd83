"""What a migration needs that replaces a table to which others refer. Called by `schema.database`."""

from collections.abc import Iterator
from contextlib import contextmanager

import apsw


@contextmanager
def unbound(connection: apsw.Connection, *, wanted: bool) -> Iterator[None]:
    """Foreign keys off meanwhile, if `wanted`: SQLite can't replace such a table otherwise. Outside a transaction."""
    if not wanted:
        yield
        return
    connection.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        connection.execute("PRAGMA foreign_keys = ON")


def broken_reference(connection: apsw.Connection) -> str | None:
    """A row that refers to one that is not there, as a sentence; None if there is none. For before the commit."""
    broken = connection.execute("PRAGMA foreign_key_check").get
    return None if broken is None else f"row {broken[1]} of {broken[0]} refers to one of {broken[2]} that is not there"
