"""What sessions do, decided from values: how one ended, what may start.

Pure. Called by `daemon.sessions.lifecycle` and `daemon.sessions.ending`.
"""

import signal
from typing import NamedTuple

from schema.states import SessionStatus

CLI_PROVED = (2, 1)
SPENT = "error_max_budget_usd"  # the CLI's word


class Ending(NamedTuple):
    """How a run ended, as its exit record says; `reason` is one of the run's end reasons, or `lost`."""

    reason: str
    exit_code: int | None = None
    signal: int | None = None
    by: str = ""
    error: str = ""


class Said(NamedTuple):
    """How the CLI said that it ended, from its result event."""

    subtype: str
    is_error: bool
    text: str = ""
    deferred: str = ""  # the call that waits for a person, by its tool_use_id
    usd: float = 0.0  # what this run cost


class Money(NamedTuple):
    """What the runs before this one cost, and the budget that the session began this one with; 0: it had none."""

    before: float = 0.0
    budget: float = 0.0


NO_MONEY = Money()


class Outcome(NamedTuple):
    """The final state of a session."""

    status: SessionStatus
    exit_code: int | None
    reason: str | None


def outcome(
    ending: Ending,
    said: Said | None,
    *,
    timeout_s: float,
    last_stderr: str = "",
    short_of_memory: bool = False,
    money: Money = NO_MONEY,
) -> Outcome:
    """What became of a session: who ended its run decides first, then what the CLI said, then its exit code.

    `short_of_memory`: the kernel killed processes for lack of memory while it ran.
    """
    code = ending.exit_code if ending.signal is None else 128 + ending.signal
    by = f" by {ending.by}" if ending.by else ""
    sentences = {
        "timed_out": (SessionStatus.TIMED_OUT, f"ran longer than {timeout_s:g} s"),
        # The daemon says for what it stops a session; a person is named.
        "stopped": (SessionStatus.STOPPED, ending.by if ending.by.startswith("stopped ") else f"stopped{by}"),
        "interrupted": (SessionStatus.INTERRUPTED, f"the daemon was stopped{by}"),
        "lost": (SessionStatus.INTERRUPTED, "its keeper was killed or the machine went down"),
        "quota": (SessionStatus.FAILED, "its log grew beyond CLAUDEOPS_SESSION_MAX_BYTES"),
        "disk_full": (SessionStatus.FAILED, "its log could not be written: the disk was full"),
        "spawn_failed": (SessionStatus.FAILED, f"its command could not be started: {ending.error}"),
    }
    if ending.reason in sentences:
        status, reason = sentences[ending.reason]
        return Outcome(status, code, reason)
    if code == 0 and said is not None and said.deferred:
        return Outcome(SessionStatus.AWAITING_APPROVAL, code, "one of its calls waits for a person")
    if ending.signal is not None:
        why = "; the kernel was out of memory meanwhile" if short_of_memory and ending.signal == signal.SIGKILL else ""
        return Outcome(SessionStatus.FAILED, code, f"its command was killed by {_signal_name(ending.signal)}{why}")
    if code == 0 and (said is None or not said.is_error):
        return Outcome(SessionStatus.COMPLETED, code, None if said is not None else "ended without a result")
    if said is not None and said.subtype == SPENT:
        return Outcome(SessionStatus.FAILED, code, _spent(said, money))
    return Outcome(SessionStatus.FAILED, code, _why_failed(code, said, last_stderr))


def final(outcome: Outcome, *, next_tier: int | None, asked: bool) -> tuple[SessionStatus, str | None]:
    """(status, reason) as they are stored. `next_tier`: which one the session hands over to, if it does; `asked`:
    whether somebody was asked about the call that waits.
    """
    if outcome.status is SessionStatus.COMPLETED and next_tier is not None:
        return SessionStatus.ESCALATED, f"handed over to tier {next_tier}"
    if outcome.status is SessionStatus.AWAITING_APPROVAL and not asked:
        return SessionStatus.FAILED, "its call was put aside, but nobody was asked about it"
    return outcome.status, outcome.reason


def _spent(said: Said, money: Money) -> str:
    of = f" of its ${money.budget:.4g} budget" if money.budget else ", and its budget was less"
    return f"spent ${money.before + said.usd:.4g}{of} (CLAUDEOPS_SESSION_MAX_BUDGET_USD)"


def _why_failed(code: int | None, said: Said | None, last_stderr: str) -> str:
    if said is not None and said.is_error:
        return said.text.strip()[:500] or f"the CLI reported {said.subtype}"
    if last_stderr:
        return f"exit code {code}: {last_stderr[:500]}"
    return f"exit code {code}" + ("" if said is not None else " without a result")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def no_tier(tier: int, max_tier: int) -> str | None:
    """Why no session of a tier may be asked for at all; None if one may."""
    if not 1 <= tier <= 3:
        return f"there is no tier {tier}; choose 1, 2 or 3"
    return f"tier {tier} is above CLAUDEOPS_MAX_TIER, which is {max_tier}" if tier > max_tier else None


class Room(NamedTuple):
    """What is free where sessions write, in bytes, the least of all places; or which of them can't be used, and why."""

    free: int
    problem: str | None = None


def refusal(*, tier: int, max_tier: int, cli: str | None, room: Room, free_min: int) -> str | None:
    """Why a session can't start now, as a sentence; None if it can. `cli` is what is wrong with the command."""
    if wrong := no_tier(tier, max_tier):
        return wrong
    if cli is not None:
        return cli
    return short_of_space(room, free_min)


def short_of_space(room: Room, wanted: int) -> str | None:
    """Why there is no room for a session, or too little; None if there is enough. `wanted` in bytes."""
    if room.problem or room.free >= wanted:
        return room.problem
    have, want = room.free // 1048576, wanted // 1048576
    return f"only {have} MiB of disk are free, and CLAUDEOPS_FREE_DISK_MIN asks for {want} MiB; free some"


def judge_cli(output: str) -> tuple[str, str | None]:
    """(version, warning) from what `claude --version` printed; ValueError if that is no version."""
    version = output.strip().split(" ")[0]
    try:
        numbers = tuple(int(part) for part in version.split("."))
    except ValueError:
        raise ValueError(f"it printed {output.strip()[:80]!r}, which is no version") from None
    if numbers[:2] != CLI_PROVED:
        proved = ".".join(map(str, CLI_PROVED))
        return version, f"claude {version} has not been proved with this release, {proved} has; sessions may fail"
    return version, None
