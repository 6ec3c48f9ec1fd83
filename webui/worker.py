"""The web process's line to the worker: requests, what it publishes, and whether it is heard at all.

Pages ask through `call`; live streams register to hear. A worker that is away costs a page nothing but a banner.
"""

import asyncio
import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import zmq.asyncio

from ipc.client import Client, Subscriber
from ipc.errors import CallError, Code
from ipc.messages.envelope import Event, Reply, Request
from ipc.messages.repositories import ListRepositories, RepositoriesReply
from ipc.messages.settings import ListSettings, SettingsReply, SettingValue
from ipc.messages.system import Beat, StateChanged, Status, StatusReply
from schema.configuration import DECLARATIONS, parse
from schema.settings import Settings

R = TypeVar("R", bound=Reply)
Hearer = Callable[[Event | None], None]
SILENT_SECONDS = 3.0
GREET_SECONDS = 1.0
SILENT_TIMEOUT = 1.5
STATUS_SECONDS = 2.0
REPOSITORIES_SECONDS = 10.0
MOUNT_SECONDS = 1.0
SILENCE = "the worker is not answering"
PATIENCE = 10.0  # a locked database is told after 5 s, and what was asked meanwhile a little later
SILENT = "It is not answering and is being restarted. Sessions that run go on; this shows the state of {}."


class Worker:
    """The worker as seen from here."""

    def __init__(self, runtime_dir: str, version: str) -> None:
        self._version = version
        self._started = time.monotonic()
        self._context = zmq.asyncio.Context()
        self._client = Client(self._context, f"{runtime_dir}/rpc.sock")
        self._subscriber = Subscriber(self._context, f"{runtime_dir}/pub.sock", self._hear)
        self._hearers: set[Hearer] = set()
        self._again = asyncio.Event()
        self._greeter = asyncio.create_task(self._greet())
        self._watcher = asyncio.create_task(self._watch())
        self._status: tuple[float, StatusReply] | None = None
        self._repositories: tuple[float, RepositoriesReply | None] = (float("-inf"), None)
        self._settings: list[SettingValue] = []
        self._live: dict[str, Any] = {}
        self._met = False
        self.beat: Beat | None = None
        self.heard = time.time()
        self.unsupported: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.ok = True

    def _answers(self) -> bool:
        return time.monotonic() - (self._subscriber.heard_at or self._started) < SILENT_SECONDS

    @property
    def known(self) -> bool:
        """Whether it was heard since this process started."""
        return self.beat is not None

    @property
    def trouble(self) -> str | None:
        """What keeps the daemon from its work, as a sentence: by its last beat, or that none comes any more."""
        if not self.ok:
            return SILENCE
        return self.beat.reason if self.beat is not None else None

    @property
    def locked(self) -> bool:
        """Whether the daemon can store nothing, for another process keeps its database locked."""
        return self.beat is not None and self.beat.locked

    async def _greet(self) -> None:
        """Agrees on a protocol with each worker that comes, and learns its settings whenever they change."""
        while True:
            self._again.clear()
            try:
                await self._client.greet("web", self._version)
            except CallError as error:
                if error.code is Code.PROTOCOL:
                    self._refuse(error.message)
                    return
                await asyncio.sleep(GREET_SECONDS)
                continue
            self._met = True
            await self._learn()
            await self._again.wait()

    def _refuse(self, why: str) -> None:
        if not self.unsupported.done():
            self.unsupported.set_result(why)

    async def _watch(self) -> None:
        """Tells the hearers when the worker falls silent, or is heard again."""
        while True:
            await asyncio.sleep(0.5)
            if self.ok != self._answers():
                self.ok = not self.ok
                print(f"web: the worker {'is heard again' if self.ok else 'is not answering'}", file=sys.stderr)
                self._tell(StateChanged(what="worker"))

    def _hear(self, event: Event | None) -> None:
        self.heard = time.time()
        if event is None:
            self._status = None
            self._again.set()
        elif isinstance(event, Beat):
            self.beat = event
        elif isinstance(event, StateChanged):
            self._status = None
            if event.what == "settings":
                self._again.set()
        self._tell(event)

    def _tell(self, event: Event | None) -> None:
        for hearer in tuple(self._hearers):
            hearer(event)

    @contextlib.contextmanager
    def hearing(self, hearer: Hearer) -> Iterator[None]:
        """Calls `hearer` with every event meanwhile; None where something was missed."""
        self._hearers.add(hearer)
        try:
            yield
        finally:
            self._hearers.discard(hearer)

    async def call(self, request: Request, expected: type[R], *, timeout: float = PATIENCE, id_: str = "") -> R:
        """Asks the worker. CallError as it says; soon, if it is not heard anyway."""
        return await self._client.call(
            request, expected, timeout=timeout if self.ok else min(timeout, SILENT_TIMEOUT), id_=id_
        )

    async def status(self) -> StatusReply | None:
        """How the daemon is, by the worker; None while it does not answer. At most STATUS_SECONDS old."""
        if self._status is not None and time.monotonic() - self._status[0] < STATUS_SECONDS:
            return self._status[1]
        if not self.ok or not self.known:
            return None
        try:
            reply = await self._client.call(Status(), StatusReply, timeout=1.0)
        except CallError:
            return None  # the caller shows what the supervisor's status file says
        self._status = (time.monotonic(), reply)
        return reply

    async def repositories(self) -> RepositoriesReply | None:
        """The mounted repositories; at most REPOSITORIES_SECONDS old, or what was last known where it does not say."""
        read_at, known = self._repositories
        if time.monotonic() - read_at >= REPOSITORIES_SECONDS and self.ok and self.known:
            # A mount may be slow: whoever asks next does not wait for it as well.
            self._repositories = (time.monotonic(), known)
            with contextlib.suppress(CallError):
                known = await self._client.call(ListRepositories(), RepositoriesReply, timeout=MOUNT_SECONDS)
                self._repositories = (time.monotonic(), known)
        return known

    async def settings(self) -> list[SettingValue]:
        """All settings; the last known ones while the worker is away."""
        if self.ok and (self.known or self._met):
            with contextlib.suppress(CallError):  # then the last known are shown, under the banner
                self._settings = (await self._client.call(ListSettings(), SettingsReply, timeout=2.0)).settings
        return self._settings

    async def _learn(self) -> None:
        """Reads the live settings anew; those that were known stay if the worker does not say."""
        found: dict[str, Any] = {}
        for one in await self.settings():
            declared = DECLARATIONS.get(one.name)
            if declared is not None and declared.meta.live and not declared.meta.secret:
                with contextlib.suppress(ValueError):  # of a worker whose version has other rules
                    found[one.name] = parse(declared, one.value) if one.value else declared.kind()
        self._live = {**self._live, **found}

    def over(self, settings: Settings) -> Settings:
        """`settings`, as this process was started with, with what was changed since."""
        return settings._replace(**self._live)

    async def close(self) -> None:
        """Ends."""
        for task in (self._greeter, self._watcher):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self._client.close()
        await self._subscriber.close()
        self._context.destroy(linger=0)
