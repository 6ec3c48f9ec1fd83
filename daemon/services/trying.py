"""A test by hand: a service, or one that is not stored yet, is probed once because a person asks.

Built by `daemon.services.services`, asked through `daemon.services.handlers`. Nothing is stored.
"""

from collections.abc import Callable

import msgspec

from daemon.services import stored
from daemon.services.credentials import Credentials
from daemon.services.monitor import Monitor
from daemon.services.probes.probe import Target
from daemon.services.rules import definitions, variables
from daemon.services.rules.conditions import Answer
from daemon.services.rules.definitions import Problem
from daemon.services.rules.kept import NOBODY, NOTHING, carried_over, joined
from daemon.services.rules.masking import verdict_without_secrets, without_secrets
from daemon.services.rules.verdict import judged, verdict
from daemon.settings.live import LiveSettings
from daemon.store import Store
from ipc.errors import CallError, Code
from ipc.messages.services import TriedCondition, TriedReply, TryService
from schema import monitored
from schema.database import Database
from schema.definitions import KINDS, Definition
from schema.states import ServiceStatus

BODY_SHOWN = 4096


class Trying:
    """Tests by hand. `target` makes what is probed of a service's id and its definition."""

    def __init__(
        self,
        store: Store,
        settings: LiveSettings,
        credentials: Credentials,
        monitor: Monitor,
        target: Callable[[int, Definition], Target],
    ) -> None:
        self._store, self._settings, self._credentials = store, settings, credentials
        self._monitor, self._target = monitor, target

    async def test(self, request: TryService) -> TriedReply:
        """Probes once, now; nothing is stored. CallError `invalid`, `not_found`."""
        definition = await self._asked(request)
        kind = definitions.kind_of(definition.url)
        if kind is None or KINDS[kind].passive:
            raise CallError(Code.INVALID, "there is nothing to ask: it tells of itself", {"fields": {"url": "…"}})
        facts = await self._monitor.once(self._target(request.id, definition), kind)
        wanted = definitions.conditions_of(definition)
        found = verdict_without_secrets(verdict(facts, wanted, definition.warnings), definition)
        answer = Answer(facts)
        shown = [judged(text, answer) for text in (*wanted, *definition.warnings)] if not facts.cause else []
        return TriedReply(
            status=ServiceStatus(found.outcome.value),
            facts=msgspec.structs.replace(facts, body=_shown(facts.body, definition)),
            detail=found.detail,
            conditions=[TriedCondition(without_secrets(one.shown, definition), one.holds) for one in shown],
        )

    async def _asked(self, request: TryService) -> Definition:
        def read(db: Database) -> Definition:
            known = None
            if not request.id and request.definition is not None:
                stored.refuse(carried_over(request.definition, NOBODY, NOTHING)[1])
            if request.id:
                row = stored.existing(db, request.id)
                before, kept = monitored.definition_of(row["definition"]), self._credentials.of(request.id)
                known = joined(before, kept)
                if request.definition is not None:
                    # A form shows passwords masked: what is left so is as it was.
                    known, again = carried_over(request.definition, before, kept)
                    stored.refuse(again)
            return self._to_test(known or request.definition, stored_before=request.definition is None)

        return await self._store.read(read)

    def _to_test(self, wanted: Definition | None, *, stored_before: bool) -> Definition:
        if wanted is None:
            raise CallError(Code.INVALID, "say what to test: a service's id, or a definition")
        # A stored condition that is refused today fails on schedule, too: the test shows it with its mistake.
        left_alone = ("name", "needs", *(("conditions", "warnings") if stored_before else ()))
        stored.refuse([one for one in definitions.problems(wanted, {}) if one.field not in left_alone])
        try:
            return variables.filled(wanted, self._settings.environ)
        except variables.UnknownVariableError as error:
            raise stored.refusal([Problem("url", str(error))]) from error


def _shown(body: bytes, definition: Definition) -> bytes:
    """The beginning of a body, without what the service is signed in to with."""
    text = body.decode(errors="surrogateescape")
    return without_secrets(text, definition).encode(errors="surrogateescape")[:BODY_SHOWN]
