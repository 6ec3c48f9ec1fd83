"""Lists of events and of services: paged, filtered, the worst first, and of a database of the Go program too."""

import os
from pathlib import Path
from typing import Any

import pytest

from daemon.events import handlers as event_handlers
from daemon.events.journal import Events
from daemon.health import handlers as health_handlers
from daemon.memories import stored
from daemon.store import Store
from ipc.messages.knowledge import EventSaid, EventsReply, HealthReply, ListEvents, ListHealth, ServiceHealth
from ipc.server import Call, Peer
from schema.database import Database
from schema.knowledge import Level
from tests.integration.knowledge.place import Heard, Place
from tests.integration.schema.test_go_database import GOOSE, LAST, made

CALL = Call("id", Peer(os.getuid(), 0, 0), 0.0, "")


async def messages(events: Events, **filters: Any) -> list[str]:
    reply = await event_handlers.handlers(events)[ListEvents](CALL, ListEvents(**filters))
    assert isinstance(reply, EventsReply)
    return [event.message for event in reply.events]


async def health(store: Store) -> list[ServiceHealth]:
    reply = await health_handlers.handlers(store)[ListHealth](CALL, ListHealth())
    assert isinstance(reply, HealthReply)
    return reply.services


async def test_an_event_of_the_daemon_is_stored_and_told(place: Place) -> None:
    session = await place.session()
    event = await Events(place.store, place.heard).add(
        Level.WARNING, "it escalates", service="web", session_id=session.id
    )
    assert place.heard.events == [EventSaid(id=event.id, level="warning", service="web", session_id=session.id)]


async def test_events_are_paged_by_id_and_filtered_by_any_of_three(place: Place) -> None:
    events = Events(place.store, place.heard)
    session = await place.session()
    for number in range(12):
        await events.add(
            Level.CRITICAL if number % 2 else Level.INFO,
            f"e{number}",
            service="web" if number % 3 == 0 else None,
            session_id=session.id if number < 6 else None,
        )
    assert await messages(events, limit=3) == ["e11", "e10", "e9"]
    assert await messages(events, before=4, limit=10) == ["e2", "e1", "e0"]
    assert await messages(events, level=Level.INFO, limit=2) == ["e10", "e8"]
    assert await messages(events, level=Level.INFO, before=3) == ["e0"]
    assert await messages(events, service="web") == ["e9", "e6", "e3", "e0"]
    assert await messages(events, service="web", level=Level.CRITICAL) == ["e9", "e3"]
    assert await messages(events, session_id=session.id, service="web") == ["e3", "e0"]
    assert await messages(events, session_id=session.id, service="web", level=Level.INFO) == ["e0"]
    assert await messages(events, session_id=99) == []
    assert len(await messages(events, limit=-5)) == 1


async def test_services_are_listed_with_their_last_check_the_worst_first(place: Place) -> None:
    session = await place.session()
    await place.script(
        "INSERT INTO service_health_streak (service, consecutive_healthy, last_checked_at, status) VALUES"
        " ('api', 3, '2026-01-31T08:00:00.000Z', 'healthy'), ('web', 0, '2026-01-31T08:00:00.000Z', 'down');"
        "INSERT INTO health_checks (session_id, service, check_type, status, error_detail, checked_at) VALUES"
        f" ({session.id}, 'web', 'service', 'healthy', NULL, '2026-01-31T07:00:00.000Z'),"
        f" ({session.id}, 'web', 'service', 'down', '502', '2026-01-31T08:00:00.000Z')"
    )
    assert await health(place.store) == [
        ServiceHealth(service="web", status="down", checked_at="2026-01-31T08:00:00.000Z", healthy_checks=0,
                      detail="502", session_id=session.id),
        ServiceHealth(service="api", status="healthy", checked_at="2026-01-31T08:00:00.000Z", healthy_checks=3),
    ]  # fmt: skip


async def test_more_services_than_a_page_are_all_listed(place: Place) -> None:
    values = ", ".join(f"('s{n:04}', 1, '2026-01-31T08:00:00.000Z', 'healthy')" for n in range(450))
    columns = "service, consecutive_healthy, last_checked_at, status"
    await place.script(f"INSERT INTO service_health_streak ({columns}) VALUES {values}")
    assert [service.service for service in await health(place.store)] == [f"s{n:04}" for n in range(450)]


@pytest.fixture
def go_database(tmp_path: Path) -> Path:
    return made(tmp_path / "claudeops.db", versions=GOOSE, last=LAST["goose"])


async def test_a_database_of_the_go_program_lists_with_both_of_its_formats_of_time(go_database: Path) -> None:
    database = Database(go_database, readonly=False)
    database.migrate()
    store = Store(go_database, database)
    events = Events(store, Heard())
    assert await messages(events) == ["slow", "a hook wrote this", "web is down"]
    assert await messages(events, level=Level.INFO) == ["a hook wrote this"]
    memories = await store.read(lambda db: stored.page(db, inactive=True, limit=10))
    assert [(memory.observation, memory.updated_at) for memory in memories] == [
        ("slow after a deploy", "2026-01-31T08:00:00.000Z"),
        ("backups at night", "2026-01-30T08:00:00.000Z"),
    ]
    found = {service.service: service for service in await health(store)}
    assert (found["web"].status, found["web"].detail, found["web"].healthy_checks) == ("down", "timeout", 2)
    assert (found["db"].status, found["db"].checked_at) == ("healthy", "2026-01-31T08:05:11.000Z")
    await store.close()


async def test_a_confidence_that_the_go_program_let_through_is_brought_within_bounds(tmp_path: Path) -> None:
    wild = "; INSERT INTO memories VALUES (9, 'web', 'timing', 'x', 5.0, 1, 't', 't', NULL, 1)"
    path = made(tmp_path / "claudeops.db", versions=GOOSE, last=LAST["goose"] + wild)
    database = Database(path, readonly=False)
    database.migrate()
    assert stored.page(database, limit=1)[0].confidence == 1.0
    database.close()
