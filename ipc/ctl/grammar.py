"""What the tables of commands are made of: a command, an argument, and the arguments that several commands take.

The tables: `commands` (the whole, and the daemon itself), `session_commands`, `limit_commands`, `knowledge_commands`.
"""

import argparse
from typing import Any, NamedTuple

from ipc.ctl.errors import USAGE


class Argument(NamedTuple):
    """An argument as argparse takes it; `choices_of` names the words that a shell may complete."""

    names: tuple[str, ...]
    options: dict[str, Any]
    choices_of: str = ""


class Command(NamedTuple):
    """A command: the words that call it, one sentence, what it takes, what it runs.

    `usage_exit` is its exit code for wrong usage. With `rest`, whatever stands behind `--` is kept as it is, in that
    order, in the attribute of this name.
    """

    words: tuple[str, ...]
    doc: str
    function: str
    arguments: tuple[Argument, ...] = ()
    usage_exit: int = USAGE
    rest: str = ""


def argument(*names: str, choices_of: str = "", **options: Any) -> Argument:
    """An argument, as `add_argument` takes it."""
    return Argument(names, options, choices_of)


def numbered(help_: str) -> Argument:
    """The number of what a command is about."""
    return argument("id", type=int, metavar="ID", help=help_)


def tier_or_auto(text: str) -> int:
    """A tier; 0 for `auto`. ArgumentTypeError says what may be given."""
    if text == "auto":
        return 0
    if text.isdecimal() and int(text) in TIERS:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no tier: 1, 2, 3 or auto")


FOLLOW = argument("-f", "--follow", action="store_true", help="go on as it grows")
WAIT = argument("--wait", action="store_true", help="wait for the end")
WAIT_LIMIT = argument("--timeout", type=float, metavar="SECONDS", help="how long to wait; it goes on after that")
LIMIT = argument("--limit", type=int, default=50, metavar="N", help="how many (50)")
BEFORE = argument("--before", type=int, default=0, metavar="ID", help="older than this one")
OF_SESSION = argument("--session", type=int, metavar="ID", help="of one session")
OF_SERVICE = argument("--service", default="", metavar="NAME", help="of one service")
TIERS = (1, 2, 3)
PROMPT = argument("--prompt", metavar="TEXT", help="what to ask")
PROMPT_FILE = argument("--prompt-file", metavar="FILE", help="a file with what to ask; - is standard input")
