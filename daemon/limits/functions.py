"""Functions of a script: what may be one, and what calling it does.

`walk` calls this where a script defines or calls one.
"""

from typing import TYPE_CHECKING

from daemon.limits import builtins
from daemon.limits.expansion import NAME
from daemon.limits.programs.all import PROGRAMS
from daemon.limits.words import NotUnderstood, Word

if TYPE_CHECKING:
    from tree_sitter import Node

    from daemon.limits.command import Frame
    from daemon.limits.walk import Walk

NESTED_MAX = 12  # wrappers, substitutions and functions within one another


def define(walk: "Walk", node: "Node") -> None:
    """Notes a function. Raises NotUnderstood where it would hide a program, or may not come to be."""
    name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
    text = walk.tree.text(name) if name is not None else ""
    taken = text in PROGRAMS or text in builtins.NAMES or text in walk.scope.functions
    if body is None or not NAME.fullmatch(text) or taken or text == "command_not_found_handle":
        raise NotUnderstood(f"a function named {text[:40]}")
    if walk.shell.conditional or body.type not in {"compound_statement", "subshell"} or len(node.children) > 5:
        raise NotUnderstood("a function that may not be defined")
    if node.children_by_field_name("redirect"):
        raise NotUnderstood("a function with a redirection")
    walk.scope.functions[text] = (walk.tree, body)


def call(walk: "Walk", name: str, arguments: list[Word], frame: "Frame") -> None:
    """What a function's body does with its arguments, in this scope."""
    tree, body = walk.scope.functions[name]
    walk.shell.deep += 1
    if walk.shell.deep > NESTED_MAX:
        raise NotUnderstood("functions that call each other too deep")
    before, walk.scope.arguments = walk.scope.arguments, tuple(arguments)
    inner = type(walk)(walk.shell, tree, walk.scope, frame)
    with inner.maybe():
        inner.statement(body)
    walk.scope.arguments = before
    walk.shell.deep -= 1
