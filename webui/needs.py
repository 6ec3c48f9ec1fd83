"""How many things need a person now: the bell's count, and the words in the title of every page.

Read before each page is made (`webui.auth.guard`) and while somebody watches (`webui.live.feed`). What can't be read
counts as nothing: a page must not fail for its bell.
"""

import time
from typing import NamedTuple

from aiohttp import web

from ipc.errors import CallError
from schema import timestamps
from schema.database import Database, Row
from webui.parts import Parts

DAY = 86400.0
EVENTS_LOOKED_AT = 100
INCIDENTS_LOOKED_AT = 1000
# How the daemon begins an event that no tier can settle.
CALLS_FOR_A_PERSON = "needs human attention"


class Needs(NamedTuple):
    """`approvals`: calls that wait; `people`: events of the last day that ask for a person; `down`: services."""

    approvals: int = 0
    people: int = 0
    down: int = 0

    @property
    def you(self) -> int:
        """Things that only a person can settle."""
        return self.approvals + self.people

    @property
    def words(self) -> str:
        """For the title, the worst first: "1 down, 2 need you"; empty if there is nothing."""
        found = [f"{self.down} down"] if self.down else []
        if self.you:
            found.append(f"{self.you} need{'s' if self.you == 1 else ''} you")
        return ", ".join(found)


NOTHING = Needs()
NEEDS: web.RequestKey[Needs] = web.RequestKey("needs", Needs)


def calls_for_a_person(message: str) -> bool:
    """Whether an event says that no tier can settle it."""
    return message.strip().lower().startswith(CALLS_FOR_A_PERSON)


def since() -> str:
    """A day ago, as stored."""
    return timestamps.at(time.time() - DAY)


def read(database: Database) -> Needs:
    """One look at the database."""
    day = since()
    critical = database.rows("pages.attention", since=day, limit=EVENTS_LOOKED_AT)
    return Needs(
        approvals=int(database.value("pages.approvals_count")),
        people=sum(calls_for_a_person(row["message"]) for row in critical),
        down=len(_down(database, day)),
    )


def _down(database: Database, day: str) -> set[str]:
    """By name: what sessions found down within a day, and what the daemon finds down itself."""
    found = {row["service"] for row in database.rows("pages.services_down", since=day)}
    return found | {row["service"] for row in incidents(database, INCIDENTS_LOOKED_AT)}


def incidents(database: Database, most: int) -> list[Row]:
    """Those that go on; first the ones that nobody looks after."""
    alone, attended = (database.rows("incidents.broken", acknowledged=number, limit=most) for number in (0, 1))
    return (alone + attended)[:most]


async def look(here: Parts) -> Needs:
    """The same; nothing while the database can't be read, which the page itself will say."""
    try:
        return await here.state.read(read)
    except CallError:
        return NOTHING
