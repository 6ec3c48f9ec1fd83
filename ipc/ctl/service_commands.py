"""The table's part for services that are probed."""

import argparse
import re

from ipc.ctl.grammar import LIMIT, Command, argument

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_TIME = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)?")


def seconds(text: str) -> float:
    """Seconds of `10s`, `500ms`, `5m`, or a plain number. ArgumentTypeError says what may be given."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time: 500ms, 10s, 5m, 1h, or seconds")
    return float(match[1]) * UNITS[match[2] or "s"]


def pair(text: str) -> tuple[str, str]:
    """A header as people write it, `Name: value`. ArgumentTypeError."""
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is no header: write 'Name: value'")
    return name.strip(), value.strip()


def command_line(text: str) -> list[str]:
    """The words of a command, quoted as for a shell; there is none. ArgumentTypeError."""
    import shlex  # not above: most commands need it not

    try:
        return shlex.split(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} can't be read: {error}") from error


ONE = argument("service", metavar="SERVICE", help="its number or its name")
MANY = argument("services", nargs="*", metavar="SERVICE", help="their numbers or names")
OF_TAG = argument("--tag", default="", metavar="TAG", help="those with this tag")
# What `services edit --reset` puts back: every option of a definition, and all at once that say what an incident does.
RULE = ("session-tier", "session-after", "session-cooldown", "remind", "mute", "notify", "notify-from")
RESETS = ("rule", *RULE, "interval", "timeout", "retries", "retry-interval", "condition", "warning", "tag", "group",
          "needs", "description", "method", "header", "body", "redirects", "verify", "proxy", "family", "server-name",
          "ca-file", "certificate-file", "key-file", "grace", "cron", "zone", "command")  # fmt: skip
STATUSES = ("unknown", "pending", "healthy", "degraded", "down", "timeout", "blocked", "maintenance", "paused")
TIMEOUT = argument("--timeout", type=seconds, metavar="TIME", help="how long an answer may take (10s)")
CONDITIONS = (
    argument("--condition", action="append", metavar="CONDITION", help="what has to hold, such as '[STATUS] == 200'"),
    argument("--warning", action="append", metavar="CONDITION", help="what makes it degraded if it does not hold"),
)
# What a probe asks with.
ASKED = (
    argument("--method", metavar="METHOD", help="the HTTP method (GET)"),
    argument("--header", action="append", type=pair, metavar="'NAME: VALUE'", help="a header of the request"),
    argument("--body", metavar="TEXT", help="the body of the request"),
    argument("--no-redirects", action="store_true", help="take a redirect for the answer"),
    argument("--no-verify", action="store_true", help="take any certificate"),
    argument("--proxy", metavar="URL", help="the HTTP proxy to go through"),
    argument("--family", type=int, choices=(4, 6), help="IPv4 or IPv6 alone"),
    argument("--server-name", metavar="NAME", help="TLS: the name in the certificate, if it is another"),
    argument("--ca-file", metavar="FILE", help="TLS: the authorities that count, in PEM, as the daemon reads them"),
    argument("--certificate-file", metavar="FILE", help="TLS: the client's certificate, in PEM"),
    argument("--key-file", metavar="FILE", help="TLS: the client's key, in PEM"),
    # Not `command`, which is the first word of every command line.
    argument("--command", dest="run", type=command_line, metavar="'WORD …'", help="what the URL command: runs"),
)
DEFINED = (
    argument("--interval", type=seconds, metavar="TIME", help="how often it is probed (60s)"),
    TIMEOUT,
    argument("--retries", type=int, metavar="N", help="failures in a row that nobody is told of (0)"),
    argument("--retry-interval", type=seconds, metavar="TIME", help="the time between them (a fifth of the interval)"),
    *CONDITIONS,
    argument("--tag", action="append", metavar="TAG", help="a tag; give it again for more"),
    argument("--group", metavar="NAME", help="the group that it is shown in"),
    argument("--needs", action="append", metavar="SERVICE", help="a service that it depends on"),
    argument("--description", metavar="TEXT", help="what people should know of it"),
    *ASKED,
    argument("--grace", type=seconds, metavar="TIME", help="heartbeat: how late a sign of life may be (60s)"),
    argument("--cron", metavar="EXPRESSION", help="heartbeat: when its job runs, if at no plain interval"),
    argument("--zone", metavar="ZONE", help="the time zone of --cron (UTC)"),
    argument("--session-tier", type=int, choices=(0, 1, 2, 3), help="the session that an incident starts; 0 is none"),
    argument("--session-after", type=int, metavar="N", help="failures in a row that start it"),
    argument("--session-cooldown", type=seconds, metavar="TIME", help="time before the next one for this service"),
    argument("--remind", type=seconds, metavar="TIME", help="how often people are told again; 0 is never"),
    argument("--mute", choices=("yes", "no"), help="whether nobody is told of it"),
    argument("--notify", action="append", metavar="CHANNEL", help="a channel that is told, by name or kind"),
    argument("--notify-from", choices=("critical", "warning"), help="told of failures, or of what is degraded too"),
)

SERVICES = (
    Command(
        ("services", "list"),
        "Services that are probed, and how each stands, by name.",
        "services:listing",
        (OF_TAG, argument("--status", choices=STATUSES, help="those of one status")),
    ),
    Command(("services", "show"), "One service whole.", "services:show", (ONE,)),
    Command(
        ("services", "add"),
        "A service that is probed from now on.",
        "services:add",
        (
            argument("--name", required=True, metavar="NAME", help="its name"),
            argument("--url", required=True, metavar="URL", help="what is probed: https://…, tcp://host:port, …"),
            *DEFINED,
            argument("--paused", action="store_true", help="not yet"),
        ),
    ),
    Command(
        ("services", "edit"),
        "Changes what is given of a service.",
        "services:edit",
        (
            ONE,
            argument("--name", metavar="NAME", help="its name"),
            argument("--url", metavar="URL", help="what is probed"),
            *DEFINED,
            argument(
                "--reset",
                action="append",
                choices=RESETS,
                metavar="OPTION",
                help="back to what holds where nothing is said: for session-tier, remind and the like the rules of its"
                " tags and the settings; rule is all of these. Give it again for more",
            ),
        ),
    ),
    Command(("services", "pause"), "Stops probing services.", "services:pause", (MANY, OF_TAG)),
    Command(("services", "resume"), "Probes services again.", "services:resume", (MANY, OF_TAG)),
    Command(
        ("services", "test"),
        "Probes once, now, and shows every phase; exit code 0 only if it is healthy.",
        "services:test",
        (
            argument("service", nargs="?", metavar="SERVICE", help="its number or its name"),
            argument("--url", metavar="URL", help="or what to probe, stored nowhere"),
            TIMEOUT,
            *CONDITIONS,
            *ASKED,
        ),
    ),
    Command(("services", "rm"), "Removes services with all that was found of them.", "services:remove", (MANY, OF_TAG)),
    Command(
        ("services", "history"),
        "What was found of a service, newest first.",
        "services:history",
        (ONE, LIMIT, argument("--before", default="", metavar="TIME", help="before this time (RFC 3339)")),
    ),
    Command(
        ("services", "import"),
        "Takes services from a file: ours, Gatus' or Uptime Kuma's export; all of it or nothing.",
        "services:take",
        (
            argument("file", metavar="FILE", help="the file; - is standard input"),
            argument("--dry-run", action="store_true", help="only say what would change"),
            argument("--prune", action="store_true", help="remove people's services that are not in it"),
        ),
    ),
    Command(
        ("services", "export"),
        "All services as a file, without passwords.",
        "services:export",
        (argument("--to", metavar="FILE", help="where to; standard output if it is not given"),),
    ),
    Command(("services", "push-url"), "A fresh address for a heartbeat's job.", "services:push_url", (ONE,)),
)
