"""GET and PUT /api/v1/config: the settings that programs look at. A change is an override, kept in the database.

What was read may be sent back whole: what is as it was is no change, so that only what was edited becomes an override.
"""

from typing import Any

import msgspec
from aiohttp import web
from msgspec import UNSET

from ipc.errors import CallError, Code
from ipc.messages.settings import ChangeSettings, ListSettings, SettingChange, SettingsReply
from schema.configuration import DECLARATIONS, parse
from webui.api.answered import Config
from webui.api.asked import ConfigChange
from webui.parts import parts, signed_in

READ_ONLY = ("max_tier", "state_dir", "results_dir", "repos_dir")


def _config(reply: SettingsReply) -> Config:
    """The settings' values by name, from their texts."""
    texts = {setting.name: setting.value for setting in reply.settings}
    return msgspec.convert({name: parse(DECLARATIONS[name], texts[name]) for name in Config.__struct_fields__}, Config)


async def show(request: web.Request) -> Config:
    """GET /api/v1/config."""
    return _config(await parts(request).worker.call(ListSettings(), SettingsReply))


async def change(request: web.Request, body: ConfigChange) -> Config:
    """PUT /api/v1/config."""
    before = msgspec.structs.asdict(await show(request))
    given = {name: value for name, value in msgspec.structs.asdict(body).items() if value is not UNSET}
    changes = [SettingChange(name=name, value=_text(name, value)) for name, value in changed(before, given).items()]
    if changes:
        message = ChangeSettings(settings=changes, by=signed_in(request).name)
        await parts(request).worker.call(message, SettingsReply)
    return await show(request)


def changed(before: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """What of the settings that are given differs from how they are. CallError for one that can't be changed here."""
    found = {name: value for name, value in given.items() if value != before[name]}
    for name in READ_ONLY:
        if name in found:
            why = f"it is {before[name]} and can't be changed here; leave it out, or send it as it is"
            raise CallError(Code.INVALID, f"{name}: {why}.")
    return found


def _text(name: str, value: Any) -> str:
    """A value as text. An empty one would take the override away, which nobody has asked for."""
    if value == "":
        raise CallError(Code.INVALID, f"{name}: it is empty; leave it out to keep what is set")
    return str(value).lower() if isinstance(value, bool) else str(value)
