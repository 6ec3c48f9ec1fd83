"""The table's part for notifications."""

from ipc.ctl.grammar import BEFORE, LIMIT, Command, argument

CHANNEL = argument("--channel", default="", metavar="NAME", help="one channel, as the list names it")

NOTIFICATIONS = (
    Command(
        ("notifications", "list"),
        "What people were told, newest first, and how far each channel has got.",
        "notifications:listing",
        (LIMIT, BEFORE),
    ),
    Command(
        ("notifications", "test"),
        "Sends a test message to each channel, whatever the rules and the hour.",
        "notifications:test",
        (CHANNEL,),
    ),
    Command(
        ("notifications", "retry"),
        "Sends again what was given up.",
        "notifications:retry",
        (argument("id", type=int, nargs="?", default=0, metavar="ID", help="one notification; without, all"), CHANNEL),
    ),
)
