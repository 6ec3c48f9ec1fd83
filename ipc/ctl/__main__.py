"""The command line's entry: parses by the table, runs the command, turns every failure into one sentence."""

import argparse
import importlib
import sys

from ipc.ctl.commands import COMMANDS
from ipc.ctl.connection import Connection
from ipc.ctl.errors import INTERRUPTED, CtlError
from ipc.ctl.place import find_runtime
from ipc.ctl.terminal import clean, show_json

EXITS = (
    "Exit status: 0 done; 1 refused, or the session did not complete; 2 wrong usage; 5 the daemon can't be reached; "
    "130 interrupted. Of status: 0 the daemon runs, degraded or not; 3 it does not run; 4 nothing is known of one here."
)


def parser() -> argparse.ArgumentParser:
    """The whole command line. The two options of every command may stand before it, too."""
    top = argparse.ArgumentParser(
        prog="claudeopsctl", description="Asks and commands the Claude Ops daemon.", epilog=EXITS
    )
    top.set_defaults(json=False, runtime_dir=None)
    _add_everywhere(top)
    first = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    groups: dict[str, argparse._SubParsersAction[argparse.ArgumentParser]] = {}
    for command in COMMANDS:
        place = first
        if len(command.words) > 1:
            name = command.words[0]
            if name not in groups:
                groups[name] = first.add_parser(name, help=f"list, show and change {name}").add_subparsers(
                    metavar="COMMAND", required=True
                )
            place = groups[name]
        own = place.add_parser(command.words[-1], help=command.doc, description=command.doc)
        for argument in command.arguments:
            own.add_argument(*argument.names, **argument.options)
        _add_everywhere(own)
        own.set_defaults(function=command.function)
    return top


def _add_everywhere(parser: argparse.ArgumentParser) -> None:
    # Without a default: a command's would undo what was given before it.
    parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="answer in JSON")
    text = "where the daemon's sockets are (CLAUDEOPS_RUNTIME_DIR)"
    parser.add_argument("--runtime-dir", metavar="DIR", default=argparse.SUPPRESS, help=text)


def main() -> int:
    """Runs one command; its exit code."""
    import signal  # the rest of the process is zmq's, which wants no handlers

    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # whoever read has gone: end quietly, as other programs do
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    arguments = parser().parse_args()
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
