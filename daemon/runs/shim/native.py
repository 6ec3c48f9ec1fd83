"""What the standard library does not offer of the C library and the kernel. Used by the shim alone."""

import ctypes
import os
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3

_libc = ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"prctl {option}: {os.strerror(code)}")


def become_subreaper() -> None:
    """Orphans below this process become its children, so that it can find and reap each of them."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent(signum: int) -> None:
    """Have the kernel send `signum` to this process when the thread that forked it ends. Survives exec."""
    _prctl(PR_SET_PDEATHSIG, signum)


def keep_buffers(size: int) -> None:
    """Have malloc keep up to 16 buffers of `size` bytes, where it would give each back to the kernel at once.

    The page faults of getting them again cost three times the work that is done in them. (glibc; elsewhere: as it is.)
    """
    mallopt = getattr(_libc, "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, 16 * size)
        mallopt(M_TRIM_THRESHOLD, 16 * size)


def fast_search() -> Callable[[bytes, bytes], bool]:
    """`piece in text` by the C library's memmem, two to four times as fast as Python's own search in large text."""
    try:
        memmem = _libc.memmem
    except AttributeError:
        return bytes.__contains__
    memmem.restype = ctypes.c_void_p
    memmem.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]

    def contains(text: bytes, piece: bytes) -> bool:
        return memmem(text, len(text), piece, len(piece)) is not None

    return contains


def set_title(title: str, module_path: str) -> None:
    """Show `title` in ps, by the extension module of setproctitle at `module_path`. A title is no reason to fail."""
    try:
        from importlib.machinery import ExtensionFileLoader, ModuleSpec

        loader = ExtensionFileLoader("_setproctitle", module_path)
        module = loader.create_module(ModuleSpec("_setproctitle", loader, origin=module_path))
        loader.exec_module(module)
        module.setproctitle(title)
    except (ImportError, AttributeError, OSError) as error:
        print(f"no process title: {error}", file=sys.stderr)
