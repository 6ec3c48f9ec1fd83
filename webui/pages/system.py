"""The daemon itself: processes, health, data; every setting with its value as JSON. GET /system and /system.json."""

import asyncio
import shutil
from pathlib import Path
from typing import NamedTuple

from aiohttp import web

from ipc.messages.settings import SettingValue
from schema import configuration, timestamps
from schema.settings import Settings
from webui import shell
from webui.negotiation import is_json, json_response
from webui.pages import formats, system_state
from webui.pages.system_state import Cli, Fact, Health, ProcessRow
from webui.parts import Parts, parts


class SystemPage(NamedTuple):
    """The page's context."""

    shell: shell.Shell
    stream: str
    processes: list[ProcessRow]
    health: Health
    cli: Cli
    facts: list[Fact]
    settings_text: str


def own_settings(settings: Settings) -> list[SettingValue]:
    """What this process itself was told, for when the worker never answered. It knows no secret."""
    found = []
    for name, declared in configuration.DECLARATIONS.items():
        if declared.meta.web:
            value = getattr(settings, name)
            shown = configuration.show(declared, value)
            default = configuration.show(declared, declared.default)
            found.append(
                SettingValue(
                    name=name,
                    env=declared.env,
                    value=shown,
                    default=default,
                    source="default" if shown == default else "environment",
                    section=declared.meta.section,
                    doc=declared.meta.doc,
                    unit=declared.meta.unit,
                    live=declared.meta.live,
                )
            )
    return found


def data_facts(here: Parts) -> list[Fact]:
    """Database, free space, backups. Looks at the disk."""
    settings = here.settings
    most = settings.keep_database_max_mb
    kept = f"; beyond {most} MB in use the oldest rows go" if most else ""
    facts = [Fact("Database", str(here.state.path), _sizes(here.state.path) + kept)]
    for label, place in (("State directory", settings.state_dir), ("Results directory", settings.results_dir)):
        try:
            hint = f"{formats.size(shutil.disk_usage(place).free)} free"
        except OSError as error:
            hint = f"can't be read: {error.strerror}"
        facts.append(Fact(label, place, hint))
    backups = sorted(Path(settings.state_dir, "backups").glob("*.db"), key=lambda path: path.stat().st_mtime)
    if backups:
        made = timestamps.at(backups[-1].stat().st_mtime)
        facts.append(Fact("Newest backup", backups[-1].name, formats.ago(made, formats.now()).text))
    else:
        facts.append(Fact("Newest backup", "none", "claudeopsctl backup makes one"))
    return facts


def _sizes(path: Path) -> str:
    total = 0
    for file in (path, path.with_name(path.name + "-wal")):
        if file.exists():
            total += file.stat().st_size
    return formats.size(total)


async def show(request: web.Request) -> web.StreamResponse:
    """GET /system."""
    here = parts(request)
    daemon, values, facts = await asyncio.gather(
        system_state.gather(here), here.worker.settings(), asyncio.to_thread(data_facts, here)
    )
    known = bool(values)  # without the worker, only those that this process uses
    values = values or own_settings(here.settings)
    if is_json(request):
        return json_response({"status": daemon.status, "worker_ok": daemon.worker_ok, "settings": values})
    context = SystemPage(
        shell=shell.build(request, "System", "system"),
        stream="/live?page=system",
        processes=system_state.processes(daemon),
        health=system_state.health(daemon, formats.now()),
        cli=system_state.cli(daemon),
        facts=facts,
        settings_text=(
            f"{len(values)} settings, {sum(one.source == 'override' for one in values)} of them overridden"
            if known
            else "Not known now: the worker keeps them, and it does not answer"
        ),
    )
    return shell.page(request, "system.html", context)
