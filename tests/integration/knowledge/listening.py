"""Follows the log of a session in a process of its own, in small steps, so that a test can kill it at any of them.

`python -m tests.integration.knowledge.listening DATABASE SESSION RUN_DIR`: exits 0 once the log is read to its end.
"""

import asyncio
import sys
import time
from pathlib import Path

from daemon.approvals.approvals import Approvals
from daemon.runs.run import Run
from daemon.sessions import follow
from daemon.settings.live import LiveSettings
from daemon.store import Store
from ipc.messages.envelope import Event
from ipc.server import Publisher
from schema.database import Database
from schema.sessions import from_row


class Slow(Publisher):
    """Tells nobody, and takes its time, so that there is time to be killed in."""

    def __init__(self) -> None:
        """Without a socket."""

    def publish(self, event: Event) -> None:
        """A moment's pause."""
        time.sleep(0.002)


async def main(path: Path, session_id: int, run_dir: Path) -> None:
    """Reads on from the stored offset."""
    follow.BATCH_BYTES = 4096
    store = Store(path, Database(path, readonly=False))
    row = await store.read(lambda db: db.one("sessions.by_id", id=session_id))
    assert row is not None
    session = from_row(row)
    print("reading", flush=True)
    waiting = Approvals(store, LiveSettings({"CLAUDEOPS_STATE_DIR": str(path.parent)}, store), Slow())
    await follow.Follower(store, Slow(), session, Run(run_dir, session.log_file or "", pidfd=None), waiting).follow()
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
