"""What a shell command does: parsed by a real grammar, walked as bash would run it.

Pure. Called by `daemon.limits.calls`; parser and program tables are loaded with it, so a worker without sessions spares
their memory.
"""

from daemon.limits.command import Frame
from daemon.limits.expansion import SecretRead
from daemon.limits.kinds import SHOWN_MAX, Found, Kind, not_understood
from daemon.limits.shell import Shell
from daemon.limits.words import NotUnderstood


def understand(command: str, *, state_dir: str = "", cwd: str = "") -> tuple[Found, ...]:
    """What a shell command does: one item for each simple command in it. Never raises, never empty.

    `state_dir`: the daemon's own directory, which sessions may not read. `cwd`: where the command runs, if known.
    """
    shell = Shell()
    try:
        shell.found += shell.script(command, Frame(directories=(cwd,), state_dir=state_dir))
    except SecretRead as why:
        shell.found.append(not_understood(command, str(why))._replace(kind=Kind.SECRET))
    except NotUnderstood as why:
        shell.found.append(not_understood(command, str(why)))
    except (RecursionError, MemoryError, UnicodeError):
        shell.found.append(not_understood(command, "too deep or not text"))
    except Exception as fault:  # noqa: BLE001 - whatever goes wrong while judging, the answer is no
        shell.found.append(not_understood(command, f"it could not be judged ({type(fault).__name__})"))
    if not shell.found:
        shell.found.append(Found(Kind.READ, command[:SHOWN_MAX], reason="runs nothing"))
    return tuple(shell.found)
