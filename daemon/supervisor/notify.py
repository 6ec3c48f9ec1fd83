"""Tells systemd how the daemon is: sd_notify over its datagram socket. Without one, says nothing."""

import os
import socket
import time

from daemon.supervisor.log import log

SEND_SECONDS = 0.5


class Notifier:
    """Sends only what has changed, and the watchdog's sign of life."""

    def __init__(self, address: str) -> None:
        """`address` is $NOTIFY_SOCKET: a path, or a name that begins with @."""
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._status = ""
        self._complained = False

    def send(self, *lines: str) -> None:
        """Sends assignments such as READY=1 in one datagram."""
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                # A systemd that does not read must not hold the loop.
                sender.settimeout(SEND_SECONDS)
                sender.sendto("\n".join(lines).encode(), self._address)
        except OSError as error:
            if not self._complained:
                log(f"systemd can't be told: {error.strerror or error}", "warning")
            self._complained = True
        else:
            self._complained = False

    def status(self, text: str) -> None:
        """The line that `systemctl status` shows."""
        text = " ".join(text.split())  # a line end would begin another assignment
        if text != self._status:
            self._status = text
            self.send(f"STATUS={text}")

    def reloading(self) -> None:
        """Begins a reload; READY=1 ends it."""
        self.send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")


def notifier() -> Notifier:
    """By the environment that systemd gives."""
    return Notifier(os.environ.get("NOTIFY_SOCKET", ""))
