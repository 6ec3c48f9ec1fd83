"""find and xargs: what they run, with holes where they will put the names of files or words of their input."""

from daemon.limits.command import Command, Program
from daemon.limits.kinds import Found, Kind
from daemon.limits.names import listed
from daemon.limits.options import options, read
from daemon.limits.words import MANY, Hole, NotUnderstood, Word


def _find(command: Command) -> list[Found]:
    words = list(command.args)
    roots: list[Word] = []
    while (
        words
        and (not words[0].may_be_option or words[0].text in {"-L", "-H", "-P"})
        and words[0].text not in {"!", "("}
    ):
        word = words.pop(0)
        if not word.may_be_option:
            roots.append(word)
    found: list[Found] = []
    while words:
        word = words.pop(0)
        text = word.text
        if text in {"-exec", "-execdir", "-ok", "-okdir"}:
            found += _find_exec(command, words, roots, text)
        elif text in {"-delete", "-fprint", "-fprint0", "-fprintf", "-fls"}:
            found += _find_writes(command, words, roots, text)
        elif text in _FIND:
            if any(value.splits for value in words[: _FIND[text]]):
                raise NotUnderstood("an argument that may become several")
            del words[: _FIND[text]]
        else:
            raise NotUnderstood(f"the test {word.show()}")
    return found or [command.found(Kind.READ, "looks for files")]


# find: tests and actions that only look; how many words each takes.
_FIND = {
    **dict.fromkeys(listed(
        "-name -iname -path -ipath -wholename -regex -iregex -type -xtype -size -mtime -mmin -atime -amin -ctime"
        " -cmin -user -group -uid -gid -perm -newer -anewer -cnewer -maxdepth -mindepth -printf -links -inum"
        " -samefile -fstype -lname -ilname -newermt -used -regextype -context -newerct -newerat"
    ), 1),
    **dict.fromkeys(listed(
        "-print -print0 -ls -prune -quit -empty -readable -writable -executable -nouser -nogroup -true -false"
        " -not -a -and -o -or -follow -depth -d -mount -xdev -daystart -noleaf -ignore_readdir_race -nowarn -warn"
        " ! ( ) ,"
    ), 0),
}  # fmt: skip


def _find_writes(command: Command, words: list[Word], roots: list[Word], action: str) -> list[Found]:
    if action == "-delete":
        own = [it for it in command.writes(roots) if it.kind is Kind.STEER]
        return [*own, command.found(Kind.DESTROY, "deletes files")]
    count = 2 if action == "-fprintf" else 1
    if len(words) < count:
        return [command.found(Kind.WRITE, "writes a file")]
    if any(word.splits for word in words[:count]):
        raise NotUnderstood(f"which file {action} writes can't be told")
    written, words[:count] = words[:1], []
    return command.writes(written)


def _find_exec(command: Command, words: list[Word], roots: list[Word], action: str) -> list[Found]:
    end = next(
        (at for at, word in enumerate(words) if word.text == ";" or (word.text == "+" and words[at - 1].text == "{}")),
        None,
    )
    if end is None:
        raise NotUnderstood(f"where {action} ends")
    inner, words[: end + 1] = words[:end], []
    if any(
        word.splits or (word.text is None and not word.prefix and word.parts[0] is not Hole.NUMBER) for word in inner
    ):
        raise NotUnderstood(f"a word that may end {action}")
    frame = command.frame.within(f"find {action}")
    if not inner:
        return command.unknown(f"{action} without a command")
    found: list[Found] = []
    for root in roots or [Word((".",))]:
        below = root.text if root.text is not None and "execdir" not in action and "okdir" not in action else None
        filled = [_below(word, below) for word in inner]
        found += command.inner.argv(filled, frame)
    return found


def _below(word: Word, root: str | None) -> Word:
    if root is None or word.text != "{}":
        return _filled(word, "{}", Hole.ANY)
    return Word((root.rstrip("/") + "/", Hole.BELOW), False, "{}")


def _xargs(command: Command) -> list[Found]:
    """Words from the input come last, or in the place of the -I word."""
    given = read(command.args, _XARGS, first=True)
    words = list(given.operands) or [Word(("echo",))]
    if given.has("-a", "--arg-file"):
        raise NotUnderstood("arguments from a file")
    # Bare -i and --replace stand for {}; which of several counts is not worth knowing.
    marks = [
        value.text if value is not None else "{}" for name, value in given.options if name in {"-I", "-i", "--replace"}
    ]
    if None in marks or len(marks) > 1:
        raise NotUnderstood("what stands for the input can't be told")
    frame = command.frame.within("xargs")
    if marks:
        return command.inner.argv([_filled(word, marks[-1] or "{}", Hole.ANY) for word in words], frame)
    return command.inner.argv([*words, MANY], frame)


_XARGS = options(
    "-0 -r -t -x -p -n= -L= -P= -s= -d= -E= -I= -a= -i --null --no-run-if-empty --verbose --max-args="
    " --max-procs= --max-lines?="
    " --delimiter= --replace?= --arg-file= --exit --interactive --max-chars="
)


def _filled(word: Word, mark: str, hole: Hole) -> Word:
    """A word with a hole in each place of a mark."""
    if word.text is None or mark not in word.text:
        return word
    parts: list[str | Hole] = []
    for piece in word.text.split(mark):
        parts += [hole, piece]
    return Word(tuple(part for part in parts[1:] if part != ""), False, word.text)


PROGRAMS: dict[str, Program] = {"find": _find, "xargs": _xargs}
