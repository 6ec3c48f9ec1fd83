"""The settings that hold right now. A live one takes effect at the next session, without a restart.

Built by `daemon.worker`; changed by SIGHUP (a new environment) and by `SetSetting` (an override in the database).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from daemon import audit
from daemon.store import Store
from ipc import codec
from ipc.errors import CallError, Code
from ipc.messages.settings import NewValue, SettingsReply, SettingValue
from schema import timestamps
from schema.configuration import BY_ENV, DECLARATIONS, ConfigurationError, Declaration, load, parse, show
from schema.database import Database
from schema.settings import Settings


class LiveSettings:
    """Environment and overrides, and what they come to. An override of an unknown name is kept and has no effect."""

    def __init__(self, environ: Mapping[str, str], store: Store) -> None:
        self._store = store
        self.environ = dict(environ)
        self._overrides: dict[str, str] = {}
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
                self._overrides[row["key"]] = row["value"]
            except ConfigurationError as error:
                told.append(f"the override of {row['key']} is left out: {error}")
        self._apply(self.environ)
        return told

    def reload(self, environ: Mapping[str, str]) -> None:
        """Takes a new environment over. ConfigurationError leaves everything as it was."""
        self._apply(environ)

    def _apply(self, environ: Mapping[str, str]) -> None:
        self.current = load(environ, self._overrides)
        self.environ = dict(environ)
        for listener in self.on_change:
            listener()

    async def set(self, name: str, value: str | None) -> SettingValue:
        """Sets or takes away an override. CallError names the setting and what would be right."""
        declaration = find(name)
        if value or not declaration.meta.live:
            text = self.checked(declaration, value or "")
            await self._store.write(
                lambda db: db.change("settings.set", key=declaration.name, value=text, updated_at=timestamps.now())
            )
            self._overrides[declaration.name] = text
        else:
            await self._store.write(lambda db: db.change("settings.reset", key=declaration.name))
            self._overrides.pop(declaration.name, None)
        self._apply(self.environ)
        return self.value(declaration)

    async def set_all(self, values: Sequence[NewValue], by: str, request_id: str) -> SettingsReply:
        """Sets several overrides, or none: CallError names the setting that can't be. The reply has all that stand."""
        texts = {}
        for given in values:
            declaration = find(given.name)
            if not given.value:
                raise CallError(Code.INVALID, f"{declaration.name}: it is empty; leave it out to keep what is set")
            texts[declaration.name] = self.checked(declaration, given.value)
        before = {name: self.value(DECLARATIONS[name]).value for name in texts}
        moment = datetime.now(UTC)
        now = timestamps.stamp(moment)

        def write(db: Database) -> None:
            for name, text in texts.items():
                db.change("settings.set", key=name, value=text, updated_at=now)
                audit.add(
                    db, actor=by, action="setting.changed", subject=name, at=moment, detail=f"{before[name]} → {text}"
                )

        if texts:
            await self._store.write(write)
            self._overrides |= texts
            self._apply(self.environ)
        reply = SettingsReply(settings=self.values())
        if request_id:
            stored = codec.store(reply)
            await self._store.write(
                lambda db: db.change("replies.insert", request_id=request_id, reply=stored, created_at=now)
            )
        return reply

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
        name, meta = declaration.name, declaration.meta
        file = meta.secret and bool(self.environ.get(declaration.env + "_FILE"))
        source = (
            "override"
            if name in self._overrides
            else "environment"
            if file or self.environ.get(declaration.env)
            else "default"
        )
        return SettingValue(
            name=name,
            env=declaration.env,
            value=show(declaration, getattr(self.current, name)),
            default=show(declaration, declaration.default),
            source=source,
            section=meta.section,
            doc=meta.doc,
            unit=meta.unit,
            live=meta.live,
            secret=meta.secret,
        )

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
