"""Calls of the kernel that Python has no name for, and the title that ps shows.

For the supervisor, the shims and what they start: loaded before any fork, standard library alone.
"""

import ctypes
import os
import sys
from importlib.machinery import ExtensionFileLoader, ModuleSpec, PathFinder

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

_libc = ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), f"prctl {option}")


def die_with_parent(signum: int) -> None:
    """Has the kernel send `signum` to this process when the thread that forked it ends. Survives exec."""
    _prctl(PR_SET_PDEATHSIG, signum)


def become_subreaper() -> None:
    """Has orphans below this process become its children, so that it can find and reap each of them."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def title_extension() -> str | None:
    """Path of setproctitle's extension module; None where it is not installed.

    Found without importing the package, which logs by `logging`: 1.1 MiB that these processes have no other use for.
    """
    package = PathFinder.find_spec("setproctitle")
    places = package.submodule_search_locations if package else None
    found = PathFinder.find_spec("_setproctitle", places) if places else None
    return found.origin if found else None


def set_title(title: str, extension: str | None) -> None:
    """Shows `title` in ps, by the extension module at that path. A title is no reason to fail."""
    if extension is None:
        print("no process title: setproctitle is not installed", file=sys.stderr)
        return
    try:
        loader = ExtensionFileLoader("_setproctitle", extension)
        module = loader.create_module(ModuleSpec("_setproctitle", loader, origin=extension))
        loader.exec_module(module)
        module.setproctitle(title)
    except (ImportError, AttributeError, OSError) as error:
        print(f"no process title: {error}", file=sys.stderr)
