"""Answers requests about settings."""

from daemon.settings.live import LiveSettings
from ipc.messages.settings import ChangeSettings, ListSettings, SetSetting, SettingReply, SettingsReply
from ipc.server import Call, Handler


def handlers(settings: LiveSettings) -> dict[type, Handler]:
    """The table's part for settings."""

    async def list_settings(call: Call, request: ListSettings) -> SettingsReply:
        return SettingsReply(settings=settings.values())

    async def set_setting(call: Call, request: SetSetting) -> SettingReply:
        by = call.asker(request.by)
        return await settings.set(request.name, request.value, by=by, seen=request.seen, request_id=call.id)

    async def change_settings(call: Call, request: ChangeSettings) -> SettingsReply:
        return await settings.change(request.settings, call.asker(request.by), call.id, SettingsReply)

    return {ListSettings: list_settings, SetSetting: set_setting, ChangeSettings: change_settings}
