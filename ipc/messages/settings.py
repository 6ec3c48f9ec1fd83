"""Messages about settings: list, set, reset; several at once."""

from typing import ClassVar

import msgspec

from ipc.messages.envelope import Reply, Request


class SettingValue(msgspec.Struct, frozen=True, kw_only=True):
    """One setting as it stands. A secret shows "set" or nothing; `source` is default, environment or override."""

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
    """Sets an override, or takes it away (None). Live settings only; it takes effect at the next session."""

    subject: ClassVar[str] = "settings.set"
    reply: ClassVar[type[Reply]] = SettingReply
    changes: ClassVar[bool] = True
    name: str
    value: str | None
    by: str = ""


class NewValue(msgspec.Struct, frozen=True, kw_only=True):
    """What a setting is to be."""

    name: str
    value: str


class SetSettings(Request, frozen=True):
    """Sets several overrides: all of them, or none where one can't be; the error names it."""

    subject: ClassVar[str] = "settings.set_all"
    reply: ClassVar[type[Reply]] = SettingsReply
    changes: ClassVar[bool] = True
    values: list[NewValue] = []
    by: str = ""
