"""A container's state, from the socket of Docker or Podman. What the engine tells of it is [BODY], as JSON."""

import os
import time
from pathlib import Path
from urllib.parse import quote

import aiohttp
import msgspec

from daemon.services.probes.probe import ProbeError, Target, mark, phases
from schema.facts import Cause, Facts

SOCKETS = {
    "docker": ("/var/run/docker.sock",),
    "podman": ("/run/podman/podman.sock", f"/run/user/{os.getuid()}/podman/podman.sock"),
}
ANSWER_MAX = 1024 * 1024


async def container(target: Target) -> Facts:
    """What the engine tells of one container. OSError, ProbeError, TimeoutError."""
    engine, _, name = target.definition.url.partition(":")
    place = next((path for path in SOCKETS[engine] if Path(path).exists()), None)
    if place is None:
        raise ProbeError(Cause.FAILED, f"there is no socket of {engine} at {' or '.join(SOCKETS[engine])}; mount it")
    began = time.perf_counter()
    mark("wait")
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(path=place)) as session:
        try:
            async with session.get(f"http://engine/containers/{quote(name.strip('/'), safe='')}/json") as response:
                body = await response.content.read(ANSWER_MAX)
                status = response.status
        except aiohttp.ClientConnectorError as error:
            raise ProbeError(Cause.FAILED, f"{place} is not open to the daemon: {error.os_error.strerror}") from error
        except aiohttp.ClientError as error:
            raise ProbeError(Cause.PROTOCOL, f"{place} gives no answer of an engine: {error}") from error
    if status == 404:
        raise ProbeError(Cause.FAILED, f"{engine} has no container {name.strip('/')}")
    if status != 200:
        raise ProbeError(Cause.FAILED, f"{engine} answers {status}")
    end = time.perf_counter()
    return Facts(latency_ms=(end - began) * 1000, connected=True, body=_with_health(body), phases=phases(end))


def _with_health(body: bytes) -> bytes:
    """The state alone, with a health even where the image declares none."""
    try:
        told = msgspec.json.decode(body, type=dict[str, object])
    except msgspec.DecodeError as error:
        raise ProbeError(Cause.PROTOCOL, "the engine's answer is no JSON") from error
    state = told.get("State")
    found = dict(state) if isinstance(state, dict) else {}
    found.setdefault("Health", {"Status": "none"})
    return msgspec.json.encode({"State": found, "Name": told.get("Name"), "RestartCount": told.get("RestartCount")})
