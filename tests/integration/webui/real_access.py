"""The worker's own handlers for API tokens and people, over the stand-in's database: what they decide is the point."""

from pathlib import Path

from daemon.access.handlers import handlers
from daemon.access.people import People
from daemon.access.tokens import Tokens
from daemon.store import Store
from ipc.messages import access
from ipc.messages.envelope import Reply, Request
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
)


class RealAccess:
    """A store of its own on the same file, as the worker has one."""

    def __init__(self, path: Path, publisher: Publisher) -> None:
        self.store = Store(path, Database(path, readonly=False))
        people = People(self.store, publisher, lambda: "http://ops.example", lambda: 30)
        self._handlers = handlers(Tokens(self.store, publisher), people, self.store)

    async def answer(self, call: Call, request: Request) -> Reply:
        """As the worker does."""
        return await self._handlers[type(request)](call, request)

    async def close(self) -> None:
        """Ends the store's thread."""
        await self.store.close()
