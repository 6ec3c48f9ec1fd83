"""The certificate that the dashboard serves with: loaded, watched, and replaced without a restart.

A new one counts from the next connection on; those that are open go on. One that can't be used leaves the one before in
place, and is told: in the log, on the pages and in `claudeopsctl status` (by the heartbeat), by `claudeopsctl doctor`,
in /metrics. Built by `webui.server`.
"""

import asyncio
import os
import ssl
import sys
from datetime import UTC, datetime

from aiohttp import web

from schema import certificate
from schema.certificate import CertificateError, Validity

WATCH_SECONDS = 2.0
Stamp = tuple[tuple[int, int, int] | None, ...]


class UnusableError(Exception):
    """Why a certificate or its key can't be used, as a sentence."""


class Tls:
    """`context` is what the next connection is served with; None while there was never a certificate to use."""

    def __init__(self, cert: str, key: str) -> None:
        self._cert, self._key = cert, key or cert
        self.context: ssl.SSLContext | None = None
        self.validity: Validity | None = None
        self._problem = ""
        self._seen: Stamp = ()
        self._refused: Stamp = ()
        self.load()

    def load(self) -> None:
        """Takes over what the files hold now, if it can be used."""
        self._seen = self._stamp()
        try:
            context, validity = self._read()
        except UnusableError as error:
            kept = "; the one before stays in use" if self.context else "; nobody can connect until it is mended"
            self._refused = self._seen
            self._tell(f"{error}{kept}")
            return
        again = self.context is not None
        self.context, self.validity, self._refused = context, validity, ()
        if again or self._problem:
            print(f"web: the certificate {self._cert} was read anew, it is valid until {validity.ends:%Y-%m-%d}",
                  file=sys.stderr)  # fmt: skip
        self._problem = ""

    def _read(self) -> tuple[ssl.SSLContext, Validity]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        for name, path in (("CLAUDEOPS_TLS_CERT", self._cert), ("CLAUDEOPS_TLS_KEY", self._key)):
            try:
                open(path, "rb").close()
            except OSError as error:
                raise UnusableError(f"{name}: can't read {path}: {error.strerror}") from error
        try:
            validity = certificate.read(self._cert)
            context.load_cert_chain(self._cert, self._key, password=_no_password)
        except CertificateError as error:
            raise UnusableError(f"CLAUDEOPS_TLS_CERT: {self._cert}: {error}") from error
        except (ssl.SSLError, OSError, ValueError) as error:
            reason = getattr(error, "reason", "") or str(error)
            text = f"CLAUDEOPS_TLS_CERT and CLAUDEOPS_TLS_KEY: {self._cert} and {self._key} can't be used: {reason}"
            raise UnusableError(text.replace("_", " ").replace("CLAUDEOPS TLS ", "CLAUDEOPS_TLS_")) from error
        now = datetime.now(UTC)
        if self.validity and not self.validity.problem(now) and (problem := validity.problem(now)):
            raise UnusableError(f"CLAUDEOPS_TLS_CERT: the new certificate {problem}")
        return context, validity

    def _tell(self, problem: str) -> None:
        if problem != self._problem:
            self._problem = problem
            print(f"web: {problem}", file=sys.stderr)

    @property
    def ok(self) -> bool:
        """Whether what the files hold is in use, and holds now."""
        return not self._problem and self.validity is not None and not self.validity.problem(datetime.now(UTC))

    def warnings(self) -> list[str]:
        """What people should know, as sentences."""
        found = [self._problem] if self._problem else []
        if self.validity is not None:
            now = datetime.now(UTC)
            if told := self.validity.problem(now) or self.validity.soon(now):
                found.append(f"the dashboard's certificate {told}; renew it")
        try:
            if told := certificate.key_problem(self._key):
                found.append(told)
        except OSError:
            return found  # that it can't be read is the problem already
        return found

    async def watch(self) -> None:
        """Looks at the files for ever; what has changed and then stayed for a while is taken over."""
        changed: Stamp = self._seen
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            now = self._stamp()
            # A certificate and its key are not written in one step.
            if now not in (self._seen, self._refused) and now == changed:
                self.load()
            changed = now

    def _stamp(self) -> Stamp:
        return tuple(_stamp(path) for path in (self._cert, self._key))


def _stamp(path: str) -> tuple[int, int, int] | None:
    try:
        facts = os.stat(path)
    except OSError:
        return None
    return facts.st_ino, facts.st_mtime_ns, facts.st_size


def _no_password() -> str:
    raise ValueError("the key is encrypted; store it without a password, for the daemon's user alone")


TLS: web.AppKey[Tls] = web.AppKey("tls", Tls)
