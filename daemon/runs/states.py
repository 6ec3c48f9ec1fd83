"""The life of one run, as its shim lives it: one Enum, one transition table, and why a run ended.

The shim's loop feeds events to `advance` and acts on the stage that comes out. Standard library alone.
"""

from enum import Enum, StrEnum


class EndReason(StrEnum):
    """Why a run ended; part of the exit record."""

    EXITED = "exited"  # by itself, or killed by someone else: see exit_code and signal
    TIMED_OUT = "timed_out"
    STOPPED = "stopped"  # by a person or a rule; `by` says which
    INTERRUPTED = "interrupted"  # the daemon went down with it, or the shim was killed
    QUOTA = "quota"  # more output than allowed
    DISK_FULL = "disk_full"  # the log could not be written
    SPAWN_FAILED = "spawn_failed"  # nothing ran


class Stage(Enum):
    RUNNING = "running"
    DRAINING = "draining"  # the command has ended; what it left behind may finish its output
    INTERRUPTING = "interrupting"
    TERMINATING = "terminating"
    KILLING = "killing"
    GONE = "gone"  # no process is left


class Event(Enum):
    STOP = "stop"  # end the command: asked for, timed out, over its quota
    FORCE = "force"  # end it now
    COMMAND_EXITED = "command exited"
    GRACE_OVER = "grace over"
    TREE_EMPTY = "tree empty"
    GIVE_UP = "give up"  # a process that even SIGKILL does not end (stuck in the kernel)


TRANSITIONS: dict[tuple[Stage, Event], Stage] = {
    (Stage.RUNNING, Event.STOP): Stage.INTERRUPTING,
    (Stage.RUNNING, Event.FORCE): Stage.KILLING,
    (Stage.RUNNING, Event.COMMAND_EXITED): Stage.DRAINING,
    (Stage.DRAINING, Event.GRACE_OVER): Stage.TERMINATING,
    (Stage.DRAINING, Event.STOP): Stage.TERMINATING,
    (Stage.DRAINING, Event.FORCE): Stage.KILLING,
    (Stage.DRAINING, Event.TREE_EMPTY): Stage.GONE,
    (Stage.INTERRUPTING, Event.GRACE_OVER): Stage.TERMINATING,
    (Stage.INTERRUPTING, Event.FORCE): Stage.KILLING,
    (Stage.INTERRUPTING, Event.COMMAND_EXITED): Stage.DRAINING,
    (Stage.INTERRUPTING, Event.TREE_EMPTY): Stage.GONE,
    (Stage.TERMINATING, Event.GRACE_OVER): Stage.KILLING,
    (Stage.TERMINATING, Event.STOP): Stage.TERMINATING,
    (Stage.TERMINATING, Event.FORCE): Stage.KILLING,
    (Stage.TERMINATING, Event.COMMAND_EXITED): Stage.TERMINATING,
    (Stage.TERMINATING, Event.TREE_EMPTY): Stage.GONE,
    (Stage.KILLING, Event.COMMAND_EXITED): Stage.KILLING,
    (Stage.KILLING, Event.STOP): Stage.KILLING,
    (Stage.KILLING, Event.FORCE): Stage.KILLING,
    (Stage.KILLING, Event.TREE_EMPTY): Stage.GONE,
    (Stage.KILLING, Event.GIVE_UP): Stage.GONE,
}


class IllegalTransition(ValueError):  # noqa: N818 - the domain's word
    """An event that the present stage does not know; nothing has changed."""


def advance(stage: Stage, event: Event) -> Stage:
    """The stage after `event`. IllegalTransition when the pair is not in the table."""
    try:
        return TRANSITIONS[stage, event]
    except KeyError:
        raise IllegalTransition(f"a run that is {stage.value} cannot take '{event.value}'") from None
