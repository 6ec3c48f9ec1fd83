"""Chats that are open: each a trigger of its own in the queue, which is taken out again when nobody waits for it.

Used by the endpoints `webui.api.openai` and `webui.api.ollama`; what comes back is followed by `webui.api.following`.
"""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator

from ipc.errors import CallError, Code
from ipc.messages.triggers import AddTrigger, CancelTrigger, TriggerReply
from schema.states import Trigger
from schema.triggers import QueuedTrigger
from webui.worker import Worker

OPEN_MAX = 100
ADD_SECONDS = 10.0
LEAVE_SECONDS = 2.0
RETRY_AFTER = 10


class Chat:
    """One chat. `started`: whether its trigger waits no more."""

    def __init__(self, trigger: QueuedTrigger, worker: Worker, by: str) -> None:
        self.trigger = trigger
        self.started = False
        self._worker = worker
        self._by = by

    async def withdraw(self) -> bool:
        """Takes its trigger out of the queue; False if that has started meanwhile, or can't be reached."""
        try:
            await self._worker.call(CancelTrigger(id=self.trigger.id, by=self._by), TriggerReply, timeout=LEAVE_SECONDS)
        except CallError:
            return False  # whoever follows it sees what became of it
        return True


class Chats:
    """All of them."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._open = 0
        self._leaving: set[asyncio.Task[bool]] = set()

    def __len__(self) -> int:
        return self._open

    @contextlib.asynccontextmanager
    async def open(self, tier: int, prompt: str, by: str) -> AsyncIterator[Chat]:
        """Asks for a session. CallError: what is wrong, or that too many chats are open."""
        if self._open >= OPEN_MAX:
            after = {"retry_after": RETRY_AFTER}
            raise CallError(Code.OVERLOADED, f"{OPEN_MAX} chats are open, which is the limit; try again later.", after)
        self._open += 1
        try:
            # Never merged with another's: whoever leaves takes nothing away from anybody.
            key = f"chat:{uuid.uuid4().hex}"
            message = AddTrigger(tier=tier, prompt=prompt, kind=Trigger.API, key=key, by=by)
            reply = await self._worker.call(message, TriggerReply, timeout=ADD_SECONDS)
            chat = Chat(reply.trigger, self._worker, by)
            try:
                yield chat
            finally:
                if not chat.started:
                    # By a task of its own: whoever has gone can wait for nothing.
                    task = asyncio.create_task(chat.withdraw())
                    self._leaving.add(task)
                    task.add_done_callback(self._leaving.discard)
        finally:
            self._open -= 1

    async def close(self) -> None:
        """Lets those that leave end."""
        if self._leaving:
            await asyncio.wait(self._leaving, timeout=LEAVE_SECONDS)
