"""The title that ps shows of supervisor and shims, by setproctitle's extension module. Standard library alone."""

import sys
from importlib.machinery import ExtensionFileLoader, ModuleSpec, PathFinder


def extension() -> str | None:
    """Path of setproctitle's extension module; None where it is not installed.

    Found without importing the package, which logs by `logging`: 1.1 MiB that these processes have no other use for.
    """
    package = PathFinder.find_spec("setproctitle")
    places = package.submodule_search_locations if package else None
    found = PathFinder.find_spec("_setproctitle", places) if places else None
    return found.origin if found else None


def show(title: str, path: str | None) -> None:
    """Shows `title` in ps, by the extension module at `path`. A title is no reason to fail."""
    if path is None:
        print("no process title: setproctitle is not installed", file=sys.stderr)
        return
    try:
        loader = ExtensionFileLoader("_setproctitle", path)
        module = loader.create_module(ModuleSpec("_setproctitle", loader, origin=path))
        loader.exec_module(module)
        module.setproctitle(title)
    except (ImportError, AttributeError, OSError) as error:
        print(f"no process title: {error}", file=sys.stderr)
