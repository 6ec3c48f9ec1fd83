"""What bash does itself: the commands that change its own state, declarations and tests.

`shell` asks here before it looks for a program. What isn't named here and is no program is not understood: `source`,
`trap`, `alias`, `enable`, `shopt`, `let`, `mapfile`, `getopts` and their like.
"""

import posixpath
import re
from typing import TYPE_CHECKING

from daemon.limits.command import Command, Frame
from daemon.limits.expansion import NAME
from daemon.limits.kinds import Found, Kind
from daemon.limits.names import assignable, exportable, listed
from daemon.limits.options import options, read
from daemon.limits.syntax import Tree
from daemon.limits.words import ANY, Hole, NotUnderstood, Word, show

if TYPE_CHECKING:
    from tree_sitter import Node

    from daemon.limits.walk import Walk

_HARMLESS = frozenset({":", "return", "exit", "break", "continue", "shift", "times"})
# `jobs -x` runs a command, and `wait -p` evaluates what it is given.
_JOBS = {"jobs": options("-l -p -n -r -s"), "wait": options("-n -f")}
# Everything that bash itself understands: no function may take its name.
NAMES = (
    _HARMLESS
    | _JOBS.keys()
    | listed(
        ". alias bg bind builtin caller cd command compgen complete compopt declare dirs disown echo enable"
        " eval exec export false fc fg getopts hash help history kill let local logout mapfile popd printf"
        " pushd pwd read readarray readonly select set shopt source suspend test time trap true type typeset"
        " ulimit umask unalias unset if then else elif fi case esac for while until do done in function coproc"
    )
)
_SET = re.compile(r"[-+][eux]+")
_READ = options("-r -s -e -p= -t= -d= -n= -N= -u=")
# A value that another shell than bash splits into further names.
_SPLIT = re.compile(r"=[^\"'\s]*[$`]")
_BINARY = listed("= == != -eq -ne -lt -le -gt -ge -nt -ot -ef -a -o =~ && || < >")
# All else ends a single-bracket test, which is a command like others.
_SINGLE = listed("= == != !")
_DOUBLE = _SINGLE | listed("=~ < > && || ( )")
_ARITHMETIC = listed("-eq -ne -lt -le -gt -ge")


def run(walk: "Walk", name: str, words: list[Word], frame: Frame) -> list[Found] | None:
    """What a builtin does; None if bash has none of that name, or it is like the program. Raises NotUnderstood."""
    args = words[1:]
    command = Command(name, tuple(args), frame, walk.shell, shown=show(words))
    if name == "shift" and walk.scope.arguments is not None:
        raise NotUnderstood("shift in a function")
    if name in _HARMLESS:
        return [command.found(Kind.READ, "changes nothing but this shell")]
    if name in _JOBS:
        read(args, _JOBS[name])
        return [command.found(Kind.READ, "changes nothing but this shell")]
    match name:
        case "cd":
            return _cd(walk, command)
        case "eval":
            return _eval(walk, command)
        case "read":
            return _read(walk, command)
        case "set":
            return _set(command)
        case "printf":
            if args and args[0].may_be_option and args[0].text != "--":
                raise NotUnderstood("printf with an option")
            return [command.found(Kind.READ, "prints its arguments")]
    return None


def _cd(walk: "Walk", command: Command) -> list[Found]:
    operands = [word for word in command.args if word.text not in {"--", "-P", "-L"}]
    directories = walk.scope.directories
    target = operands[0].text if operands else "~"
    if len(operands) > 1:
        raise NotUnderstood("cd with two directories")
    found = command.reads(operands[0]) if operands and target is not None else []
    if target is None or target == "-" or target.startswith("-") or ".." in target or len(directories) > 8:
        walk.scope.directories = tuple(dict.fromkeys((*directories, "?")))
    else:
        reached = [target if old == "?" else posixpath.join(old, target) for old in directories]
        walk.scope.directories = tuple(dict.fromkeys((*directories, *reached)))
    return found or [command.found(Kind.READ, "changes the directory")]


def _eval(walk: "Walk", command: Command) -> list[Found]:
    texts = [word.text for word in command.args]
    script = " ".join(text for text in texts if text is not None)
    if None in texts:
        return command.unknown("what eval gets can't be told")
    try:
        # Bash may find a fault in it that the parser here didn't, and then sets nothing.
        with walk.maybe():
            found = walk.shell.script(script, command.frame.within("eval"), walk.scope)
    except NotUnderstood as why:
        return command.unknown(f"eval: {why}")
    return found


def _read(walk: "Walk", command: Command) -> list[Found]:
    names = [word.text or "" for word in read(command.args, _READ).operands]
    if command.frame.script_input:
        raise NotUnderstood("read may take what follows in the script")
    if not all(NAME.fullmatch(name) and assignable(name) for name in names):
        raise NotUnderstood("read into something that is no plain variable")
    for name in names:
        walk.scope.put(name, ANY)
    return [command.found(Kind.READ, "reads into variables")]


def _set(command: Command) -> list[Found]:
    texts = [word.text or "" for word in command.args]
    if not texts:
        return [command.found(Kind.SECRET, "prints all variables")]
    rest = " ".join(texts).replace("-euo pipefail", "-eu").replace("-eo pipefail", "-e").replace("-o pipefail", "-e")
    rest = rest.replace("-uo pipefail", "-u").replace("-euxo pipefail", "-eux").replace("+o pipefail", "+e")
    if not all(_SET.fullmatch(text) for text in rest.split(" ")):
        raise NotUnderstood("an option of set")
    return [command.found(Kind.READ, "changes how this shell ends")]


def declaration(walk: "Walk", node: "Node") -> list[Found]:
    """`export A=1`, `local x`, `declare`, `unset`: as far as they are plain. Raises NotUnderstood."""
    keyword = node.children[0].type
    text = walk.tree.text(node)
    exports = keyword == "export"
    if keyword not in {"export", "declare", "typeset", "local", "unset"}:
        raise NotUnderstood(f"{keyword} of a variable")
    if walk.frame.posix and (keyword in {"declare", "typeset"} or _SPLIT.search(text)):
        raise NotUnderstood(f"{keyword} as another shell than bash may read it")
    if keyword == "local" and walk.scope.arguments is None:
        raise NotUnderstood("local outside a function, which sets nothing")
    if len(node.children) == 1 or text.split() in (["export", "-p"], ["declare", "-p"], ["declare", "-x"]):
        return [Found(Kind.SECRET, text, None, walk.frame.host, walk.frame.through, "prints all variables", (keyword,))]
    for child in node.children[1:]:
        if child.type == "word" and walk.tree.text(child) in {"-x", "-g", "-gx"} and keyword != "unset":
            exports = exports or "x" in walk.tree.text(child)
            continue
        name = child.child_by_field_name("name") if child.type == "variable_assignment" else child
        variable = walk.tree.text(name) if name is not None and name.type == "variable_name" else ""
        sets = child.type == "variable_assignment" and any(part.type == "=" for part in child.children)
        value = walk.value(child.child_by_field_name("value")) if sets else ANY
        if not (exportable(variable, value.text) if exports else assignable(variable)):
            raise NotUnderstood(f"{keyword} of {walk.tree.text(child)[:40]}")
        walk.scope.put(variable, value)
    return [
        Found(Kind.READ, text, None, walk.frame.host, walk.frame.through, "sets variables of this shell", (keyword,))
    ]


def environment(walk: "Walk", node: "Node", program: str | None, *, alone: bool) -> None:
    """`A=1 program`, or the assignment `alone`. Raises NotUnderstood."""
    if alone:
        walk.assign(node)
        return
    name = node.child_by_field_name("name")
    text = walk.tree.text(name) if name is not None else ""
    value = walk.value(node.child_by_field_name("value")).text
    if not (exportable(text, value) or (text == "IFS" and program == "read")):
        raise NotUnderstood(f"a command with {text[:40]} set for it")
    if walk.frame.posix:  # other shells keep what is set for a builtin or a function
        walk.scope.put(text, ANY)


def test(walk: "Walk", node: "Node") -> None:
    """`[ … ]` and `[[ … ]]`. Raises NotUnderstood where bash would run, write or evaluate something."""
    double = node.children[0].type == "[["
    items: list[Word] = []
    for leaf in _leaves(walk.tree, node):
        text = walk.tree.text(leaf)
        if leaf.is_named and leaf.type not in {"test_operator", "regex", "extglob_pattern"}:
            words = [walk.expander.word(leaf)] if double else walk.words(leaf)
            items += words
            continue
        if not leaf.is_named and text not in (_DOUBLE if double else _SINGLE):
            raise NotUnderstood(f"{text[:20]} within brackets")
        if leaf.type in {"regex", "extglob_pattern"} and re.search(r"[`$(){};&<>\s]", text) and not double:
            raise NotUnderstood("a pattern in a test")
        if leaf.type in {"regex", "extglob_pattern"} and re.search(r"`|\$\S|[<>]\(", text):
            raise NotUnderstood("a pattern in a test")
        items.append(Word((text,)))
    check_test(items, double=double)


def check_test(items: list[Word], *, double: bool = False) -> None:
    """The words of a test: none may become `-v`, nor be evaluated as arithmetic. Raises NotUnderstood."""
    texts = [word.text for word in items]
    for at, word in enumerate(items):
        before = texts[at - 1] if at else None
        after = texts[at + 1] if at + 1 < len(items) else None
        if word.text in {"-v", "-R"}:
            raise NotUnderstood(f"{word.text} in a test")
        if double and (before in _ARITHMETIC or after in _ARITHMETIC) and not _is_number(word):
            raise NotUnderstood("arithmetic over something that may not be a number")
        if double or word.text is not None or not word.may_be_option:
            continue
        operator = (before or "").startswith("-") or before in _BINARY or after in _BINARY
        if word.splits or not operator:
            raise NotUnderstood(f"{word.show()} in a test, which may become an operator")


def _is_number(word: Word) -> bool:
    return not word.splits and all(
        part is Hole.NUMBER or (isinstance(part, str) and part.lstrip("-").isdecimal()) for part in word.parts
    )


def _leaves(tree: Tree, node: "Node") -> list["Node"]:
    """What stands between the brackets, in order."""
    inner = {"binary_expression", "unary_expression", "parenthesized_expression", "test_command"}
    leaves: list[Node] = []
    for child in node.children[1:-1] if node.type == "test_command" else node.children:
        if child.type in inner:
            leaves += _leaves(tree, child)
        elif child.type != "comment":
            leaves.append(child)
    return leaves
