"""Services described by files: applied as they change, kept while a file has mistakes, not to be edited elsewhere."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from daemon.services import watched_files
from daemon.services.rules import files
from ipc.errors import CallError, Code
from ipc.messages.services import (
    ChangeService,
    ListServiceFiles,
    ListServices,
    PauseServices,
    RemoveServices,
    ServicesReply,
)
from schema.definitions import Definition
from schema.monitored import Monitored
from tests.fakes.target import Target
from tests.integration.services.world import World


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched_files, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(watched_files, "SETTLE_SECONDS", 0.1)


async def listed(world: World) -> dict[str, Monitored]:
    reply: ServicesReply = await world.ask(ListServices())
    return {one.name: one for one in reply.services}


async def until(world: World, holds: Callable[[dict[str, Monitored]], bool]) -> dict[str, Monitored]:
    end = time.monotonic() + 10
    while not holds(found := await listed(world)):
        assert time.monotonic() < end, found
        await asyncio.sleep(0.02)
    return found


async def mistakes(world: World, count: int, words: str = "") -> list[Any]:
    end = time.monotonic() + 10
    while True:
        found = [one for file in (await world.ask(ListServiceFiles())).files for one in file.errors]
        if len(found) == count and all(words in one.message for one in found):
            return found
        assert time.monotonic() < end, found
        await asyncio.sleep(0.02)


def entry(target: Target, name: str, **more: str) -> str:
    fields = {"name": name, "url": target.url(f"/{name}"), "interval": "1s", **more}
    return "  - " + "\n    ".join(f"{field}: {value}" for field, value in fields.items()) + "\n"


def write(path: Path, *entries: str) -> None:
    path.write_text("services:\n" + "".join(entries))


async def test_a_file_is_read_at_the_start_and_whenever_it_changes_and_owns_what_it_describes(
    world: World, target: Target, tmp_path: Path
) -> None:
    path = tmp_path / "services.yaml"
    write(path, entry(target, "a"), entry(target, "b"))
    await world.add("own", "/own")
    await world.settings.set("services_file", str(path))
    found = await until(world, lambda found: len(found) == 3)
    assert {name: one.owner for name, one in found.items()} == {"a": str(path), "b": str(path), "own": ""}
    await world.until(found["a"], "healthy")
    write(path, entry(target, "a", conditions='["[STATUS] == 201"]'), entry(target, "c"))
    found = await until(world, lambda found: set(found) == {"a", "c", "own"})
    await world.until(found["a"], "down")
    # After a restart nothing is another, and what went meanwhile goes.
    write(path, entry(target, "a"))
    await world.again()
    await until(world, lambda found: set(found) == {"a", "own"})


async def test_a_file_that_is_still_being_written_removes_nothing(
    world: World, target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched_files, "SETTLE_SECONDS", 1.0)
    path = tmp_path / "services.yaml"
    write(path, entry(target, "a"), entry(target, "b"))
    await world.settings.set("services_file", str(path))
    before = await until(world, lambda found: len(found) == 2)
    with path.open("w") as file:
        for text in ("services:\n", entry(target, "a"), entry(target, "b"), entry(target, "c")):
            file.write(text)
            file.flush()
            await asyncio.sleep(0.3)
            assert (await listed(world)).keys() == {"a", "b"}
    after = await until(world, lambda found: len(found) == 3)
    assert {name: after[name].id for name in ("a", "b")} == {name: one.id for name, one in before.items()}


async def test_a_file_with_mistakes_changes_nothing_and_all_of_them_are_told_with_their_places(
    world: World, target: Target, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "services.yaml"
    write(path, entry(target, "a"))
    await world.settings.set("services_file", str(path))
    before = await until(world, lambda found: len(found) == 1)
    write(path, entry(target, "b", interval="0s"), entry(target, "c", conditions='["[NO] == 1"]'))
    found = await mistakes(world, 2)
    assert [(one.file, one.line, one.column) for one in found] == [(str(path), 4, 15), (str(path), 8, 17)]
    assert (await listed(world)).keys() == before.keys()
    warnings = world.services.files.warnings()
    assert len(warnings) == 2
    assert warnings[0].startswith(f"{path}:4:15: interval: ")
    assert warnings[0].endswith("what the file said before holds")
    assert f"services: {path}:8:17: conditions: " in capsys.readouterr().err
    path.write_text("")
    await mistakes(world, 1, "the file is empty")
    assert (await listed(world)).keys() == before.keys()
    path.write_text("services: [\n")
    await mistakes(world, 1, "this is no YAML")
    path.unlink()
    await mistakes(world, 1, "can't be read")
    assert (await listed(world)).keys() == before.keys()
    write(path, entry(target, "b"))
    await until(world, lambda found: set(found) == {"b"})
    assert await mistakes(world, 0) == []
    assert world.services.files.warnings() == []


async def test_what_a_file_describes_can_be_paused_and_nothing_else(
    world: World, target: Target, tmp_path: Path
) -> None:
    path = tmp_path / "services.yaml"
    write(path, entry(target, "a"))
    await world.settings.set("services_file", str(path))
    service = (await until(world, lambda found: len(found) == 1))["a"]
    wanted = Definition(name="a", url=target.url("/elsewhere"))
    with pytest.raises(CallError) as caught:
        await world.ask(ChangeService(id=service.id, version=service.version, definition=wanted))
    assert caught.value.code is Code.CONFLICT
    assert str(path) in caught.value.message
    refused = await world.ask(RemoveServices(ids=[service.id]))
    assert str(path) in refused.failed[str(service.id)]
    assert (await world.ask(PauseServices(ids=[service.id], paused=True))).done == [service.id]
    write(path, entry(target, "a", interval="2s"), entry(target, "b"))
    found = await until(world, lambda found: len(found) == 2)
    assert (found["a"].paused, found["b"].paused) == (True, False)
    assert (await world.ask(PauseServices(ids=[service.id], paused=False))).done == [service.id]
    await world.until(service, "healthy")


async def test_a_directory_has_many_files_and_one_that_goes_takes_its_services_with_it(
    world: World, target: Target, tmp_path: Path
) -> None:
    place = tmp_path / "services"
    place.mkdir()
    # The first depends on what only the second describes.
    write(place / "a.yaml", entry(target, "web", needs="[db]"))
    write(place / "b.yml", entry(target, "db"))
    (place / "notes.txt").write_text("nothing to be read")
    await world.settings.set("services_file", str(place))
    found = await until(world, lambda found: len(found) == 2)
    assert found["web"].owner == str(place / "a.yaml")
    # One moves from file to file.
    write(place / "a.yaml", entry(target, "web"))
    write(place / "b.yml", entry(target, "other"))
    (place / "c.yaml").write_text("services:\n" + entry(target, "db"))
    found = await until(world, lambda found: {"other", "db"} <= set(found))
    assert found["db"].owner == str(place / "c.yaml")
    (place / "b.yml").unlink()
    found = await until(world, lambda found: set(found) == {"web", "db"})
    assert await mistakes(world, 0) == []


async def test_a_file_that_is_renamed_keeps_its_services_and_what_is_known_of_them(
    world: World, target: Target, tmp_path: Path
) -> None:
    place = tmp_path / "services"
    place.mkdir()
    write(place / "jobs.yaml", entry(target, "a"), entry(target, "b"))
    await world.settings.set("services_file", str(place))
    before = await until(world, lambda found: len(found) == 2)
    (place / "jobs.yaml").rename(place / "cron.yaml")
    after = await until(world, lambda found: all(one.owner == str(place / "cron.yaml") for one in found.values()))
    assert {name: one.id for name, one in after.items()} == {name: one.id for name, one in before.items()}
    # Copied first, and with less in it; while it has mistakes nothing is removed.
    write(place / "z.yaml", entry(target, "a"), entry(target, "c", needs="[nothing]"))
    await mistakes(world, 2)
    (place / "cron.yaml").unlink()
    await mistakes(world, 1, "nothing")
    assert {name: one.id for name, one in (await listed(world)).items()} == {
        name: one.id for name, one in before.items()
    }
    write(place / "z.yaml", entry(target, "a"))
    after = await until(world, lambda found: set(found) == {"a"})
    assert (after["a"].id, after["a"].owner) == (before["a"].id, str(place / "z.yaml"))


async def test_services_become_peoples_where_no_file_is_watched_any_more(
    world: World, target: Target, tmp_path: Path
) -> None:
    path = tmp_path / "services.yaml"
    write(path, entry(target, "a"))
    await world.settings.set("services_file", str(path))
    await until(world, lambda found: len(found) == 1)
    await world.settings.set("services_file", None)
    await until(world, lambda found: found["a"].owner == "")
    audited = await world.rows("SELECT detail FROM audit WHERE action = 'service.changed'")
    assert [row["detail"] for row in audited] == [f"{path} is not watched any more"]


async def test_a_password_that_changes_in_a_file_is_used_and_variables_are_read_again(
    world: World, target: Target, tmp_path: Path
) -> None:
    path = tmp_path / "services.yaml"
    header = "headers"
    write(path, entry(target, "a", **{header: '{X-Token: "one-secret"}'}))
    await world.settings.set("services_file", str(path))
    service = (await until(world, lambda found: len(found) == 1))["a"]
    await world.until(service, "healthy")
    assert target.to("/a")[-1].headers["x-token"] == "one-secret"
    write(path, entry(target, "a", **{header: '{X-Token: "another-secret"}'}))
    end = time.monotonic() + 10
    while target.to("/a")[-1].headers["x-token"] != "another-secret":
        assert time.monotonic() < end
        await asyncio.sleep(0.05)
    write(path, entry(target, "a", **{header: "{X-Token: $WORD}"}))
    assert "CLAUDEOPS_PROBE_WORD" in (await mistakes(world, 1))[0].message
    world.settings.reload({**world.settings.environ, "CLAUDEOPS_PROBE_WORD": "from-the-environment"})
    await mistakes(world, 0)
    while target.to("/a")[-1].headers["x-token"] != "from-the-environment":
        assert time.monotonic() < end + 10
        await asyncio.sleep(0.05)


async def test_a_file_that_nothing_can_be_made_of_keeps_nothing_from_the_others(
    world: World, target: Target, tmp_path: Path
) -> None:
    place = tmp_path / "services"
    place.mkdir()
    write(place / "a.yaml", entry(target, "a"))
    (place / "b.yaml").write_text("{{ ansible_managed }}\n")
    write(place / "c.yaml", entry(target, "c", proxy='"http://[::1"'))
    write(place / "d.yaml", entry(target, "d"))
    await world.settings.set("services_file", str(place))
    await until(world, lambda found: set(found) == {"a", "d"})
    assert {Path(one.file).name for one in await mistakes(world, 2)} == {"b.yaml", "c.yaml"}


async def test_a_fault_of_ours_in_one_file_is_told_as_its_mistake_and_the_others_are_taken(
    world: World,
    target: Target,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    place = tmp_path / "services"
    place.mkdir()
    for name in ("a", "b"):
        write(place / f"{name}.yaml", entry(target, name))
    parse = files.parse

    def faulty(text: str) -> files.Parsed:
        if "/a" in text:
            raise KeyError("surprise")
        return parse(text)

    monkeypatch.setattr(files, "parse", faulty)
    await world.settings.set("services_file", str(place))
    await until(world, lambda found: set(found) == {"b"})
    (one,) = await mistakes(world, 1, "KeyError: 'surprise'")
    assert one.file == str(place / "a.yaml")
    assert capsys.readouterr().err.count("Traceback") == 1
    monkeypatch.setattr(files, "parse", parse)
    write(place / "a.yaml", entry(target, "a", interval="2s"))
    await until(world, lambda found: set(found) == {"a", "b"})
    await mistakes(world, 0)
