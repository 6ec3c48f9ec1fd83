"""What changes files one by one: copying, moving, removing, permissions. Each operand and each option that names a
file counts: what is written, and what is carried away."""

import posixpath
import re

from daemon.limits.command import Command, Program
from daemon.limits.kinds import Found, Kind
from daemon.limits.options import options, read
from daemon.limits.programs.entries import every, touched, worse, writes_below
from daemon.limits.words import NotUnderstood, Word, literal

_COPY = options(
    "-a -b -d -f -i -H -l -L -n -P -p -R -r -s -T -u -v -x -Z -S= -t= --archive --backup?= --attributes-only --force"
    " --interactive --link --dereference --no-dereference --no-clobber --preserve?= --no-preserve="
    " --recursive --reflink?= --remove-destination --sparse= --strip-trailing-slashes --symbolic-link --suffix="
    " --target-directory= --no-target-directory --update?= --verbose --one-file-system --symbolic --relative"
    " --logical --physical"
)
_INSTALL = options(
    "-b -c -C -d -D -p -s -T -v -m= -o= -g= -S= -t= --backup?= --compare --directory --group= --mode= --owner="
    " --preserve-timestamps --strip --suffix= --target-directory= --no-target-directory --verbose"
)
_TREES = ("-r", "-R", "-a", "--recursive", "--archive")


def _copies(command: Command) -> list[Found]:
    """cp, mv, ln and install: from all operands but the last, or into -t."""
    given = read(command.args, _INSTALL if command.name == "install" else _COPY)
    sources, into = list(given.operands), given.values("-t", "--target-directory")
    if any("/" in (value.text or "/") for value in given.values("-S", "--suffix")):
        raise NotUnderstood("copies in another directory")
    if command.name == "install" and given.has("-d", "--directory"):
        return command.writes(sources)
    alone = len(sources) == 1 and not into  # `ln file` makes a link of that name where it stands
    if not into:
        kept = alone and command.name == "ln"
        into, sources = ([literal(_last_name(sources[0]))], sources) if kept else (sources[-1:], sources[:-1])
    if not into:
        return command.unknown("nothing to copy")
    moves = command.name == "mv"
    if moves and any(is_root(it, command.frame.directories) for it in sources):
        return [*steered(command.writes(sources)), command.found(Kind.DESTROY, "takes away what the machine needs")]
    tree = given.has(*_TREES)
    found = [it for word in sources for it in (command.reads_below if tree else command.reads)(word)]
    if command.name != "ln" and not tree and len(sources) == len(into) == 1 and _stays(command, sources[0], into[0]):
        found = []
    if moves:
        found += worse(command.writes(sources))
    # What is written may be a directory: then the file gets the name that it had.
    found += command.writes(into)
    for place in into:
        named = [_within(place, word) for word in sources if place.text]
        found += worse(command.writes(named)) if named else []
        found += worse(writes_below(command, [place, *named])) if tree else []
    return _unique(found)


_CERTIFICATE = re.compile(r".*\.(pem|key|crt|cer)", re.IGNORECASE)


def _stays(command: Command, source: Word, place: Word) -> bool:
    """Whether a file with credentials stays where it was as guarded: under a name that no session reads either, in the
    same directory, or, for a certificate, in one above it, where those that are in use lie."""
    if not source.text or not place.text or ".." in source.text + place.text:
        return False
    if not source.text.startswith("/") or not place.text.startswith("/") or place.text.endswith("/"):
        return False
    if any(it.kind is not Kind.SECRET for it in [*command.reads(source), *command.reads(place)]):
        return False
    before, after = posixpath.dirname(source.text), posixpath.dirname(place.text)
    above = before.startswith(after + "/") and all(_CERTIFICATE.fullmatch(it) for it in (source.text, place.text))
    return bool(command.reads(place)) and (before == after or (above and after.count("/") > 1))


def _last_name(word: Word) -> str:
    return (word.text or "x").rstrip("/").rpartition("/")[2]


def _within(place: Word, source: Word) -> Word:
    return literal(posixpath.join(place.text or "", _last_name(source)))


def _unique(found: list[Found]) -> list[Found]:
    return list(dict.fromkeys(found))


def _writes_each(table: str, places: tuple[str, ...] = ()) -> Program:
    """A program that writes each of its operands, and below what the options of `places` name."""
    known = options(table)

    def judge(command: Command) -> list[Found]:
        given = read(command.args, known)
        words = given.operands + given.values(*places)
        if command.name == "unlink" and any(is_root(it, command.frame.directories) for it in words):
            return [command.found(Kind.DESTROY, "takes away what the machine needs")]
        return command.writes(words)

    return judge


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


def steered(found: list[Found]) -> list[Found]:
    """What of that is the daemon's own."""
    return [it for it in found if it.kind is Kind.STEER]


def _rm(command: Command) -> list[Found]:
    recursive = any(
        (word.may_be_option and not word.prefix) or re.match(r"-\w*[rR]|--r|--no-p", word.prefix)
        for word in command.args
    )
    operands = [word for word in command.args if not word.prefix.startswith("-")]
    own = steered(command.writes(operands))
    if recursive and (any(is_root(word, command.frame.directories) for word in operands) or not operands):
        return [*own, command.found(Kind.DESTROY, "removes whole directories")]
    if any("/dev/" in word.prefix or word.text in {"/", "/*"} for word in operands):
        return [*own, command.found(Kind.DESTROY, "removes what the machine needs")]
    return [it._replace(reason="removes files") if it.kind is Kind.WRITE else it for it in command.writes(operands)]


_SINKS = frozenset({"/dev/null", "/dev/stdout", "/dev/stderr"})
_SOURCES = frozenset({"/dev/zero", "/dev/urandom", "/dev/random", "/dev/stdin"})


def _dd(command: Command) -> list[Found]:
    if any(word.text is None and not re.match(r"(if|of|bs|count|seek|skip)=", word.prefix) for word in command.args):
        return [command.found(Kind.DESTROY, "may write to a disk")]
    inputs = [word.cut(3) for word in command.args if word.prefix.startswith("if=")]
    outputs = [word.cut(3) for word in command.args if word.prefix.startswith("of=")]
    found = [it for word in inputs if word.text not in _SOURCES for it in command.reads(word)]
    outputs = [word for word in outputs if word.text not in _SINKS]
    if any(word.is_open for word in outputs):
        return [*found, command.found(Kind.DESTROY, "may write to a disk")]
    found += command.writes(outputs) if outputs else []
    return found or [command.found(Kind.READ, "reads a file")]


_MODE = re.compile(r"[-+=][rwxXstugoaAcCdDeijPmSTuF]+")
_RIGHTS = (
    "-R -v -c -f -h -H -L -P -b -k -d -n --recursive --verbose --changes --silent --quiet --no-dereference"
    " --dereference --preserve-root --no-preserve-root --reference= --from="
)
_ACLS = " -m= -x= --modify= --remove= --set= --remove-all --remove-default --default --mask --physical --logical"


# Who runs such a file is its owner.
_LENDS = re.compile(r"0*[2-7]\d{3}|[ugoa,rwxXt+=-]*[+=][rwxXt]*s.*|--reference.*")


def _rights(command: Command) -> list[Found]:
    """chmod, chown, chgrp, setfacl and chattr: who may use files, and how."""
    words = [word for word in command.args if not _MODE.fullmatch(word.text or "") or word.text in {"-R", "-m", "-x"}]
    modes = len(command.args) - len(words)
    if command.name == "chmod":  # its -x takes nothing: it is a mode
        words, modes = [it for it in words if it.text != "-x"], modes + sum(it.text == "-x" for it in words)
    given = read(words, options(_RIGHTS + (_ACLS if command.name == "setfacl" else "")))
    first = 0 if command.name in {"setfacl", "chattr"} or modes or given.has("--reference") else 1
    operands = given.operands[first:]
    written = command.writes(operands)
    if given.has("-R", "--recursive"):
        if any(is_root(word, command.frame.directories) for word in operands):
            return [*steered(written), command.found(Kind.DESTROY, "changes the rights of whole directories")]
        written += worse(writes_below(command, operands))
    lends = command.name == "chmod" and any(_LENDS.fullmatch(word.text or "+s") for word in command.args)
    if lends or any(re.fullmatch(r"/+|~", word.text or "") for word in operands):
        return [*steered(written), command.found(Kind.HOST, "lends the rights of a file's owner, or opens all")]
    return _unique(worse(written)) or [command.found(Kind.CHANGE, "changes who may use files")]


def _mknod(command: Command) -> list[Found]:
    given = read(command.args, options("-m= --mode="))
    if len(given.operands) == 2 and given.operands[1].text == "p":
        return command.writes(given.operands[:1])
    return [command.found(Kind.HOST, "makes a device")]


def _rename(command: Command) -> list[Found]:
    """One of its kinds runs its first operand as Perl."""
    given = read(command.args, options("-v -n -f -o -s --verbose --no-act --force"))
    text = given.operands[0].text if given.operands else None
    if text is None or not re.fullmatch(r"[.\w-]*|s/[\w.^\\*+ -]*\$?/[\w.-]*/[gi]*", text):
        raise NotUnderstood("an expression that may run something")
    return command.writes(given.operands[1:])


def _sync(command: Command) -> list[Found]:
    return [*touched(command), command.found(Kind.CHANGE, "writes what is buffered")]


PROGRAMS: dict[str, Program] = {
    **every("cp mv ln install", _copies),
    **every("mkdir rmdir", _writes_each("-p -v -m= --parents --verbose --mode= --ignore-fail-on-non-empty")),
    "touch": _writes_each("-a -m -c -f -h -t= -d= -r= --date= --reference= --time= --no-create --no-dereference"),
    "truncate": _writes_each("-c -o -s= -r= --size= --reference= --no-create --io-blocks"),
    "fallocate": _writes_each("-l= -o= -n -p -d -c -z -v -x --length= --offset= --keep-size --punch-hole --dig-holes"),
    "mktemp": _writes_each("-d -u -q -t --directory --dry-run --quiet --suffix= -p= --tmpdir?=", ("-p", "--tmpdir")),
    "mkfifo": _writes_each("-m= --mode="),
    "unlink": _writes_each(""),
    "sponge": _writes_each("-a"),
    "dos2unix": _writes_each("-k -o -n -q -b -f -s -ascii -iso"),
    "mknod": _mknod,
    "rename": _rename,
    **every("chown chmod chgrp setfacl chattr", _rights),
    "rm": _rm,
    "dd": _dd,
    "sync": _sync,
}  # fmt: skip
