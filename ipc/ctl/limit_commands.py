"""The table's part for what sessions may do: approvals and standing rules, cooldowns, the audit log, the verdict."""

from ipc.ctl.grammar import BEFORE, LIMIT, OF_SESSION, TIERS, Command, argument, numbered

APPROVAL_STATUSES = ("waiting", "approved", "denied", "expired", "cancelled", "used")
CHECK_USAGE = 64  # 2 is the verdict `ask`
ID = numbered("the approval's number")

LIMITS = (
    Command(
        ("approvals", "list"),
        "Calls that wait for a person, the next to expire first.",
        "approvals:listing",
        (
            argument("--status", choices=APPROVAL_STATUSES, help="of one status"),
            argument("--all", action="store_true", help="of every status, newest first"),
            LIMIT,
            BEFORE,
        ),
    ),
    Command(
        ("approvals", "show"),
        "One call whole: what it would do, who asks, until when.",
        "approvals:show",
        (ID,),
    ),
    Command(
        ("approvals", "approve"),
        "Lets exactly this call run, once; it is decided once, and who comes second is told who was first.",
        "approvals:approve",
        (
            ID,
            argument("--remember", metavar="PATTERN", help="make a standing rule too: the words, * last for any more"),
            argument("--host", metavar="HOST", help="the rule is for calls on this host (* any; without: here alone)"),
            argument("--tier", type=int, choices=TIERS, help="the rule is for this tier alone"),
            argument("--expires", metavar="WHEN", help="the rule ends after 90m, 12h, 7d, 4w, or at a time in UTC"),
        ),
    ),
    Command(
        ("approvals", "deny"),
        "Refuses a call; the session goes on, and is told the reason.",
        "approvals:deny",
        (ID, argument("--reason", required=True, metavar="TEXT", help="why; the model reads it")),
    ),
    Command(
        ("approvals", "rules"),
        "Standing rules, newest first.",
        "approvals:rules",
        (argument("--all", action="store_true", help="those that are over, too"),),
    ),
    Command(
        ("approvals", "revoke"),
        "Ends a standing rule at once.",
        "approvals:revoke",
        (argument("rule", type=int, metavar="RULE", help="the rule's number"),),
    ),
    Command(
        ("cooldowns",),
        "What services have used of their restarts and redeployments.",
        "cooldowns:listing",
    ),
    Command(
        ("cooldowns", "clear"),
        "Lets a service's counters begin anew.",
        "cooldowns:clear",
        (argument("service", metavar="SERVICE", help="the service's name"),),
    ),
    Command(
        ("audit", "list"),
        "Verdicts, decisions and changes, newest first: who, what, by which rule.",
        "audit:listing",
        (
            argument("--action", default="", metavar="ACTION", help="of one action, such as call.deny"),
            OF_SESSION,
            LIMIT,
            BEFORE,
        ),
    ),
    Command(
        ("check-command",),
        "The verdict on a command, by the rules that hold for sessions; nothing runs, nothing counts. Exit code 0"
        " allow, 1 deny, 2 ask, 64 wrong usage, 70 no verdict.",
        "check:check",
        (
            argument("--tier", type=int, choices=TIERS, required=True, help="the tier that would run it"),
            argument(
                "line",
                nargs="*",
                metavar="COMMAND",
                help="behind --; one argument is the command line as typed, several are its words",
            ),
        ),
        usage_exit=CHECK_USAGE,
        rest="line",
    ),
)
