"""Lines of a session's log for people and programs: `claudeopsctl sessions tail --pretty` and `--json`."""

import json

from ipc.ctl.terminal import dollars, duration, paint
from schema import logline
from schema.transcript import events
from schema.transcript.parse import parse

ARGUMENTS = ("command", "file_path", "pattern", "url", "query", "prompt", "description")
SHORT = 160


def as_text(line: bytes) -> str:
    """One readable line for each event in a line of the log."""
    found = logline.split(line)
    return "".join(f"{(found.at or '')[11:19]:<8} {describe(event)}\n" for event in parse(found.text, found.stream))


def as_json(line: bytes) -> str:
    """A line of the log as a JSON object; a text that is not UTF-8 is shown with marks."""
    found = logline.split(line)
    fields = {"at": found.at, "stream": found.stream, "text": found.text.decode("utf-8", "replace")}
    return json.dumps(fields, ensure_ascii=False) + "\n"


def _one_line(text: str) -> str:
    text = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return text if len(text) <= SHORT else text[: SHORT - 1] + "…"


def describe(event: events.Event) -> str:
    """An event in a line."""
    match event:
        case events.Init():
            return paint(f"session with {event.model}, claude {event.cli_version}", "dim")
        case events.Text():
            return _one_line(event.text)
        case events.Thinking():
            return paint("thinks " + _one_line(event.text), "dim")
        case events.ToolUse():
            main = next((event.input[name] for name in ARGUMENTS if name in event.input), json.dumps(event.input))
            return paint(f"→ {event.name} ", "blue") + _one_line(str(main))
        case events.ToolResult():
            word = "denied" if event.denied else "error" if event.is_error else "←"
            return paint(f"{word} ", "red" if event.is_error else "dim") + _one_line(event.text)
        case events.ApiRetry():
            text = f"retry {event.attempt} of {event.max_retries} in {duration(event.delay_ms / 1000)}: "
            return paint(text + f"{event.error} {event.error_status or ''}", "yellow")
        case events.Result():
            seconds = None if event.duration_ms is None else event.duration_ms / 1000
            facts = f"{event.num_turns} turns, {duration(seconds)}, {dollars(event.cost_usd)}"
            return paint(f"{event.subtype} ({facts}) ", "red" if event.is_error else "green") + _one_line(event.text)
        case events.Stderr():
            return paint("stderr ", "yellow") + _one_line(event.text)
        case events.RunNote() | events.Raw() | events.UserText():
            return _one_line(event.text)
        case events.Cut():
            return _one_line(event.text) + paint(f" … {event.missing} bytes cut", "yellow")
        case events.Hook():
            return paint(f"hook {event.name} {event.outcome}", "dim")
        case events.SystemNote():
            return paint(f"{event.subtype} {_one_line(json.dumps(event.fields))}", "dim")
        case _:
            return _one_line(repr(event))
