"""How a tool call reads in one line: icon, verb, target, and what stands below it. Pure; used by transcript rows.

A tool without a form of its own is shown by its name with its whole input, never dropped.
"""

from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from webui.pages.ansi import plain
from webui.pages.folding import Block, as_json, fold

TARGET_CHARS = 500
# Tools that only read, and what they read: three calls in a row are shown as one row.
READING = {
    "Read": "files",
    "NotebookRead": "notebooks",
    "Grep": "searches",
    "Glob": "searches",
    "WebFetch": "pages",
    "WebSearch": "searches",
}
NAME_CHARS = 40
CHANGING = frozenset({"Write", "Edit", "MultiEdit", "NotebookEdit"})
Input = dict[str, Any]


class CallWords(NamedTuple):
    """A call in words."""

    icon: str
    verb: str
    target: str
    outcome: str
    body: list[Block]


class Todo(NamedTuple):
    """One line of a checklist. `state`: completed, in_progress, or pending."""

    state: str
    text: str


def _text(given: Input, *names: str) -> str:
    return next((given[name] for name in names if isinstance(given.get(name), str)), "")


def _lines(text: str) -> int:
    return text.count("\n") + 1 if text else 0


def _bash(given: Input) -> CallWords:
    command = _text(given, "command")
    body = [fold(command, label="command")] if "\n" in command or len(command) > TARGET_CHARS else []
    return CallWords("square-terminal", "$", command, "", body)


def _read(given: Input) -> CallWords:
    path = _text(given, "file_path", "notebook_path", "path")
    return CallWords("file-text", "read", path, "", [])


def _write(given: Input) -> CallWords:
    content = _text(given, "content", "new_source")
    return CallWords("file-plus", "write", _path(given), f"+{_lines(content)}", [fold(content, label="content")])


def _path(given: Input) -> str:
    return _text(given, "file_path", "notebook_path", "path")


def _edit(given: Input) -> CallWords:
    listed = given.get("edits")
    edits: list[Any] = listed if isinstance(listed, list) else [given]
    body: list[Block] = []
    added = removed = 0
    for edit in edits:
        if isinstance(edit, dict):
            old, new = _text(edit, "old_string"), _text(edit, "new_string", "new_source")
            added, removed = added + _lines(new), removed + _lines(old)
            body += [fold(old, label="before"), fold(new, label="after")]
    return CallWords("file-pen", "edit", _path(given), f"+{added} −{removed}", body)


def _grep(given: Input) -> CallWords:
    where = _text(given, "path", "glob")
    return CallWords("search", "grep", f"{_text(given, 'pattern')}{f' in {where}' if where else ''}", "", [])


def _glob(given: Input) -> CallWords:
    where = _text(given, "path")
    return CallWords("folder-search", "glob", f"{_text(given, 'pattern')}{f' in {where}' if where else ''}", "", [])


def _fetch(given: Input) -> CallWords:
    url = _text(given, "url")
    try:
        parts = urlsplit(url)
        target = f"{parts.netloc}{parts.path}" or url
    except ValueError:
        target = url
    asked = _text(given, "prompt")
    return CallWords("globe", "fetch", target, "", [fold(f"{url}\n{asked}" if asked else url, label="request")])


def _search(given: Input) -> CallWords:
    return CallWords("globe", "search", _text(given, "query"), "", [])


def _task(given: Input) -> CallWords:
    asked = _text(given, "prompt")
    return CallWords("bot", "task", _text(given, "description"), "", [fold(asked, label="prompt")] if asked else [])


def todos(given: Input) -> list[Todo]:
    """The checklist of a TodoWrite call."""
    listed = given.get("todos")
    entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    return [Todo(_state(entry), plain(_text(entry, "content"))[:TARGET_CHARS]) for entry in entries]


def _state(entry: Input) -> str:
    state = entry.get("status")
    return state if state in ("completed", "in_progress") else "pending"


def _todo(given: Input) -> CallWords:
    found = todos(given)
    done = sum(todo.state == "completed" for todo in found)
    return CallWords("list-todo", "to do", f"{done} of {len(found)} done" if found else "", "", [])


def short_name(target: str) -> str:
    """A call's target in a row of several: a path's last part, or the first words."""
    name = target.rstrip("/").rsplit("/", 1)[-1] if "/" in target and " " not in target else target
    return name if len(name) <= NAME_CHARS else f"{name[:NAME_CHARS]}…"


def _report(given: Input) -> CallWords:
    return CallWords("flag", "report", _text(given, "summary"), "", [fold(as_json(given), label="structured output")])


FORMS: dict[str, Callable[[Input], CallWords]] = {
    "Bash": _bash,
    "Read": _read,
    "NotebookRead": _read,
    "Write": _write,
    "Edit": _edit,
    "MultiEdit": _edit,
    "NotebookEdit": _edit,
    "Grep": _grep,
    "Glob": _glob,
    "WebFetch": _fetch,
    "WebSearch": _search,
    "Task": _task,
    "Agent": _task,
    "TodoWrite": _todo,
    "StructuredOutput": _report,
}


def _other(name: str, given: Input) -> CallWords:
    icon, verb = "wrench", name
    if name.startswith("mcp__"):
        _, server, tool = [*name.split("__", 2), "", ""][:3]
        icon, verb = "plug", f"{server} › {tool}"
    main = next((value for value in given.values() if isinstance(value, str)), "")
    return CallWords(icon, verb, main, "", [fold(as_json(given), label="input")] if given else [])


def words(name: str, given: Input) -> CallWords:
    """A call in words; a known tool whose input has not the known shape is shown whole."""
    form = FORMS.get(name)
    found = form(given) if form else _other(name, given)
    if form and given and not found.target:
        found = found._replace(body=[fold(as_json(given), label="input")])
    target = plain(found.target).strip()
    return found._replace(verb=plain(found.verb)[:80], target=_one_line(target))


def _one_line(text: str) -> str:
    text = " ".join(text.split("\n"))
    return text if len(text) <= TARGET_CHARS else text[:TARGET_CHARS] + " …"
