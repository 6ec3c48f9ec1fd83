"""The demo's tiers 2 and 3: look for themselves, repair what is down, look whether it helped, report.

Tier 2 restarts; where that is refused, it asks for a new container, which a person decides. Tier 3 may do the latter
by itself. What comes next depends on what the calls returned, not on how many there were: a session that waited for a
person goes on where it stood. Called by `daemon.demo.script`. Pure.
"""

from collections.abc import Sequence

from daemon.demo.findings import Finding, Memory, Note, first_line, handing_on, judge, look
from daemon.demo.observe import latest, redeployment
from daemon.demo.services import Service
from daemon.demo.speech import call, conclude, say
from daemon.demo.turns import Conversation, Script, ToolResult, ToolUse, Turn

TURNS_MAX = 10
FAILED = "Exit code"  # how the CLI begins the answer of a command that ran and failed
RESTARTED = "a restart opens its connection to the ledger anew"
REDEPLOYED = "where restarts do not last, a new container does"


class Repair:
    """The script of a tier. `script` is as long as it can get; each of its turns is chosen by what is known."""

    def __init__(self, services: Sequence[Service], tier: int, tempo: float = 1.0) -> None:
        """`tier` is 2 or 3."""
        self._services = services
        self._tier = tier
        self._tempo = tempo
        self.script: Script = [self._next] * TURNS_MAX

    def _id(self, name: str) -> str:
        """Ids of calls, apart from those of the tiers before in the same conversation."""
        return f"tier{self._tier}-{name}"

    def _next(self, conversation: Conversation) -> Turn:
        found = self._found(conversation, "look")
        if not found:
            return self._look(conversation)
        bad = next((finding for finding in found if finding.is_bad), None)
        if bad is None:
            return self._nothing_to_do(conversation, found)
        restart = conversation.result_of(self._id("restart"))
        if restart is None and self._tier == 2:
            return self._restart(conversation, bad)
        replace = conversation.result_of(self._id("replace"))
        if replace is None and (restart is None or _is_refused(restart)):
            return self._replace(bad, restart)
        acted = replace or restart
        if acted is None or acted.is_error:
            return self._needs_a_person(conversation, found, bad, restart, replace)
        if not self._found(conversation, "after"):
            return self._verify(bad, acted)
        return self._repaired(conversation, found, acted)

    def _found(self, conversation: Conversation, when: str) -> list[Finding]:
        results = {
            service.name: conversation.result_of(self._id(f"{when}-{service.name}")) for service in self._services
        }
        return [judge(name, result) for name, result in results.items() if result is not None]

    def _look(self, conversation: Conversation) -> Turn:
        """What tier 1 found down, or everything if no tier came before; and what the container engine knows of it."""
        handed = [service for service in self._services if conversation.result_of(f"first-{service.name}")]
        down = [finding.service for finding in latest(conversation, handed) if finding.is_bad]
        wanted = [service for service in self._services if service.name in down] or list(self._services)
        names = ", ".join(service.name for service in wanted)
        words = f"{names} was handed over to me. I look for myself first." if down else f"I look at {names} first."
        calls = [look(service, self._id(f"look-{service.name}")) for service in wanted]
        calls += [call(f"docker logs --tail 3 {down[0]}", f"Log of {down[0]}", self._id("log"))] if down else []
        return say(self._tempo, words, *calls, thinking="What was true for tier 1 may have changed since.")

    def _nothing_to_do(self, conversation: Conversation, found: Sequence[Finding]) -> Turn:
        notes = [Note("info", f"Nothing is down any more, so tier {self._tier} changed nothing.")]
        return conclude(conversation, self._tempo, found, notes=notes)

    def _restart(self, conversation: Conversation, bad: Finding) -> Turn:
        log = conversation.result_of(self._id("log"))
        logged = f" Its log ends with: *{log.text.strip().splitlines()[-1]}*" if log and log.text.strip() else ""
        words = f"**{bad.service}** {bad.detail}.{logged}\n\nIt lost a connection and hangs: I restart it."
        why = f"{bad.service} answers HTTP {bad.code} and does not recover by itself; {RESTARTED}"
        return say(self._tempo, words, call(f"docker restart {bad.service}", why, self._id("restart")))

    def _replace(self, bad: Finding, restart: ToolResult | None) -> Turn:
        asks = "" if self._tier == 3 else " That needs a person, so I ask."
        refused = (
            f"The restart was refused: *{first_line(restart.text)}*\n\n"
            if restart
            else f"**{bad.service}** {bad.detail}.\n\n"
        )
        words = f"{refused}Restarts do not last. A new container may.{asks}"
        why = f"{bad.service} answers HTTP {bad.code}, and restarts did not last; without a new container it stays down"
        return say(self._tempo, words, call(redeployment(bad.service), why, self._id("replace")))

    def _verify(self, bad: Finding, acted: ToolResult) -> Turn:
        service = next(service for service in self._services if service.name == bad.service)
        words = f"`{_command(acted.call)}` ran. Running is not healthy: does it answer?"
        return say(self._tempo, words, look(service, self._id(f"after-{service.name}")))

    def _needs_a_person(
        self,
        conversation: Conversation,
        found: Sequence[Finding],
        bad: Finding,
        restart: ToolResult | None,
        replace: ToolResult | None,
    ) -> Turn:
        tried = [result for result in (restart, replace) if result is not None]
        told = "; ".join(f"`{_command(result.call)}`: {_told(result)}" for result in tried)
        notes = [Note("critical", f"Needs a person, for it is still down. {told}", bad.service)]
        # A tier above must not do what a person has denied; above tier 3 there are only people.
        escalation = handing_on([bad], told) if self._tier == 3 else None
        return conclude(conversation, self._tempo, found, notes=notes, escalation=escalation)

    def _repaired(self, conversation: Conversation, found: Sequence[Finding], acted: ToolResult) -> Turn:
        after = self._found(conversation, "after")[0]
        now = [after if finding.service == after.service else finding for finding in found]
        is_restart = acted.call.id == self._id("restart")
        action, known = ("restart", RESTARTED) if is_restart else ("redeployment", REDEPLOYED)
        went = "failure" if after.is_bad else "success"
        marks = [f"[COOLDOWN:{action}:{after.service}] {went} - {after.detail}"]
        if after.is_bad:
            notes = [Note("critical", f"Needs a person: `{_command(acted.call)}` did not help.", after.service)]
            return conclude(conversation, self._tempo, now, notes=notes, marks=marks)
        notes = [Note("info", f"Repaired by `{_command(acted.call)}`.", after.service)]
        memories = [Memory(after.service, "behavior" if is_restart else "remediation", known)]
        return conclude(conversation, self._tempo, now, notes=notes, memories=memories, marks=marks)


def _command(made: ToolUse) -> str:
    return str(made.input["command"])


def _is_refused(result: ToolResult) -> bool:
    """Whether a call was not let through. One that ran and failed is no reason for a greater one."""
    return result.is_error and not result.text.startswith(FAILED)


def _told(result: ToolResult) -> str:
    return f"{'refused' if _is_refused(result) else 'failed'}: {first_line(result.text)}"
