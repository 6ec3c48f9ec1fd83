"""One simple command as a program's table sees it: its words, where they run, and a way to have inner commands judged.

`shell` makes them; the modules in `programs` and `wrappers` answer with what they found.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from daemon.limits import paths
from daemon.limits.kinds import DYNAMIC, Found, Kind
from daemon.limits.words import Word, show

# A command that changes what runs and names the daemon would end or change the one who judges it.
_STEERING = frozenset({Kind.RESTART, Kind.REDEPLOYMENT, Kind.CHANGE})
_DAEMON = re.compile(r"(?<![/\w])claude-?ops(?!/)|(?<![/\w-])claude(?![-\w/])", re.IGNORECASE)


_ANYWHERE = ("", "/")


@dataclass(frozen=True)
class Frame:
    """Where a command runs: the wrappers around it, outermost first, the host, and how deep it is nested.

    `posix`: its scripts are read by a shell that may not be bash. `piped`: another command writes its standard input.
    `script_input`: its standard input is the script that the shell around it reads. `empty_input`: no more than a line
    that says nothing comes from there.
    """

    through: tuple[str, ...] = ()
    host: str | None = None
    depth: int = 0
    local: bool = True
    directories: tuple[str, ...] = ("",)
    state_dir: str = ""
    posix: bool = False
    piped: bool = False
    script_input: bool = False
    empty_input: bool = False

    def within(
        self,
        wrapper: str,
        *,
        host: str | None = None,
        remote: bool = False,
        posix: bool | None = None,
        at: tuple[str, ...] | None = None,
    ) -> "Frame":
        """The same, one wrapper further in. `remote`: on another file system, where nothing known here holds. It stands
        `at` one of these directories, on another file system in any."""
        return replace(
            self,
            through=(*self.through, wrapper),
            host=host or self.host,
            depth=self.depth + 1,
            local=self.local and not remote,
            directories=at or (_ANYWHERE if remote else self.directories),
            posix=self.posix if posix is None else posix,
        )


class Inner(Protocol):
    """Judges what a wrapper runs."""

    def argv(self, words: Sequence[Word], frame: Frame, stdin: str | None = None) -> list[Found]: ...

    def script(self, text: str, frame: Frame) -> list[Found]: ...


@dataclass(frozen=True)
class Command:
    """`name`: the program without its directory. `stdin`: the text of its here-document, if it is known; `fed`: whether
    anything that isn't known is put into its standard input. `path`: the names of program and sub-commands."""

    name: str
    args: tuple[Word, ...]
    frame: Frame
    inner: Inner
    stdin: str | None = None
    fed: bool = False
    shown: str = ""
    path: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """The canonical argv as far as it is known: options in front of a sub-command are left out."""
        return (*(self.path or (self.name,)), *known(self.args))

    def found(self, kind: Kind, reason: str, target: str | None = None, host: str | None = None) -> Found:
        text = self.shown or show([Word((self.name,)), *self.args])
        named = _DAEMON.search(text) or re.search("claude-?ops", target or "", re.IGNORECASE)
        if kind in _STEERING and named:
            kind, reason = Kind.STEER, "a session may not steer the daemon"
        return Found(kind, text, target, host or self.frame.host, self.frame.through, reason, self.words)

    @property
    def typed(self) -> bool:
        """Whether its standard input comes from the command: to a terminal that it makes, these are keys."""
        return self.fed or self.stdin is not None or self.frame.piped

    def unknown(self, why: str) -> list[Found]:
        return [self.found(Kind.UNKNOWN, why)]

    def renamed(self, args: Sequence[Word], *names: str) -> "Command":
        """The same command with its sub-command found, so that `words` begins with `names`."""
        shown = self.shown or show([Word((self.name,)), *self.args])
        return Command(self.name, tuple(args), self.frame, self.inner, self.stdin, self.fed, shown, names)

    def reads(self, word: Word) -> list[Found]:
        """What reading the file that a word names means; nothing if it is harmless."""
        kind, why = paths.judge(word, self.frame.directories, self.frame.state_dir if self.frame.local else "")
        return [] if kind is Kind.READ else [self.found(kind, why)]

    def writes(self, words: Sequence[Word]) -> list[Found]:
        """What writing the files that words name means: at least that files are written."""
        state = self.frame.state_dir if self.frame.local else ""
        return [self.found(*paths.judge_write(word, self.frame.directories, state)) for word in words] or [
            self.found(Kind.WRITE, "writes files")
        ]

    def reads_below(self, word: Word) -> list[Found]:
        """What reading every file of a directory means."""
        kind, why = paths.judge_tree(word, self.frame.directories, self.frame.state_dir if self.frame.local else "")
        return [] if kind is Kind.READ else [self.found(kind, why)]


Program = Callable[[Command], list[Found]]


def known(words: Sequence[Word]) -> list[str]:
    """Texts up to the first word that isn't known, which is marked."""
    result: list[str] = []
    for word in words:
        if word.text is None:
            return [*result, DYNAMIC]
        result.append(word.text)
    return result


def named(word: Word) -> str | None:
    """The name that a word gives to a target: its text, if it is known and not empty."""
    return word.text or None
