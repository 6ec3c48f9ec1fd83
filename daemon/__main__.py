"""`python -m daemon`, and the console script `claudeops`: reads settings, takes the lock, becomes the supervisor."""

import os
import sys
from pathlib import Path
from typing import Any

from daemon import native, title
from daemon.supervisor import places, reexec
from daemon.supervisor.log import LOG, crashed, log
from daemon.supervisor.loop import EXIT_CONFIGURATION, EXIT_INTERNAL, Supervisor
from daemon.supervisor.notify import notifier
from daemon.supervisor.programs import Programs, started_below_us
from daemon.supervisor.signals import hold
from daemon.supervisor.voices import VOICES
from schema.configuration import DECLARATIONS, ConfigurationError, without_effect
from schema.version import VERSION

EXIT_LOCK_HELD = 75
DESCRIPTORS = 65536


def flags(argv: list[str]) -> tuple[dict[str, str], bool]:
    """Settings given as flags, by environment variable, and whether only to check them.

    Exits for --help, --version and what it does not know.
    """
    if not argv:
        return {}, False
    import argparse

    parser = argparse.ArgumentParser(
        prog="claudeops", description="The Claude Ops daemon. Each flag is a setting; docs/settings.md says more."
    )
    parser.add_argument("--version", action="version", version=f"claudeops {VERSION}")
    for declaration in DECLARATIONS.values():
        # A switch may stand alone, as the existing program has it: --dry-run.
        alone: dict[str, Any] = {"nargs": "?", "const": "true"} if declaration.kind is bool else {}
        doc = argparse.SUPPRESS if declaration.meta.secret else declaration.meta.doc.replace("%", "%%")
        parser.add_argument(declaration.flag, dest=declaration.env, metavar="VALUE", help=doc, **alone)
    parser.add_argument(reexec.CHECK_FLAG, action="store_true", help="read the settings, say what is wrong, and end")
    found = vars(parser.parse_args(argv))
    only_check = found.pop("check")
    for declaration in DECLARATIONS.values():
        if declaration.meta.secret and found[declaration.env] is not None:
            where = f"set {declaration.env}, or {declaration.env}_FILE and a file"
            parser.error(f"{declaration.flag} would show a secret to everyone who lists processes; {where}")
    return {name: value for name, value in found.items() if value is not None}, only_check


def fill_streams() -> None:
    """Opens standard input, output and error where whoever started us closed them.

    A socket or a database would get such a number else, and what is said on standard error would be written into it.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest number that is free


def raise_limit() -> None:
    """As many descriptors as the system lets us have: libzmq aborts the worker when there are none left."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def spared(handed: dict[str, Any] | None) -> dict[int, int]:
    """Processes below us that are none of ours: those of before, if this is a re-execution."""
    return started_below_us() if handed is None else {int(pid): started for pid, started in handed["spared"].items()}


def refuse(error: ConfigurationError) -> int:
    """Says what is wrong with the settings."""
    for problem in error.problems:
        log(problem, "error")
    return EXIT_CONFIGURATION


def own(programs: Programs, handed: dict[str, Any] | None) -> places.Places:
    """Locks and sockets: taken now, or those of before, if this is a re-execution. LockHeldError, PlaceError."""
    if handed is not None:
        programs.keep(handed["fixed"])
    settings = programs.settings
    state, runtime = Path(settings.state_dir), Path(settings.runtime_dir)
    if handed is None:
        lock = places.take_lock(runtime)
        opened = places.open_places(settings, dict(os.environ), lock, places.take_state(state, runtime))
        places.write_pid(lock)
        return opened
    owned: places.Places = handed["places"]
    if owned.state == places.NONE:
        owned = owned._replace(state=places.take_state(state, runtime))
    return owned._replace(address=places.address_of(owned.http, secure=bool(settings.tls_cert)))


def check(given: dict[str, str]) -> int:
    """Reads the settings as a start would: 0, or 78 with what is wrong. Touches nothing."""
    try:
        Programs(os.environ, given)
    except ConfigurationError as error:
        return refuse(error)
    return 0


def main() -> int:
    """Runs the daemon; its exit code: 0 stopped, 70 internal, 75 another one runs, 78 settings or places."""
    fill_streams()
    argv = sys.argv[1:]
    LOG.json = os.environ.get("CLAUDEOPS_LOG_FORMAT") == "json"
    given, only_check = flags(argv)
    if only_check:
        return check(given)
    hold()
    os.umask(0o077)
    title.show("claudeops: supervisor", title.extension())
    handed = reexec.inherited()
    try:
        programs = Programs(os.environ, given, spared(handed))
        programs.begin_log()
        owned = own(programs, handed)
    except ConfigurationError as error:
        return refuse(error)
    except places.LockHeldError as error:
        log(str(error), "error")
        return EXIT_LOCK_HELD
    except places.PlaceError as error:
        log(str(error), "error")
        return EXIT_CONFIGURATION
    raise_limit()
    native.become_subreaper()
    boot_id = handed["boot_id"] if handed else os.urandom(8).hex()
    supervisor = Supervisor(programs, owned, notifier(), boot_id, VERSION, argv)
    if handed:
        supervisor.resume(handed)
    else:
        for told in without_effect(programs.environ):
            log(told, "warning")
    log(f"claudeops {VERSION} {'goes on' if handed else 'starts'}, dashboard at {owned.address}")
    try:
        return supervisor.run()
    except Exception as error:  # noqa: BLE001 - the last word; children end with us
        crashed(error)
        return EXIT_INTERNAL
    finally:
        VOICES.read([], to_the_end=True)
        hold()  # one more SIGTERM while the interpreter ends would make a death by signal of a clean exit


if __name__ == "__main__":
    sys.exit(main())
