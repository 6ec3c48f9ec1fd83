"""Every command of `claudeopsctl`, in one table: parser, completion and manual page come from it.

A command's function is named as `module:function` below `ipc.ctl`, and imported when it is called.
"""

from typing import Any, NamedTuple


class Argument(NamedTuple):
    """An argument as argparse takes it; `choices_of` names the words that a shell may complete."""

    names: tuple[str, ...]
    options: dict[str, Any]
    choices_of: str = ""


class Command(NamedTuple):
    """A command: the words that call it, one sentence, what it takes, what it runs."""

    words: tuple[str, ...]
    doc: str
    function: str
    arguments: tuple[Argument, ...] = ()


def _argument(*names: str, choices_of: str = "", **options: Any) -> Argument:
    return Argument(names, options, choices_of)


ID = _argument("id", type=int, metavar="ID", help="the session's number")
FOLLOW = _argument("-f", "--follow", action="store_true", help="go on as it grows")
WAIT = _argument("--wait", action="store_true", help="wait for the end")
WAIT_LIMIT = _argument("--timeout", type=float, metavar="SECONDS", help="how long to wait; it goes on after that")
NAME = _argument("name", metavar="NAME", help="the setting's name or environment variable", choices_of="settings")
STATUSES = ("running", "completed", "failed", "timed_out", "stopped", "interrupted", "escalated")
TRIGGERS = ("scheduled", "manual", "api", "alert", "escalation")

COMMANDS = (
    Command(
        ("status",),
        "How the daemon is; exit code 0 running, degraded or not, 3 not running, 4 nothing known.",
        "status:status",
    ),
    Command(
        ("sessions", "list"),
        "Sessions, newest first.",
        "sessions:listing",
        (
            _argument("--status", choices=STATUSES, help="of one status"),
            _argument("--tier", type=int, choices=(1, 2, 3), help="of one tier"),
            _argument("--trigger", choices=TRIGGERS, help="of one trigger"),
            _argument("--limit", type=int, default=50, metavar="N", help="how many (50)"),
            _argument("--before", type=int, default=0, metavar="ID", help="older than this one"),
        ),
    ),
    Command(("sessions", "show"), "One session.", "sessions:show", (ID,)),
    Command(
        ("sessions", "tail"),
        "The lines of a session's log.",
        "sessions:tail",
        (
            ID,
            FOLLOW,
            _argument("--pretty", action="store_true", help="one readable line an event"),
            _argument("--raw", action="store_true", help="control characters too, even onto a terminal"),
        ),
    ),
    Command(
        ("sessions", "trigger"),
        "Starts a session; without a prompt, the tier's prompt file is used.",
        "sessions:trigger",
        (
            _argument("--tier", type=int, default=1, help="1, 2 or 3 (1)"),
            _argument("--prompt", metavar="TEXT", help="what to ask"),
            _argument("--prompt-file", metavar="FILE", help="a file with what to ask; - is standard input"),
            WAIT,
            WAIT_LIMIT,
        ),
    ),
    Command(("sessions", "stop"), "Stops a running session.", "sessions:stop", (ID, WAIT, WAIT_LIMIT)),
    Command(("config", "list"), "Every setting with its value.", "settings:listing"),
    Command(("config", "get"), "One setting's value.", "settings:get", (NAME,)),
    Command(
        ("config", "set"),
        "Sets a live setting; it takes effect at the next session.",
        "settings:put",
        (NAME, _argument("value", metavar="VALUE", help="its new value")),
    ),
    Command(("config", "reset"), "Takes an override away.", "settings:reset", (NAME,)),
    Command(
        ("restart",),
        "Replaces the worker or the web process; sessions go on.",
        "system:restart",
        (_argument("process", choices=("web", "worker"), help="which"),),
    ),
    Command(("reload",), "Reads the environment file anew.", "system:reload"),
    Command(
        ("stop",),
        "Stops the daemon and every session, and waits until it is gone.",
        "system:stop",
        (
            _argument("--no-wait", action="store_true", help="do not wait"),
            _argument("--timeout", type=float, default=60.0, metavar="SECONDS", help="how long to wait (60)"),
        ),
    ),
    Command(
        ("logs",),
        "The daemon's own log.",
        "logs:logs",
        (FOLLOW, _argument("-n", "--lines", type=int, default=50, metavar="N", help="how many lines (50)")),
    ),
    Command(
        ("backup",),
        "Copies the database while it is used.",
        "system:backup",
        (_argument("path", nargs="?", default="", metavar="PATH", help="a new file; default below <state>/backups"),),
    ),
    Command(("doctor",), "Looks for what is wrong.", "system:doctor"),
    Command(("setup-link",), "A fresh one-time link that makes an admin.", "system:setup_link"),
    Command(
        ("completion",),
        "Prints completion for a shell.",
        "completion:show",
        (_argument("shell", choices=("bash", "zsh", "fish"), help="which shell"),),
    ),
    Command(("version",), "The version of this command.", "completion:version"),
)
