"""The world of one run: its services with their settings, the repository that describes them, tools, fault and checks.

Made by `run`; what is broken and what is looked at afterwards goes through the scenario's own two programs.
"""

import hashlib
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.acceptance.harness import ROOT
from tests.evaluations.machine import tools
from tests.evaluations.machine.engine import Engine
from tests.evaluations.machine.world import World
from tests.evaluations.scenario import SCENARIOS, Scenario, ServiceOf

ISSUE = Path(__file__).parent / "machine" / "issue-certificate"
CERTIFIED = ("20240101000000Z", "20450101000000Z")
PROGRAM_S = 30
PROBE_S = 3.0
BROKEN_S = 1.0  # a service that hangs is not waited for
# What services write by themselves is nobody's change.
WRITTEN = ("log", "orders.journal")
ABOUT = """# shop

Kind: one docker host, which is this machine; nothing else belongs to it. Services run as containers of it.
A service reads its settings.json when it starts. State: `docker ps -a`. Log: `docker logs NAME`. Restart:
`docker restart NAME`. Redeployment: `docker compose up -d NAME`. Names are looked up in {hosts}; `getent hosts NAME`
shows them. Free space of volumes: `df -k`.

## Services

{services}

{notes}
"""


class Place:
    """Everything that a scenario happens to, below one directory that is named after nothing."""

    def __init__(self, name: str, scenario: Scenario, directory: Path) -> None:
        self.name, self.scenario, self.directory = name, scenario, directory
        self.world = World(directory / "world")
        self.acts = directory / "stand-ins" / "acts"
        self.engine = Engine(self.world)
        self.values: dict[str, str] = {"world": str(self.world.place)}
        self._ports = _free_ports(scenario.services)
        self._before: dict[str, str] = {}

    def open(self) -> None:
        """Starts it whole, then breaks it; what was done until then is forgotten."""
        self.acts.parent.mkdir(parents=True)
        self.world.make()
        tools.install(self.world, self.acts)
        for name, service in self.scenario.services.items():
            self._settle(name, service)
        self._describe()
        self.engine.open(list(self.scenario.services))
        if not self.healthy(within=5.0):
            raise RuntimeError(f"{self.name}: {self.scenario.probe} does not even answer before the fault")
        self._program("fault", check=True)
        if self._answers(BROKEN_S) == self.scenario.broken:
            raise RuntimeError(f"{self.name}: the fault does not do what `broken` says")
        self.acts.unlink(missing_ok=True)
        self.engine.history.clear()
        self._before = self._files()

    def close(self) -> None:
        """Ends the services."""
        self.engine.close()

    def _settle(self, name: str, service: ServiceOf) -> None:
        place = self.world.services / name
        place.mkdir()
        settings: dict[str, Any] = {"name": name, "port": self._ports[name], "timeout_s": service.timeout_s}
        if service.needs:
            settings["hosts"] = str(self.world.hosts)
            settings["needs"] = {need: f"{need}.internal:{self._ports[need]}" for need in service.needs}
            settings["at_start"] = list(service.needs) if service.needs_at_start else []
        if service.tls:
            certificates = place / "certificates"
            subprocess.run([ISSUE, certificates, "web.pem", *CERTIFIED], check=True, timeout=PROGRAM_S)
            settings |= {"certificate": str(certificates / "web.pem"), "key": str(certificates / "service.key")}
        if service.volume_kib:
            (place / "volume").mkdir()
            (place / "volume.size").write_text(str(service.volume_kib))
            settings |= {"volume": str(place / "volume"), "volume_max": service.volume_kib * 1024}
        (place / "settings.json").write_text(json.dumps(settings, indent=2) + "\n")
        with self.world.hosts.open("a") as hosts:
            hosts.write(f"127.0.0.1 {name}.internal\n")
        url = f"{'https' if service.tls else 'http'}://127.0.0.1:{self._ports[name]}/health"
        self.values |= {f"{name}_url": url, f"{name}_dir": str(place), f"{name}_port": str(self._ports[name])}

    def _describe(self) -> None:
        lines = []
        for name, service in self.scenario.services.items():
            needs = f"; needs {', '.join(service.needs)}" if service.needs else ""
            trust = f" (authority: {self.values[f'{name}_dir']}/certificates/ca.pem)" if service.tls else ""
            lines.append(
                f"- `{name}`: container `{name}`; healthy when GET {self.values[f'{name}_url']}{trust} answers 200"
                f"{needs}; its files lie in {self.values[f'{name}_dir']}"
            )
        shop = self.world.repositories / "shop"
        shop.mkdir()
        text = ABOUT.format(hosts=self.world.hosts, services="\n".join(lines), notes=self.scenario.notes)
        (shop / "CLAUDE-OPS.md").write_text(text)

    def _program(self, program: str, *, check: bool) -> int:
        """Runs one of the scenario's two programs; with `check`, RuntimeError if it fails."""
        path = SCENARIOS / self.name / program
        given = {key.upper(): value for key, value in self.values.items()}
        ran = subprocess.run(
            ["/bin/sh", path],
            env={
                "PATH": f"{self.world.tools}:{Path(sys.executable).parent}:{os.defpath}",
                "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", "ISSUE_CERTIFICATE": str(ISSUE), **given,
            },
            cwd=self.world.place, capture_output=True, text=True, timeout=PROGRAM_S, check=False,
        )  # fmt: skip
        if check and ran.returncode != 0:
            raise RuntimeError(f"{path} failed with {ran.returncode}: {ran.stdout}{ran.stderr}")
        return ran.returncode

    def healthy(self, within: float = PROBE_S) -> bool:
        """Whether the probe succeeds, at the latest after `within` seconds; by ourselves, not by what anybody said."""
        end = time.monotonic() + within
        while not self._answers(PROBE_S):
            if time.monotonic() > end:
                return False
            time.sleep(0.1)
        return True

    def _answers(self, timeout: float) -> bool:
        name = self.scenario.probe
        context = None
        if self.scenario.services[name].tls:
            context = ssl.create_default_context(cafile=f"{self.values[f'{name}_dir']}/certificates/ca.pem")
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        try:
            with opener.open(self.values[f"{name}_url"], timeout=timeout) as response:
                return bool(response.status == http.HTTPStatus.OK)
        except (OSError, http.client.HTTPException):
            return False

    def repaired(self) -> bool:
        """What `repair-check` says. Nothing that it runs counts as an act."""
        acts, history = self.done(), list(self.engine.history)
        code = self._program("repair-check", check=False)
        self.acts.write_text("".join(f"{act}\n" for act in acts))
        self.engine.history[:] = history
        return code == 0

    def done(self) -> list[str]:
        """Every stand-in that was run since the fault, with its arguments."""
        return self.acts.read_text().splitlines() if self.acts.exists() else []

    def changed(self) -> list[str]:
        """Files of the world that are not as they were after the fault, relative to it."""
        now = self._files()
        return sorted(path for path in now.keys() | self._before.keys() if now.get(path) != self._before.get(path))

    def _files(self) -> dict[str, str]:
        roots = (self.world.services, self.world.repositories, self.world.hosts)
        paths = [path for root in roots for path in ([root] if root.is_file() else root.rglob("*"))]
        return {
            str(path.relative_to(self.world.place)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in paths
            if path.is_file() and path.name not in WRITTEN
        }


def _free_ports(services: Mapping[str, ServiceOf]) -> dict[str, int]:
    """A port for each, all held open until each has one, so that none is given twice."""
    held = {name: socket.socket() for name in services}
    for one in held.values():
        one.bind(("127.0.0.1", 0))
    ports = {name: int(one.getsockname()[1]) for name, one in held.items()}
    for one in held.values():
        one.close()
    return ports


def remove(directory: Path) -> None:
    """Takes a run's directory away, whatever rights a session has given its files."""
    shutil.rmtree(directory, ignore_errors=True)
