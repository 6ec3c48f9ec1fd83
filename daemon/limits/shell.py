"""Walks a shell command the way bash would run it, and collects what each simple command in it does.

`rules.understand` calls `understand_script`; wrappers come back for inner scripts and inner argv. Every node type is
named here or refused in `syntax`; what isn't understood raises NotUnderstood, which makes the whole of it unknown.
"""

from collections.abc import Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from daemon.limits import inputs
from daemon.limits.command import Command, Frame
from daemon.limits.expansion import Scope, SecretRead
from daemon.limits.functions import NESTED_MAX
from daemon.limits.kinds import Found, Kind
from daemon.limits.names import program_name
from daemon.limits.programs.all import PROGRAMS
from daemon.limits.syntax import Tree
from daemon.limits.walk import Walk
from daemon.limits.words import NotUnderstood, Word, show

if TYPE_CHECKING:
    from collections.abc import Iterator


TEXT_MAX = 40_000  # characters of the command and of all scripts within it
COMMANDS_MAX = 400  # simple commands judged for one call


class Shell:
    """One judgement: what was found so far, and how much more will be looked at."""

    def __init__(self) -> None:
        self.found: list[Found] = []
        self.left = COMMANDS_MAX
        self.text = TEXT_MAX
        self.conditional = 0
        self.deep = 0

    # What programs call

    def script(self, text: str, frame: Frame, scope: Scope | None = None) -> list[Found]:
        """What a script does in a shell of its own (or, with a scope, in that one)."""
        with self._collected(frame) as found:
            self.text -= len(text)
            if self.text < 0:
                raise NotUnderstood(f"scripts within one another of more than {TEXT_MAX} characters")
            tree = Tree(text, posix=frame.posix)
            inner = scope or Scope(frame.state_dir, directories=frame.directories, local=frame.local)
            Walk(self, tree, inner, frame).statements(tree.root)
        return found

    def argv(self, words: Sequence[Word], frame: Frame, stdin: str | None = None) -> list[Found]:
        """What a program started with these words does: no functions, no shell around it."""
        with self._collected(frame) as found:
            self.found += self.program(list(words), frame, stdin, fed=stdin is None)
        return found

    @contextmanager
    def _collected(self, frame: Frame) -> "Iterator[list[Found]]":
        """Bounds the nesting. Yields a list that is filled at the end with what was found within."""
        result: list[Found] = []
        before, self.found = self.found, []
        self.deep += 1
        try:
            if frame.depth > NESTED_MAX or self.deep > NESTED_MAX * 2:
                raise NotUnderstood(f"wrapped more than {NESTED_MAX} deep")  # noqa: TRY301 - found so far is kept
            yield result
        except NotUnderstood:
            before += self.found
            raise
        finally:
            self.deep -= 1
            result += self.found
            self.found = before

    def program(self, words: list[Word], frame: Frame, stdin: str | None, *, fed: bool) -> list[Found]:
        """What one program with its arguments does."""
        self.left -= 1
        if self.left < 0:
            raise NotUnderstood(f"more than {COMMANDS_MAX} commands")
        first = words[0].text if words else ""
        name = program_name(first) if first else None
        command = Command(name or first or "…", tuple(words[1:]), frame, self, stdin, fed, show(words))
        if first is None:
            return command.unknown(f"which program {words[0].show()} is can't be told")
        if name is None or name not in PROGRAMS:
            return command.unknown(f"{first or 'an empty word'} is not a program that is known here")
        if frame.script_input and stdin is None and inputs.may_read(name, words[1:]):
            return command.unknown(f"{name} may read what follows in the script: give it `< /dev/null`")
        try:
            return PROGRAMS[name](command) or [command.found(Kind.READ, "runs nothing")]
        except SecretRead as why:
            return [command.found(Kind.SECRET, str(why))]
        except NotUnderstood as why:
            return command.unknown(f"{name}: {why}")
