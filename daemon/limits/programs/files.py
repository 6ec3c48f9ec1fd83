"""What changes files: copying, moving, removing, permissions, archives."""

import posixpath
import re

from daemon.limits.command import Command, Program
from daemon.limits.kinds import Found, Kind
from daemon.limits.options import options, read
from daemon.limits.programs.entries import acts, every
from daemon.limits.words import NotUnderstood, Word


def _writes(command: Command) -> list[Found]:
    """cp, mv, ln and their like: each operand may be what is written, or taken away."""
    operands = [word for word in command.args if not word.prefix.startswith("-")]
    if command.name in {"mv", "unlink"} and any(is_root(it, command.frame.directories) for it in operands):
        return [command.found(Kind.DESTROY, "takes away what the machine needs")]
    written = (
        operands if command.name in {"mv", "touch", "truncate", "mkdir", "unlink", "rename", "mknod"} else operands[-1:]
    )
    for word in command.args:
        if word.prefix.startswith(("-t", "--target", "--reference")):
            written = list(command.args)
    return command.writes(written)


# Directories that a machine or a service can't lose.
_ROOTS = re.compile(
    r"/|~|\.|\.\.|/(bin|boot|dev|etc|home|lib\w*|media|mnt|opt|proc|root|run|sbin|srv|state|sys|usr|var|data|results|repos)(/[^/]+)?"
    r"|/var/log|/var/(lib|www|spool|backups?)(/[^/]+)?|/(usr|etc|boot|bin|sbin|lib\w*|dev|proc|sys)(/.*)?|~/?[^/]*|/home/[^/]+"
)


def is_root(word: Word, directories: tuple[str, ...] = ("",)) -> bool:
    """Whether removing what a word names takes more than a file or two; if it can't be told, it does."""
    if word.text is None:
        return word.is_open or word.prefix.count("/") < 3
    if not word.text or ((word.text.startswith("..") or "?" in directories) and not word.text.startswith("/")):
        return True
    paths = [posixpath.normpath(posixpath.join(directory, word.text)).replace("//", "/") for directory in directories]
    return any(_ROOTS.fullmatch(path) for path in paths)


def _rm(command: Command) -> list[Found]:
    recursive = any(
        (word.may_be_option and not word.prefix) or re.match(r"-\w*[rR]|--r|--no-p", word.prefix)
        for word in command.args
    )
    operands = [word for word in command.args if not word.prefix.startswith("-")]
    if recursive and (any(is_root(word, command.frame.directories) for word in operands) or not operands):
        return [command.found(Kind.DESTROY, "removes whole directories")]
    if any("/dev/" in word.prefix or word.text in {"/", "/*"} for word in operands):
        return [command.found(Kind.DESTROY, "removes what the machine needs")]
    return [it._replace(reason="removes files") if it.kind is Kind.WRITE else it for it in command.writes(operands)]


def _dd(command: Command) -> list[Found]:
    outputs = [word for word in command.args if word.prefix.startswith("of=") or word.text is None]
    inputs = [word.cut(3) for word in command.args if word.prefix.startswith("if=")]
    found = [it for word in inputs if word.text not in {"/dev/zero", "/dev/urandom"} for it in command.reads(word)]
    if any(word.text is None or "/dev/" in word.text.replace("/dev/null", "") for word in outputs):
        return [command.found(Kind.DESTROY, "writes to a disk")]
    if any(word.text != "of=/dev/null" for word in outputs):
        return [command.found(Kind.WRITE, "writes a file")]
    return found or [command.found(Kind.READ, "reads a file")]


def _tar(command: Command) -> list[Found]:
    args = list(command.args)
    if any(re.match(r"--(to-c|checkpoint-a|use-c|rsh|info-s|new-v|I)|-\w*[IF]", word.prefix) for word in args):
        return command.unknown("tar that runs a program")
    if any(word.text is None and not word.prefix for word in args):
        raise NotUnderstood("an option that can't be told")
    if args and not args[0].prefix.startswith("-"):
        args[0] = Word(("-" + (args[0].text or "?"),))
    given = read(
        args,
        options(
            "-t -v -z -j -J -a -f= -C= --list --verbose --gzip --file= --directory= --zstd --xz --bzip2 --exclude= -O"
            " --strip-components= --wildcards -x -c -r -u -p -k --create --extract --append --update -h -P"
        ),
    )
    if given.has("-t", "--list") and not given.has(
        "-x", "-c", "-r", "-u", "--create", "--extract", "--append", "--update"
    ):
        if any(":" in (value.text or ":") for value in given.values("-f", "--file")):
            return command.unknown("an archive on another host")
        return [command.found(Kind.READ, "lists an archive")]
    return [command.found(Kind.WRITE, "writes files")]


def _lists(reads: str) -> Program:
    """Archivers that only look with one of these options."""
    pattern = re.compile(reads)

    def judge(command: Command) -> list[Found]:
        first = command.args[0] if command.args else None
        if (
            first is not None
            and pattern.fullmatch(first.text or "")
            and not any(w.may_be_option for w in command.args[1:])
        ):
            return [command.found(Kind.READ, "lists an archive")]
        return [command.found(Kind.WRITE, "writes files")]

    return judge


def _rsync(command: Command) -> list[Found]:
    if any(
        re.match(r"-\w*e|--rsh|--rsync-p|--daemon|-M|--remote-o|--files-from|--log-f|--early", word.prefix)
        for word in command.args
    ):
        return command.unknown("rsync that runs a program")
    if any(word.text is None for word in command.args):
        return command.unknown("an argument can't be told")
    allowed = r"-[aAvrnzhHiXuctlpogDSx]+|--(dry-run|stats|itemize-changes|delete|exclude=.*|checksum|archive|verbose)"
    given = [word.text or "" for word in command.args if word.may_be_option]
    dry = any(re.fullmatch(r"-\w*n\w*|--dry-run", text) for text in given)
    local = not any(":" in (word.text or "") for word in command.args)
    if dry and local and all(re.fullmatch(allowed, text) for text in given):
        return [command.found(Kind.READ, "compares directories")]
    deletes = any((word.text or "").startswith("--del") for word in command.args)
    return [command.found(Kind.DESTROY if deletes else Kind.WRITE, "copies files")]


def _chmod(command: Command) -> list[Found]:
    recursive = any(re.match(r"-\w*R|--recursive", word.prefix) for word in command.args)
    operands = [word for word in command.args[1:] if not word.prefix.startswith("-")]
    if recursive and any(is_root(word, command.frame.directories) for word in operands):
        return [command.found(Kind.DESTROY, "changes the rights of whole directories")]
    worse = [it for it in command.writes(operands) if it.kind in {Kind.HOST, Kind.DESTROY}]
    return worse or [command.found(Kind.CHANGE, "changes who may use files")]


PROGRAMS: dict[str, Program] = {
    **every(
        "cp mv ln mkdir rmdir touch truncate install unlink mktemp mkfifo mknod fallocate rename scp chattr", _writes
    ),
    **every("gunzip bunzip2 unxz cpio ar zip bzip2 zstd pigz sponge dos2unix", _writes),
    **every("chown chmod chgrp", _chmod),
    "rm": _rm,
    "dd": _dd,
    "tar": _tar,
    "rsync": _rsync,
    "unzip": _lists("-[lvtZ]+"),
    "zipinfo": _lists(r"[^-].*"),
    "gzip": _lists("-l|--list|-t|-lv"),
    "xz": _lists("-l|--list|-t"),
    "sync": acts(Kind.CHANGE, "writes what is buffered"),
}
