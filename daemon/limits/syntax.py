"""A shell command as a tree that bash would read the same way.

tree-sitter is lenient where bash isn't: it skips what it takes for blanks, and reads `[ a && reboot ]` as one test.
So every tree is checked against the text: nothing but real blanks between its nodes, here-documents that end where
bash ends them, no node type that isn't listed. `shell` walks what passes.
"""

import re

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

from daemon.limits.names import listed
from daemon.limits.words import NotUnderstood

LENGTH_MAX = 16_384  # characters
DEPTH_MAX = 40  # nodes within nodes
MARKS_MAX = 120  # redirections, or parentheses: the parser's time grows with their square

_PARSER = Parser(Language(tree_sitter_bash.language()))

# Where a line end separates statements, so that it may stand between the children.
_LINES = listed(
    "program compound_statement subshell do_group if_statement elif_clause else_clause while_statement"
    " for_statement case_statement case_item list pipeline command_substitution process_substitution"
    " function_definition array heredoc_redirect redirected_statement"
)
_SEQUENCES = _LINES - {"redirected_statement", "heredoc_redirect", "array", "for_statement"}
_WORDS = listed(
    "word string raw_string ansi_c_string concatenation number simple_expansion expansion"
    " command_substitution process_substitution arithmetic_expansion brace_expression command_name"
)
# Read by their text in `expansion` or `shell`, or leaves that are spelt as their type.
_BY_TEXT = listed(
    "string heredoc_body raw_string ansi_c_string word number comment file_descriptor variable_name"
    " special_variable_name heredoc_start heredoc_end string_content heredoc_content regex extglob_pattern"
    " test_operator simple_expansion"
)
_KNOWN = (
    _LINES
    | _WORDS
    | _BY_TEXT
    | listed(
        "command redirected_statement file_redirect herestring_redirect heredoc_redirect variable_assignment"
        " variable_assignments negated_command test_command declaration_command unset_command subscript"
        " binary_expression unary_expression parenthesized_expression"
    )
)
_BASH_ONLY = listed(
    "ansi_c_string process_substitution herestring_redirect array subscript brace_expression extglob_pattern"
)
_BASH_TOKENS = listed('[[ (( &> &>> |& $" += ;& ;;& select coproc')
_DUPLICATED = re.compile(r"\d*[<>]&\s*(\d+|-)")
# An array, an indirection, a slice, a replacement, a change of case or a prompt.
_BASH_EXPANSION = re.compile(r"\$\{(![^}]|\w+[:][^-+=?]|\w+[/^,@\[])|\w+\[")
# What stands right before a redirection and is a part of it.
_DESCRIPTOR = re.compile(r"(^|[\s;&|()<>])(\d+|\{\w+(\[\w+\])?\})\Z")
_BLANK = re.compile(r"(?:[ \t]|\\\n)*")
_BLANK_LINES = re.compile(r"(?:[ \t\n]|\\\n)*")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
# The grammar's scanner gives what follows a brace to C's isdigit(), which reads far outside its table for anything
# wide: a crash of the whole worker (tree-sitter-bash issue 337). So such a text never reaches the parser.
_WIDE_AFTER_BRACE = re.compile(r"\{[0-9.]*[^\x00-\x7f]")


class Tree:
    """A checked tree. `text(node)` is the source of a node."""

    def __init__(self, source: str, *, posix: bool = False) -> None:
        """Raises NotUnderstood. `posix`: it must mean the same to dash, ash and their like."""
        if len(source) > LENGTH_MAX:
            raise NotUnderstood(f"longer than {LENGTH_MAX} characters")
        if _CONTROL.search(source):
            raise NotUnderstood("a control character")
        if _WIDE_AFTER_BRACE.search(source):
            raise NotUnderstood("a { followed by a character outside ASCII")
        if max(source.count("<") + source.count(">"), source.count("(")) > MARKS_MAX:
            raise NotUnderstood(f"more than {MARKS_MAX} redirections or parentheses")
        self.bytes = source.encode()
        parsed = _PARSER.parse(self.bytes)
        if parsed is None or parsed.root_node.has_error:
            raise NotUnderstood("not a complete shell command")
        self.root: Node = parsed.root_node
        self._check(self.root, 0)
        if posix:
            self._check_posix(self.root)

    def text(self, node: Node) -> str:
        return self.between(node.start_byte, node.end_byte)

    def between(self, start: int, end: int) -> str:
        return self.bytes[start:end].decode()

    def _check(self, node: Node, depth: int) -> None:
        if depth > DEPTH_MAX:
            raise NotUnderstood(f"nested more than {DEPTH_MAX} deep")
        if node.is_missing or node.type not in _KNOWN:
            raise NotUnderstood(f"a shell construct that is not known ({node.type[:30]})")
        children = node.children
        if node.type == "comment":
            self._check_comment(node)
        elif node.type == "heredoc_redirect":
            self._check_heredoc(node)
        elif node.type not in _BY_TEXT and children:
            self._check_gaps(node, children)
        for child in children:
            if child.is_named:
                self._check(child, depth + 1)
            elif child.is_missing or (node.type not in _BY_TEXT and not self._is_its_type(child)):
                raise NotUnderstood("not a complete shell command")

    def _check_posix(self, node: Node) -> None:
        """Nothing that only bash reads as bash does: to dash `[[ a || reboot ]]` is a list of two commands."""
        text = self.text(node)
        if node.type in _BASH_ONLY or (not node.is_named and node.type in _BASH_TOKENS):
            raise NotUnderstood(f"{text[:20]}, which is not the same to every shell")
        if node.type == "file_redirect" and "&" in text and not _DUPLICATED.fullmatch(text):
            raise NotUnderstood(f"{text[:20]}, which is not the same to every shell")
        if node.type == "function_definition" and node.children[0].type == "function":
            raise NotUnderstood("a function, which is not one to every shell")
        if node.type in {"expansion", "variable_assignment"} and _BASH_EXPANSION.match(text):
            raise NotUnderstood(f"{text[:20]}, which is not the same to every shell")
        for child in node.children:
            self._check_posix(child)

    def _is_its_type(self, token: Node) -> bool:
        """Whether a token is spelt as its type says: the parser takes the word in `cat -e<<E` into the `<<`."""
        text = self.text(token)
        return text.lstrip(" \t\n") in {token.type, ""}

    def _check_comment(self, node: Node) -> None:
        before = self.between(max(0, node.start_byte - 1), node.start_byte) if node.start_byte else "\n"
        # "\ #" is an escaped blank: to bash the # is then in the middle of a word.
        escaped = node.start_byte > 1 and self.bytes[node.start_byte - 2 : node.start_byte - 1] == b"\\"
        if before not in " \t\n;&|(" or (escaped and before != "\n"):
            raise NotUnderstood("a # that may not begin a comment")

    def _check_gaps(self, node: Node, children: list[Node]) -> None:
        """Nothing but blanks between children, and blanks wherever bash needs them to see two words."""
        # In a single-bracket test a line end would end the command.
        lines = node.type in _LINES or (node.type == "test_command" and children[0].type == "[[")
        lines = lines or (node.type in {"binary_expression", "unary_expression"} and _in_double_test(node))
        if node.type in {"command_substitution", "expansion"} and children[0].type == "`":
            self._check_backticks(node)
        blank = _BLANK_LINES if lines else _BLANK
        at = node.start_byte
        before: Node | None = None
        for child in children:
            gap = self.between(at, child.start_byte)
            if not blank.fullmatch(gap):
                raise NotUnderstood("what stands between two words")
            if before is not None:
                self._check_pair(node, before, child, gap)
            before, at = child, child.end_byte
        if not blank.fullmatch(self.between(at, node.end_byte)):
            raise NotUnderstood("what stands after the last word")

    def _check_pair(self, node: Node, before: Node, child: Node, gap: str) -> None:
        bare = gap.replace("\\\n", "")
        if node.type == "concatenation":
            if gap:
                raise NotUnderstood("a word in two pieces")
        elif gap and not bare:
            raise NotUnderstood("a line continued within a word")
        elif not bare and before.type in _WORDS | {"variable_assignment"} and child.type in _WORDS:
            raise NotUnderstood("two words without a blank between them")
        elif not bare and before.type.endswith("_redirect") and child.type in _WORDS:
            raise NotUnderstood("a redirection and a word without a blank between them")
        elif not bare and _starts_with_descriptor(child) and before.is_named:
            raise NotUnderstood("a number before a redirection")
        elif not bare and child.type.endswith("_redirect") and _DESCRIPTOR.search(self.text(before)):
            raise NotUnderstood("a number before a redirection, which is no word")
        elif _is_statement(before) and _is_statement(child) and node.type in _SEQUENCES and "\n" not in bare:
            self._check_clauses(node, before, child)

    def _check_clauses(self, node: Node, before: Node, child: Node) -> None:
        clauses = {"elif_clause", "else_clause", "do_group", "case_item", "comment", "compound_statement", "subshell"}
        if child.type in clauses and node.type not in {"program", "compound_statement", "subshell"}:
            return
        if node.type == "function_definition" or child.type == "comment":
            return
        if node.type == "case_item" and before.type in _WORDS | {"extglob_pattern"}:
            return
        raise NotUnderstood("two commands without a separator")

    def _check_backticks(self, node: Node) -> None:
        # To bash they end at the next backquote, whatever quotes or comments stand between.
        if re.search(r"[\\`#'\"]", self.text(node)[1:-1]):
            raise NotUnderstood("quotes, a comment or a backslash within backquotes")

    def _check_heredoc(self, node: Node) -> None:
        """The body begins after this line and ends at the first line that is the delimiter, as bash has it."""
        parts = {child.type: child for child in node.children}
        start, body, end = (parts.get(f"heredoc_{name}") for name in ("start", "body", "end"))
        if start is None or end is None or sum(child.type == "heredoc_start" for child in node.children) != 1:
            raise NotUnderstood("a here-document without its end")
        delimiter, _ = heredoc_delimiter(self.text(start))
        line_end = self.bytes.find(b"\n", start.end_byte)
        if self.between(start.end_byte, start.end_byte + 1) not in set(" \t\n;|&<>"):
            raise NotUnderstood("the delimiter of a here-document")
        if line_end < 0 or b"<<" in self.bytes[start.end_byte : line_end].replace(b"<<<", b""):
            raise NotUnderstood("two here-documents in one line")
        tabs = self.text(node.children[0]).endswith("-") or any(child.type == "<<-" for child in node.children)
        quoted = heredoc_delimiter(self.text(start))[1]
        at = line_end + 1
        while True:
            stop = self.bytes.find(b"\n", at)
            line = self.between(at, stop if stop >= 0 else len(self.bytes))
            if (line.lstrip("\t") if tabs else line) == delimiter:
                break
            if stop < 0 or (not quoted and line.endswith("\\")):
                raise NotUnderstood("a here-document without its end")
            at = stop + 1
        if end.end_byte != at + len(line.encode()) or (body is not None and body.end_byte > end.start_byte):
            raise NotUnderstood("where a here-document ends")
        if body is not None and body.start_byte < line_end:
            raise NotUnderstood("where a here-document begins")
        first_line = [child for child in node.children if child.type not in {"heredoc_body", "heredoc_end"}]
        after = first_line[0].start_byte
        for child in first_line:
            if child.end_byte > line_end or not _BLANK.fullmatch(self.between(after, child.start_byte)):
                raise NotUnderstood("what follows a here-document")
            after = child.end_byte
        if not re.fullmatch(r"[ \t]*(?:[ \t;]#.*)?", self.between(after, line_end)):
            # A separator that belongs to the statement around it is looked at there.
            rest = self.between(after, line_end).strip(" \t")
            if rest not in {";", "&"}:
                raise NotUnderstood("what follows a here-document")


def heredoc_delimiter(text: str) -> tuple[str, bool]:
    """The word that ends a here-document, and whether it is quoted (so that nothing in it is expanded)."""
    match = re.fullmatch(r"([A-Za-z0-9_.-]+)|'([A-Za-z0-9_. -]+)'|\"([A-Za-z0-9_. -]+)\"|\\([A-Za-z0-9_.-]+)", text)
    if match is None:
        raise NotUnderstood("the delimiter of a here-document")
    return next(group for group in match.groups() if group is not None), match.group(1) is None


def _starts_with_descriptor(node: Node) -> bool:
    while node.children and node.type in {"file_redirect", "herestring_redirect", "heredoc_redirect"}:
        node = node.children[0]
    return node.type == "file_descriptor"


def _is_statement(node: Node) -> bool:
    return node.is_named and node.type not in {"file_redirect", "herestring_redirect", "heredoc_redirect"}


def _in_double_test(node: Node) -> bool:
    up: Node | None = node
    while up is not None and up.type != "test_command":
        up = up.parent
    return up is not None and up.children[0].type == "[["
