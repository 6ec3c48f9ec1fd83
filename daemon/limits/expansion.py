"""What the shell will make of each word: quotes taken away, variables put in as far as they are known.

`shell` calls this while it walks a tree. What runs inside a word (`$(…)`, `<(…)`) is handed back to `shell`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from tree_sitter import Node

from daemon.limits.globs import Piece, bracketed, globbed
from daemon.limits.names import listed
from daemon.limits.syntax import Tree
from daemon.limits.words import MANY, Hole, NotUnderstood, Part, Word, ansi_c, is_number, joined, literal

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Variables that a session's shell has from the start and that are no secrets.
READABLE = listed(
    "USER LOGNAME OLDPWD PATH SHELL HOSTNAME LANG LC_ALL TZ TERM UID EUID BASH_VERSION OSTYPE HOSTTYPE"
    " COLUMNS LINES KUBECONFIG DOCKER_HOST DOCKER_CONTEXT CLAUDECODE XDG_RUNTIME_DIR SUDO_USER"
    " CLAUDEOPS_DRY_RUN CLAUDEOPS_TIER CLAUDEOPS_MAX_TIER CLAUDEOPS_RESULTS_DIR CLAUDEOPS_REPOS_DIR IFS"
    " REPLY PIPESTATUS BASH_REMATCH OPTARG FUNCNAME BASHPID CLAUDEOPS_SESSION_ID PS1 EPOCHREALTIME"
)
_NUMBERS = listed("? # $ ! RANDOM SECONDS LINENO EPOCHSECONDS PPID SHLVL")
_CREDENTIAL = re.compile(r"KEY|TOKEN|SECRET|PASS|CRED|AUTH|PRIVATE|DSN|URLS?$|COOKIE|WEBHOOK", re.IGNORECASE)
_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]+", re.ASCII)
_UNQUOTED = re.compile(r"(?:[^\\\n\s;&|<>()$`\"']|\\[^\n]|\$(?=$|[%^+=:,./@\]}](?<!@)))*", re.ASCII)
_QUOTED = re.compile(r"(?:[^\\\"`$]|\\.|\$(?![A-Za-z0-9_{(\[@*#?$!\\'-]))*", re.DOTALL)
_HERE = re.compile(r"(?:[^\\`$]|\\.|\$(?![A-Za-z0-9_{(\[@*#?$!\\-]))*", re.DOTALL)
_SUM = re.compile(r"\s*\(?\s*(?:0|[1-9]\d{0,8})(?:\s*(?:[-+*]|[/%]\s*(?=[1-9]))\s*(?:0|[1-9]\d{0,8}))*\s*\)?\s*")


@dataclass
class Scope:
    """What a shell knows at one point. `state_dir`: where the daemon keeps its own files; may be empty."""

    state_dir: str = ""
    variables: dict[str, Word] = field(default_factory=dict)
    functions: dict[str, tuple[Tree, Node]] = field(default_factory=dict)
    arguments: tuple[Word, ...] | None = None
    directories: tuple[str, ...] = ("",)
    local: bool = True
    written: set[str] = field(default_factory=set)

    def put(self, name: str, word: Word) -> None:
        """Sets a variable, and notes that it was set: whoever isn't sure that it was run forgets it again."""
        self.variables[name] = word
        self.written.add(name)

    def copy(self) -> "Scope":
        return Scope(
            self.state_dir,
            dict(self.variables),
            dict(self.functions),
            self.arguments,
            self.directories,
            self.local,
        )


class SecretRead(NotUnderstood):
    """A word that expands a credential."""


class Expander:
    """Makes words of the nodes of one tree. `run` judges a command inside a word."""

    def __init__(self, tree: Tree, scope: Scope, run: Callable[[Node], None]) -> None:
        self.tree, self.scope, self.run = tree, scope, run

    def words(self, node: Node) -> list[Word]:
        """The words that a node becomes: several for a known list that falls apart. Raises NotUnderstood."""
        shown = self.tree.text(node)
        if _PLAIN.fullmatch(shown):
            return [Word((shown,), False, shown)]
        if shown.startswith("#"):
            raise NotUnderstood("a word that begins with #")
        pieces = self._pieces(node)
        braces = _has_braces(pieces)
        if braces:
            # With a zero in front, all are filled up with zeros: 08 is a fault where it is counted with.
            numbers = re.fullmatch(r"\{(0|[1-9]\d{0,3})\.\.(0|[1-9]\d{0,3})\}", shown)
            return [Word((Hole.NUMBER,), False, shown) if numbers else Word((Hole.ANY,), True, shown)]
        return _fields(bracketed(pieces) if shown not in {"[", "[["} else pieces, shown)

    def word(self, node: Node) -> Word:
        """A node as one word, as in an assignment or after a redirection, where nothing falls apart."""
        shown = self.tree.text(node)
        parts: list[Part] = []
        for value, _, _ in bracketed(self._pieces(node)):
            parts += value
        return Word(joined(parts), False, shown)

    def _pieces(self, node: Node) -> list[Piece]:
        """The pieces of a word."""
        text = self.tree.text(node)
        match node.type:
            case "command_name" | "concatenation":
                return [piece for child in node.children for piece in self._pieces(child)]
            case "word" | "number":
                return _unquoted(text)
            case "raw_string":
                return [((text[1:-1],), False, True)]
            case "ansi_c_string":
                return [((ansi_c(text[2:-1]),), False, True)]
            case "string":
                return [(self._string(node, _QUOTED, 1, r"[\\\"$`]"), False, True)]
            case "brace_expression":
                return [((text,), False, False)]
            case "simple_expansion" | "expansion" | "command_substitution" | "arithmetic_expansion":
                return [(self._expand(node), True, False)]
            case "process_substitution":
                self.run(node)
                return [(("/dev/fd/63",), False, True)]
        raise NotUnderstood(f"a {node.type} as a word")

    def _string(self, node: Node, plain: re.Pattern[str], edge: int, escaped: str) -> tuple[Part, ...]:
        """Double-quoted text, or a here-document's: literal text and expansions."""
        parts: list[Part] = []
        at = node.start_byte + edge
        inner = [child for child in node.children if child.type.endswith(("expansion", "substitution"))]
        for child in [*inner, None]:
            end = child.start_byte if child is not None else node.end_byte - edge
            text = self.tree.between(at, end)
            if not plain.fullmatch(text):
                raise NotUnderstood("what stands within quotes")
            if child is not None and (len(text) - len(text.rstrip("\\"))) % 2:
                raise NotUnderstood("a backslash before an expansion")
            text = text.replace("\\\n", "") if "\\\\" not in text else _continued(text)
            parts.append(re.sub(rf"\\({escaped})", r"\1", text))
            if child is not None:
                if child.type == "process_substitution":
                    raise NotUnderstood("a process substitution within quotes")
                parts += self._expand(child)
                at = child.end_byte
        return joined(parts)

    def here_document(self, body: Node | None, quoted: bool) -> tuple[Part, ...]:
        """The text of a here-document's body."""
        if body is None:
            return ("",)
        if quoted:
            return (self.tree.text(body),)
        return self._string(body, _HERE, 0, r"[\\$`]")

    def _expand(self, node: Node) -> tuple[Part, ...]:
        match node.type:
            case "command_substitution":
                self.run(node)
                return (Hole.ANY,)
            case "arithmetic_expansion":
                self._arithmetic(node)
                return (Hole.NUMBER,)
            case "simple_expansion":
                return self.variable(self.tree.text(node)[1:])
        return self._braced(node)

    def _arithmetic(self, node: Node) -> None:
        """Bash evaluates what variables hold as code, and drops the rest of a line after a fault: plain sums only."""
        text = re.sub(r"\$?\b([A-Za-z_]\w*)\b|\$\{(\w+)\}", self._number, self.tree.text(node)[3:-2])
        if not self.tree.text(node).startswith("$((") or not _SUM.fullmatch(text):
            raise NotUnderstood("an arithmetic expression")

    def _number(self, match: re.Match[str]) -> str:
        value = self.scope.variables.get(match.group(1) or match.group(2))
        if value is None or not is_number(value):
            raise NotUnderstood("an arithmetic expression over something that may not be a number")
        # What isn't known may be 0, by which nothing is divided.
        return value.text or "0"

    def _braced(self, node: Node) -> tuple[Part, ...]:
        """`${…}`: the forms that do no more than look at a variable."""
        text = self.tree.text(node)
        match = re.fullmatch(r"\$\{(#?)([A-Za-z_]\w*|[0-9]+|[?#@*])(.*)\}", text, re.ASCII | re.DOTALL)
        if match is None:
            raise NotUnderstood(f"the expansion {text[:40]}")
        length, name, rest = match.groups()
        if not rest:
            return self.variable(name) if not length else self._looked_at(name, Hole.NUMBER)
        # Quotes within braces are read in other ways by bash, by its modes and by the parser.
        if (
            length
            or re.search(r"[\"'\\]", rest)
            or not re.match(r":?[-+]|%|#|\[([@*]|\d)\]\Z|/|:\d(:[1-9]?\d)?\Z|\^\^?\Z|,,?\Z", rest)
        ):
            raise NotUnderstood(f"the expansion {text[:40]}")
        for child in node.children:
            if child.type in {"word", "regex", "raw_string", "number", "variable_name", "special_variable_name"}:
                if re.search(r"[`]|\$[({\[]", self.tree.text(child)):
                    raise NotUnderstood(f"the expansion {text[:40]}")
            elif child.is_named and child.type != "subscript":
                self._pieces(child)
        if re.search(r"[`]|\$\(", rest) and not any(child.is_named for child in node.children[2:]):
            raise NotUnderstood(f"the expansion {text[:40]}")
        return self._looked_at(name, Hole.ANY)

    def _looked_at(self, name: str, hole: Hole) -> tuple[Part, ...]:
        self.variable(name)
        return (hole,)

    def variable(self, name: str) -> tuple[Part, ...]:
        """What a variable holds. Raises SecretRead for one of the session's environment that isn't listed."""
        if name in self.scope.variables:
            return self.scope.variables[name].parts
        if name in _NUMBERS:
            return (Hole.NUMBER,)
        if name == "HOME":
            return ("~",)
        if name == "PWD":
            return (".",)
        if name == "CLAUDEOPS_STATE_DIR" and self.scope.local:
            return (self.scope.state_dir or "/state",)
        if name.isdecimal() or name in {"@", "*", "-", "_"}:
            return self._positional(name)
        if name in READABLE:
            return (Hole.ANY,)
        if _CREDENTIAL.search(name):
            raise SecretRead(f"${name} may hold a credential")
        raise NotUnderstood(f"${name} is not set in this command")

    def _positional(self, name: str) -> tuple[Part, ...]:
        arguments = self.scope.arguments
        known = arguments is not None and name.isdecimal() and 0 < int(name) <= len(arguments)
        if arguments is not None and known and not any(word.splits for word in arguments[: int(name)]):
            return arguments[int(name) - 1].parts
        return (Hole.ANY,)


def all_arguments(tree: Tree, node: Node) -> bool:
    """Whether a word holds `"$@"` or the like, which becomes many words although it is quoted."""
    if node.type in {"simple_expansion", "expansion"}:
        return bool(re.search(r"[@*]", tree.text(node)))
    return any(all_arguments(tree, child) for child in node.named_children)


def _unquoted(text: str) -> list[Piece]:
    if not _UNQUOTED.fullmatch(text):
        raise NotUnderstood(f"the word {text[:40]}")
    pieces: list[Piece] = []
    # Another user's home, or a directory that the shell remembers.
    at = len(match[0]) if (match := re.match(r"~[^/\\]+", text)) else 0
    pieces += [((Hole.ANY,), False, False)] if at else []
    while at < len(text):
        char = text[at]
        if char == "\\":
            at += 1
            pieces.append(((text[at],), False, True))
        elif char in "*?":
            pieces.append(((Hole.GLOB,), False, False))
        else:
            pieces.append(((char,), False, False))
        at += 1
    return pieces or [(("",), False, False)]


def _continued(text: str) -> str:
    return re.sub(r"\\(\\|\n)", lambda match: "" if match.group(1) == "\n" else "\\\\", text)


def _has_braces(pieces: list[Piece]) -> bool:
    bare = "".join(
        "".join(part for part in parts if isinstance(part, str))
        for parts, came, quoted in pieces
        if not (came or quoted)
    )
    return "{" in bare and bool(re.search(r"\{.*(,|\.\.).*\}", bare + ("}" if "{" in bare else ""), re.DOTALL))


def _fields(pieces: list[Piece], shown: str) -> list[Word]:
    """Words after splitting: known text at its blanks; what isn't known may become anything."""
    words: list[list[Part]] = [[]]
    started = splits = False
    for parts, came, quoted in pieces:
        started = started or not came
        for part in parts:
            if not came or quoted:
                words[-1].append(part)
            elif not isinstance(part, str):
                splits = splits or part is Hole.ANY or part is Hole.BELOW
                words[-1].append(part)
            else:
                for token in re.split(r"([ \t\n]+)", part):
                    if token.strip(" \t\n"):
                        words[-1] += globbed(token)
                    elif token:
                        words.append([])
    if splits:
        return [MANY if not shown else Word(joined(words[0]) or (Hole.ANY,), True, shown)]
    if len(words) == 1 and (words[0] or started):
        return [Word(joined(words[0]), False, shown)]
    return [Word(joined(parts), False, "") for parts in words if parts]


__all__ = ["Expander", "Scope", "SecretRead", "all_arguments", "literal"]
