"""Passwords beside the database: there before what refers to them is committed, gone only after it, written once."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from daemon.services.credentials import NAME, Credentials
from daemon.services.rules.kept import Kept
from ipc.errors import CallError, Code
from ipc.messages.services import AddService, ChangeService, ImportServices, RemoveServices, TryService
from schema.database import Database, DatabaseError
from schema.definitions import Definition
from schema.monitored import Monitored
from tests.integration.services.world import World

SECRET = "http://ada:hush@127.0.0.1:1/"
MANY = "services:\n" + "".join(
    f"  - {{name: s{number}, url: 'http://ada:p{number}@127.0.0.1:1/', paused: true}}\n" for number in range(200)
)


@pytest.fixture
def syncs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Each time that a file was brought to the disk."""
    found: list[int] = []
    through = os.fsync

    def sync(handle: int) -> None:
        found.append(handle)
        through(handle)

    monkeypatch.setattr(os, "fsync", sync)
    return found


async def secret(world: World, name: str = "web") -> Monitored:
    return await world.add(name, url=SECRET, paused=True)


async def filled(world: World) -> list[str]:
    return [known.filled.url for known in await world.services.catalogue.all()]


@contextmanager
def uncommitted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every transaction fails at its very end."""

    @contextmanager
    def fails(database: Database) -> Iterator[None]:
        database._connection.execute("BEGIN IMMEDIATE")
        yield
        database._connection.execute("ROLLBACK")
        raise DatabaseError("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(Database, "transaction", fails)
        yield


async def test_a_removal_that_is_not_committed_leaves_the_password(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = await secret(world)
    with uncommitted(monkeypatch), pytest.raises(DatabaseError):
        await world.ask(RemoveServices(ids=[service.id], by="ada"))
    assert await filled(world) == [SECRET]
    await world.again()
    assert await filled(world) == [SECRET]
    await world.ask(RemoveServices(ids=[service.id], by="ada"))
    assert "hush" not in (world.place.directory / NAME).read_text()


async def test_a_change_that_is_not_committed_leaves_the_password_that_was(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = await secret(world)
    wanted = Definition(name="web", url=SECRET.replace("hush", "other"), paused=True)
    with uncommitted(monkeypatch), pytest.raises(DatabaseError):
        await world.ask(ChangeService(id=service.id, version=service.version, definition=wanted, by="ada"))
    assert await filled(world) == [SECRET]
    await world.again()
    assert await filled(world) == [SECRET]


async def test_a_service_that_is_not_committed_leaves_no_password(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with uncommitted(monkeypatch), pytest.raises(DatabaseError):
        await secret(world)
    assert "hush" not in (world.place.directory / NAME).read_text()


async def test_an_import_that_fails_or_a_file_that_cannot_be_written_changes_no_password(world: World) -> None:
    await secret(world)
    (world.place.directory / (NAME + ".partial")).mkdir()
    with pytest.raises(CallError, match="can't be written"):
        await world.ask(ImportServices(text=MANY, file="s.yml", by="ada", prune=True))
    assert await filled(world) == [SECRET]
    assert [row["name"] for row in await world.rows("SELECT name FROM services")] == ["web"]


async def test_a_file_of_many_passwords_is_brought_to_the_disk_once(world: World, syncs: list[int]) -> None:
    await world.ask(ImportServices(text=MANY, file="s.yml", by="ada"))
    assert len(syncs) == 1
    assert len(set(await filled(world))) == 200
    ids = [row["id"] for row in await world.rows("SELECT id FROM services")]
    await world.ask(RemoveServices(ids=ids, by="ada"))
    assert len(syncs) == 2


async def test_what_nobody_has_any_more_is_dropped_at_the_start(world: World) -> None:
    service = await secret(world)
    await secret(world, "other")
    await world.place.script(f"DELETE FROM services WHERE id = {service.id}")
    await world.again()
    await world.services.catalogue.tidy()
    assert set(msgspec.json.decode((world.place.directory / NAME).read_bytes())) == {str(service.id + 1)}
    assert await filled(world) == [SECRET]


async def test_what_could_not_be_written_is_not_kept_in_memory_either(tmp_path: Path) -> None:
    credentials = Credentials(tmp_path)
    (tmp_path / (NAME + ".partial")).mkdir()
    with pytest.raises(IsADirectoryError):
        credentials.keep({1: Kept(url=SECRET)})
    assert credentials.of(1) == Kept()


async def test_a_password_with_a_dollar_sign_is_one_and_a_variable_is_none(world: World) -> None:
    headers = {"X-Api-Key": "pa$$WORD", "Cookie": "a$b", "Authorization": "Bearer $TOKEN"}
    world.settings.environ = {**world.settings.environ, "CLAUDEOPS_PROBE_TOKEN": "t-1"}
    await world.add("web", headers=headers, paused=True)
    (known,) = await world.services.catalogue.all()
    assert known.stored.headers == {"X-Api-Key": "***", "Cookie": "***", "Authorization": "Bearer $TOKEN"}
    assert known.filled.headers == {"X-Api-Key": "pa$WORD", "Cookie": "a$b", "Authorization": "Bearer t-1"}


MASKED = Definition(
    name="new", url="http://ada:***@127.0.0.1:1/", proxy="http://bob:***@127.0.0.1:2", headers={"X-Api-Key": "***"}
)


@pytest.mark.parametrize("request_", [AddService(definition=MASKED, by="ada"), TryService(definition=MASKED)])
async def test_of_a_new_service_no_mask_is_taken_for_a_password(
    world: World, request_: AddService | TryService
) -> None:
    with pytest.raises(CallError) as error:
        await world.ask(request_)
    assert error.value.code is Code.INVALID
    assert set(error.value.data["fields"]) == {"url", "proxy", "headers"}
    assert await world.rows("SELECT id FROM services") == []
