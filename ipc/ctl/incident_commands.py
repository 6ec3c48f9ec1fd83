"""The table's part for incidents and maintenance windows."""

from ipc.ctl.grammar import BEFORE, LIMIT, OF_SERVICE, Command, argument, numbered
from ipc.ctl.service_commands import seconds

INCIDENT = numbered("the incident's number")
WINDOW = numbered("the window's number")

INCIDENTS = (
    Command(
        ("incidents", "list"),
        "Incidents, newest first.",
        "incidents:listing",
        (argument("--open", action="store_true", help="those that go on"), OF_SERVICE, LIMIT, BEFORE),
    ),
    Command(("incidents", "show"), "One incident with its timeline.", "incidents:show", (INCIDENT,)),
    Command(
        ("incidents", "ack"),
        "Says that one looks after an incident; people are not told of it again.",
        "incidents:acknowledge",
        (INCIDENT, argument("--note", metavar="TEXT", help="something about it, too")),
    ),
    Command(
        ("incidents", "note"),
        "Says something about an incident; a session that looks into it is told.",
        "incidents:note",
        (INCIDENT, argument("text", metavar="TEXT", help="what to say")),
    ),
    Command(("maintenance", "list"), "Maintenance windows that go on or are to come.", "incidents:windows"),
    Command(
        ("maintenance", "add"),
        "A maintenance window, in which nobody is told of what fails; without --start or --cron it begins now.",
        "incidents:plan",
        (
            argument("--for", dest="duration", type=seconds, required=True, metavar="TIME", help="how long: 30m, 2h"),
            argument("--service", action="append", metavar="NAME", help="a service that it is for"),
            argument("--tag", action="append", metavar="TAG", help="services of a tag; '*' is every service"),
            argument("--title", metavar="TEXT", help="what is done"),
            argument("--start", metavar="TIME", help="when it begins, such as 2026-01-31T22:00"),
            argument("--cron", metavar="CRON", help="when it begins again and again, such as '0 3 * * 0'"),
            argument("--zone", default="UTC", metavar="ZONE", help="the zone of those times (UTC)"),
        ),
    ),
    Command(("maintenance", "rm"), "Ends a maintenance window, or takes it back.", "incidents:unplan", (WINDOW,)),
)
