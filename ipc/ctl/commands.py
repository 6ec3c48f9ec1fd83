"""Every command of `claudeopsctl`, in one table: parser, completion and manual page come from it.

A command's function is named as `module:function` below `ipc.ctl`, and imported when it is called.
"""

from ipc.ctl.access_commands import ACCESS
from ipc.ctl.grammar import FOLLOW, Command, argument
from ipc.ctl.house_commands import HOUSE
from ipc.ctl.incident_commands import INCIDENTS
from ipc.ctl.knowledge_commands import KNOWLEDGE
from ipc.ctl.limit_commands import LIMITS
from ipc.ctl.notification_commands import NOTIFICATIONS
from ipc.ctl.service_commands import SERVICES
from ipc.ctl.session_commands import SESSIONS
from ipc.ctl.status_page_commands import STATUS_PAGES

NAME = argument("name", metavar="NAME", help="the setting's name or environment variable", choices_of="settings")
GROUPS = {
    "services": "what is probed: list, show, add, edit, pause, test, remove",
    "incidents": "when services fail: list, show, look after, note",
    "maintenance": "windows in which nobody is told: list, add, end",
    "status-pages": "what people without a sign-in may see: list, add, edit, remove",
    "sessions": "list, show, start and stop sessions",
    "triggers": "the queue: list, add, cancel",
    "approvals": "calls that wait for a person, and standing rules",
    "cooldowns": "restarts and redeployments that count",
    "audit": "what was decided, and by whom",
    "users": "who may sign in: list, add, change, disable",
    "token": "API tokens for programs: create, list, revoke",
    "events": "what sessions said",
    "memories": "what sessions are told again",
    "notifications": "what people were told, a test, sending again",
    "config": "list, show and change settings",
}

COMMANDS = (
    Command(
        ("status",),
        "How the daemon is; exit code 0 running, degraded or not, 3 not running, 4 nothing known.",
        "status:status",
    ),
    *SERVICES,
    *INCIDENTS,
    *STATUS_PAGES,
    *SESSIONS,
    *LIMITS,
    *KNOWLEDGE,
    *NOTIFICATIONS,
    *ACCESS,
    Command(("config", "list"), "Every setting with its value.", "settings:listing"),
    Command(("config", "get"), "One setting's value.", "settings:get", (NAME,)),
    Command(
        ("config", "set"),
        "Sets a live setting; it takes effect at the next session.",
        "settings:put",
        (NAME, argument("value", metavar="VALUE", help="its new value")),
    ),
    Command(("config", "reset"), "Takes an override away.", "settings:reset", (NAME,)),
    Command(
        ("restart",),
        "Replaces the worker or the web process; sessions go on.",
        "system:restart",
        (argument("process", choices=("web", "worker"), help="which"),),
    ),
    Command(("reload",), "Reads the environment file anew.", "system:reload"),
    Command(
        ("stop",),
        "Stops the daemon and every session, and waits until it is gone.",
        "system:stop",
        (
            argument("--no-wait", action="store_true", help="do not wait"),
            argument("--timeout", type=float, default=60.0, metavar="SECONDS", help="how long to wait (60)"),
        ),
    ),
    Command(
        ("logs",),
        "The daemon's own log.",
        "logs:logs",
        (FOLLOW, argument("-n", "--lines", type=int, default=50, metavar="N", help="how many lines (50)")),
    ),
    *HOUSE,
    Command(("setup-link",), "A fresh one-time link that makes an admin.", "system:setup_link"),
    Command(
        ("completion",),
        "Prints completion for a shell.",
        "completion:show",
        (argument("shell", choices=("bash", "zsh", "fish"), help="which shell"),),
    ),
    Command(("version",), "The version of this command.", "completion:version"),
)
