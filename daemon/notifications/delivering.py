"""One channel's way through the outbox: in order, at least once, with its own pace, whatever the other channels do.

Each step is stored before the next: `sending` before the process gets a message, `sent` once the channel has taken it.
A worker that is killed in between sends it again, with the same number. Built by `daemon.notifications.notifications`,
which runs `run` for each channel.
"""

import asyncio
import contextlib
import random
import sys
import time
from collections import Counter, deque
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from daemon.notifications import rules, sender, webhook
from daemon.notifications.rules import Channel, Pace
from daemon.notifications.sender import Message, Outcome
from daemon.sessions import prepare
from daemon.settings.live import LiveSettings
from daemon.store import Store
from ipc.errors import CallError
from schema import timestamps
from schema.database import Database, DatabaseError, Row
from schema.states import DELIVERY, DeliveryStatus, follow

BATCH = 20
LOOK_SECONDS = 30.0
RETRY_SECONDS = 5.0
REMEMBERED = 10_000  # moments of messages, for the rate
KILLED = "the daemon was killed while it was sent, so it may come twice"
PENDING, SENDING, RETRYING, SENT, GIVEN_UP = (
    DeliveryStatus.PENDING,
    DeliveryStatus.SENDING,
    DeliveryStatus.RETRYING,
    DeliveryStatus.SENT,
    DeliveryStatus.GIVEN_UP,
)


class Batch(NamedTuple):
    """Rows that are sent, each in a message of its own, or all in one."""

    rows: list[Row]
    messages: list[Message]
    together: bool


class Delivering:
    """One channel. `says`: what it waits for, as a sentence."""

    def __init__(
        self, store: Store, settings: LiveSettings, channel: Channel, pace: Pace, room: asyncio.Semaphore
    ) -> None:
        """`room` bounds how many processes send at one time."""
        self.channel = channel
        self.says = ""
        self.wake = asyncio.Event()
        self._store = store
        self._settings = settings
        self._pace = pace
        self._room = room
        self._sent: deque[float] = deque(maxlen=REMEMBERED)
        self._refused: Counter[int] = Counter()  # by delivery, how often in a row it was refused for good

    async def run(self) -> None:
        """Sends what there is to send; until cancelled."""
        unknown = True  # whether something may be marked as being sent that nobody sends
        while True:
            self.wake.clear()
            try:
                if unknown:
                    await self._store.write(lambda db: recover(db, self.channel.name))
                    unknown = False
                while (seconds := await self._step()) == 0:
                    pass
            except (DatabaseError, CallError) as error:
                # What was sent and could not be marked is sent again: at least once.
                print(f"notifications: {self.channel.name}: {error}", file=sys.stderr, flush=True)
                unknown, seconds = True, RETRY_SECONDS
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self.wake.wait()

    async def _step(self) -> float:
        """Sends one batch; how long to wait then, 0 for not at all."""
        settings, now = self._settings.current, datetime.now(UTC)
        # Programs need no rest, and read one notification in one message.
        people = not self.channel.secret
        quiet = people and rules.quiet(settings.notify_quiet_hours, now.astimezone())
        chosen = {"channel": self.channel.name, "quiet": int(quiet)}
        waiting = int(await self._store.read(lambda db: db.value("notifications.open_count", **chosen)))
        self.says = "quiet hours: only what is critical is sent" if quiet else ""
        if not waiting:
            return LOOK_SECONDS
        share = rules.share(waiting, self._sent, time.monotonic(), settings.notify_rate if people else 0)
        if share.wait:
            self.says = f"CLAUDEOPS_NOTIFY_RATE: {settings.notify_rate} a minute; what waits is gathered"
            return min(share.wait, LOOK_SECONDS)
        name, limit = "notifications.open", max(1, min(share.singles, BATCH))
        if share.gather:
            name, limit = "notifications.open_titles", share.gather
        rows = await self._store.read(lambda db: db.rows(name, **chosen, limit=limit))
        if not rows:
            return LOOK_SECONDS
        left = rules.wait(timestamps.parse(rows[0]["next_at"]), now, self._pace)
        if left:
            self.says = "its last attempt failed"
            return min(left, LOOK_SECONDS)
        together = share.gather > 0
        if together and self._refused[rows[0]["delivery_id"]]:
            # Which of many it refuses shows only where each comes alone.
            together, rows = False, await self._store.read(lambda db: db.rows("notifications.open", **chosen, limit=1))
        if rows[0]["status"] == RETRYING and not together:
            rows = rows[:1]  # shows whether the channel is there again
        await self._send(self._batch(rows, together=together))
        return 0

    def _batch(self, rows: list[Row], *, together: bool) -> Batch:
        url = self._settings.current.public_url
        if together and len(rows) > 1:
            items = [(row["id"], row["level"], row["title"]) for row in rows]
            told = rules.gathered(items, rules.address(url, "/notifications"))
            return Batch(rows, [Message(rows[0]["id"], told)], True)
        return Batch(rows, [self._message(row, url) for row in rows], False)

    def _message(self, row: Row, url: str) -> Message:
        link = rules.address(url, row.get("link", "/notifications"))
        words = rules.words(row["id"], row["level"], row["title"], row.get("body", ""), link)
        return Message(row["id"], words, webhook.payload(row, link) if self.channel.secret else "")

    async def _send(self, batch: Batch) -> None:
        await self._store.write(lambda db: begin(db, batch.rows))
        tried = 0
        async with (
            self._room,
            contextlib.aclosing(sender.send(self.channel, batch.messages, sender.SILENT_SECONDS)) as outcomes,
        ):
            async for outcome in outcomes:
                self._sent.append(time.monotonic())
                rows = batch.rows if batch.together else [batch.rows[tried]]
                tried += len(rows)
                await self._end(rows, outcome)
        untried = batch.rows[tried:]
        await self._store.write(lambda db: put_back(db, untried))

    async def _end(self, rows: Sequence[Row], outcome: Outcome) -> None:
        attempts = max(row["attempts"] for row in rows) + 1
        pause = rules.pause(attempts, self._pace, random.random())  # noqa: S311 - spread, not secrecy
        error = prepare.redactor(self._settings).text(outcome.error) or "the channel did not take it"
        head = rows[0]["delivery_id"]
        self._refused[head] = self._refused[head] + 1 if outcome.refused else 0
        hopeless = len(rows) == 1 and self._refused[head] >= self._pace.refusals
        if hopeless:
            error = f"{error}; it was refused {self._refused[head]} times, and those behind it go on"
        if not outcome.refused or hopeless:
            del self._refused[head]
        await self._store.write(
            lambda db: sent(db, rows) if outcome.ok else failed(db, rows, error, pause, self._pace, hopeless=hopeless)
        )


def move(db: Database, row: Row, was: DeliveryStatus, status: DeliveryStatus, **facts: object) -> None:
    """A delivery's next status. TransitionError for one that can't follow; nothing where it is another by now."""
    now = timestamps.now()
    values = {"attempts": row["attempts"] + 1, "next_at": now, "error": None, "together": 1, **facts}
    db.change(
        "notifications.move", id=row["delivery_id"], was=was.value, status=follow(DELIVERY, was, status).value, now=now,
        **values,
    )  # fmt: skip


def recover(db: Database, channel: str) -> None:
    """What a worker that is gone was sending. Within a transaction."""
    follow(DELIVERY, SENDING, RETRYING)
    db.change("notifications.recover", channel=channel, now=timestamps.now(), error=KILLED)


def begin(db: Database, rows: Sequence[Row]) -> None:
    """These are handed to the process now. Within a transaction."""
    for row in rows:
        move(db, row, DeliveryStatus(row["status"]), SENDING)


def sent(db: Database, rows: Sequence[Row]) -> None:
    """One message has arrived, with all these in it. Within a transaction."""
    for row in rows:
        move(db, row, SENDING, SENT, together=len(rows))


def failed(db: Database, rows: Sequence[Row], error: str, pause: float, pace: Pace, *, hopeless: bool = False) -> None:
    """One message has not: it is tried again, or given up. Within a transaction."""
    now = datetime.now(UTC)
    again = timestamps.stamp(now + timedelta(seconds=pause))
    for row in rows:
        over = hopeless or rules.over(timestamps.parse(row["since"]), now, pace)
        move(db, row, SENDING, GIVEN_UP if over else RETRYING, next_at=again, error=error)


def put_back(db: Database, rows: Sequence[Row]) -> None:
    """These were not tried, because one before them failed. Within a transaction."""
    for row in rows:
        move(db, row, SENDING, PENDING, attempts=row["attempts"])
