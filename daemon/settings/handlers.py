"""Answers requests about settings."""

from daemon.settings.live import LiveSettings
from ipc.messages.settings import ListSettings, SetSetting, SettingReply, SettingsReply
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

    return {ListSettings: list_settings, SetSetting: set_setting}
