"""The command line's entry: parses by the table, runs the command, turns every failure into one sentence."""

import argparse
import importlib
import json
import os
import sys

from ipc.ctl.commands import COMMANDS
from ipc.ctl.connection import Connection, CtlError, find_runtime

INTERRUPTED = 130


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(prog="claudeopsctl", description="Asks and commands the Claude Ops daemon.")
    top.add_argument("--runtime-dir", metavar="DIR", help="where the daemon's sockets are (CLAUDEOPS_RUNTIME_DIR)")
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
        own.add_argument("--json", action="store_true", help="answer in JSON")
        own.set_defaults(function=command.function)
    return top


def main() -> int:
    """Runs one command; its exit code."""
    arguments = parser().parse_args()
    connection = Connection(find_runtime(arguments.runtime_dir))
    module, _, name = arguments.function.partition(":")
    try:
        return int(getattr(importlib.import_module(f"ipc.ctl.{module}"), name)(connection, arguments))
    except CtlError as error:
        if arguments.json:
            print(json.dumps({"error": {"code": error.code, "message": error.message, **error.data}}))
        print(f"claudeopsctl: {error.message}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read has gone; nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
