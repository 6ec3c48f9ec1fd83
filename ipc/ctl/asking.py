"""Who asks, and what is asked for: the user's name, and a prompt from an option, a file or standard input."""

import argparse
import os
import sys
from pathlib import Path

from ipc.asker import unix_user
from ipc.ctl.connection import MAX_FRAME
from ipc.ctl.errors import USAGE, CtlError


def who() -> str:
    """The unix user who runs this, for rows that say who asked or decided."""
    return unix_user(os.getuid())


def prompt_of(arguments: argparse.Namespace) -> str:
    """The prompt by `--prompt` or `--prompt-file`; empty if neither is given. CtlError if it is no text."""
    prompt = arguments.prompt or ""
    if arguments.prompt_file:
        prompt = _read(arguments.prompt_file)
    if not prompt.strip() and (arguments.prompt is not None or arguments.prompt_file):
        # An empty text would mean the tier's own prompt, which is not what was asked for.
        raise CtlError(USAGE, "invalid", "the prompt is empty; leave the option out to use the tier's prompt file")
    return prompt


def _read(path: str) -> str:
    try:
        if path == "-":
            data = sys.stdin.buffer.read(MAX_FRAME + 1)
        else:
            with Path(path).open("rb") as file:
                data = file.read(MAX_FRAME + 1)
        return data.decode()
    except OSError as error:
        raise CtlError(USAGE, "invalid", f"can't read {path}: {error.strerror}; name a file, or - for input") from error
    except UnicodeDecodeError as error:
        raise CtlError(USAGE, "invalid", f"{path} is not text in UTF-8; convert it") from error
