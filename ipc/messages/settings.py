"""Messages about settings: list, set, reset; several at once."""

from typing import ClassVar

import msgspec

from ipc.messages.envelope import Reply, Request


class SettingValue(msgspec.Struct, frozen=True, kw_only=True):
    """One setting as it stands. A secret shows "set" or nothing; `source` is default, environment or override.

    `changed_at` is when an override was set.
    """

    name: str
    env: str
    value: str
    default: str
    source: str
    section: str
    doc: str
    unit: str = ""
    live: bool = False
    secret: bool = False
    changed_at: str | None = None


class SettingsReply(Reply, frozen=True):
    """Settings, in the order of their declaration."""

    settings: list[SettingValue]


class ListSettings(Request, frozen=True):
    """Every setting with its value."""

    subject: ClassVar[str] = "settings.list"
    reply: ClassVar[type[Reply]] = SettingsReply


class SettingReply(Reply, frozen=True):
    """One setting."""

    setting: SettingValue


class SetSetting(Request, frozen=True):
    """Sets an override, or takes it away (None). Live settings only; it takes effect at the next session.

    `seen` is the value that the asker knows: `conflict` if it has changed since. None asks for the change anyhow.
    """

    subject: ClassVar[str] = "settings.set"
    reply: ClassVar[type[Reply]] = SettingReply
    changes: ClassVar[bool] = True
    name: str
    value: str | None
    by: str = ""
    seen: str | None = None


class SettingChange(msgspec.Struct, frozen=True, kw_only=True):
    """What one setting is to be; None takes its override away. `seen` as in SetSetting."""

    name: str
    value: str | None
    seen: str | None = None


class ChangeSettings(Request, frozen=True):
    """Sets or takes away several overrides, all or none."""

    subject: ClassVar[str] = "settings.change"
    reply: ClassVar[type[Reply]] = SettingsReply
    changes: ClassVar[bool] = True
    settings: list[SettingChange] = []
    by: str = ""
