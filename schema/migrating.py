"""What a migration needs beside its SQL: foreign keys off where a table is replaced, and steps that SQL can't take.

Called by `schema.database`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import apsw

from schema import audit_chain


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


def _seal_audit(connection: apsw.Connection) -> None:
    """Makes a chain of the audit lines that are there, in the order of their ids."""
    prev, after = audit_chain.START, 0
    columns = ", ".join(audit_chain.FIELDS)
    while True:
        query = f"SELECT {columns} FROM audit WHERE id > ? ORDER BY id LIMIT {audit_chain.BATCH}"  # noqa: S608 - ours
        batch = connection.execute(query, (after,)).fetchall()
        if not batch:
            return
        for row in batch:
            line: dict[str, Any] = dict(zip(audit_chain.FIELDS, row, strict=True))
            hash_ = audit_chain.line_hash(prev, line)
            connection.execute("UPDATE audit SET prev = ?, hash = ? WHERE id = ?", (prev, hash_, line["id"]))
            prev, after = hash_, int(line["id"])


# By a migration's number: what follows its SQL, in the same transaction.
AFTER: dict[int, Callable[[apsw.Connection], None]] = {3: _seal_audit}


def complete(connection: apsw.Connection, number: int) -> None:
    """The part of a migration that is no SQL, if it has one."""
    if number in AFTER:
        AFTER[number](connection)
