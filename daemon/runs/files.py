"""What lies in a run directory, and how it is written: whole or not at all.

Shared by the shim (standard library alone) and the worker. Names are a contract: a newer worker adopts an older shim.
"""

import json
import os

LOCK = "lock"  # flock held by the shim while it lives; holds {"pid", "start_time"} of the shim
SPEC = "spec.json"  # what was asked for, without environment values, input or secrets
STDIN = "stdin"  # the command's input
SHIM = "shim.json"  # {"pid", "start_time", "command_pid", "command_start_time", "started_at"}
STOP = "stop.json"  # {"reason", "by"}: why the worker signals the shim
EXIT = "exit.json"  # the exit record; present means ended
RESERVE = "exit.json.tmp"  # room on disk for the exit record, claimed at the start
ERRORS = "shim.err"  # what the shim itself had to say on stderr


def write_json(path: str | os.PathLike[str], value: object) -> None:
    """Replace a JSON file in one step. No fsync: for facts that mean nothing after a power loss."""
    temporary = f"{os.fspath(path)}.tmp"
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        write_all(fd, json.dumps(value).encode())
    finally:
        os.close(fd)
    os.rename(temporary, path)


def reserve(run_dir: str, size: int = 16384) -> None:
    """Claim the blocks that the exit record will need, so that a full disk cannot keep it from being written."""
    fd = os.open(os.path.join(run_dir, RESERVE), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        write_all(fd, b"\0" * size)
    finally:
        os.close(fd)


def write_exit(run_dir: str | os.PathLike[str], record: dict[str, object]) -> None:
    """Write the exit record into the reserved blocks, make it durable, then give it its name."""
    temporary = os.path.join(run_dir, RESERVE)
    text = json.dumps(record).encode()
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        write_all(fd, text)
        os.ftruncate(fd, len(text))
        os.fsync(fd)
    finally:
        os.close(fd)
    os.rename(temporary, os.path.join(run_dir, EXIT))
    sync_directory(run_dir)


def sync_directory(path: str | os.PathLike[str]) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def read_json(path: str | os.PathLike[str]) -> dict[str, object] | None:
    """The object in the file, or None when it is missing, or torn by a power loss."""
    try:
        with open(path, "rb") as file:
            value = json.loads(file.read())
    except (FileNotFoundError, ValueError):
        return None
    return value if isinstance(value, dict) else None
