"""Overrides: kept, told to whoever listens, written into the audit log, refused over a newer change; all or none."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from daemon.settings.handlers import handlers
from daemon.settings.live import LiveSettings
from daemon.store import Store
from ipc import codec
from ipc.errors import CallError, Code
from ipc.messages.envelope import Request
from ipc.messages.settings import ChangeSettings, ListSettings, SetSetting, SettingChange
from ipc.server import Call, Peer
from schema.database import Database


class Place:
    """Settings over a real database, and what they tell."""

    def __init__(self, directory: Path) -> None:
        path = directory / "claudeops.db"
        database = Database(path, readonly=False)
        database.migrate()
        self.store = Store(path, database)
        self.environ = {"CLAUDEOPS_STATE_DIR": str(directory), "CLAUDEOPS_INTERVAL": "1800"}
        self.settings = LiveSettings(self.environ, self.store)
        self.told = 0
        self.settings.on_change.append(self._hear)
        self.asked = 0

    def _hear(self) -> None:
        self.told += 1

    async def ask(self, request: Request, id_: str = "") -> Any:
        self.asked += 1
        call = Call(id=id_ or f"call-{self.asked}", peer=Peer(uid=os.getuid(), gid=0, pid=1), deadline=0.0, trace="")
        return await handlers(self.settings)[type(request)](call, request)

    async def audit(self) -> list[tuple[str, str, str, str]]:
        rows = await self.store.read(lambda db: db.rows("audit.page", before=1 << 62, limit=50))
        return [(row["actor"], row["action"], row["subject"], row["detail"]) for row in rows]

    async def value(self, name: str) -> Any:
        return next(one for one in (await self.ask(ListSettings())).settings if one.name == name)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    made = Place(tmp_path)
    yield made
    await made.store.close()


async def test_an_override_holds_at_once_survives_a_restart_and_is_in_the_audit_log(
    place: Place, tmp_path: Path
) -> None:
    assert (await place.value("interval")).source == "environment"
    reply = await place.ask(SetSetting(name="interval", value="900", by="ada", seen="1800"))
    assert (reply.setting.value, reply.setting.source) == ("900", "override")
    assert place.settings.current.interval == 900
    assert place.told == 1
    assert (await place.value("interval")).changed_at is not None
    assert await place.audit() == [("ada", "setting.changed", "interval", "1800 → 900")]
    again = Place(tmp_path)
    assert await again.settings.read_overrides() == []
    assert again.settings.current.interval == 900
    await again.store.close()
    await place.ask(SetSetting(name="interval", value=None, by="bob", seen="900"))
    assert place.settings.current.interval == 1800
    assert (await place.audit())[0] == ("bob", "setting.reset", "interval", "900 → 1800")


async def test_an_edit_over_a_newer_change_is_told_and_changes_nothing(place: Place) -> None:
    await place.ask(SetSetting(name="tier1_model", value="opus", by="ada"))
    with pytest.raises(CallError, match="tier1_model was changed meanwhile: it is opus now, and was haiku") as refused:
        await place.ask(SetSetting(name="tier1_model", value="sonnet", by="bob", seen="haiku"))
    assert refused.value.code is Code.CONFLICT
    assert place.settings.current.tier1_model == "opus"
    assert len(await place.audit()) == 1


async def test_of_two_edits_at_a_time_one_is_told_of_the_other(place: Place) -> None:
    wanted = [SetSetting(name="max_tier", value=value, by=value, seen="3") for value in ("1", "2")]
    results = await asyncio.gather(*(place.ask(one) for one in wanted), return_exceptions=True)
    refused = [one for one in results if isinstance(one, CallError)]
    assert [one.code for one in refused] == [Code.CONFLICT]
    assert len(await place.audit()) == 1


async def test_several_are_set_together_or_not_at_all(place: Place) -> None:
    wrong = [
        SettingChange(name="interval", value="60", seen="1800"),
        SettingChange(name="max_tier", value="4"),
    ]
    with pytest.raises(CallError, match="max_tier: 4 is above 3"):
        await place.ask(ChangeSettings(settings=wrong, by="ada"))
    assert place.settings.current.interval == 1800
    assert await place.audit() == []
    right = [wrong[0], SettingChange(name="dry_run", value="on"), SettingChange(name="tier2_model", value="opus")]
    reply = await place.ask(ChangeSettings(settings=right, by="ada"), id_="a-form")
    assert [(one.name, one.value) for one in reply.settings] == [
        ("interval", "60"),
        ("dry_run", "true"),
        ("tier2_model", "opus"),
    ]
    assert place.settings.current.dry_run is True
    assert len(await place.audit()) == 3
    kept = await place.store.read(lambda db: db.value("replies.by_id", request_id="a-form"))
    assert codec.store(reply) == kept


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("interval", "soon", "interval: 'soon' is not a whole number of s"),
        ("interval", "0", "interval: 0 is below 1"),
        ("quiet_hours", "late", "quiet_hours: 'late' is not of the form 22:00-06:30"),
        ("notify_level", "loud", "notify_level: 'loud' is none of info, warning, critical"),
        ("dashboard_port", "81", "dashboard_port can't change while running; set CLAUDEOPS_DASHBOARD_PORT and restart"),
        ("anthropic_api_key", "sk-1", "anthropic_api_key can't change while running"),
        ("nothing", "1", "there is no setting 'nothing'"),
    ],
)
async def test_what_does_not_fit_is_refused_by_its_name(place: Place, name: str, value: str, said: str) -> None:
    with pytest.raises(CallError, match=said):
        await place.ask(SetSetting(name=name, value=value, by="ada"))
    assert await place.audit() == []
    assert place.told == 0
