"""Answers requests about settings."""

from daemon.settings.live import LiveSettings
from ipc.messages.settings import ListSettings, SetSetting, SetSettings, SettingReply, SettingsReply
from ipc.messages.system import StateChanged
from ipc.server import Call, Handler, Publisher


def handlers(settings: LiveSettings, publisher: Publisher) -> dict[type, Handler]:
    """The table's part for settings."""

    async def list_settings(call: Call, request: ListSettings) -> SettingsReply:
        return SettingsReply(settings=settings.values())

    async def set_setting(call: Call, request: SetSetting) -> SettingReply:
        setting = await settings.set(request.name, request.value)
        publisher.publish(StateChanged(what="settings"))
        return SettingReply(setting=setting)

    async def set_settings(call: Call, request: SetSettings) -> SettingsReply:
        reply = await settings.set_all(request.values, request.by or call.by, call.id)
        publisher.publish(StateChanged(what="settings"))
        return reply

    return {ListSettings: list_settings, SetSetting: set_setting, SetSettings: set_settings}
