"""The outbox at work: routes what was written down to the channels, keeps one task for each, answers people.

Built by `daemon.parts`, which runs `run`. What is to be told is written by `daemon.notifications.outbox` within other
transactions; here it is found in the database, so that nothing depends on memory.
"""

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from daemon.notifications import answers, digest, outbox, routing, rules, webhook
from daemon.notifications.delivering import Delivering
from daemon.notifications.rules import Pace
from daemon.settings.live import LiveSettings
from daemon.store import Store
from ipc.errors import CallError
from ipc.messages.notifications import (
    ListNotifications,
    NotificationsReply,
    RetriedReply,
    RetryNotifications,
    TestedReply,
    TestNotification,
)
from schema.database import Database, DatabaseError
from schema.notifications import Kind

LOOK_SECONDS = 2.0
UNUSED_SECONDS = 30.0  # while there is no channel; one that is added wakes
PACE = Pace()
SENDERS_MAX = 8
Blocked = Callable[[], Awaitable[list[str]]]
Watch = Callable[["asyncio.Task[None]"], None]


class Notifications:
    """All channels. `troubles`: what the daemon has to tell of itself, as `routing.Trouble`s."""

    def __init__(
        self,
        store: Store,
        settings: LiveSettings,
        troubles: Callable[[], Sequence[routing.Trouble]],
        blocked: Blocked,
        watch: Watch,
        pace: Pace = PACE,
    ) -> None:
        """`blocked`: the services whose cooldowns hold; `watch` hears the end of each channel's task."""
        self._store = store
        self._settings = settings
        self._troubles = troubles
        self._blocked = blocked
        self._watch = watch
        self._pace = pace
        self._channels: dict[str, Delivering] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(SENDERS_MAX)
        self._problems: list[str] = []
        self._given_up: dict[str, int] = {}
        self._told: set[str] = set()
        self._taken: tuple[str, ...] | None = None
        self._left_over = False  # whether something may wait for channels that are no more
        self._rules: dict[str, rules.ChannelRule] = {}
        self.wake = asyncio.Event()
        settings.on_change.append(self.wake.set)
        settings.checks["notify_rules"] = rules.channel_rules

    def warnings(self) -> list[str]:
        """What people should know, as sentences."""
        given_up = [
            f"{name}: {count} notification{' was' if count == 1 else 's were'} given up; /notifications says why"
            for name, count in self._given_up.items()
            if count
        ]
        return [*self._problems, *given_up]

    async def run(self) -> None:
        """Routes what is new, and looks after the channels; until cancelled."""
        try:
            while True:
                self.wake.clear()
                try:
                    await self._look()
                except (DatabaseError, CallError) as error:
                    print(f"notifications: {error}", file=sys.stderr, flush=True)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS if self._channels else UNUSED_SECONDS):
                        await self.wake.wait()
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), *self._ending, return_exceptions=True)

    async def _look(self) -> None:
        self._configure()
        if self._left_over:
            await self._store.write(lambda db: routing.suppress(db, set(self._channels)))
            self._left_over = False
        await self._note_troubles()
        await self._digest()
        settings, names = self._settings.current, [one.channel for one in self._channels.values()]
        told: set[str] = set()
        while more := await self._store.write(lambda db: routing.route(db, names, self._rules, settings.notify_level)):
            told |= more.told
            if not more.full:
                break
        for name in told:
            self._channels[name].wake.set()
        self._given_up = await self._store.read(lambda db: routing.given_up(db, set(self._channels)))

    def _configure(self) -> None:
        """Takes new settings over."""
        settings = self._settings.current
        programs = (settings.webhook_urls, settings.webhook_signing_secret)
        given = (settings.apprise_urls, settings.notify_rules, *programs)
        if given == self._taken:
            return
        self._taken = given
        wanted, self._problems = rules.channels(settings.apprise_urls)
        more, problems = webhook.channels(*programs)
        wanted, self._problems = wanted + more, self._problems + problems
        try:
            self._rules = rules.channel_rules(settings.notify_rules)
        except ValueError as error:
            self._rules = {}
            self._problems.append(f"CLAUDEOPS_NOTIFY_RULES: {error}; no rule holds until that is mended")
        # One whose secret has changed is another.
        kept = {channel.name for channel in wanted if self._is_known(channel)}
        for name in set(self._channels) - kept:
            self._channels.pop(name)
            task = self._tasks.pop(name)
            task.cancel()
            # It may be ending a process, which is waited for when the worker stops.
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)
        for channel in wanted:
            if channel.name not in self._channels:
                one = Delivering(self._store, self._settings, channel, self._pace, self._room)
                self._channels[channel.name] = one
                task = asyncio.create_task(one.run(), name=f"channel {channel.name}")
                task.add_done_callback(self._watch)
                self._tasks[channel.name] = task
        self._left_over = True

    def _is_known(self, channel: rules.Channel) -> bool:
        return channel.name in self._channels and self._channels[channel.name].channel == channel

    async def _note_troubles(self) -> None:
        new = [trouble for trouble in self._troubles() if trouble.key not in self._told]
        if not new:
            return

        def note(db: Database) -> None:
            for trouble in new:
                outbox.add(
                    db, Kind.DAEMON, trouble.level, trouble.title, body=trouble.body, link="/system", key=trouble.key
                )

        await self._store.write(note)
        self._told |= {trouble.key for trouble in new}

    async def _digest(self) -> None:
        now = datetime.now().astimezone()
        day = rules.digest_day(self._settings.current.notify_digest_at, now)
        if day is None or not self._channels:
            return
        key = digest.key(day)
        if key in self._told:
            return
        if await self._store.read(lambda db: db.value("notifications.by_key", key=key)) is None:
            blocked = await self._blocked()
            await self._store.write(lambda db: digest.make(db, day, now, blocked))
        self._told.add(key)

    async def page(self, request: ListNotifications) -> NotificationsReply:
        """The channels, and a page of notifications."""
        waits = {name: one.says for name, one in self._channels.items()}
        return await self._store.read(lambda db: answers.page(db, request, waits, self.warnings()))

    async def test(self, request: TestNotification, by: str, request_id: str) -> TestedReply:
        """Puts a test message for one channel, or for all, into the outbox. CallError names what is missing."""
        names = list(self._channels)
        reply = await self._store.write(lambda db: answers.test(db, request, names, by, request_id))
        self.wake.set()
        return reply

    async def retry(self, request: RetryNotifications, by: str, request_id: str) -> RetriedReply:
        """Sends again what was given up or suppressed. CallError where there is nothing such."""
        names = list(self._channels)
        reply = await self._store.write(lambda db: answers.retry(db, request, names, by, request_id))
        for one in self._channels.values():
            one.wake.set()
        self.wake.set()
        return reply
