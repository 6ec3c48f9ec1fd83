"""A small web service with faults of its own: the patient of the evaluations. Standard library alone.

`engine` starts it as `python -S service.py DIRECTORY READY`; it reads DIRECTORY/settings.json, writes DIRECTORY/log and
makes the file READY once it listens. SIGUSR1 makes it slow until it is started again.

Settings: name, port; optional certificate and key (paths), needs ({name: "host:port"}), hosts (path), timeout_s,
at_start (needs that must answer before it serves), volume (path) with volume_max (bytes). A file `release` beside
them stands for the image's; one that says so is broken.
"""

import contextlib
import http.client
import http.server
import json
import signal
import socketserver
import ssl
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

SLOW_S = 4.0
FAILED = 503


class ServiceError(Exception):
    """Why it can't answer."""


class Service:
    """What it is set to, and what it knows of itself."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.slow = False
        self._writing = threading.Lock()
        try:
            self.settings: dict[str, Any] = json.loads((directory / "settings.json").read_text())
        except ValueError as error:
            raise ServiceError(f"settings.json can't be read: {error}") from error

    def log(self, level: str, words: str) -> None:
        """One line, with the time."""
        with self._writing, (self.directory / "log").open("a") as file:
            file.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}Z {level} {words}\n")

    def check(self) -> None:
        """Does what a request takes. ServiceError if it can't."""
        if self.slow:
            time.sleep(SLOW_S)
        release = self.directory / "release"
        if release.exists() and "broken" in release.read_text():
            raise ServiceError(f"table orders has no column paid_at; this is release {release.read_text().strip()}")
        self._write()
        for name in self.settings.get("needs", {}):
            self.reach(name)

    def reach(self, name: str) -> None:
        """Asks a service that it needs. ServiceError says what is wrong with that."""
        host, _, port = self.settings["needs"][name].rpartition(":")
        timeout = float(self.settings.get("timeout_s", 1.0))
        try:
            connection = http.client.HTTPConnection(self._address(host), int(port), timeout=timeout)
            with contextlib.closing(connection):
                connection.request("GET", "/health")
                status = connection.getresponse().status
        except TimeoutError as error:
            raise ServiceError(f"{name} ({host}:{port}) gave no answer within {timeout:g} s") from error
        except OSError as error:
            raise ServiceError(f"{name} ({host}:{port}): {error}") from error
        if status != http.HTTPStatus.OK:
            raise ServiceError(f"{name} ({host}:{port}) answered HTTP {status}")

    def _address(self, host: str) -> str:
        for line in Path(self.settings["hosts"]).read_text().splitlines():
            if host in line.split("#")[0].split()[1:]:
                return line.split()[0]
        raise OSError(f"[Errno -2] Name or service not known: {host}")

    def _write(self) -> None:
        if "volume" not in self.settings:
            return
        volume = Path(self.settings["volume"])
        used = sum(path.stat().st_size for path in volume.rglob("*") if path.is_file())
        if used + 4096 > self.settings["volume_max"]:
            raise ServiceError(f"can't write {volume}/orders.journal: [Errno 28] No space left on device")
        (volume / "orders.journal").write_text("")


def serve(service: Service, ready: Path) -> None:
    """Answers /health until it is killed."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, words = http.HTTPStatus.OK.value, "ok"
            try:
                service.check()
            except ServiceError as fault:
                status, words = FAILED, str(fault)
                service.log("ERROR", f"GET {self.path} {FAILED}: {words}")
            body = json.dumps({"service": service.settings["name"], "status": words}).encode() + b"\n"
            with contextlib.suppress(ConnectionError):
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_request(self, code: object = "-", size: object = "-") -> None:
            service.log("INFO", f"{self.requestline} {int(code) if isinstance(code, int) else code}")

    class Server(http.server.ThreadingHTTPServer):
        # A client that does not trust the certificate hangs up, which is no fault of the service.
        def handle_error(self, request: object, client_address: object) -> None:
            service.log("WARN", f"connection of {client_address}: {sys.exc_info()[1]}")

        def server_bind(self) -> None:
            # Without the look-up of its own name that the standard server makes.
            socketserver.TCPServer.server_bind(self)
            self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    server = Server(("127.0.0.1", int(service.settings["port"])), Handler)
    if "certificate" in service.settings:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(service.settings["certificate"], service.settings["key"])
        # The handshake belongs to the thread of a connection: one that says nothing must not hold up the others.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    service.log("INFO", f"listening on port {server.server_port}")
    ready.touch()
    server.serve_forever(poll_interval=0.1)


def main(directory: Path, ready: Path) -> int:
    """Starts; 1 with a line in the log if it can't."""
    try:
        service = Service(directory)
        for name in service.settings.get("at_start", []):
            service.reach(name)
        signal.signal(signal.SIGUSR1, lambda *_: setattr(service, "slow", True))
        serve(service, ready)
    except (ServiceError, OSError, KeyError) as error:
        with (directory / "log").open("a") as file:
            file.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}Z FATAL can't start: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
