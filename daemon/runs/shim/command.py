"""Starting the command: fork, make the child its own and mortal with us, exec. Used by the shim's keeper."""

import fcntl
import os
import signal
import sys

from daemon import native

PIPE_SIZE = 1 << 20  # what a burst may write before the command has to wait for us


class SpawnError(Exception):
    """The command did not start; the sentence says what and why."""


class Command:
    """A started command and the ends of its pipes that are ours (non-blocking)."""

    def __init__(self, pid: int, stdout: int, stderr: int) -> None:
        self.pid = pid
        self.stdout = stdout
        self.stderr = stderr


def output_pipe() -> tuple[int, int]:
    reading, writing = os.pipe()
    for size in (PIPE_SIZE, PIPE_SIZE // 4):
        try:
            fcntl.fcntl(reading, fcntl.F_SETPIPE_SZ, size)
            break
        except PermissionError:
            continue  # the user's share of pipe memory is spent: the default size does, slower
    os.set_blocking(reading, False)
    return reading, writing


def start(argv: list[str], env: dict[str, str], cwd: str, stdin: str | None) -> Command:
    """Start `argv` in a session of its own. SpawnError with a sentence when it cannot be started."""
    try:
        source = os.open(stdin or os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise SpawnError(f"the input {stdin} cannot be read: {error.strerror}") from error
    stdout, stdout_end = output_pipe()
    stderr, stderr_end = output_pipe()
    report, report_end = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        _become(parent, argv, env, cwd, (source, stdout_end, stderr_end), report_end)
    for fd in (source, stdout_end, stderr_end, report_end):
        os.close(fd)
    failure = b""
    while part := os.read(report, 4096):
        failure += part
    os.close(report)
    if failure:
        os.waitpid(pid, 0)
        os.close(stdout)
        os.close(stderr)
        step, _, code = failure.decode().partition(" ")
        what = f"the working directory {cwd} cannot be entered" if step == "cwd" else f"{argv[0]} cannot be started"
        raise SpawnError(f"{what}: {os.strerror(int(code))} (errno {code})")
    return Command(pid, stdout, stderr)


def _become(
    parent: int, argv: list[str], env: dict[str, str], cwd: str, stdio: tuple[int, int, int], report: int
) -> None:
    """In the child: never returns. What fails is written to `report` as "<step> <errno>"."""
    step = "prepare"
    try:
        signal.set_wakeup_fd(-1)
        os.setsid()
        native.die_with_parent(signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(127)  # the shim died before the kernel knew that we die with it
        for signum in signal.valid_signals():
            if signum not in (signal.SIGKILL, signal.SIGSTOP):
                signal.signal(signum, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        for target, fd in enumerate(stdio):
            os.dup2(fd, target)
        step = "cwd"
        os.chdir(cwd)
        step = "exec"
        os.execvpe(argv[0], argv, env)
    except OSError as error:
        os.write(report, f"{step} {error.errno}".encode())
    except BaseException as error:  # noqa: BLE001 - the copy of the shim must end here, whatever happens
        print(f"the command's process failed to {step}: {error!r}", file=sys.stderr)
        os.write(report, f"{step} 22".encode())
    finally:
        os._exit(127)
