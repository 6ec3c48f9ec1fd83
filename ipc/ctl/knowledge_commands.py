"""The table's part for what sessions say, know and cost: events, memories, health, cost, repositories, MCP servers."""

from ipc.ctl.grammar import BEFORE, FOLLOW, LIMIT, OF_SERVICE, OF_SESSION, Command, argument, numbered

LEVELS = ("info", "warning", "critical")
FORMATS = ("json", "markdown")
ID = numbered("the memory's number")
CHOSEN = (
    OF_SERVICE,
    argument("--category", default="", metavar="NAME", help="of one category"),
    argument("--all", action="store_true", help="inactive ones, too"),
)


KNOWLEDGE = (
    Command(
        ("events", "list"),
        "What sessions and the daemon said, newest first; followed, oldest first.",
        "events:listing",
        (argument("--level", choices=LEVELS, help="of one level"), OF_SERVICE, OF_SESSION, LIMIT, BEFORE, FOLLOW),
    ),
    Command(
        ("memories", "list"),
        "What sessions are told again, the most certain first.",
        "memories:listing",
        (*CHOSEN, argument("--limit", type=int, default=200, metavar="N", help="how many (200)")),
    ),
    Command(
        ("memories", "add"),
        "Adds a memory; an identical one is reinforced.",
        "memories:add",
        (
            argument("observation", metavar="TEXT", help="what to know"),
            argument("--category", required=True, metavar="NAME", help="timing, dependency, behavior, or another word"),
            argument("--service", default="", metavar="NAME", help="the service that it is about"),
            argument("--confidence", type=float, default=0.7, metavar="C", help="from 0 to 1 (0.7)"),
        ),
    ),
    Command(
        ("memories", "edit"),
        "Changes what is given of a memory.",
        "memories:edit",
        (
            ID,
            argument("--observation", metavar="TEXT", help="what to know"),
            argument("--category", metavar="NAME", help="its category"),
            argument("--service", metavar="NAME", help="its service; empty for none"),
            argument("--confidence", type=float, metavar="C", help="from 0 to 1"),
            argument("--active", choices=("yes", "no"), help="whether sessions are told it"),
        ),
    ),
    Command(("memories", "delete"), "Deletes a memory.", "memories:delete", (ID,)),
    Command(
        ("memories", "export"),
        "Memories as a document.",
        "memories:export",
        (argument("--format", choices=FORMATS, default="json", help="json or markdown (json)"), *CHOSEN),
    ),
    Command(("health",), "Every service that a session has looked at, the worst first.", "health:listing"),
    Command(
        ("cost",),
        "What sessions cost: by day, tier, model and trigger, and the dearest chains.",
        "cost:show",
        (argument("--days", type=int, default=30, metavar="N", help="how many days, today (UTC) included (30)"),),
    ),
    Command(("repositories",), "Mounted repositories and what each contributes.", "repositories:listing"),
    Command(("mcp",), "The MCP servers of the next session, and how the last one found them.", "repositories:servers"),
)
