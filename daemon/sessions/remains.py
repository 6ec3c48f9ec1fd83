"""What a run leaves behind when it is over: the record of its end, its directory, the file of its system prompt, and
processes that outlived its shim. Called by `daemon.sessions.lifecycle`.

None of it may end the worker, which would meet the same again at its next start: what can't be put away is told.
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from daemon.runs.adopt import RunAlive, lock_held, remove
from daemon.runs.record import ExitRecord
from daemon.runs.run import Run
from daemon.runs.states import EndReason
from daemon.runs.sweep import sweep
from daemon.sessions import prepare
from daemon.settings.live import LiveSettings

RETRY_SECONDS = 1.0
LET_GO_LOOKS, LET_GO_PAUSE = 200, 0.05
STUCK_SECONDS = 60.0


class Remains:
    """Puts away what runs leave behind."""

    def __init__(self, settings: LiveSettings, watch_task: Callable[[asyncio.Task[None]], None]) -> None:
        """`watch_task` hears the end of every task."""
        self._settings = settings
        self._watch_task = watch_task
        self._tasks: set[asyncio.Task[None]] = set()
        self._stuck: dict[str, str] = {}

    def warnings(self) -> list[str]:
        """What people should see to: processes that can't be ended."""
        return list(self._stuck.values())

    async def end_of(self, run: Run) -> ExitRecord:
        """The run's exit record; where its shim was killed, waits for its processes to end and the disk to take it."""
        try:
            while True:
                try:
                    return await run.wait()
                except TimeoutError as error:
                    self._tell_stuck(run.run_id, error)
                    await asyncio.sleep(STUCK_SECONDS)
                except OSError as error:
                    if _made_anew(run.run_dir):
                        continue
                    print(f"run {run.run_id}: can't write its end yet: {error}", file=sys.stderr, flush=True)
                    await asyncio.sleep(RETRY_SECONDS)
        finally:
            self._stuck.pop(run.run_id, None)

    def put_away(self, run: Run) -> None:
        """Removes what only the run needed, once its end is stored."""
        self._remove(run.run_id, run.run_dir)

    def end(self, run: Run) -> None:
        """Ends a run that no session wants any more, and puts it away."""
        self._begin(self._end(run))

    def clear(self, run_dir: Path) -> None:
        """Ends and removes what is left of a run that nobody holds: one that never began, or lost its directory."""
        self._begin(self._clear(run_dir))

    def _remove(self, run_id: str, run_dir: Path) -> None:
        try:
            prepare.tidy(self._settings.current, run_id)
            if run_dir.exists():
                remove(run_dir)
        except (OSError, RunAlive) as error:
            told = f"run {run_id}: can't remove what it leaves behind: {error}; it is tried again at the next start"
            print(told, file=sys.stderr, flush=True)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name="what runs leave behind")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(self._watch_task)

    async def _end(self, run: Run) -> None:
        run.stop(EndReason.INTERRUPTED, "the daemon, for no session wants it")
        await self.end_of(run)
        self.put_away(run)

    async def _clear(self, run_dir: Path) -> None:
        try:
            await sweep(run_dir)
            await _let_go(run_dir)
        except OSError as error:
            print(f"run {run_dir.name}: {error}", file=sys.stderr, flush=True)
        self._remove(run_dir.name, run_dir)

    def _tell_stuck(self, run_id: str, error: TimeoutError) -> None:
        if run_id not in self._stuck:
            print(f"run {run_id}: {error}", file=sys.stderr, flush=True)
        self._stuck[run_id] = str(error)

    async def close(self) -> None:
        """Lets go: the next worker finds what is left."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _made_anew(run_dir: Path) -> bool:
    """Makes a run's directory again where it was removed: its end could be told nowhere else."""
    try:
        run_dir.mkdir(mode=0o700, parents=True)
    except OSError:
        return False
    return True


async def _let_go(run_dir: Path) -> None:
    """Waits for the end of a shim that was killed just now; what it keeps longer is told when it can't be removed."""
    for _ in range(LET_GO_LOOKS):
        if not lock_held(run_dir):
            return
        await asyncio.sleep(LET_GO_PAUSE)
