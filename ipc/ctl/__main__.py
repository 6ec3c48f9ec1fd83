"""The command line's entry: parses by the table, runs the command, turns every failure into one sentence."""

import argparse
import importlib
import io
import os
import sys

from ipc.ctl.commands import COMMANDS, GROUPS
from ipc.ctl.connection import Connection
from ipc.ctl.errors import INTERRUPTED, REFUSED, USAGE, CtlError
from ipc.ctl.grammar import Command
from ipc.ctl.place import find_runtime
from ipc.ctl.terminal import clean, show_json

EXITS = (
    "Exit status: 0 done; 1 refused, or the session did not complete; 2 wrong usage; 5 the daemon can't be reached; "
    "130 interrupted. Of status: 0 the daemon runs, degraded or not; 3 it does not run; 4 nothing is known of one "
    "here. Of check-command: 0 allow; 1 deny; 2 ask; 64 wrong usage; 70 no verdict; 5 the daemon can't be reached."
)
RUNTIME_DIR = "--runtime-dir"


def parser(verb: str = "") -> argparse.ArgumentParser:
    """The command line: the whole of it, or what begins with one word. The options of all may stand before it, too."""
    top = argparse.ArgumentParser(
        prog="claudeopsctl", description="Asks and commands the Claude Ops daemon.", epilog=EXITS
    )
    top.set_defaults(json=False, runtime_dir=None)
    _add_everywhere(top)
    first = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    # Each parser takes its time, and one command runs.
    commands = [command for command in COMMANDS if command.words[0] == verb] or COMMANDS
    groups: dict[str, argparse._SubParsersAction[argparse.ArgumentParser]] = {}
    alone = {command.words[0]: command for command in commands if len(command.words) == 1}
    for command in commands:
        name = command.words[0]
        if name in GROUPS and name not in groups:
            group = first.add_parser(name, help=GROUPS[name], description=alone[name].doc if name in alone else None)
            groups[name] = group.add_subparsers(metavar="COMMAND", required=name not in alone)
            if name in alone:
                _fill(group, alone[name])
        if len(command.words) > 1:
            own = groups[name].add_parser(command.words[-1], help=command.doc, description=command.doc)
            _fill(own, command)
        elif name not in GROUPS:
            _fill(first.add_parser(name, help=command.doc, description=command.doc), command)
    return top


def _fill(own: argparse.ArgumentParser, command: Command) -> None:
    for argument in command.arguments:
        own.add_argument(*argument.names, **argument.options)
    _add_everywhere(own)
    own.set_defaults(function=command.function)


def verb_of(words: list[str]) -> str:
    """The first word that is neither an option nor the value of one: what is to be done, if the table knows it."""
    left = iter(words)
    for word in left:
        if len(word) > 2 and RUNTIME_DIR.startswith(word):
            next(left, None)
        elif not word.startswith("-"):
            return word
    return ""


def read(words: list[str]) -> argparse.Namespace:
    """The command line's arguments. SystemExit after a word of what is wrong, with the command's own exit code."""
    verb = verb_of(words)
    command = next((command for command in COMMANDS if command.words == (verb,)), None)
    if command is None:
        return parser(verb).parse_args(words)
    rest: list[str] = []
    if command.rest and "--" in words:
        # Not left to argparse, which judges a second `--` in each version of Python as it likes.
        end = words.index("--")
        words, rest = words[:end], words[end + 1 :]
    try:
        arguments = parser(verb).parse_args(words)
    except SystemExit as leaving:
        raise SystemExit(command.usage_exit if leaving.code == USAGE else leaving.code) from None
    if rest:
        setattr(arguments, command.rest, [*getattr(arguments, command.rest), *rest])
    return arguments


def _add_everywhere(parser: argparse.ArgumentParser) -> None:
    # Without a default: a command's would undo what was given before it.
    parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="answer in JSON")
    text = "where the daemon's sockets are (CLAUDEOPS_RUNTIME_DIR)"
    parser.add_argument(RUNTIME_DIR, metavar="DIR", default=argparse.SUPPRESS, help=text)


def main() -> int:
    """Reads the command line and runs it; the exit code."""
    import signal  # the rest of the process is zmq's, which wants no handlers

    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # whoever read has gone: end quietly, as other programs do
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # whoever started us has closed it
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - a stream of the process: open until its end
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    arguments = read(sys.argv[1:])
    try:
        code = run(arguments)
        sys.stdout.flush()
    except OSError as error:
        # What is left unwritten would fail once more at the end, with a word and an exit code of Python's own.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        print(f"claudeopsctl: {error.filename or 'the answer'}: {error.strerror or error}", file=sys.stderr)
        return REFUSED
    return code


def run(arguments: argparse.Namespace) -> int:
    """Runs a command that was read; its exit code."""
    module, _, name = arguments.function.partition(":")
    connection = None
    try:
        connection = Connection(find_runtime(arguments.runtime_dir))
        return int(getattr(importlib.import_module(f"ipc.ctl.{module}"), name)(connection, arguments))
    except CtlError as error:
        if arguments.json:
            show_json({"error": {**error.data, "code": error.code, "message": error.message}})
        else:
            print(f"claudeopsctl: {clean(error.message)}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        if connection is not None:
            connection.close()


if __name__ == "__main__":
    sys.exit(main())
