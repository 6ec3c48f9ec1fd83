"""What the supervisor owns for as long as the daemon lives: two locks, and every socket that listens.

The locks come first: whoever does not get them touches nothing. zmq would silently take a socket over, so binding one
tells nothing about another daemon; and one with another runtime directory could still have the same database.
"""

import contextlib
import errno
import fcntl
import os
import socket
import stat
from pathlib import Path
from typing import NamedTuple

from schema.places import STATE_LOCK
from schema.settings import Settings

PATH_MAX_BYTES = 107
BACKLOG = 256
FIRST_SYSTEMD_FD = 3
HOLDER_BYTES = 4200
NONE = -1


class LockHeldError(Exception):
    """Another daemon has this runtime directory, or this state directory."""


class PlaceError(Exception):
    """A place that can't be used; the message names it and says what to do."""


class Places(NamedTuple):
    """Descriptors that outlive every child and every re-execution, and where browsers reach the dashboard.

    `state` is the state directory's lock, `lock` the runtime directory's.
    """

    lock: int
    rpc: int
    pub: int
    http: int
    address: str
    state: int = NONE  # of a supervisor that re-executed itself into this version and knew of none


def take_lock(runtime: Path) -> int:
    """The descriptor of the runtime directory's lock. LockHeldError names the daemon that has it."""
    try:
        made = not runtime.is_dir()
        runtime.mkdir(parents=True, exist_ok=True)
        if made:
            runtime.chmod(0o750)
        _refuse_strangers(runtime)
        lock = _open(runtime / "lock")
    except OSError as error:
        raise PlaceError(f"CLAUDEOPS_RUNTIME_DIR: {runtime} can't be used: {error.strerror}") from error
    if (holder := _taken(lock)) is not None:
        raise LockHeldError(f"a daemon already runs with {runtime} (pid {holder or 'unknown'})")
    return lock


def take_state(state: Path, runtime: Path) -> int:
    """The descriptor of the state directory's lock; it says who has it. LockHeldError names who that is."""
    try:
        state.mkdir(mode=0o750, parents=True, exist_ok=True)
        lock = _open(state / STATE_LOCK)
    except PermissionError as error:
        text = f"CLAUDEOPS_STATE_DIR: {state} is not writable for uid {os.geteuid()}; change its owner"
        raise PlaceError(text) from error
    except OSError as error:
        raise PlaceError(f"CLAUDEOPS_STATE_DIR: {state} can't be used: {error.strerror}") from error
    if (holder := _taken(lock)) is not None:
        who = f"pid {holder.replace(chr(10), ', runtime directory ') or 'unknown'}"
        text = f"another daemon works on the state directory {state} ({who})"
        raise LockHeldError(f"{text}; stop that one, or set another CLAUDEOPS_STATE_DIR")
    os.fchmod(lock, 0o640)
    # A full disk must not keep the daemon from starting; the lock holds all the same.
    with contextlib.suppress(OSError):
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n{runtime.absolute()}\n".encode(), 0)
    return lock


def _open(path: Path) -> int:
    """A lock file. OSError; PlaceError where something else has its name."""
    # Opening a pipe that somebody has put there must not wait for its other end.
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o640)
    if not stat.S_ISREG(os.fstat(lock).st_mode):
        os.close(lock)
        raise PlaceError(f"{path} is in the way and is no file; look at it and move it away")
    return lock


def _taken(lock: int) -> str | None:
    """Takes a lock: None; or what its holder has written into it, and the descriptor is closed."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(lock, HOLDER_BYTES, 0).decode("utf-8", "replace").strip()
        os.close(lock)
        return holder
    return None


def _refuse_strangers(runtime: Path) -> None:
    """Who may write to the directory can put a socket of his own in the place of ours."""
    found = runtime.stat()
    if found.st_uid not in (0, os.geteuid()):
        text = f"belongs to uid {found.st_uid}; give it to uid {os.geteuid()}, or choose another"
        raise PlaceError(f"CLAUDEOPS_RUNTIME_DIR: {runtime} {text}")
    if found.st_mode & stat.S_IWOTH:
        text = "may be written to by anybody; take that right away (chmod o-w), or choose another"
        raise PlaceError(f"CLAUDEOPS_RUNTIME_DIR: {runtime} {text}")


def write_pid(lock: int) -> None:
    """Says in the lock file whose it is."""
    try:
        os.fchmod(lock, 0o640)  # whatever the umask: the group may ask how the daemon is
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    except OSError as error:
        raise PlaceError(f"CLAUDEOPS_RUNTIME_DIR: can't write to the lock file in it: {error.strerror}") from error


def listen_unix(path: Path) -> int:
    """A listening socket for our user and group. Only a socket is ever removed to make room."""
    name = os.fsencode(path)
    if len(name) > PATH_MAX_BYTES:
        raise PlaceError(
            f"CLAUDEOPS_RUNTIME_DIR: {path} has {len(name)} bytes, and a socket's path may have {PATH_MAX_BYTES}"
        )
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise PlaceError(f"{path} is in the way and is no socket; look at it and move it away")
        path.unlink()
    except FileNotFoundError:
        made_room = False
    except OSError as error:
        raise PlaceError(f"can't remove the old socket {path}: {error.strerror}") from error
    else:
        made_room = True
    listening = socket.socket(socket.AF_UNIX)
    try:
        listening.bind(str(path))
        path.chmod(0o660)
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise PlaceError(f"can't listen on {path}{' again' if made_room else ''}: {error.strerror}") from error
    return listening.detach()


def listen_http(host: str, port: int) -> int:
    """The dashboard's listening socket."""
    try:
        # As bytes: for text, Python loads what internationalised names are written by, 0.1 MiB.
        family, _, _, _, address = socket.getaddrinfo(
            host.encode() or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, socket.SOCK_STREAM)
        with contextlib.ExitStack() as unless_done:
            unless_done.callback(listening.close)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(1024)
            unless_done.pop_all()
    except OSError as error:
        name, hint = "CLAUDEOPS_DASHBOARD_HOST", "write an address of this host, or 0.0.0.0 for all it has"
        if error.errno == errno.EADDRINUSE:
            name, hint = "CLAUDEOPS_DASHBOARD_PORT", "another program has it, set another"
        elif error.errno == errno.EACCES:
            name, hint = "CLAUDEOPS_DASHBOARD_PORT", "set one that needs no privilege, such as 8080"
        raise PlaceError(f"{name}: can't listen on {host}:{port}: {error.strerror or error}; {hint}") from error
    return listening.detach()


def from_systemd(environ: dict[str, str]) -> int | None:
    """The listening socket that systemd passes by socket activation, if it does."""
    if environ.get("LISTEN_PID") != str(os.getpid()) or not environ.get("LISTEN_FDS", "").isdigit():
        return None
    if int(environ["LISTEN_FDS"]) < 1:
        return None
    os.set_inheritable(FIRST_SYSTEMD_FD, False)
    return FIRST_SYSTEMD_FD


def address_of(descriptor: int, *, secure: bool = False) -> str:
    """How a browser on this host reaches a listening socket."""
    with socket.socket(fileno=os.dup(descriptor)) as listening:
        host, port = listening.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http{'s' if secure else ''}://{f'[{host}]' if ':' in host else host}:{port}"


def open_places(settings: Settings, environ: dict[str, str], lock: int, state: int) -> Places:
    """Every socket, once the locks are held."""
    runtime = Path(settings.runtime_dir)
    rpc = listen_unix(runtime / "rpc.sock")
    pub = listen_unix(runtime / "pub.sock")
    http = from_systemd(environ)
    if http is None:
        http = listen_http(settings.dashboard_host, settings.dashboard_port)
    return Places(lock, rpc, pub, http, address_of(http, secure=bool(settings.tls_cert)), state)
