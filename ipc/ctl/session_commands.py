"""The table's part for sessions and for the queue of triggers."""

from ipc.ctl.grammar import (
    BEFORE,
    FOLLOW,
    LIMIT,
    PROMPT,
    PROMPT_FILE,
    TIERS,
    WAIT,
    WAIT_LIMIT,
    Command,
    argument,
    numbered,
    tier_or_auto,
)

ID = numbered("the session's number")
STATUSES = (
    "running",
    "completed",
    "failed",
    "timed_out",
    "stopped",
    "interrupted",
    "escalated",
    "awaiting_approval",
)
TRIGGERS = ("scheduled", "manual", "api", "alert", "service", "escalation", "approval")
TRIGGER_STATUSES = ("waiting", "started", "cancelled", "refused")
KINDS = ("manual", "api", "alert")

SESSIONS = (
    Command(
        ("sessions", "list"),
        "Sessions, newest first.",
        "sessions:listing",
        (
            argument("--status", choices=STATUSES, help="of one status"),
            argument("--tier", type=int, choices=TIERS, help="of one tier"),
            argument("--trigger", choices=TRIGGERS, help="of one trigger"),
            LIMIT,
            BEFORE,
        ),
    ),
    Command(("sessions", "show"), "One session, and the call of it that waits for a person.", "sessions:show", (ID,)),
    Command(
        ("sessions", "chain"),
        "The chain of tiers that a session belongs to, first to last, and what it cost in all.",
        "sessions:chain",
        (ID,),
    ),
    Command(
        ("sessions", "tail"),
        "The lines of a session's log.",
        "tail:tail",
        (
            ID,
            FOLLOW,
            argument("--pretty", action="store_true", help="one readable line an event"),
            argument("--raw", action="store_true", help="control characters too, even onto a terminal"),
        ),
    ),
    Command(
        ("sessions", "trigger"),
        "Starts a session; without a prompt, the tier's prompt file is used.",
        "sessions:trigger",
        (
            argument("--tier", type=int, default=1, help="1, 2 or 3 (1)"),
            PROMPT,
            PROMPT_FILE,
            argument("--queue", action="store_true", help="wait in the queue where the tier is busy: `triggers add`"),
            WAIT,
            WAIT_LIMIT,
        ),
    ),
    Command(("sessions", "stop"), "Stops a running session.", "sessions:stop", (ID, WAIT, WAIT_LIMIT)),
    Command(
        ("triggers", "list"),
        "The queue: what waits and why, and what became of the rest.",
        "triggers:listing",
        (argument("--status", choices=TRIGGER_STATUSES, help="of one status"), LIMIT, BEFORE),
    ),
    Command(
        ("triggers", "add"),
        "Puts a trigger into the queue and answers at once; without a prompt, the tier's prompt file is used.",
        "triggers:add",
        (
            argument("--tier", type=tier_or_auto, default=1, help="1, 2 or 3 (1), or auto: a model chooses"),
            PROMPT,
            PROMPT_FILE,
            argument("--kind", choices=KINDS, default="manual", help="what asks for it (manual)"),
            argument("--key", default="", metavar="KEY", help="same key, same thing: merged into one that waits"),
            argument("--wait", action="store_true", help="wait for the end of its session"),
            WAIT_LIMIT,
        ),
    ),
    Command(
        ("triggers", "cancel"),
        "Takes a waiting trigger out of the queue.",
        "triggers:cancel",
        (numbered("the trigger's number"),),
    ),
)
