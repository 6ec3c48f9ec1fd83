"""`python -m webui`: the web process. Started by the supervisor with an environment that holds only what it needs.

With CLAUDEOPS_STANDBY it imports everything and then waits until it is told to serve, in the place of one that died.
"""

import asyncio
import faulthandler
import gc
import json
import os
import socket
import sys

from setproctitle import setproctitle

from schema import configuration

EXIT_CONFIGURATION = 78


def main() -> int:
    """Runs until stopped; the exit code."""
    setproctitle("claudeops: web")
    # The supervisor aborts a process that misses its beats: its stacks say where it hung.
    faulthandler.enable()
    # Importing makes much and drops little: the collector would only delay the start, and so whoever waits for a page.
    # `serve` has it look later, once.
    gc.disable()
    try:
        settings = configuration.load(os.environ)
        # aiohttp reads the system's certificates when it is imported: 50 ms and 2 MiB, for a process that opens no
        # connection to anybody.
        os.environ["SSL_CERT_FILE"] = os.environ["SSL_CERT_DIR"] = os.devnull
        from webui import routes
        from webui.server import serve

        if os.environ.pop("CLAUDEOPS_STANDBY", ""):
            setproctitle("claudeops: web standby")
            routes.load()
            if not _called(int(os.environ["CLAUDEOPS_CONTROL_FD"])):
                return 0
            setproctitle("claudeops: web")
        gc.enable()
        return asyncio.run(serve(os.environ, settings))
    except (configuration.ConfigurationError, ValueError) as error:
        print(f"web: {error}", file=sys.stderr)
        return EXIT_CONFIGURATION


def _called(descriptor: int) -> bool:
    """Waits for the supervisor's word to serve; False if it has hung up. Nothing behind that word is read."""
    channel = socket.socket(fileno=os.dup(descriptor))
    channel.setblocking(True)
    line = b""
    while not line.endswith(b"\n"):
        byte = channel.recv(1)
        if not byte:
            return False
        line += byte
    channel.close()
    return bool(json.loads(line).get("command") == "serve")


if __name__ == "__main__":
    sys.exit(main())
