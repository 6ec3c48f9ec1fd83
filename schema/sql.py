"""The SQL text of the house: named queries by noun, and numbered migrations. Pure; `schema.database` runs them."""

import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

# By path: importlib.resources takes over a MiB of memory in each process.
HERE = Path(__file__).parent
NAMED = re.compile(r"^-- (\w+) --\n((?:--[^\n]*\n)+)(.*?)(?=^-- \w+ --\n|\Z)", re.MULTILINE | re.DOTALL)
NUMBERED = re.compile(r"^(\d{4})_(\w+)\.sql$")


class Query(NamedTuple):
    """A named statement: `name` is `<noun>.<name>`, `doc` its one sentence."""

    name: str
    doc: str
    sql: str


class Migration(NamedTuple):
    """One step forward. `checksum` is the SHA-256 of its text, kept in the database to notice an edited step."""

    number: int
    name: str
    sql: str
    checksum: str

    @property
    def rebuilds(self) -> bool:
        """Whether it replaces a table that others refer to, which wants foreign keys off."""
        return self.sql.startswith("-- rebuilds tables --")


def split(noun: str, text: str) -> dict[str, Query]:
    """The queries of one noun's file. ValueError names a query that is there twice."""
    found: dict[str, Query] = {}
    for name, doc, sql in NAMED.findall(text):
        full = f"{noun}.{name}"
        if full in found:
            raise ValueError(f"queries/{noun}.sql: {name} is there twice")
        found[full] = Query(full, " ".join(line.strip("- ") for line in doc.splitlines()), sql.strip())
    return found


class AnyBinding(dict[str, Any]):
    """Gives every named parameter a value, so that a statement can be explained."""

    def __missing__(self, key: str) -> Any:
        return 1


@cache
def queries() -> dict[str, Query]:
    """Every named query of every noun."""
    found: dict[str, Query] = {}
    for file in sorted((HERE / "queries").iterdir(), key=lambda file: file.name):
        if file.name.endswith(".sql"):
            found |= split(file.name.removesuffix(".sql"), file.read_text(encoding="utf-8"))
    return found


@cache
def migrations() -> tuple[Migration, ...]:
    """Every numbered migration, in order."""
    found = []
    for file in (HERE / "migrations").iterdir():
        if match := NUMBERED.match(file.name):
            text = file.read_text(encoding="utf-8")
            found.append(Migration(int(match[1]), match[2], text, hashlib.sha256(text.encode()).hexdigest()))
    return tuple(sorted(found))


def carry_forward() -> str:
    """The copying half of taking over a database of the Go program."""
    return (HERE / "migrations" / "from_go_0007.sql").read_text(encoding="utf-8")
