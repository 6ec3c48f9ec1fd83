"""rsync, scp and sftp: copies between hosts. A path on another host is judged by its name alone."""

import re

from daemon.limits.command import Command, Program
from daemon.limits.kinds import Found, Kind
from daemon.limits.options import Given, options, read
from daemon.limits.programs.entries import elsewhere, worse, writes_below
from daemon.limits.words import NotUnderstood, Word, literal

_REMOTE = re.compile(r"(?:scp|sftp|rsync)://[^/]*(?P<url>/.*)?|[^/:]*::?(?P<path>.*)", re.DOTALL)
# ssh's options that run nothing and read nothing.
_SSH_OPTIONS = re.compile(
    r"(BatchMode|ConnectTimeout|ConnectionAttempts|StrictHostKeyChecking|ServerAlive\w+|LogLevel|User|Port|Compression"
    r"|IdentitiesOnly)(=|\s+)[\w.:+-]+|UserKnownHostsFile(=|\s+)/dev/null",
    re.IGNORECASE,
)


def copied(command: Command, operands: list[Word], *, tree: bool) -> list[Found]:
    """What copying all operands but the last into that one means."""
    if len(operands) < 2:
        return [] if operands else command.unknown("nothing to copy")
    *sources, into = operands
    found: list[Found] = []
    for word in sources:
        where, path = _where(command, word)
        found += where.reads_below(path) if tree else where.reads(path)
    where, path = _where(command, into)
    found += where.writes([path])
    for word in sources:
        name = (word.text or "x").rstrip("/").rpartition("/")[2].rpartition(":")[2]
        if path.text is not None and name:
            found += worse(where.writes([literal(f"{path.text}/{name}")]))
    if tree:
        found += worse(writes_below(where, [path]))
    return list(dict.fromkeys(found))


def _where(command: Command, word: Word) -> tuple[Command, Word]:
    """Where the path lies that an operand names, and the path."""
    if word.text is None:
        raise NotUnderstood("an argument can't be told")
    match = _REMOTE.fullmatch(word.text)
    if match is None:
        return command, word
    path = match["url"] or match["path"] or "."
    if not re.fullmatch(r"[\w./@%+=:,~-]+", path):
        raise NotUnderstood("a path that a shell on the other host may read")
    return elsewhere(command), literal(path)


_RSYNC = options(
    "-a -v -r -z -n -h -H -i -X -u -c -t -l -p -o -g -D -S -x -A -q -R -L -k -K -P -m -W -b -d -C -E -J -O -I -y -4 -6"
    " -s -f= -B= --archive --verbose --recursive --compress --dry-run --human-readable --stats --itemize-changes"
    " --checksum --progress --partial --exclude= --include= --bwlimit= --timeout= --chmod= --chown= --numeric-ids"
    " --inplace --ignore-existing --update --links --perms --times --owner --group --size-only --existing --quiet"
    " --one-file-system --relative --delete --delete-before --delete-after --delete-during --delete-delay"
    " --delete-excluded --delete-missing-args --remove-source-files --ignore-times --whole-file --port= --info="
    " --max-size= --min-size= --sparse --append --append-verify --hard-links --acls --xattrs --executability --devices"
    " --specials --omit-dir-times --prune-empty-dirs --copy-links --safe-links --max-delete= --contimeout= --mkpath"
)


def _rsync(command: Command) -> list[Found]:
    """Options by which it runs programs or takes names from files are not in the table."""
    negated = [word for word in command.args if re.fullmatch(r"--no-[a-z-]+", word.text or "")]
    given = read([word for word in command.args if word not in negated], _RSYNC)
    if any(word.text is None for word in given.operands):
        return command.unknown("an argument can't be told")
    if any(re.match(r"[:.!,\s]|merge|dir-merge|clear", value.text or ":") for value in given.values("-f")):
        raise NotUnderstood("a filter from a file")
    local = not any(_REMOTE.fullmatch(word.text or "") for word in given.operands)
    dry = given.has("-n", "--dry-run") and not negated
    if (local and dry) or len(given.operands) == 1:
        return [command.found(Kind.READ, "compares directories")]
    found = copied(command, given.operands, tree=True)
    if any(name.startswith(("--del", "--remove-s")) for name, _ in given.options):
        found = [*worse(found), command.found(Kind.DESTROY, "deletes files")]
    return found or [command.found(Kind.WRITE, "copies files")]


_SCP = options("-r -p -q -C -v -B -3 -4 -6 -O -T -R -P= -l= -c= -i= -o= -J=")


def _check(given: Given) -> None:
    if any(not _SSH_OPTIONS.fullmatch(value.text or "") for value in given.values("-o")):
        raise NotUnderstood("an option of ssh that may run something")
    if any(not re.fullmatch(r"[\w.][\w.@:,-]*", value.text or "") for value in given.values("-J")):
        raise NotUnderstood("a host on the way that can't be told")


def _scp(command: Command) -> list[Found]:
    given = read(command.args, _SCP)
    _check(given)
    return copied(command, given.operands, tree=given.has("-r"))


def _sftp(command: Command) -> list[Found]:
    """What it is told comes from its input or a file."""
    given = read(command.args, _SCP)
    _check(given)
    if len(given.operands) == 2 and not command.typed:
        return copied(command, given.operands, tree=given.has("-r"))
    return command.unknown("what it is told can't be told")


PROGRAMS: dict[str, Program] = {"rsync": _rsync, "scp": _scp, "sftp": _sftp}
