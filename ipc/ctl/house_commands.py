"""The table's part for keeping house: housekeeping, backup and restore, export and import, the check-up."""

from ipc.ctl.grammar import Command, argument

DRY_RUN = argument("--dry-run", action="store_true", help="only say what would be done")
STATE_DIR = argument("--state-dir", metavar="DIR", help="the daemon's state directory (CLAUDEOPS_STATE_DIR)")

HOUSE = (
    Command(
        ("housekeep",),
        "Removes what is older, or more, than the settings keep, as it is done each night.",
        "house:housekeep",
        (DRY_RUN,),
    ),
    Command(
        ("backup",),
        "Copies the database while it is used.",
        "house:backup",
        (
            argument("path", nargs="?", default="", metavar="PATH", help="a new file; default below <state>/backups"),
            argument("--to", default="", metavar="PATH", help="the same"),
        ),
    ),
    Command(
        ("restore",),
        "Puts a backup in the place of the database, while the daemon is stopped; what was there is kept beside it.",
        "restore:restore",
        (argument("path", metavar="PATH", help="the backup"), STATE_DIR),
    ),
    Command(
        ("export",),
        "Changed settings and all memories as one document, without secrets.",
        "house:export",
        (argument("--to", default="", metavar="FILE", help="the file (standard output)"),),
    ),
    Command(
        ("import",),
        "Takes an export in: all of it, or nothing.",
        "house:take",
        (argument("file", metavar="FILE", help="the document; - is standard input"), DRY_RUN),
    ),
    Command(
        ("doctor",),
        "Looks for what is wrong, with the daemon running or not; exit code 0 nothing, 1 something is.",
        "doctor:doctor",
        (STATE_DIR,),
    ),
)
