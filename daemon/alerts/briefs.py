"""A model's brief of each alert, made while its trigger is the next to start: never between an alert and the queue.

The queue asks `preparing` before it starts a trigger and holds it back for as long as its brief is being written, which
has a bound; what other tiers and people ask for goes on. Without a brief, for whatever reason, the session gets the
alert as it came. Nothing here is on disk: a worker that is replaced asks again. Built by `daemon.parts`.
"""

import asyncio
import sys
from collections import OrderedDict
from collections.abc import Callable

from daemon.alerts import rules
from daemon.sessions import prepare
from daemon.settings.live import LiveSettings
from daemon.summaries.messages_api import ask
from daemon.summaries.rules import model_id
from schema.states import Trigger
from schema.triggers import QueuedTrigger

SECONDS = 30.0
KEPT = 50
WRITING = "its alert is being summed up"


class Briefs:
    """The briefs of alerts that are about to start. `look` has the queue looked at again."""

    def __init__(self, settings: LiveSettings, seconds: float = SECONDS) -> None:
        self._settings = settings
        self._seconds = seconds
        self._known: OrderedDict[int, str] = OrderedDict()
        self._writing: dict[int, asyncio.Task[None]] = {}
        self.look: Callable[[], None] = lambda: None

    def preparing(self, trigger: QueuedTrigger) -> str | None:
        """Why a trigger should wait a moment; None if it may start."""
        if trigger.kind is not Trigger.ALERT or trigger.id in self._known or not self._worthwhile(trigger):
            return None
        if trigger.id not in self._writing:
            task = asyncio.create_task(self._write(trigger), name=f"brief of trigger {trigger.id}")
            self._writing[trigger.id] = task
        return WRITING

    def prompt(self, trigger: QueuedTrigger) -> str:
        """The prompt of the session that a trigger starts, with the brief of its alert if there is one."""
        return rules.with_brief(trigger.prompt, self._known.get(trigger.id, ""))

    def _worthwhile(self, trigger: QueuedTrigger) -> bool:
        settings = self._settings.current
        keyed = bool(settings.anthropic_api_key or settings.anthropic_auth_token)
        return keyed and not settings.demo and any(row.startswith(rules.MARK) for row in trigger.prompt.splitlines())

    async def _write(self, trigger: QueuedTrigger) -> None:
        settings, brief = self._settings.current, ""
        asked = rules.question(model_id(settings.webhook_model), settings.webhook_system_prompt, trigger.prompt)
        try:
            brief = prepare.redactor(self._settings).text(await ask(settings, asked, seconds=self._seconds, tries=1))
        except Exception as error:  # noqa: BLE001 - the boundary: an alert starts, whatever becomes of its brief
            told = prepare.redactor(self._settings).text(
                f"trigger {trigger.id} starts without a brief: {error or type(error).__name__}"
            )
            print(f"alerts: {told}", file=sys.stderr, flush=True)
        finally:
            self._known[trigger.id] = brief[: rules.BRIEF_MAX]
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
            self._writing.pop(trigger.id, None)
            self.look()

    async def close(self) -> None:
        """Ends what is being written."""
        for task in self._writing.values():
            task.cancel()
        await asyncio.gather(*self._writing.values(), return_exceptions=True)
