"""Database clients: a statement that plainly reads, on the command line or in a here-document."""

import re

from daemon.limits.command import Command, Program
from daemon.limits.kinds import Found, Kind
from daemon.limits.names import listed
from daemon.limits.options import options, read
from daemon.limits.programs.entries import pieces, reader, told, worse
from daemon.limits.words import NotUnderstood

_READING = re.compile(
    r"(select|show|explain|describe|desc|values|table|\\d(?!eu)[a-z]*[+S]*|\\l[+]?|\\conninfo|\\x|\\timing|status|\\s(?=\s*$)|\.tables|\.schema"
    r"|\.indexes|\.databases|pragma\s+(table_info|index_list|index_info|foreign_key_list|integrity_check|quick_check|page_count|journal_mode|database_list)\b)(?![\w.!])",
    re.IGNORECASE,
)
_DESTROYS = re.compile(r"\b(drop|truncate)\b", re.IGNORECASE)
_CHANGES = re.compile(
    r"(update|insert|delete|alter|create|grant|revoke|vacuum|analyze|reindex|set|merge|replace|kill|flush|optimize)\b",
    re.IGNORECASE,
)
# By which a change may be more than one of data.
_RUNS = re.compile(
    r"^\s*(grant|revoke)\b|^(alter|create)\s+(or\s+replace\s+)?(\w+\s+)?(system|role|user|group|extension|function|procedure"
    r"|language|server|subscription|event|trigger|aggregate|operator|cast)\b|^vacuum\b.*\binto\b|\b(program|copy|outfile"
    r"|dumpfile|load_\w+|lo_\w+|dblink\w*|pg_\w+|sys_\w+|readfile|writefile|edit|set_config)\b",
    re.IGNORECASE | re.DOTALL,
)
# Functions and clauses by which a reading statement acts, waits, or reads files. Anything called that isn't listed
# as harmless is refused.
_BARRED = re.compile(
    r"\b(into|for\s+update|for\s+share|outfile|dumpfile|program|copy|lo_\w+|dblink\w*|pg_read\w*|pg_ls\w*|pg_stat_file|pg_authid|pg_shadow"
    r"|pg_user_mappings?|user_mapping_options|pg_subscription|subconninfo|primary_conninfo|show\s+all|share|analyse|mysql\s*\.\s*user|from\s+user|authentication_string|load_file|benchmark|xp_\w+|nextval|setval|set_config|analyze|with|call|do|execute"
    r"|prepare|insert|update|delete|drop|truncate|alter|create|grant|returning|load_extension|readfile|writefile|edit|fts3_tokenizer)\b",
    re.IGNORECASE,
)
_HARMLESS_CALLS = listed(
    "count sum min max avg now age coalesce lower upper length round date date_trunc extract to_char"
    " pg_size_pretty pg_database_size pg_total_relation_size pg_relation_size pg_table_size"
    " pg_indexes_size pg_is_in_recovery current_database current_user version pg_last_wal_receive_lsn"
    " pg_last_wal_replay_lsn pg_last_xact_replay_timestamp pg_current_wal_lsn pg_wal_lsn_diff"
    " pg_blocking_pids concat substring substr left right trim ifnull nullif datediff timestampdiff"
    " table_info index_list index_info foreign_key_list"
    " unix_timestamp from_unixtime database in exists and or not on as when then over partition values"
    " distinct cast interval greatest least abs array_agg string_agg row_number rank lag lead group_concat"
    " json_extract datetime julianday strftime typeof all any filter pg_postmaster_start_time"
    " pg_backend_pid clock_timestamp current_setting from where using having by order"
    " numeric decimal varchar char timestamp interval"
)
# What may stand before a parenthesis that isn't a call's.
_OPENS = frozenset("(,=<>+-*/%|!~")
_QUOTED = re.compile(r"""'[^'\\]*'|"[^"\\]*\"""")
# Quotes of other kinds: $$…$$, U&"…".
_ODD = re.compile(r"""\$\w*\$|\bu&["']""", re.IGNORECASE)


_COMMENT = re.compile(r"--(?:[ \t][^\n]*|(?=\n|$))")


def _statement(statement: str) -> tuple[Kind, str]:
    """What one statement does."""
    text = _COMMENT.sub(" ", statement).strip()
    # Within quotes it is none, and to MySQL none without a blank.
    if _COMMENT.search(statement) and re.search(r"""['"`$]""", statement):
        return Kind.UNKNOWN, "a comment, or what looks like one"
    if "--" in text or "/*" in text or (text.startswith("\\") and not _READING.match(text)):
        return Kind.UNKNOWN, "a statement that can't be told"
    if re.match(r"pragma\b.*=", text, re.IGNORECASE | re.DOTALL):
        return Kind.CHANGE, "changes a database"
    if _DESTROYS.match(text):
        return Kind.DESTROY, "drops data"
    if re.match(r"delete\b(?!.*\bwhere\b)", text, re.IGNORECASE | re.DOTALL):
        return Kind.DESTROY, "deletes every row"
    if re.match(r"alter\b.*\bdrop\b", text, re.IGNORECASE | re.DOTALL):
        return Kind.DESTROY, "drops data"
    if _CHANGES.match(text) and _RUNS.search(text):
        return Kind.UNKNOWN, "a statement by which the server may run or read something, or let somebody in"
    if _CHANGES.match(text):
        return Kind.CHANGE, "changes data"
    bare = _QUOTED.sub(lambda match: "''" if match[0][0] == "'" else match[0][1:-1], text)
    odd = "\\" in bare[1:] or "`" in bare or "'" in bare.replace("''", "") or not bare.isascii()
    if (
        not _READING.match(text)
        or _BARRED.search(bare)
        or _BARRED.search(text.replace("'", ""))
        or not all(_opens_harmlessly(bare[: match.start()].rstrip()) for match in re.finditer(r"\(", bare))
        or _ODD.search(text)
        or odd
    ):
        return Kind.UNKNOWN, "a statement that does not plainly read"
    return Kind.READ, "a statement that only reads"


def _opens_harmlessly(before: str) -> bool:
    """Whether a parenthesis behind this calls nothing but what is known to be harmless."""
    name = re.search(r"[\w.$]+$", before)
    return name[0].lower() in _HARMLESS_CALLS if name else not before or before[-1] in _OPENS


def _statements(command: Command, texts: list[str]) -> list[Found]:
    found: list[Found] = []
    for text in texts:
        statements = [it for it in re.split(r";|\\G|\n(?=\\|\.)", text) if it.strip()]
        found += [command.found(*_statement(it)) for it in statements]
    return found or command.unknown("no statement")


_PSQL = options(
    "-h= -p= -U= -d= -c= -t -A -x -q -X -w -1 -F= -R= -P= -l -z -0 -V --host= --port= --username= --dbname="
    " --command= --tuples-only"
    "  --no-align --expanded --quiet --no-psqlrc --no-password --list --field-separator= --csv --pset="
    " --version -a -e -E -b -H -S -v= -W"
)


def _psql(command: Command) -> list[Found]:
    told(command)
    given = read(command.args, _PSQL)
    if given.has("-l", "--list", "-V", "--version") and not given.has("-c", "--command"):
        return [command.found(Kind.READ, "lists databases")]
    if given.has("-v") or any("pager" in (value.text or "pager").lower() for value in given.values("-P", "--pset")):
        raise NotUnderstood("an option that may run something")
    return _from(command, [value.text for value in given.values("-c", "--command")])


def _from(command: Command, texts: list[str | None]) -> list[Found]:
    """Statements on the command line, else in the here-document."""
    if None in texts:
        return command.unknown("which statement can't be told")
    known = [text for text in texts if text is not None]
    if not known and command.stdin is not None:
        known = [command.stdin]
    return _statements(command, known)


_MYSQL = options(
    "-h= -P= -u= -p?= -D= -e= -N -B -s -t -E -G -S= -b -r -v --host= --port= --user= --password?= --database="
    " --execute= --batch --silent"
    "  --skip-column-names --table --vertical --version -V --protocol= --ssl-mode= --connect-timeout= -A"
    " --no-auto-rehash"
)


def _mysql(command: Command) -> list[Found]:
    told(command)
    given = read(command.args, _MYSQL)
    if given.has("--version", "-V"):
        return [command.found(Kind.READ, "prints its version")]
    texts = [value.text for value in given.values("-e", "--execute")]
    if not texts and command.stdin is not None:
        texts = [command.stdin]
    if any("#" in (text or "") for text in texts):
        raise NotUnderstood("a comment, or what looks like one")
    # The client's own commands, among them `system` and `\!`, may stand anywhere in a line.
    if any(
        re.search(r"\\[^GsS]|\b(system|source|tee|pager|edit|delimiter)\b", text or "\\!", re.IGNORECASE)
        for text in texts
    ):
        raise NotUnderstood("a client's command")
    return _from(command, texts)


def _mysqladmin(command: Command) -> list[Found]:
    told(command)
    given = read(
        command.args,
        options(
            "-h= -P= -u= -p?= -S= -i= -r -v -s --host= --port= --user= --password?= --socket= --sleep="
            " --connect-timeout="
        ),
    )
    if {word.text for word in given.operands} <= {"ping", "status", "processlist", "version", "extended-status"}:
        return [command.found(Kind.READ, "looks at a database")]
    return [command.found(Kind.CHANGE, "changes a database server")]


def _sqlite(command: Command) -> list[Found]:
    table = (
        "-readonly -json -csv -line -column -header -noheader -list -batch -box -table"
        " -markdown -separator= -cmd= -version -init="
    )
    given = read(command.args, options(table), single_dash=True)
    if given.has("-version"):
        return [command.found(Kind.READ, "prints its version")]
    if given.has("-cmd", "-init") or not given.operands:
        raise NotUnderstood("commands from elsewhere")
    database, *texts = given.operands
    # A file that isn't there is made: harmless, and not at /etc/nologin.
    made = [] if given.has("-readonly") or database.text == ":memory:" else worse(command.writes([database]))
    return (command.reads(database) or made) + _from(command, [word.text for word in texts])


def _dumps(command: Command) -> list[Found]:
    """A copy of all data, to where it is printed or into the files it names."""
    named = [word for word in pieces(command.args) if word.text is not None]
    return [command.found(Kind.WRITE, "copies a database out"), *(worse(command.writes(named)) if named else [])]


def _always(kind: Kind, reason: str) -> Program:
    return lambda command: [command.found(kind, reason)]


PROGRAMS: dict[str, Program] = {
    "psql": _psql,
    "mysql": _mysql,
    "mariadb": _mysql,
    "sqlite3": _sqlite,
    "pg_isready": reader("asks whether a database answers", fixed=True),
    "mysqladmin": _mysqladmin,
    "dropdb": _always(Kind.DESTROY, "drops a database"),
    "dropuser": _always(Kind.CHANGE, "drops a user"),
    "createdb": _always(Kind.CHANGE, "makes a database"),
    "pg_restore": _always(Kind.DESTROY, "restores over a database"),
    "pg_dump": _dumps,
    "mysqldump": _dumps,
    "pg_ctl": _always(Kind.CHANGE, "changes a database server"),
    "vacuumdb": _always(Kind.CHANGE, "changes a database"),
    "mongodump": _dumps,
    "mongorestore": _always(Kind.DESTROY, "restores over a database"),
}
