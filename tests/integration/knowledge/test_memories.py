"""Memories as people keep them, and as months go by."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from daemon.memories import handlers as memory_handlers
from daemon.memories import stored
from daemon.memories.memories import Memories
from daemon.memories.prompt import section
from ipc import codec
from ipc.asker import unix_user
from ipc.errors import CallError, Code
from ipc.messages.envelope import Request
from ipc.messages.knowledge import (
    AddMemory,
    ChangeMemory,
    DeletedReply,
    DeleteMemories,
    DeleteMemory,
    KnowledgeChanged,
    ListMemories,
    MemoriesReply,
    MemoryReply,
)
from ipc.server import Call, Peer
from schema import timestamps
from schema.knowledge import Memory
from tests.integration.knowledge.place import Place

Ask = Callable[..., Any]


@pytest.fixture
def ask(place: Place) -> Ask:
    """Sends a request to its handler."""
    memories = Memories(place.store, place.settings(GITHUB_TOKEN="ghp-made-up-secret"), place.heard)
    table = memory_handlers.handlers(memories)
    calls = 0

    async def send(request: Request) -> Any:
        nonlocal calls
        calls += 1
        return await table[type(request)](Call(f"id-{calls}", Peer(os.getuid(), 0, 0), 0.0, ""), request)

    return send


async def add(ask: Ask, observation: str, **more: Any) -> Memory:
    reply: MemoryReply = await ask(
        AddMemory(**{"category": "timing", "service": "web", **more, "observation": observation})
    )
    return reply.memory


async def listed(ask: Ask, **filters: Any) -> list[tuple[str, float]]:
    reply: MemoriesReply = await ask(ListMemories(**filters))
    return [(memory.observation, memory.confidence) for memory in reply.memories]


async def test_a_memory_is_added_reinforced_and_contradicted(place: Place, ask: Ask) -> None:
    first = await add(ask, "  slow\n after a deploy ")
    assert (first.observation, first.confidence, first.active, first.service) == (
        "slow after a deploy",
        0.7,
        True,
        "web",
    )
    again = await add(ask, "Slow after a deploy")
    assert (again.id, again.confidence) == (first.id, 0.8)
    await add(ask, "quick", confidence=0.9)
    assert await listed(ask) == [("quick", 0.9), ("slow after a deploy", 0.6)]
    assert place.heard.events == [KnowledgeChanged(what="memories")] * 3


async def test_lists_are_filtered_and_leave_out_what_is_inactive(ask: Ask) -> None:
    await add(ask, "one", service="web", confidence=0.5)
    await add(ask, "two", service="db", confidence=0.9)
    await add(ask, "three", service="", category="maintenance", confidence=0.1)
    assert await listed(ask) == [("two", 0.9), ("one", 0.5)]
    assert await listed(ask, all=True) == [("two", 0.9), ("one", 0.5), ("three", 0.1)]
    assert await listed(ask, service="web") == [("one", 0.5)]
    assert await listed(ask, category="maintenance", all=True) == [("three", 0.1)]
    assert await listed(ask, limit=1) == [("two", 0.9)]
    # By their ids, for whoever reads them all.
    assert await listed(ask, above=0) == [("one", 0.5), ("two", 0.9)]
    assert await listed(ask, above=1, all=True, limit=1) == [("two", 0.9)]
    assert await listed(ask, above=2, all=True, limit=1) == [("three", 0.1)]
    assert await listed(ask, above=0, service="db", category="timing") == [("two", 0.9)]


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (AddMemory(category="network", observation="x"), "category"),
        (AddMemory(category="timing", observation=" "), "observation"),
        (AddMemory(category="timing", observation="x", confidence=5.0), "confidence"),
        (AddMemory(category="timing", observation="x", service="s" * 101), "service"),
        (ChangeMemory(id=1, confidence=-1.0), "confidence"),
        (ChangeMemory(id=1, observation=""), "observation"),
        (ChangeMemory(id=1, confidence=0.1, active=True), "active"),
    ],
)
async def test_what_can_not_be_is_refused_and_the_field_is_named(ask: Ask, request_: Request, field: str) -> None:
    await add(ask, "kept")
    with pytest.raises(CallError, match=f"^{field}: ") as caught:
        await ask(request_)
    assert (caught.value.code, caught.value.data) == (Code.INVALID, {"field": field})
    assert await listed(ask, all=True) == [("kept", 0.7)]


async def test_a_change_of_nothing_and_of_what_is_not_there_is_refused(ask: Ask) -> None:
    memory = await add(ask, "kept")
    with pytest.raises(CallError, match="give one of service, category, observation, confidence, active"):
        await ask(ChangeMemory(id=memory.id))
    for request in (ChangeMemory(id=99, observation="x"), DeleteMemory(id=99)):
        with pytest.raises(CallError, match="there is no memory 99") as caught:
            await ask(request)
        assert caught.value.code is Code.NOT_FOUND


async def test_a_memory_is_changed_field_by_field_and_deleted(place: Place, ask: Ask) -> None:
    memory = await add(ask, "slow")
    changed = (await ask(ChangeMemory(id=memory.id, service="", category="behavior", confidence=0.9))).memory
    assert (changed.service, changed.category, changed.observation, changed.confidence) == (
        None,
        "behavior",
        "slow",
        0.9,
    )
    assert (await ask(ChangeMemory(id=memory.id, active=False))).memory.active is False
    await ask(DeleteMemory(id=memory.id, by="ada"))
    assert await listed(ask, all=True) == []
    lines = await place.rows("SELECT actor, action, subject, detail FROM audit ORDER BY id")
    assert [(line["actor"], line["action"]) for line in lines] == [
        (unix_user(os.getuid()), "memory.added"),
        (unix_user(os.getuid()), "memory.changed"),
        (unix_user(os.getuid()), "memory.changed"),
        ("ada", "memory.deleted"),
    ]
    assert lines[1]["detail"] == f"memory {memory.id}: changed service, category, confidence"
    assert {line["subject"] for line in lines} == {"slow"}


async def test_several_are_deleted_at_once_with_a_line_each_and_what_is_not_there_is_counted(
    place: Place, ask: Ask
) -> None:
    ids = [(await add(ask, text, service=text)).id for text in ("one", "two", "three")]
    place.heard.events.clear()
    reply = await ask(DeleteMemories(ids=[ids[0], 99, ids[2], ids[0]], by="ada"))
    assert reply == DeletedReply(deleted=2, missing=1)
    assert await listed(ask) == [("two", 0.7)]
    lines = await place.rows("SELECT actor, subject, detail FROM audit WHERE action = 'memory.deleted' ORDER BY id")
    assert lines == [
        {"actor": "ada", "subject": "one", "detail": f"memory {ids[0]}"},
        {"actor": "ada", "subject": "three", "detail": f"memory {ids[2]}"},
    ]
    assert place.heard.events == [KnowledgeChanged(what="memories")]
    raw = await place.store.read(lambda db: db.value("replies.by_id", request_id="id-4"))
    assert codec.read_stored(bytes(raw), DeletedReply) == reply
    for wrong in ([], list(range(501))):
        with pytest.raises(CallError, match=r"^ids: from 1 to 500"):
            await ask(DeleteMemories(ids=wrong))


async def test_a_request_that_is_sent_again_is_answered_from_its_stored_reply(place: Place, ask: Ask) -> None:
    memory = await add(ask, "slow")
    raw = await place.store.read(lambda db: db.value("replies.by_id", request_id="id-1"))
    assert codec.read_stored(bytes(raw), MemoryReply) == MemoryReply(memory=memory)


async def test_a_secret_in_a_memory_is_not_stored(ask: Ask) -> None:
    memory = await add(ask, "the token is ghp-made-up-secret")
    assert memory.observation == "the token is [REDACTED:GITHUB_TOKEN]"


async def test_a_prompt_gets_the_active_ones(place: Place, ask: Ask) -> None:
    await add(ask, "slow after a deploy")
    await add(ask, "nearly forgotten", service="db", confidence=0.1)
    text = section(await Memories(place.store, place.settings(), place.heard).for_prompt(), 2000)
    assert "(1 of 1 memories" in text
    assert "slow after a deploy (confidence: 0.7)" in text


# Months


async def test_a_memory_fades_by_a_tenth_a_week_however_often_the_worker_starts(place: Place, ask: Ask) -> None:
    memory = await add(ask, "slow after a deploy", confidence=0.9)
    confirmed = await add(ask, "a restart helps", category="remediation")
    start = timestamps.parse(memory.updated_at)
    seen: dict[int, float] = {}
    for hour in range(0, 24 * 80, 6):
        now = start + timedelta(hours=hour)
        for _ in range(3):
            await place.store.write(lambda db, now=now: stored.fade(db, now))  # type: ignore[misc]
        if hour % (24 * 20) == 0:
            await place.script(f"UPDATE memories SET updated_at = '{timestamps.stamp(now)}' WHERE id = {confirmed.id}")
        (row,) = await place.rows(f"SELECT confidence, updated_at FROM memories WHERE id = {memory.id}")
        assert row["updated_at"] == memory.updated_at
        seen[hour // 24] = row["confidence"]
    weekly = {day: seen[day] for day in (29, 31, 36, 38, 45, 52, 59, 66, 73, 79)}
    assert weekly == {29: 0.9, 31: 0.8, 36: 0.8, 38: 0.7, 45: 0.6, 52: 0.5, 59: 0.4, 66: 0.3, 73: 0.2, 79: 0.2}
    rows = await place.rows("SELECT id, active, confidence FROM memories ORDER BY id")
    assert [(row["active"], row["confidence"]) for row in rows] == [(0, 0.2), (1, 0.7)]


async def test_keeping_house_now_fades_what_is_old(place: Place, ask: Ask) -> None:
    memory = await add(ask, "slow")
    place.heard.events.clear()
    memories = Memories(place.store, place.settings(), place.heard)
    await memories.keep_house()
    assert place.heard.events == []
    old = timestamps.stamp(datetime.now(UTC) - timedelta(days=31))
    await place.script(f"UPDATE memories SET updated_at = '{old}' WHERE id = {memory.id}")
    await memories.keep_house()
    await memories.keep_house()
    assert await listed(ask) == [("slow", 0.6)]
    assert place.heard.events == [KnowledgeChanged(what="memories")]
