"""Who can stand in a row as the one who asked, decided or changed something: told apart by how their names are written.

A person of the dashboard has a bare name, which is none of these (`schema.access.name_problem`). No imports, for
`claudeopsctl` starts with it.
"""

TOKEN = "token:"  # before an API token's name
KEY = "key:"  # before what a key is for
BY_SOCKET = "(claudeopsctl)"  # behind a unix user, who asked by the daemon's socket
RULES = "rules"  # where no person decided
DAEMON = "daemon"  # what it does by itself
SCHEDULE = "schedule"
UNKNOWN = "unknown"
PARTS = (RULES, DAEMON, SCHEDULE, UNKNOWN)
