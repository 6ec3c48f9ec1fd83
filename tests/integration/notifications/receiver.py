"""A real HTTP server that stands at the end of a `json://` channel and keeps what arrives."""

import http.server
import json
import threading
import time
from typing import Any


class Receiver:
    """Takes messages, refuses them, or lets them hang. `url` is the channel's; it can be closed, and opened again."""

    def __init__(self, user: str = "") -> None:
        self.bodies: list[dict[str, Any]] = []
        self.raw: list[tuple[dict[str, str], bytes]] = []  # headers and body of every attempt
        self.leads_to = ""  # where it redirects to
        self.refuse = 0
        self.never: dict[str, int] = {}  # by a word in the body, the status with which that is always refused
        self.hang_s = 0.0
        self._user = f"{user}@" if user else ""
        self.port = 0
        self._server: http.server.ThreadingHTTPServer | None = None
        self.open()

    def open(self) -> None:
        """Listens, on the same port as before."""
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.raw.append((dict(self.headers), raw))
                if receiver.leads_to:
                    self.send_response(307)
                    self.send_header("Location", receiver.leads_to)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                body = json.loads(raw)
                if status := next((code for word, code in receiver.never.items() if word in raw.decode()), 0):
                    self.send_error(status)
                    return
                if receiver.refuse:
                    receiver.refuse -= 1
                    self.send_error(500)
                    return
                receiver.bodies.append(body)
                time.sleep(receiver.hang_s)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                return

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, request: object, client_address: object) -> None:
                return  # the other side may be killed while it waits

        self._server = Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Is down: a connection is refused."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @property
    def url(self) -> str:
        """The channel."""
        return f"json://{self._user}127.0.0.1:{self.port}/hook"

    @property
    def address(self) -> str:
        """The same as the address of a program."""
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def titles(self) -> list[str]:
        """The titles that arrived, in order."""
        return [body["title"] for body in self.bodies]
