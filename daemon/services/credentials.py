"""Passwords that people wrote into a service's URL or headers: in a file of their own beside the database, never in it.

Called by `daemon.services.catalogue`. The file is the worker's alone (0600) and is replaced as a whole.
"""

import os
from pathlib import Path

import msgspec

from daemon.services.rules import definitions
from daemon.services.rules.definitions import MASK, Problem
from schema.definitions import Definition

NAME = "service-credentials.json"


class Kept(msgspec.Struct, frozen=True, omit_defaults=True):
    """What of one service is not stored elsewhere."""

    url: str = ""
    proxy: str = ""
    headers: dict[str, str] = {}


def split(definition: Definition) -> tuple[Definition, Kept]:
    """A definition as it may be stored and shown, and what was taken out of it."""
    url, proxy = definitions.masked(definition.url), definitions.masked(definition.proxy)
    secret = {name: value for name, value in definition.headers.items() if _is_secret(name, value)}
    kept = Kept(
        definition.url if url != definition.url else "", definition.proxy if proxy != definition.proxy else "", secret
    )
    headers = {name: MASK if name in secret else value for name, value in definition.headers.items()}
    return msgspec.structs.replace(definition, url=url, proxy=proxy, headers=headers), kept


def joined(definition: Definition, kept: Kept) -> Definition:
    """A stored definition with what was taken out of it, as far as it is still about the same place."""
    return msgspec.structs.replace(
        definition,
        url=kept.url if kept.url and definitions.masked(kept.url) == definition.url else definition.url,
        proxy=kept.proxy if kept.proxy and definitions.masked(kept.proxy) == definition.proxy else definition.proxy,
        headers={
            name: kept.headers.get(name, value) if value == MASK else value
            for name, value in definition.headers.items()
        },
    )


def carried_over(new: Definition, before: Definition, kept: Kept) -> tuple[Definition, list[Problem]]:
    """A changed definition in which what was left masked is as it was.

    What is kept goes to the place that it was given for, and nowhere else: for another it has to be given again.
    """
    url = kept.url if kept.url and new.url == before.url else new.url
    proxy = kept.proxy if kept.proxy and new.proxy == before.proxy else new.proxy
    same = definitions.origin(new.url) == definitions.origin(before.url)
    headers = {
        name: kept.headers.get(name, value) if value == MASK and same else value for name, value in new.headers.items()
    }
    found = msgspec.structs.replace(new, url=url, proxy=proxy, headers=headers)
    again = "write it again: *** stands for what was given for another address"
    problems = [Problem("headers", f"{name}: {again}") for name, value in headers.items() if value == MASK]
    if f":{MASK}@" in found.url or f"={MASK}" in found.url:
        problems.append(Problem("url", again))
    if f":{MASK}@" in found.proxy:
        problems.append(Problem("proxy", again))
    return found, problems


def _is_secret(name: str, value: str) -> bool:
    # A variable is no secret: it only names one.
    return bool(value) and value != MASK and "$" not in value and bool(definitions.SECRETIVE.search(name))


class Credentials:
    """The file."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / NAME
        try:
            self._kept = msgspec.json.decode(self._path.read_bytes(), type=dict[int, Kept])
        except FileNotFoundError:
            self._kept = {}

    def of(self, service_id: int) -> Kept:
        """What is kept of one service."""
        return self._kept.get(service_id, Kept())

    def keep(self, service_id: int, kept: Kept) -> None:
        """Keeps it, on disk, before what refers to it is committed. OSError."""
        if kept == self.of(service_id):
            return
        self._kept = {**self._kept, service_id: kept}
        if kept == Kept():
            del self._kept[service_id]
        self._write()

    def forget(self, service_id: int) -> None:
        """Nothing of it is kept any more. OSError."""
        self.keep(service_id, Kept())

    def _write(self) -> None:
        partial = self._path.with_name(NAME + ".partial")
        handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.encode(self._kept))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._path)
