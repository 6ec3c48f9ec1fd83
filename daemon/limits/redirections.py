"""What stands around a simple command: redirections, assignments, words behind a redirection.

`shell` calls `take` for each statement that may have them.
"""

import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from daemon.limits import paths
from daemon.limits.kinds import HANDOFF, Found, Kind
from daemon.limits.names import listed
from daemon.limits.syntax import heredoc_delimiter
from daemon.limits.words import NotUnderstood, Word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tree_sitter import Node

    from daemon.limits.command import Frame
    from daemon.limits.walk import Walk

_SINKS = frozenset({"/dev/null", "/dev/stderr", "/dev/stdout", "/dev/fd/1", "/dev/fd/2", "/dev/tty"})
_OUT = frozenset({">", ">>", "&>", "&>>", ">|"})


class Taken(NamedTuple):
    """A statement taken apart: nodes of its words and assignments in order, or a compound or test within; what its
    redirections do; its standard input (`stdin` if the text is known, `fed` if it comes from anywhere else), and
    whether that is another one than the shell's (`own_input`).
    """

    words: list["Node"]
    assignments: list["Node"]
    compound: "Node | None"
    test: "Node | None"
    found: list[Found]
    stdin: str | None
    fed: bool
    own_input: bool
    after: list["Node"]
    redirected: bool

    def within(self, frame: "Frame") -> "Frame":
        """The frame of what these redirections are for: all that runs in it reads this input."""
        if not self.fed and not self.own_input:
            return frame
        return replace(
            frame,
            piped=self.fed or bool(self.stdin and self.stdin.strip()),
            script_input=frame.script_input and not self.own_input,
            empty_input=False,
        )


class _Taking:
    def __init__(self, walk: "Walk") -> None:
        self.walk = walk
        self.words: list[Node] = []
        self.assignments: list[Node] = []
        self.redirects: list[Node] = []
        self.after: list[Node] = []
        self.compound: Node | None = None
        self.test: Node | None = None
        self.found: list[Found] = []
        self.stdin: str | None = None
        self.fed = False
        self.own_input = False

    def gather(self, node: "Node") -> None:
        match node.type:
            case "redirected_statement" | "command":
                for child in node.children:
                    self.gather(child)
            case "file_redirect" | "herestring_redirect":
                self.redirects.append(node)
            case "heredoc_redirect":
                self.redirects.append(node)
                self.gather_heredoc(node)
            case "variable_assignment":
                self.assignments.append(node)
            case "test_command":
                self.once(node)
                self.test = node
            case "comment":
                pass
            case _ if node.type in _WORDS:
                self.words.append(node)
            case _ if node.is_named:
                self.once(node)
                self.compound = node
            case _:
                raise NotUnderstood(f"{self.walk.tree.text(node)[:20]} in a command")

    def once(self, node: "Node") -> None:
        if self.compound is not None or self.test is not None:
            raise NotUnderstood(f"a {node.type} in a command")

    def gather_heredoc(self, node: "Node") -> None:
        """What follows `<<END` on its line: words, redirections, or the rest of a chain."""
        operator = False
        for child in node.children:
            if child.type in {"heredoc_start", "heredoc_body", "heredoc_end", "<<", "<<-", "file_descriptor"}:
                if child.type == "file_descriptor" and self.walk.tree.text(child) != "0":
                    raise NotUnderstood("a here-document into another descriptor")
            elif child.type in {"&&", "||"}:
                operator = True
            elif operator or child.type == "pipeline":
                self.after.append(child)
            elif child.type in {"file_redirect", "herestring_redirect"}:
                self.redirects.append(child)
            elif child.type in _WORDS:
                self.words.append(child)
            else:
                raise NotUnderstood("what follows a here-document")

    def apply(self, node: "Node") -> None:
        match node.type:
            case "file_redirect":
                self.file(node)
            case "herestring_redirect":
                texts = [child for child in node.named_children if child.type != "file_descriptor"]
                if len(texts) != 1 or len(texts) != len(node.named_children):
                    raise NotUnderstood("a here-string")
                text = self.walk.expander.word(texts[0]).text
                self.stdin, self.fed = (text + "\n" if text is not None else None), text is None
                self.own_input = True
            case _:
                parts = {child.type: child for child in node.children}
                quoted = heredoc_delimiter(self.walk.tree.text(parts["heredoc_start"]))[1]
                word = Word(self.walk.expander.here_document(parts.get("heredoc_body"), quoted))
                text = word.text
                if text is not None and "<<-" in parts:
                    text = "\n".join(line.lstrip("\t") for line in text.split("\n"))
                self.stdin, self.fed = text, text is None
                self.own_input = True

    def file(self, node: "Node") -> None:
        operator = next(child.type for child in node.children if not child.is_named)
        targets = [child for child in node.named_children if child.type != "file_descriptor"]
        if operator in {"<&-", ">&-"}:
            self.words += targets
            return
        if not targets:
            raise NotUnderstood("a redirection")
        self.words += targets[1:]
        number = self.walk.tree.text(targets[0])
        descriptor = next((self.walk.tree.text(it) for it in node.named_children if it.type == "file_descriptor"), "")
        # The last redirection of standard input counts: what came before it is not read.
        if descriptor == "0" or (operator in {"<", "<&"} and not descriptor):
            self.stdin, self.fed, self.own_input = None, True, False
        if operator in {"<&", ">&"} and (number.isdecimal() or number == "-"):
            return
        if operator in {"<&", ">&"} and number.startswith("-"):
            raise NotUnderstood("a descriptor that is closed, and what follows it")
        word = self.walk.expander.word(targets[0])
        text = self.walk.tree.text(node)
        if targets[0].type == "process_substitution":
            self.own_input = self.own_input or (operator == "<" and descriptor in {"", "0"})
            return
        if "/dev/tcp" in (word.prefix or "/dev/tcp") or "/dev/udp" in word.prefix:
            raise NotUnderstood(f"the redirection {text[:60]}")
        if operator == "<":
            if descriptor in {"", "0"}:
                is_null = word.text == "/dev/null"
                self.own_input = is_null or not self.may_be_own(word)
                self.stdin, self.fed = ("", False) if is_null else (None, True)
            scope = self.walk.scope
            kind, why = paths.judge(word, scope.directories, scope.state_dir if self.walk.frame.local else "")
            if kind is not Kind.READ:
                self.walk.add(kind, text, why)
        elif operator in _OUT or operator == ">&":
            self.out(word, text)
        else:
            raise NotUnderstood(f"the redirection {text[:60]}")

    def may_be_own(self, word: Word) -> bool:
        """Whether a file may be the shell's own input: below /dev or /proc, or where that can't be told."""
        if word.text is None:
            return True
        places = () if word.text.startswith("/") else self.walk.scope.directories
        return "?" in places or any(re.search(r"(^|/)(dev|proc)(/|$)", path) for path in (word.text, *places))

    def out(self, word: Word, text: str) -> None:
        scope, frame = self.walk.scope, self.walk.frame
        if word.text in _SINKS:
            return
        state = scope.state_dir if frame.local else ""
        handoff = word.text is not None and paths.is_handoff(word.text, scope.directories, state)
        kind, why = paths.judge_write(word, scope.directories, state)
        if handoff:
            kind, why = Kind.WRITE, "writes the handoff to the next tier"
        words = (">", word.text or "…")
        self.found.append(Found(kind, text, HANDOFF if handoff else None, frame.host, frame.through, why, words))


_WORDS = listed(
    "command_name word string raw_string ansi_c_string concatenation number simple_expansion expansion"
    " brace_expression command_substitution process_substitution arithmetic_expansion"
)


class Chained(NamedTuple):
    """Several commands in a row, perhaps behind a `!`, and what stands behind them for the last alone."""

    chain: "Node"
    redirects: list["Node"]


def chained(node: "Node") -> Chained | None:
    """A redirected statement as the chain that it is; None if it is another one."""
    chains = [child for child in node.named_children if child.type in {"negated_command", "pipeline", "list"}]
    if not chains:
        return None
    redirects = [child for child in node.named_children if child != chains[0] and child.type != "comment"]
    if len(chains) > 1 or any(child.start_byte < chains[0].end_byte for child in redirects):
        raise NotUnderstood("a redirection before a chain")
    return Chained(chains[0], redirects)


def take(walk: "Walk", node: "Node", behind: "Sequence[Node]" = ()) -> Taken:
    """A statement taken apart, with what stands `behind` it or a chain that it ends. Raises NotUnderstood."""
    taking = _Taking(walk)
    taking.gather(node)
    for redirect in behind:
        taking.gather(redirect)
    for redirect in sorted(taking.redirects, key=lambda it: it.start_byte):
        taking.apply(redirect)
    if taking.words and (taking.compound or taking.test):
        raise NotUnderstood("words behind a compound command")
    taking.words.sort(key=lambda it: it.start_byte)
    return Taken(
        taking.words, taking.assignments, taking.compound, taking.test,
        taking.found, taking.stdin, taking.fed, taking.own_input, taking.after, bool(taking.redirects),
    )  # fmt: skip
