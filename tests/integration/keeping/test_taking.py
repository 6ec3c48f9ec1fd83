"""Settings and memories taken along: out, in again, all or nothing."""

from typing import Any

import msgspec
import pytest

from daemon.keeping.taking import Taking
from ipc.errors import CallError
from ipc.messages.keeping import Export, Import
from tests.integration.knowledge.place import Place

MEMORY = {"service": "web", "category": "timing", "observation": "slow at noon", "confidence": 0.8, "active": True}


def taking(place: Place) -> Taking:
    """The two ways, with a secret to keep."""
    return Taking(place.store, place.settings(GITHUB_TOKEN="ghp-made-up-secret"), place.heard)


async def take(place: Place, dry_run: bool = False, **document: Any) -> dict[str, Any]:
    """What an import says."""
    reply = await taking(place).take(Import(dry_run=dry_run, **document), "ada", f"id-{id(document)}")
    return {name: value for name, value in msgspec.to_builtins(reply).items() if value}


async def test_what_was_exported_is_imported_once(place: Place) -> None:
    await place.script("INSERT INTO config VALUES ('interval', '600', 't'), ('unknown_thing', 'x', 't')")
    for number in range(250):
        await place.script(
            "INSERT INTO memories (category, observation, confidence, created_at, updated_at)"
            f" VALUES ('timing', 'fact {number}', 0.5, 't', 't')"
        )
    first = await taking(place).give(Export())
    assert first.settings == {"interval": "600"}
    second = await taking(place).give(Export(after=first.next or 0))
    assert (len(first.memories), len(second.memories), second.next) == (200, 50, None)
    memories = [msgspec.to_builtins(memory) for memory in (*first.memories, *second.memories)]
    document: dict[str, Any] = {"settings": first.settings, "memories": memories}
    assert await take(place, **document) == {"settings_unchanged": 1, "memories_unchanged": 250}
    await place.script("DELETE FROM memories WHERE id > 240; UPDATE memories SET confidence = 0.9 WHERE id = 1")
    await place.script("DELETE FROM config")
    told = {"settings_changed": 1, "memories_added": 10, "memories_changed": 1, "memories_unchanged": 239}
    assert await take(place, dry_run=True, **document) == {"dry_run": True, **told}
    assert len(await place.rows("SELECT id FROM memories")) == 240
    assert await take(place, **document) == told
    assert await take(place, **document) == {"settings_unchanged": 1, "memories_unchanged": 250}


async def test_an_import_takes_effect_at_once_and_is_audited(place: Place) -> None:
    one = taking(place)
    await one.take(Import(settings={"interval": "700"}, memories=[MEMORY]), "ada", "id-1")
    assert one._settings.current.interval == 700
    setting, line = await place.rows("SELECT actor, action, subject, detail FROM audit ORDER BY id")
    assert (setting["action"], setting["subject"]) == ("setting.changed", "interval")
    assert (setting["actor"], setting["detail"]) == ("ada", "3600 → 700, by an import")
    assert (line["actor"], line["action"]) == ("ada", "house.imported")
    assert line["detail"] == "1 settings changed, 1 memories added, 0 changed"
    assert len(await place.rows("SELECT * FROM replies WHERE request_id = 'id-1'")) == 1


async def test_every_wrong_field_is_named_and_nothing_is_done(place: Place) -> None:
    settings = {
        "interval": "often",
        "github_token": "ghp-x",
        "state_dir": "/x",
        "nothing": "x",
        "dry_run": True,
        "max_tier": "2",
    }
    memories: list[Any] = [
        MEMORY,
        {**MEMORY, "confidence": 7},
        {**MEMORY, "category": "gossip"},
        {**MEMORY, "observation": " "},
        {"category": "timing"},
    ]
    with pytest.raises(CallError) as refused:
        await take(place, settings=settings, memories=memories)
    named = [problem["field"] for problem in refused.value.data["problems"]]
    assert named == [
        "settings.interval", "settings.github_token", "settings.state_dir", "settings.nothing", "settings.dry_run",
        "memories[1].confidence", "memories[2].category", "memories[3].observation", "memories[4]",
    ]  # fmt: skip
    assert await place.rows("SELECT * FROM config") == []
    assert await place.rows("SELECT * FROM memories") == []
    assert await place.rows("SELECT * FROM audit") == []


async def test_secrets_do_not_come_in_by_a_memory(place: Place) -> None:
    await take(place, memories=[{**MEMORY, "observation": "the token is ghp-made-up-secret"}])
    (row,) = await place.rows("SELECT observation FROM memories")
    assert "ghp-made-up-secret" not in row["observation"]
