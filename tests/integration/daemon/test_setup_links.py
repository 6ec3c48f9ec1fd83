"""The link for the first admin: printed once in a start, and never at the cost of one that a person asked for."""

import asyncio
from pathlib import Path

import pytest
import zmq.asyncio

from daemon.settings.live import LiveSettings
from daemon.store import Store
from daemon.system.processes import Daemon
from daemon.users.handlers import Users
from ipc.server import Publisher
from schema import timestamps
from schema.access import digest
from schema.database import Database


@pytest.mark.parametrize("steps", range(4))
async def test_a_persons_link_counts_whenever_the_first_one_is_made(tmp_path: Path, steps: int) -> None:
    path = tmp_path / "claudeops.db"
    database = Database(path, readonly=False)
    database.migrate()
    store = Store(path, database)
    with zmq.asyncio.Context() as context, context.socket(zmq.PUB) as socket:
        settings = LiveSettings({"CLAUDEOPS_STATE_DIR": str(tmp_path)}, store)
        users = Users(store, settings, Publisher(socket), Daemon(tmp_path), "boot")

        async def ask() -> str:
            for _ in range(steps):
                await store.read(lambda db: db.value("users.count"))
            return (await users.setup_link("ctl:root")).url.rpartition("/")[2]

        first, asked = await asyncio.gather(users.first_link(), ask())
        now = timestamps.now()
        assert await store.read(lambda db: db.one("users.setup_link", token_hash=digest(asked), now=now))
        assert await users.first_link() is None
        if first is not None:
            ended = digest(first.url.rpartition("/")[2])
            assert await store.read(lambda db: db.one("users.setup_link", token_hash=ended, now=now)) is None
    await store.close()
