"""The forms that most entries of the programs' tables have: readers, changers, and dispatch by sub-command."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from daemon.limits import paths
from daemon.limits.command import Command, Program, named
from daemon.limits.kinds import Found, Kind
from daemon.limits.options import Options, options, read
from daemon.limits.words import Hole, NotUnderstood, Word, literal

NOTHING = options("")
# Kinds that a file which a command names may make worse.
_MILD = frozenset({Kind.RESTART, Kind.REDEPLOYMENT, Kind.CHANGE, Kind.WRITE, Kind.PACKAGE, Kind.UNKNOWN})


def reader(
    reason: str, table: str | None = None, *, files: bool = False, tree: str = "", fixed: bool = False
) -> Program:
    """A program that only looks. `table`: the options that are understood; None where none of all it has does harm.

    `files`: it prints what is in the files it names. `tree`: options that make it print whole directories.
    `fixed`: every word must be known, as for what goes out to the network.
    """
    known = options(table) if table is not None else None
    recursive = options(tree).flags

    def judge(command: Command) -> list[Found]:
        if fixed and any(word.text is None and not _is_harmless(word) for word in command.args):
            return command.unknown("an argument that can't be told may carry anything out")
        words: list[Word] = list(command.args)
        if known is not None:
            given = read(command.args, known)
            words = given.operands + [value for _, value in given.options if value is not None]
        found = printed(command, words, below=below(command, recursive)) if files else []
        return found or [command.found(Kind.READ, reason)]

    return judge


def below(command: Command, recursive: frozenset[str]) -> bool:
    """Whether one of the options is given, alone, spelt short in a bundle, or perhaps through a hole."""
    letters = {flag[1] for flag in recursive if len(flag) == 2}
    for word in command.args:
        if word.text is None and word.may_be_option and not word.prefix and recursive:
            return True
        text = word.prefix
        if any(flag.startswith(text.split("=")[0]) and len(text) > 3 for flag in recursive if flag.startswith("--")):
            return True
        if text.startswith("-") and not text.startswith("--") and letters & set(text[1:]):
            return True
    return False


def printed(command: Command, words: list[Word], *, below: bool = False) -> list[Found]:
    """What it means to print the files that words name, as operands or attached to options."""
    found: list[Found] = []
    for word in words:
        prefix = word.prefix
        if prefix.startswith("--") and "=" in prefix:
            word = word.cut(prefix.index("=") + 1)
        elif prefix.startswith("-") and word.text is not None:
            found += [] if "/" not in prefix else command.reads(word.cut(2))
            continue
        found += command.reads_below(word) if below else command.reads(word)
    return found


def _is_harmless(word: Word) -> bool:
    return not word.splits and all(isinstance(part, str) or part is Hole.NUMBER for part in word.parts)


def told(command: Command) -> None:
    """Raises NotUnderstood where a word that goes out to another host can't be told: it may carry anything out."""
    for word in command.args:
        if word.text is None and not _is_harmless(word):
            raise NotUnderstood(f"{word.show()}, which may carry anything out")


def elsewhere(command: Command) -> Command:
    """The same where nothing that is known of files here holds: on another host, in a container."""
    return replace(command, frame=replace(command.frame, local=False, directories=("",)))


def writes_below(command: Command, words: Iterable[Word]) -> list[Found]:
    """What writing any files below the directories that words name means; below where it stands without any."""
    state = command.frame.state_dir if command.frame.local else ""
    words = list(words) or [literal(".")]
    return [command.found(*paths.judge_write_below(word, command.frame.directories, state)) for word in words]


def worse(found: Iterable[Found]) -> list[Found]:
    """What of that is more than a file written."""
    return [it for it in found if it.kind is not Kind.WRITE]


def pieces(words: Iterable[Word]) -> list[Word]:
    """What in words may be a path: themselves, and what stands behind `=`, `:`, `,`, `@` or a short option's letter."""
    found: list[Word] = []
    for word in words:
        text = word.text
        if text is None:
            found.append(word)
            continue
        texts = [text, *re.split("[=:,;@]", text), *([text[2:]] if re.match("-[A-Za-z]", text) else [])]
        found += [literal(piece) for piece in dict.fromkeys(texts) if re.match(r"[/~]|\.\.?/|.*/\.\.", piece)]
    return found


def touched(command: Command, *, reads: bool = False) -> list[Found]:
    """What it means that a command may use the files it names, wherever among its words: the daemon's own are no
    session's affair. `reads`: it carries them somewhere, so that they may not hold credentials."""
    state = command.frame.state_dir if command.frame.local else ""
    found: list[Found] = []
    for word in pieces(command.args):
        if word.text is not None and paths.is_daemons(word, command.frame.directories, state):
            found.append(command.found(Kind.STEER, f"names {word.show()}, which belongs to the daemon"))
        elif reads and word.text is not None:
            found += [it for it in command.reads(word) if it.kind is Kind.SECRET]
    return found


def acts(kind: Kind, reason: str, *, targets: str = "", table: str | None = None, files: bool = False) -> Program:
    """A program that changes something. `targets`: "each" operand is one, the "first" is, or there is none.

    `table`: options that are understood; with any other the target isn't known, and what it does is not understood.
    `files`: it carries the files it names elsewhere.
    """
    known = options(table) if table is not None else None

    def judge(command: Command) -> list[Found]:
        more = touched(command, reads=files) if kind in _MILD else []
        if known is None:
            return [command.found(kind, reason), *more]
        operands = read(command.args, known).operands
        counted = {"first": operands[:1], "each": operands}.get(targets, [])
        return more + ([command.found(kind, reason, named(it)) for it in counted] or [command.found(kind, reason)])

    return judge


def verbs(
    table: Mapping[str, Program], before: Options = NOTHING, *, bare: Program | None = None, helps: bool = True
) -> Program:
    """Dispatch by sub-command. `before`: options that may stand in front of it. `bare`: without any sub-command."""

    def judge(command: Command) -> list[Found]:
        given = read(command.args, before, first=True)
        if not given.operands:
            texts = {name for name, _ in given.options}
            if bare is not None:
                return bare(command)
            if helps and (not command.args or texts & {"--help", "--version", "-h", "-V"}):
                return [command.found(Kind.READ, "prints its help")]
            return command.unknown(f"{command.name} without a sub-command")
        name = given.operands[0].text
        if name is None or name not in table:
            raise NotUnderstood(f"{name or given.operands[0].show()} is no sub-command that is known here")
        return table[name](command.renamed(given.operands[1:], *(command.path or (command.name,)), name))

    return judge


def every(names: str, program: Program) -> dict[str, Program]:
    """The same entry for several names."""
    return dict.fromkeys(names.split(), program)
