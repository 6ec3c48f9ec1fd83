"""The worker's parts: built in the order in which they need one another, with the requests that they answer and the
tasks that they run. Called by `daemon.worker`, which starts and stops them.
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import zmq
import zmq.asyncio

from daemon import trouble
from daemon.access import handlers as access_handlers
from daemon.access.people import People
from daemon.access.tokens import Tokens
from daemon.alerts import handlers as alert_handlers
from daemon.alerts.alerts import Alerts
from daemon.alerts.briefs import Briefs
from daemon.approvals import handlers as approval_handlers
from daemon.approvals.approvals import Approvals
from daemon.budgets.budgets import Budgets
from daemon.cooldowns import handlers as cooldown_handlers
from daemon.cooldowns.cooldowns import Cooldowns
from daemon.cost import handlers as cost_handlers
from daemon.events import handlers as event_handlers
from daemon.events.journal import Events
from daemon.health import handlers as health_handlers
from daemon.keeping import handlers as keeping_handlers
from daemon.keeping.backups import Backups
from daemon.keeping.keeper import Keeper
from daemon.keeping.taking import Taking
from daemon.keys import handlers as key_handlers
from daemon.limits import handlers as limit_handlers
from daemon.limits import origin
from daemon.limits.judge import Judge
from daemon.memories import handlers as memory_handlers
from daemon.memories import prompt as memory_prompt
from daemon.memories.memories import Memories
from daemon.models import handlers as model_handlers
from daemon.models.discovery import Discovery
from daemon.notifications import handlers as notification_handlers
from daemon.notifications import routing
from daemon.notifications.notifications import Notifications
from daemon.repositories import handlers as repository_handlers
from daemon.repositories import mcp
from daemon.repositories import rules as repository_rules
from daemon.runs.executor import LocalExecutor
from daemon.services import handlers as service_handlers
from daemon.services.services import Services
from daemon.sessions import handlers as session_handlers
from daemon.sessions import prepare, said
from daemon.sessions.cli import Cli
from daemon.sessions.lifecycle import Sessions
from daemon.sessions.opening import Servers, Sources
from daemon.settings import handlers as setting_handlers
from daemon.settings.live import LiveSettings
from daemon.status_pages import handlers as status_page_handlers
from daemon.store import Store
from daemon.summaries.summaries import Summaries
from daemon.system import handlers as system_handlers
from daemon.system.processes import Daemon
from daemon.triggers import handlers as trigger_handlers
from daemon.triggers import router
from daemon.triggers.queue import Queue
from daemon.triggers.router import Router
from daemon.triggers.schedule import Schedule
from daemon.users import handlers as user_handlers
from ipc.control import Control
from ipc.messages.system import StateChanged
from ipc.server import Handler, Publisher, bound_socket
from schema import timestamps
from schema.sessions import Session
from schema.states import SessionStatus

Watch = Callable[["asyncio.Task[None]"], None]


class Parts:
    """All parts. `boot` names this start of the daemon; `watch` hears the end of every task that may not end."""

    def __init__(self, store: Store, settings: LiveSettings, control: Control, boot: str, watch: Watch) -> None:
        environ, current = settings.environ, settings.current
        self.store, self.settings, self.control = store, settings, control
        self.context = zmq.asyncio.Context()
        self.publisher = Publisher(bound_socket(self.context, zmq.PUB, int(environ["CLAUDEOPS_PUB_FD"])))
        self.daemon = Daemon(Path(current.runtime_dir))
        self.cli = Cli(settings, str(prepare.home(current)))
        self.events = Events(store, self.publisher)
        self.memories = Memories(store, settings, self.publisher)
        self.cooldowns = Cooldowns(store, settings, self.publisher)
        self.approvals = Approvals(store, settings, self.publisher)
        self.budgets = Budgets(store, settings, self.publisher)
        self.summaries = Summaries(store, settings, self.publisher)
        executor = LocalExecutor(Path(current.state_dir) / "runs")
        self.briefs = Briefs(settings)
        sources = Sources(memory=self._memory, servers=self._servers, prompt=self.briefs.prompt)
        self.sessions = Sessions(store, settings, self.cli, self.publisher, executor, sources, self.approvals, watch)
        self.judge = Judge(store, settings, self.publisher, self.approvals, self.cooldowns, self.sessions.stop_for)
        self.queue = Queue(store, settings, self.sessions, self.publisher, self.budgets.refusal, self.briefs.preparing)
        self.briefs.look = self.queue.look
        self.router = Router(store, settings, self.queue)
        self.alerts = Alerts(store, settings, self.queue, self.publisher, self.sessions.redact)
        self.schedule = Schedule(store, settings, self.sessions, self.queue, self.publisher, boot)
        self.backups = Backups(store, settings)
        self.keeper = Keeper(store, settings, self.backups, lambda: self.sessions.running)
        self.taking = Taking(store, settings, self.publisher)
        self.system = system_handlers.System(
            daemon=self.daemon,
            control=control,
            store=store,
            settings=settings,
            sessions=self.sessions,
            schedule=self.schedule,
            queue=self.queue,
            cli=self.cli,
            publisher=self.publisher,
            keeper=self.keeper,
        )
        self.users = user_handlers.Users(store, settings, self.publisher, self.daemon, boot)
        self.tokens = Tokens(store, self.publisher)
        self.people = People(store, self.publisher, self.users.address, self.users.expiry)
        self.notifications = Notifications(store, settings, self._troubles, self._blocked, watch)
        self.system.tellers += [self.sessions.warnings, self.notifications.warnings]
        self.discovery = Discovery(settings)
        self.services = Services(store, settings, self.publisher, watch, self.queue.look)
        self.system.tellers += [self.services.files.warnings, self.services.warnings]
        self._boot = boot
        self._watch = watch
        self._told: set[str] = set()
        self._ending: set[asyncio.Task[None]] = set()
        settings.on_change.append(lambda: self.publisher.publish(StateChanged(what="settings")))
        settings.on_change.append(self.cooldowns.touch)
        self.sessions.on_end.append(self._ended)

    def handlers(self) -> dict[type, Handler]:
        """Who answers what. Sessions are refused what people do; what the database refuses is told in words."""
        table = {
            **system_handlers.handlers(self.system),
            **trigger_handlers.handlers(self.queue, self.store, self.router),
            **alert_handlers.handlers(self.alerts),
            **key_handlers.handlers(self.settings),
            **session_handlers.handlers(
                self.sessions,
                self.store,
                self.settings.current.results_dir,
                self.budgets.refusal,
                partial(router.choose, self.settings),
            ),
            **limit_handlers.handlers(self.judge, self.store),
            **approval_handlers.handlers(self.approvals),
            **cooldown_handlers.handlers(self.cooldowns),
            **event_handlers.handlers(self.events),
            **memory_handlers.handlers(self.memories),
            **health_handlers.handlers(self.store),
            **cost_handlers.handlers(self.store),
            **service_handlers.handlers(self.services, self.store),
            **status_page_handlers.handlers(self.store),
            **repository_handlers.handlers(self.settings, self.store),
            **model_handlers.handlers(self.discovery),
            **setting_handlers.handlers(self.settings),
            **keeping_handlers.handlers(self.keeper, self.backups, self.taking),
            **user_handlers.handlers(self.users),
            **notification_handlers.handlers(self.notifications),
            **access_handlers.handlers(self.tokens, self.people, self.store),
        }
        return trouble.in_words(origin.people_only(table))

    def tasks(self) -> list[tuple[str, Coroutine[Any, Any, None]]]:
        """What runs all the time, by name."""
        return [
            ("queue", self.queue.run()),
            ("router", self.router.run()),
            ("schedule", self.schedule.run()),
            ("approvals", self.approvals.run()),
            ("cooldowns", self.cooldowns.run()),
            ("summaries", self.summaries.run()),
            ("cli", self.cli.watch()),
            ("keeping", self.keeper.run()),
            ("notifications", self.notifications.run()),
            ("services", self.services.run()),
        ]

    async def keep_house(self) -> None:
        """What is due about once an hour. DatabaseError."""
        await self.users.keep_house()
        await self.memories.keep_house()
        await said.keep_house(self.store)

    async def _memory(self) -> str:
        budget = self.settings.current.memory_budget
        return memory_prompt.section(await self.memories.for_prompt(), budget) if budget > 0 else ""

    def _troubles(self) -> list[routing.Trouble]:
        """What the daemon has to tell of itself."""
        today = timestamps.now()[:10]
        return routing.troubles(self._boot, self.daemon.processes(), self.system.problem(), today)

    async def _blocked(self) -> list[str]:
        """The services whose cooldowns hold."""
        found = (await self.cooldowns.list()).cooldowns
        return list(dict.fromkeys(one.service for one in found if one.blocked))

    async def _servers(self) -> Servers:
        """The MCP servers of the session that starts; what of them can't be used is told once."""
        settings = self.settings.current
        merged = await asyncio.to_thread(mcp.read, settings)
        for problem in set(merged.problems) - self._told:
            print(f"mcp: {problem}", file=sys.stderr, flush=True)
        self._told = set(merged.problems)
        path = await asyncio.to_thread(mcp.write, settings, merged)
        return Servers(path, tuple(repository_rules.secret_values(merged.servers)))

    def _ended(self, session: Session) -> None:
        """A session has ended: what is worth doing now that nobody waits for it."""
        self.cooldowns.touch()
        if session.status is not SessionStatus.AWAITING_APPROVAL:
            self.summaries.note_end(session.id)
        task = asyncio.create_task(self.budgets.note_end(session.id), name=f"budgets after session {session.id}")
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
        task.add_done_callback(self._watch)
