"""The dashboard by HTTPS: its certificate is replaced while it serves, and a bad one is told and not used."""

import http.client
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.acceptance.harness import Daemon, wait_for
from tests.fixtures import certificates
from tests.fixtures.certificates import Pair


@pytest.fixture
def place(tmp_path: Path) -> Pair:
    return certificates.make(tmp_path / "tls", "first")


@pytest.fixture
def secure(daemon: Daemon, place: Pair) -> Daemon:
    daemon.environment |= {"CLAUDEOPS_TLS_CERT": str(place.cert), "CLAUDEOPS_TLS_KEY": str(place.key)}
    return daemon.start()


def unchecked() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def connected(daemon: Daemon, context: ssl.SSLContext | None = None) -> http.client.HTTPSConnection:
    connection = http.client.HTTPSConnection("127.0.0.1", daemon.port, timeout=15, context=context or unchecked())
    try:
        connection.connect()
    except OSError:
        connection.close()
        raise
    return connection


def served_by(daemon: Daemon) -> bytes:
    connection = connected(daemon)
    try:
        found = connection.sock.getpeercert(binary_form=True)
        assert found
        return found
    finally:
        connection.close()


def of(pair: Pair) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pair.cert.read_text())


def serves(daemon: Daemon, pair: Pair) -> bool:
    return served_by(daemon) == of(pair)


def get(connection: http.client.HTTPConnection, path: str, **headers: str) -> tuple[int, http.client.HTTPMessage, str]:
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    return response.status, response.msg, response.read().decode()


def fetched(
    daemon: Daemon, path: str, context: ssl.SSLContext | None = None, **headers: str
) -> tuple[int, http.client.HTTPMessage, str]:
    """One request on a connection of its own."""
    connection = connected(daemon, context)
    try:
        return get(connection, path, **headers)
    finally:
        connection.close()


def plain(daemon: Daemon, request: bytes) -> str:
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=10) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(4096), b"")).decode()


def warnings(daemon: Daemon) -> list[str]:
    found = daemon.file().get("warnings", [])
    assert isinstance(found, list)
    return found


def test_the_dashboard_is_served_by_https_alone(secure: Daemon, place: Pair) -> None:
    trusting = ssl.create_default_context(cafile=str(place.cert))
    connection = connected(secure, trusting)
    status, headers, body = get(connection, "/sign-in", Host=f"ops.example.org:{secure.port}")
    assert status == 200
    assert "Sign in" in body
    assert headers["Strict-Transport-Security"] == "max-age=2592000"
    assert all("Secure" in cookie for cookie in headers.get_all("Set-Cookie", []))
    assert headers.get_all("Set-Cookie")
    assert get(connection, "/healthz")[0] == 200
    connection.close()
    # A browser on this host keeps its other programs that speak plain HTTP.
    assert "Strict-Transport-Security" not in fetched(secure, "/sign-in", trusting, Host="localhost")[1]

    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = unchecked()
        context.minimum_version = context.maximum_version = version
        connected(secure, context).close()
    old = unchecked()
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        fetched(secure, "/", old)

    # The rest goes over the sockets, as always; and the link of the first start can be opened.
    assert secure.ctl("status").returncode == 0
    link = secure.ctl("setup-link").stdout.strip()
    assert link.startswith(f"https://127.0.0.1:{secure.port}/setup/")
    assert fetched(secure, "/" + link.split("/", 3)[3])[0] == 200


def test_plain_http_to_the_port_is_told_where_to_go(secure: Daemon) -> None:
    said = plain(secure, b"GET /sessions?tier=2 HTTP/1.1\r\nHost: ops.example.org:8080\r\n\r\n")
    assert said.startswith("HTTP/1.1 308 ")
    assert "\r\nLocation: https://ops.example.org:8080/sessions?tier=2\r\n" in said
    said = plain(secure, b"POST /sign-in HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
    assert said.startswith("HTTP/1.1 400 ")
    assert "This port speaks HTTPS" in said
    assert "evil" not in plain(secure, b"GET / HTTP/1.1\r\nHost: evil.example/@\r\n\r\n")
    assert plain(secure, b"\x16\x03\x01garbage that is no hello, and ends here") == ""
    assert fetched(secure, "/healthz")[0] == 200


class Load:
    """Clients that ask without a pause, each request on a new or on a kept connection; what failed is in `wrong`."""

    def __init__(self, daemon: Daemon, clients: int = 4) -> None:
        self.done = 0
        self.wrong: list[str] = []
        self._daemon = daemon
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number % 2 == 0,)) for number in range(clients)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _run(self, keeps: bool) -> None:
        kept = connected(self._daemon) if keeps else None
        while not self._over.is_set():
            try:
                connection = kept or connected(self._daemon)
                status = get(connection, "/healthz")[0]
                if status != 200:
                    self.wrong.append(str(status))
                if kept is None:
                    connection.close()
            except (OSError, http.client.HTTPException) as error:
                self.wrong.append(repr(error))
            self.done += 1
        if kept is not None:
            kept.close()


def test_a_renewed_certificate_is_taken_up_under_load_without_a_failed_request(
    secure: Daemon, place: Pair, tmp_path: Path
) -> None:
    pids = secure.pid("web"), secure.pid("worker")
    with Load(secure) as load:
        for name in ("second", "third"):
            new = certificates.make(tmp_path / name, name)
            certificates.put(new, place)
            wait_for(partial(serves, secure, new), 15, f"{name} by itself")
        new = certificates.make(tmp_path / "fourth", "fourth")
        certificates.put(new, place)
        secure.ctl("reload")
        wait_for(partial(serves, secure, new), 15, "the fourth by a reload")
        before = load.done
        wait_for(lambda: load.done > before + 50, 20, "requests afterwards")
    assert load.wrong == []
    assert (secure.pid("web"), secure.pid("worker")) == pids
    assert secure.log().count("was read anew") == 3


def test_a_connection_that_is_open_goes_on_with_its_own_certificate(
    secure: Daemon, place: Pair, tmp_path: Path
) -> None:
    connection = connected(secure)
    assert get(connection, "/healthz")[0] == 200
    first = connection.sock
    certificates.put(certificates.make(tmp_path / "second", "second"), place)
    wait_for(lambda: "was read anew" in secure.log(), 15, "the second")
    assert get(connection, "/healthz")[0] == 200
    assert connection.sock is first
    connection.close()


def broken(place: Pair, tmp_path: Path) -> None:
    place.cert.write_text("no certificate")


def mixed(place: Pair, tmp_path: Path) -> None:
    place.key.write_bytes(certificates.make(tmp_path / "other", "other").key.read_bytes())


def expired(place: Pair, tmp_path: Path) -> None:
    certificates.put(certificates.make(tmp_path / "old", "old", days=-1), place)


def gone(place: Pair, tmp_path: Path) -> None:
    place.key.unlink()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [(broken, "BEGIN CERTIFICATE"), (mixed, "KEY VALUES MISMATCH"), (expired, "has expired on"), (gone, "can't read")],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_bad_new_certificate_leaves_the_old_one_and_is_told_everywhere(
    secure: Daemon, place: Pair, tmp_path: Path, spoil: Callable[[Pair, Path], None], words: str
) -> None:
    good, key = place.cert.read_bytes(), place.key.read_bytes()
    spoil(place, tmp_path)
    wait_for(lambda: any(words in text for text in warnings(secure)), 20, "the warning")
    assert served_by(secure) == ssl.PEM_cert_to_DER_cert(good.decode())
    assert "the one before stays in use" in secure.log()
    told = secure.json("status")
    wait_for(lambda: any(words in text for text in secure.json("status")["warnings"]), 10, str(told))
    findings = {item["name"]: item for item in secure.json("doctor", check=False)["findings"]}
    assert findings["certificate"]["level"] == "error"
    status, _, metrics = fetched(secure, "/metrics")
    assert status == 200
    assert "claudeops_tls_certificate_ok 0.0" in metrics
    ends = re.search(r"claudeops_tls_certificate_expires_seconds ([\d.e+]+)", metrics)
    assert ends
    assert 80 < (float(ends[1]) - time.time()) / 86400 < 91

    place.key.write_bytes(key)
    place.cert.write_bytes(good)
    wait_for(lambda: not any(words in text for text in warnings(secure)), 20, "no warning")
    assert "claudeops_tls_certificate_ok 1.0" in fetched(secure, "/metrics")[2]


def test_without_a_usable_certificate_at_the_start_nobody_is_let_in_until_there_is_one(
    daemon: Daemon, tmp_path: Path
) -> None:
    place = Pair(tmp_path / "site.pem", tmp_path / "site.key")
    daemon.environment |= {"CLAUDEOPS_TLS_CERT": str(place.cert), "CLAUDEOPS_TLS_KEY": str(place.key)}
    daemon.start()
    with pytest.raises((ssl.SSLError, ConnectionError)):
        fetched(daemon, "/")
    assert "`claudeopsctl doctor` says why" in plain(daemon, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    pid = daemon.pid("web")
    assert daemon.wait_ended(daemon.trigger(lines=1)["id"])["status"] == "completed"
    wait_for(lambda: any("CLAUDEOPS_TLS_CERT" in text for text in warnings(daemon)), 10, "the warning")

    pair = certificates.make(tmp_path / "made", days=5)
    certificates.put(pair, place)
    place.key.chmod(0o644)
    wait_for(lambda: "was read anew" in daemon.log(), 15, "the certificate")
    assert served_by(daemon) == of(pair)
    assert daemon.pid("web") == pid
    # It ends in five days, and others may read its key.
    wait_for(lambda: "expires on" in str(warnings(daemon)), 15, "a warning of the end")
    wait_for(lambda: "has mode 0644" in str(warnings(daemon)), 15, "a warning of the mode")


def test_https_is_turned_on_by_a_reload_at_the_same_port(daemon: Daemon, place: Pair) -> None:
    file = daemon.directory / "env"
    daemon.directory.mkdir(parents=True)
    file.write_text("")
    daemon.environment["CLAUDEOPS_ENV_FILE"] = str(file)
    daemon.start()
    port = daemon.port
    file.write_text(f"CLAUDEOPS_TLS_CERT={place.cert}\nCLAUDEOPS_TLS_KEY={place.key}\n")
    web = daemon.pid("web")
    daemon.ctl("reload")
    daemon.wait_replaced("web", web)
    wait_for(lambda: daemon.file()["address"] == f"https://127.0.0.1:{port}", 10, "the address")
    assert served_by(daemon) == of(place)
