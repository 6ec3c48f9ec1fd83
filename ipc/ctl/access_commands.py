"""The table's part for who may use the dashboard: people, API tokens, and the proof of the audit log."""

from ipc.ctl.grammar import Command, argument

ROLES = ("viewer", "operator", "admin")
SCOPES = ("read", "act", "metrics")
NAME = argument("name", metavar="NAME", help="the person's name")

ACCESS = (
    Command(("users", "list"), "Who may sign in, with roles.", "users:listing"),
    Command(
        ("users", "add"),
        "Adds a person; prints a one-time link with which they set a password.",
        "users:add",
        (NAME, argument("--role", choices=ROLES, default="viewer", help="what they may do (viewer)")),
    ),
    Command(
        ("users", "role"),
        "Gives a person another role; tokens of theirs that may more are revoked. The last admin stays one.",
        "users:role",
        (NAME, argument("role", choices=ROLES, help="the role")),
    ),
    Command(
        ("users", "disable"),
        "Signs a person out everywhere, and keeps them out.",
        "users:disable",
        (NAME, argument("--revoke-tokens", action="store_true", help="end the API tokens that they made, too")),
    ),
    Command(("users", "enable"), "Lets a person in again.", "users:enable", (NAME,)),
    Command(
        ("users", "password-link"),
        "A fresh one-time link with which a person sets a password.",
        "users:password_link",
        (NAME,),
    ),
    Command(
        ("token", "list"),
        "API tokens, newest first; the tokens themselves are not known.",
        "tokens:listing",
        (argument("--all", action="store_true", help="those that were revoked, too"),),
    ),
    Command(
        ("token", "create"),
        "Makes an API token and prints it, this once.",
        "tokens:create",
        (
            argument("--name", required=True, metavar="NAME", help="what it is for"),
            argument("--role", choices=ROLES, required=True, help="what it may do"),
            argument(
                "--scope", action="append", choices=SCOPES, help="of its role's, only this; more than once for more"
            ),
            argument("--expires", metavar="WHEN", help="it ends after 90m, 12h, 90d, 4w, or at a time in UTC"),
        ),
    ),
    Command(
        ("token", "revoke"),
        "Ends an API token at once.",
        "tokens:revoke",
        (argument("token", metavar="TOKEN", help="its name or number"),),
    ),
    Command(
        ("audit", "verify"),
        "Whether the audit log is as it was written; prints its head, to be kept elsewhere. Exit code 0 it is, 1 not.",
        "audit:verify",
        (
            argument("--head", default="", metavar="HASH", help="a head that was kept; it must still be in the log"),
            argument("--database", metavar="FILE", help="of this file, such as a backup, without a daemon"),
        ),
    ),
)
