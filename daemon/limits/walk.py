"""One tree of a shell command in one scope, walked the way bash would run it.

`shell` makes one for each script. What is run goes to `shell.Shell.program`; every node type is named here or refused
in `syntax`.
"""

import re
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from daemon.limits import builtins, functions, redirections
from daemon.limits.command import Frame
from daemon.limits.expansion import Expander, Scope, SecretRead, all_arguments
from daemon.limits.kinds import Found, Kind
from daemon.limits.names import assignable
from daemon.limits.syntax import Tree
from daemon.limits.words import ANY, Hole, NotUnderstood, Word, is_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tree_sitter import Node

    from daemon.limits.shell import Shell

TRIED_MAX = 12  # values of a loop's variable that are tried one by one
# What is often piped into a program that would else wait for input. A `Q` ends some of them.
_SAY_NOTHING = frozenset({"echo", 'echo ""', "echo ''", "echo Q", 'echo "Q"', "true", ":"})


class Walk:
    """One tree in one scope."""

    def __init__(self, shell: "Shell", tree: Tree, scope: Scope, frame: Frame) -> None:
        self.shell, self.tree, self.scope, self.frame = shell, tree, scope, frame
        self.expander = Expander(tree, scope, self.substitution)

    def elsewhere(self, behind: "Node | None" = None) -> "Walk":
        """A subshell: what it sets is forgotten. `behind`: what is piped into it."""
        frame = self.frame
        if behind is not None:
            says_nothing = self.tree.text(behind) in _SAY_NOTHING
            frame = replace(frame, piped=True, script_input=False, empty_input=says_nothing)
        return Walk(self.shell, self.tree, self.scope.copy(), frame)

    def substitution(self, node: "Node") -> None:
        self.shell.deep += 1
        if self.shell.deep > functions.NESTED_MAX * 2:
            raise NotUnderstood(f"wrapped more than {functions.NESTED_MAX} deep")
        self.elsewhere().statements(node)
        self.shell.deep -= 1

    def statements(self, node: "Node") -> None:
        self.sequence(node.children)

    def sequence(self, nodes: "list[Node]", old: dict[str, Word] | None = None) -> None:
        """Statements in order; one before `&` runs in a subshell. With `old`, clauses that exclude one another."""
        children = [child for child in nodes if child.type != "comment"]
        for at, child in enumerate(children):
            if child.type in {"elif_clause", "else_clause"}:
                self.forget(old or {})
                self.statements(child)
            elif child.is_named:
                behind = children[at + 1].type if at + 1 < len(children) else ""
                (self.elsewhere() if behind == "&" else self).statement(child)

    def statement(self, node: "Node", behind: "Sequence[Node]" = ()) -> None:
        """`behind`: redirections that the parser hangs on a whole chain, and bash on its last command alone."""
        match node.type:
            case "redirected_statement" if (chained := redirections.chained(node)) is not None:
                self.statement(chained.chain, (*chained.redirects, *behind))
            case "negated_command":
                self.statement(node.named_children[-1], behind)
            case "pipeline":
                self.pipeline(node, behind)
            case "list":
                self.chain(node, behind)
            case _ if behind:
                self.redirected(node, behind)
            case "command" | "redirected_statement" | "test_command":
                self.redirected(node)
            case "variable_assignment":
                self.assign(node)
            case "variable_assignments":
                self.statements(node)
            case "declaration_command" | "unset_command":
                self.shell.found += builtins.declaration(self, node)
            case "subshell":
                self.elsewhere().statements(node)
            case "compound_statement" | "do_group":
                if node.children[0].type not in {"{", "do"}:
                    raise NotUnderstood("an arithmetic command")
                self.statements(node)
            case "if_statement" | "while_statement":
                self.branches(node)
            case "for_statement":
                self.loop(node)
            case "case_statement":
                self.case(node)
            case "function_definition":
                functions.define(self, node)
            case "comment" | "file_redirect" | "heredoc_redirect" | "herestring_redirect":
                self.redirected(node)
            case _:
                raise NotUnderstood(f"a {node.type} as a command")

    # Control flow. A variable that is set where bash may not come by is not known afterwards.

    def pipeline(self, node: "Node", behind: "Sequence[Node]") -> None:
        *parts, last = node.named_children
        before = None
        for part in parts:
            self.elsewhere(before).statement(part)
            before = part
        self.elsewhere(before).statement(last, behind)

    def chain(self, node: "Node", behind: "Sequence[Node]") -> None:
        first, *rest, last = node.named_children
        self.statement(first)
        with self.maybe():
            for part in rest:
                self.statement(part)
            self.statement(last, behind)

    @contextmanager
    def maybe(self) -> "Iterator[None]":
        """Around what may not be run, or not to its end."""
        before, self.scope.written = self.scope.written, set()
        old = dict(self.scope.variables)
        self.shell.conditional += 1
        yield
        self.shell.conditional -= 1
        self.forget(old)
        self.scope.written |= before

    def forget(self, old: dict[str, Word]) -> None:
        """Whatever was set since may as well be as it was. What was a number and is one stays one."""
        for name in self.scope.written:
            before, now = old.get(name), self.scope.variables[name]
            still = before is not None and is_number(before) and is_number(now)
            self.scope.variables[name] = Word((Hole.NUMBER,)) if still else ANY

    @contextmanager
    def settled(self) -> "Iterator[Iterator[None]]":
        """Around a loop: its body is looked at until no more variables turn out to be set in it."""
        with self.maybe():
            yield self._rounds()

    def _rounds(self) -> "Iterator[None]":
        known: set[str] | None = None
        old = dict(self.scope.variables)
        while known != self.scope.written:
            known = set(self.scope.written)
            self.forget(old)
            yield
            self.forget(old)

    @contextmanager
    def repeated(self, loop: str | None) -> "Iterator[None]":
        """Around what is run any number of times: cooldowns look for the name of the loop among the wrappers."""
        outside = self.frame
        self.frame = replace(outside, through=(*outside.through, loop)) if loop else outside
        yield
        self.frame = outside

    def branches(self, node: "Node") -> None:
        if node.type == "while_statement":
            with self.settled() as rounds, self.repeated("while"):
                for _ in rounds:
                    self.sequence(node.children, dict(self.scope.variables))
        else:
            with self.maybe():
                self.sequence(node.children, dict(self.scope.variables))

    def loop(self, node: "Node") -> None:
        body = node.child_by_field_name("body")
        variable = node.child_by_field_name("variable")
        if node.children[0].type != "for" or body is None or variable is None:
            raise NotUnderstood("a select")
        name = self.tree.text(variable)
        if not assignable(name):
            raise NotUnderstood(f"a loop over ${name}")
        values = [word for child in node.children_by_field_name("value") for word in self.words(child)]
        untold = not values or len(values) > TRIED_MAX or any(word.splits for word in values)
        often = untold or any({Hole.NUMBER, Hole.GLOB} & set(word.parts) for word in values)
        if untold:
            numbers = bool(values) and all(is_number(word) for word in values)
            values = [Word((Hole.NUMBER,))] if numbers else [ANY]
        with self.settled() as rounds, self.repeated("for" if often else None):
            for _ in rounds:
                for value in values:
                    self.scope.variables[name] = Word(value.parts)
                    self.statement(body)
        self.scope.put(name, ANY)

    def case(self, node: "Node") -> None:
        value = node.child_by_field_name("value")
        if value is not None:
            self.words(value)
        old = dict(self.scope.variables)
        with self.maybe():
            for item in node.named_children:
                if item.type == "case_item":
                    self.case_item(item)
                    self.forget(old)

    def case_item(self, item: "Node") -> None:
        patterns = item.children_by_field_name("value")
        for pattern in patterns:
            text = self.tree.text(pattern)
            if pattern.type == "extglob_pattern" and not re.fullmatch(r"[\w.*?/\[\]:@%+=-]+", text):
                raise NotUnderstood("the pattern of a case")
            if pattern.type != "extglob_pattern":
                self.words(pattern)
        starts = {pattern.start_byte for pattern in patterns}
        self.sequence([child for child in item.children if child.start_byte not in starts])

    def assign(self, node: "Node") -> None:
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        text = self.tree.text(name) if name is not None and name.type == "variable_name" else ""
        if not assignable(text):
            raise NotUnderstood(f"an assignment to {text[:40] or 'a part of a variable'}")
        word = self.value(value)
        plain = any(child.type == "=" for child in node.children)
        self.scope.put(text, word if plain else ANY)

    def value(self, node: "Node | None") -> Word:
        if node is None:
            return Word(("",))
        if node.type == "array":
            for child in node.named_children:
                self.words(child)
            return ANY
        return self.expander.word(node)

    def words(self, node: "Node") -> list[Word]:
        shown = self.tree.text(node)
        if shown == '"$@"' and self.scope.arguments is not None:
            return list(self.scope.arguments)
        words = self.expander.words(node)
        return [Word((Hole.ANY,), True, shown)] if "$" in shown and all_arguments(self.tree, node) else words

    # Simple commands

    def redirected(self, node: "Node", behind: "Sequence[Node]" = ()) -> None:
        """A statement and what is put before or behind it: redirections, and words behind those."""
        taken = redirections.take(self, node, behind)
        self.shell.found += taken.found
        # Where a redirection fails nothing is run, and nothing set.
        with self.maybe() if taken.redirected else nullcontext():
            self.bare(taken)
        for statement in taken.after:
            # The rest of a pipeline behind `<<END` reads what is said before it, whatever that is.
            (self.elsewhere(statement) if statement.type == "pipeline" else self).statement(statement)

    def bare(self, taken: "redirections.Taken") -> None:
        if taken.compound is not None:
            outside = self.frame
            self.frame = taken.within(outside)
            self.statement(taken.compound)
            self.frame = outside
        elif taken.test is not None:
            builtins.test(self, taken.test)
            self.add(Kind.READ, self.tree.text(taken.test), "tests")
        elif taken.words or taken.assignments:
            self.simple(taken)

    def simple(self, taken: "redirections.Taken") -> None:
        try:
            words = [word for node in taken.words for word in self.words(node)]
            first = words[0].text if words else None
            for node in taken.assignments:
                builtins.environment(self, node, first, alone=not words)
        except SecretRead as why:
            text = " ".join(self.tree.text(node) for node in taken.words)
            self.add(Kind.SECRET, text, str(why))
            return
        if not words:
            return
        if first in self.scope.functions:
            functions.call(self, first or "", words[1:], taken.within(self.frame))
            return
        frame = replace(taken.within(self.frame), directories=self.scope.directories)
        handled = builtins.run(self, first, words, frame) if first else None
        if handled is None:
            handled = self.shell.program(words, frame, taken.stdin, fed=taken.fed)
        self.shell.found += handled

    def add(self, kind: Kind, text: str, reason: str) -> None:
        self.shell.found.append(Found(kind, text, None, self.frame.host, self.frame.through, reason))
