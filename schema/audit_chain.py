"""The audit log as a chain: each line's hash covers the line and the hash before it, so that an edit shows.

`daemon.audit` seals new lines, the migration seals those that were there, and `verify` walks all of them. Whoever can
write to the database can also seal everything anew: only a head that is kept elsewhere shows that.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from schema.database import Database, Row

FIELDS = ("id", "at", "actor", "action", "session_id", "subject", "rule", "detail")
START = ""  # what stands before the first line
BATCH = 1000


class Verdict(NamedTuple):
    """What a walk along the chain has found. `head`: the last line's hash; `reason`: empty if all is well."""

    ok: bool
    lines: int
    first_bad: int | None
    head: str
    reason: str


def line_hash(prev: str, line: Mapping[str, Any]) -> str:
    """The hash of a line after one whose hash is `prev`: SHA-256, hex, of `[prev, *FIELDS]` as compact ASCII JSON."""
    text = json.dumps([prev, *(line[name] for name in FIELDS)], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def verify(lines: Iterable[Mapping[str, Any]], kept: str = "") -> Verdict:
    """Walks `lines`, the whole log by id. `kept`: a head from earlier, which some line must still carry."""
    count, prev, before = 0, START, None
    first_bad, reason, seen = None, "", not kept
    for line in lines:
        count += 1
        fault = _fault(line, prev, before)
        if fault and first_bad is None:
            first_bad, reason = int(line["id"]), fault
        prev, before = line["hash"], int(line["id"])
        seen = seen or prev == kept
    if not reason and not seen:
        reason = "no line carries the head that was kept: lines were removed at the end, or all were written anew"
    return Verdict(not reason, count, first_bad, prev, reason)


def _fault(line: Mapping[str, Any], prev: str, before: int | None) -> str:
    if line["prev"] != prev or (before is not None and line["id"] != before + 1):
        return f"what stands before line {line['id']} is not what stood there: lines were removed, inserted or changed"
    if line["hash"] != line_hash(prev, line):
        return f"line {line['id']} is not as it was written"
    return ""


def lines(database: "Database") -> "Iterator[Row]":
    """Every line of a database by id, some at a time, so that a long log takes no memory. DatabaseError."""
    after = 0
    while batch := database.rows("audit.chain", after=after, limit=BATCH):
        yield from batch
        after = batch[-1]["id"]
