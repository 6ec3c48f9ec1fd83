"""The settings that hold right now. A live one takes effect at the next session, without a restart.

Built by `daemon.worker`; changed by SIGHUP (a new environment) and by `SetSetting` (an override in the database).
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from daemon import audit
from daemon.store import Store
from ipc import codec
from ipc.errors import CallError, Code
from ipc.messages.envelope import Reply
from ipc.messages.settings import SettingChange, SettingReply, SettingValue
from schema import timestamps
from schema.audit_actions import Action
from schema.configuration import BY_ENV, DECLARATIONS, ConfigurationError, Declaration, load, parse, show
from schema.database import Database
from schema.settings import Settings

R = TypeVar("R", bound=Reply)


class Override(NamedTuple):
    """A value in the database that goes before the environment's, and when it was set."""

    text: str
    at: str


class LiveSettings:
    """Environment and overrides, and what they come to. An override of an unknown name is kept and has no effect."""

    def __init__(self, environ: Mapping[str, str], store: Store) -> None:
        self._store = store
        self.environ = dict(environ)
        self._overrides: dict[str, Override] = {}
        self._changing = asyncio.Lock()
        self.current: Settings = load(environ)
        self.on_change: list[Callable[[], None]] = []
        self.checks: dict[str, Callable[[str], object]] = {}
        """What a setting's text must pass beyond its type, by the setting's name; ValueError says why it does not."""

    async def read_overrides(self) -> list[str]:
        """Loads the overrides; one that no longer fits is left out and told."""
        rows = await self._store.read(lambda db: db.rows("settings.overrides"))
        told = []
        for row in rows:
            try:
                load(self.environ, {row["key"]: row["value"]})
                self._overrides[row["key"]] = Override(row["value"], row["updated_at"])
            except ConfigurationError as error:
                told.append(f"the override of {row['key']} is left out: {error}")
        self._apply(self.environ)
        return told

    def reload(self, environ: Mapping[str, str]) -> None:
        """Takes a new environment over. ConfigurationError leaves everything as it was."""
        self._apply(environ)

    def _apply(self, environ: Mapping[str, str]) -> None:
        self.current = load(environ, {name: override.text for name, override in self._overrides.items()})
        self.environ = dict(environ)
        for listener in self.on_change:
            listener()

    async def set(
        self, name: str, value: str | None, *, by: str = "", seen: str | None = None, request_id: str = ""
    ) -> SettingReply:
        """`change` of one."""
        wanted = SettingChange(name=name, value=value, seen=seen)
        return await self.change([wanted], by, request_id, lambda now: SettingReply(setting=now[0]))

    async def change(
        self,
        changes: Sequence[SettingChange],
        by: str,
        request_id: str,
        told: Callable[[list[SettingValue]], R],
    ) -> R:
        """Sets overrides, or takes them away (None or empty), all or none. `told` makes the reply of how they are then.

        CallError names the setting and what would be right; `conflict` for one that is not as it was seen any more.
        """
        wanted = {find(change.name): change for change in changes}
        if not wanted:
            raise CallError(Code.INVALID, "nothing is to be changed; name a setting and its value")
        texts = {
            declaration.name: self.checked(declaration, change.value or "")
            if change.value or not declaration.meta.live
            else None
            for declaration, change in wanted.items()
        }
        async with self._changing:
            for declaration, change in wanted.items():
                self._check_seen(self.value(declaration), change.seen)
            now = timestamps.now()
            overrides = {**self._overrides, **{name: Override(text, now) for name, text in texts.items() if text}}
            for name in [name for name, text in texts.items() if not text]:
                overrides.pop(name, None)
            try:
                after = load(self.environ, {name: override.text for name, override in overrides.items()})
            except ConfigurationError as error:
                raise CallError(Code.INVALID, str(error)) from error
            before = {declaration.name: self.value(declaration) for declaration in wanted}
            found = [_value(declaration, after, overrides, self.environ) for declaration in wanted]
            reply = told(found)

            def write(db: Database) -> None:
                for name, text in texts.items():
                    if text:
                        db.change("settings.set", key=name, value=text, updated_at=now)
                    else:
                        db.change("settings.reset", key=name)
                for setting in found:
                    action = Action.SETTING_CHANGED if texts[setting.name] else Action.SETTING_RESET
                    detail = f"{before[setting.name].value or 'not set'} → {setting.value or 'not set'}"
                    moment = timestamps.parse(now)
                    audit.add(db, actor=by, action=action, subject=setting.name, at=moment, detail=detail)
                if request_id:
                    db.change("replies.insert", request_id=request_id, reply=codec.store(reply), created_at=now)

            await self._store.write(write)
            self._overrides = overrides
            self._apply(self.environ)
        return reply

    def _check_seen(self, setting: SettingValue, known: str | None) -> None:
        if known is not None and setting.value != known:
            raise CallError(
                Code.CONFLICT,
                f"{setting.name} was changed meanwhile: it is {setting.value or 'not set'} now, and was"
                f" {known or 'not set'} when you looked; look again and decide anew",
            )

    def checked(self, declaration: Declaration, value: str) -> str:
        """A live setting's new value as it is stored. CallError names the setting and what would be right."""
        if not declaration.meta.live:
            raise CallError(
                Code.INVALID, f"{declaration.name} can't change while running; set {declaration.env} and restart"
            )
        try:
            text = show(declaration, parse(declaration, value))
            if check := self.checks.get(declaration.name):
                check(text)
        except ValueError as error:
            raise CallError(Code.INVALID, f"{declaration.name}: {error}") from error
        return text

    def value(self, declaration: Declaration) -> SettingValue:
        """A setting as it is shown."""
        return _value(declaration, self.current, self._overrides, self.environ)

    def values(self) -> list[SettingValue]:
        """Every setting, in the order of declaration."""
        return [self.value(declaration) for declaration in DECLARATIONS.values()]


def find(name: str) -> Declaration:
    """A setting by its name, its environment variable or its flag. CallError if there is none."""
    bare = name.removeprefix("--").replace("-", "_").lower()
    declaration = DECLARATIONS.get(bare) or BY_ENV.get(name.upper())
    if declaration is None:
        raise CallError(Code.NOT_FOUND, f"there is no setting {name!r}; `claudeopsctl config list` shows them")
    return declaration


def _value(
    declaration: Declaration, current: Settings, overrides: Mapping[str, Override], environ: Mapping[str, str]
) -> SettingValue:
    name, meta = declaration.name, declaration.meta
    override = overrides.get(name)
    file = meta.secret and bool(environ.get(declaration.env + "_FILE"))
    given = "environment" if file or environ.get(declaration.env) else "default"
    return SettingValue(
        name=name,
        env=declaration.env,
        value=show(declaration, getattr(current, name)),
        default=show(declaration, declaration.default),
        source="override" if override else given,
        section=meta.section,
        doc=meta.doc,
        unit=meta.unit,
        live=meta.live,
        secret=meta.secret,
        changed_at=override.at if override else None,
    )
