"""A reverse proxy in front of the dashboard that can fail as proxies do: 502, or no answer at all."""

import contextlib
import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.browser.screens import Dashboard

HOP = {"connection", "transfer-encoding", "content-length", "server", "date"}


class Front:
    """`mode`: pass, bad (502, as nginx says it) or hang."""

    def __init__(self, behind: Dashboard) -> None:
        self.behind = behind
        self.cookie = behind.cookie
        self.mode = "pass"
        self.over = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True

    @property
    def port(self) -> int:
        """Where it listens on loopback."""
        return int(self.server.server_address[1])

    def sign_in(self) -> object:
        """As behind it."""
        return self.cookie

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        front = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if front.mode == "hang":
                    front.over.wait(60)
                    return
                if front.mode == "bad":
                    self._answer(502, [("Content-Type", "text/html")], b"<h1>502 Bad Gateway</h1>")
                    return
                with contextlib.closing(
                    http.client.HTTPConnection("127.0.0.1", front.behind.port, timeout=30)
                ) as connection:
                    kept = {name: value for name, value in self.headers.items() if name.lower() != "accept-encoding"}
                    connection.request("GET", self.path, headers=kept)
                    answer = connection.getresponse()
                    headers = [pair for pair in answer.getheaders() if pair[0].lower() not in HOP]
                    if answer.getheader("Content-Type", "").startswith("text/event-stream"):
                        self._answer(503, [("Content-Type", "text/plain")], b"no streams here")
                    else:
                        self._answer(answer.status, headers, answer.read())

            def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                """Says nothing."""

        return Handler


@contextlib.contextmanager
def front(behind: Dashboard) -> Iterator[Front]:
    """A proxy that runs."""
    made = Front(behind)
    thread = threading.Thread(target=made.server.serve_forever, name="front")
    thread.start()
    try:
        yield made
    finally:
        made.over.set()
        made.server.shutdown()
        made.server.server_close()
        thread.join(10)
