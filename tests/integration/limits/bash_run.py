"""Runs a script under real bash, or dash, where every program is a stub that only records its argv.

The stubs' directory is the whole PATH and the environment is empty, so nothing real can be reached by name. What could
leave it (absolute paths, `env -i`, login shells, `command -p`) is not run.
"""

import contextlib
import os
import re
import shlex
import signal
import subprocess
from pathlib import Path

from daemon.limits.kinds import Found, Kind
from daemon.limits.programs.all import PROGRAMS
from daemon.limits.words import literal, show

_LEAVES = re.compile(r"/s?bin/|/tmp|\benv\b|\bcommand\b|-\w*[lip]|--login|\bkill\b|\bexec\b|\.\./|\bbuiltin\b")
# These run what they are given, so that what is inside them is seen as well.
_PASS_ON = ("bash", "sh", "xargs", "timeout", "nice", "nohup")
# One file for each process: several may run at once.
_STUB = '#!/bin/sh\nprintf "%s\\0" "${0##*/}" "$@" > RECORD/$$\n'
# Programs that read where they are given no file, as the real ones do: one line, or all.
_LINE = '[ "$#" -gt 0 ] && case "$*" in */*) exit;; esac\nread -r line\n'
_ALL = 'case "$*" in */*) exit;; esac\nwhile read -r line; do printf "%s\\n" "$line"; done\n'
_READING = {**dict.fromkeys(("head", "grep", "sed", "awk", "tail", "sort", "wc"), _LINE), "cat": _ALL}
_PASSING = {
    "bash": 'exec /bin/bash --norc --noprofile "$@"\n',
    "sh": 'exec /bin/dash "$@"\n',
    "xargs": 'exec /usr/bin/xargs "$@"\n',
    "timeout": 'exec /usr/bin/timeout "$@"\n',
    "nice": 'exec /usr/bin/nice "$@"\n',
    "nohup": 'exec /usr/bin/nohup "$@"\n',
}


def argv(shell: str, script: str) -> list[str]:
    """The command that has a shell read a script; dash can't be kept from its own `kill`."""
    if shell == "dash":
        return ["/bin/dash", "-c", script]
    return ["/bin/bash", "--norc", "--noprofile", "-c", f"enable -n kill\neval {shlex.quote(script)}"]


class Stage:
    """A directory of stubs and a place to run in."""

    def __init__(self, directory: Path) -> None:
        self.programs, self.place, self.record = directory / "programs", directory / "place", directory / "record"
        for path in (self.programs, self.place, self.record):
            path.mkdir()
        stub = directory / "stub"
        stub.write_text(_STUB.replace("RECORD", str(self.record)), encoding="utf-8")
        stub.chmod(0o755)
        for name in PROGRAMS:
            if name not in _PASSING and "/" not in name:
                (self.programs / name).symlink_to(stub)
        for name, text in _READING.items():
            path = self.programs / name
            path.unlink()
            path.write_text(_STUB.replace("RECORD", str(self.record)) + text, encoding="utf-8")
            path.chmod(0o755)
        for name, text in _PASSING.items():
            path = self.programs / name
            path.write_text(f"#!/bin/sh\n{text}", encoding="utf-8")
            path.chmod(0o755)

    def run(self, script: str, shell: str = "bash") -> list[list[str]]:
        """The argv of every program that the shell started."""
        for path in (*self.place.iterdir(), *self.record.iterdir()):
            path.unlink()
        with subprocess.Popen(
            argv(shell, script),
            env={"PATH": str(self.programs), "HOME": "~", "CLAUDEOPS_STATE_DIR": "/state"},
            cwd=self.place,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            with contextlib.suppress(subprocess.TimeoutExpired):  # a loop that never ends has shown what it runs
                process.wait(timeout=2)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        calls = [path.read_bytes().decode("utf-8", "surrogateescape") for path in self.record.iterdir()]
        # Which number bash gives to a process substitution isn't told beforehand.
        return [re.sub(r"/dev/fd/\d+", "/dev/fd/63", call).split("\0")[:-1] for call in calls]


def may_run(script: str, found: tuple[Found, ...]) -> bool:
    """Whether a script is understood, so that there is something to compare, and stays among the stubs."""
    harmless = {Kind.READ, Kind.RESTART, Kind.WRITE}
    # A redirection is made by bash itself: only into the place where it runs. Programs that write are stubs.
    made = [item.words[1] for item in found if item.kind is Kind.WRITE and item.words[0] == ">"]
    writes_here = not any(path.startswith(("/", "…", "~")) or ".." in path for path in made)
    return all(item.kind in harmless for item in found) and writes_here and not _LEAVES.search(script)


def unseen(calls: list[list[str]], found: tuple[Found, ...]) -> list[list[str]]:
    """What bash started that isn't among what was found."""
    return [call for call in calls if call and not any(_is(call, item) for item in found)]


def _is(call: list[str], item: Found) -> bool:
    if any(wrapper.split()[0] == call[0] for wrapper in item.through):
        return True
    if show([literal(word) for word in call]) == item.text:
        return True
    # Words that weren't known: those of the sub-command must be there, in order.
    known = [word for word in item.words if word != "…"]
    rest = iter(call)
    return ("…" in item.words or "$" in item.text) and call[:1] == known[:1] and all(word in rest for word in known)
