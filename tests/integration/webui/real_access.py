"""The worker's own handlers for API tokens, people, their sign-ins and settings, over the stand-in's database."""

from pathlib import Path

from daemon.access.handlers import handlers
from daemon.access.people import People
from daemon.access.tokens import Tokens
from daemon.settings.handlers import handlers as setting_handlers
from daemon.settings.live import LiveSettings
from daemon.store import Store
from daemon.system.processes import Daemon
from daemon.users.handlers import Users
from daemon.users.handlers import handlers as user_handlers
from ipc.messages import access, settings, users
from ipc.messages.envelope import Reply, Request
from ipc.messages.system import StateChanged
from ipc.server import Call, Publisher
from schema.database import Database

REAL: tuple[type[Request], ...] = (
    access.CreateToken,
    access.ListTokens,
    access.RevokeToken,
    access.TokenUsed,
    access.ListUsers,
    access.AddUser,
    access.ChangeUser,
    access.OfferPassword,
    access.SetPassword,
    access.VerifyAudit,
    users.CreateSetupLink,
    users.SetUp,
    users.SignIn,
    users.SignInFailed,
    users.SignInSeen,
    users.SignOut,
    settings.ListSettings,
    settings.SetSetting,
    settings.ChangeSettings,
)
# As a daemon's environment has them: a secret that no page may show among them.
ENVIRON = {
    "CLAUDEOPS_INTERVAL": "1800",
    "ANTHROPIC_API_KEY": "sk-ant-not-to-be-seen",
    "CLAUDEOPS_TIER2_MODEL": "sonnet",
}


class RealAccess:
    """A store of its own on the same file, as the worker has one."""

    def __init__(self, path: Path, publisher: Publisher, runtime: Path, environ: dict[str, str]) -> None:
        self.store = Store(path, Database(path, readonly=False))
        self.settings = LiveSettings({**ENVIRON, **environ, "CLAUDEOPS_STATE_DIR": str(path.parent)}, self.store)
        self._publisher, self._said = publisher, self.settings.current
        self.settings.on_change.append(self._say)
        persons = Users(self.store, self.settings, publisher, Daemon(runtime), "boot")
        people = People(self.store, publisher, lambda: "http://ops.example", persons.expiry)
        self._handlers = {
            **user_handlers(persons),
            **handlers(Tokens(self.store, publisher), people, self.store),
            **setting_handlers(self.settings),
        }

    def _say(self) -> None:
        # Of real changes alone: whoever hears of one asks, and is answered from overrides that are read anew.
        if self.settings.current != self._said:
            self._said = self.settings.current
            self._publisher.publish(StateChanged(what="settings"))

    async def answer(self, call: Call, request: Request) -> Reply:
        """As the worker does."""
        await self.settings.read_overrides()  # a test may have written some
        return await self._handlers[type(request)](call, request)

    async def close(self) -> None:
        """Ends the store's thread."""
        await self.store.close()
