"""Who may command the daemon: its own user, root, and members of the runtime directory's group.

The modes of directory and sockets are the gate; this is the second look, by what the kernel says of the peer.
"""

import os
import pwd
from pathlib import Path

from ipc.server import Peer


class Peers:
    """Judges peers by uid."""

    def __init__(self, runtime_dir: Path) -> None:
        self._own = os.getuid()
        self._group = runtime_dir.stat().st_gid

    def allowed(self, peer: Peer) -> bool:
        """Whether a peer may command."""
        if peer.uid in (0, self._own) or (peer.gid == self._group and self._group != 0):
            return True
        try:
            entry = pwd.getpwuid(peer.uid)
        except KeyError:
            return False
        return self._group in os.getgrouplist(entry.pw_name, entry.pw_gid)
