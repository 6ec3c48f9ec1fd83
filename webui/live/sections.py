"""The live parts of each page: which partials there are, and what they show now. Used by `webui.live.feed`.

A page that is not here has no live parts but those of every page: the daemon's word, the bell, the banner. What makes
a page's parts is imported when somebody looks at them.
"""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from webui.parts import Parts

Look = Callable[[Parts], Awaitable[dict[str, Any]]]
COMMON = ("_status.html", "_bell.html")


class Section(NamedTuple):
    """A page's live parts. `look` gives their context, but for `may_act`."""

    partials: tuple[str, ...]
    look: Look


async def _overview(here: Parts) -> dict[str, Any]:
    from webui.pages import formats, overview

    looked = await overview.look(here)
    return overview.figures(here, looked, formats.now())._asdict()


async def _system(here: Parts) -> dict[str, Any]:
    from webui.pages import formats, system_state

    daemon = await system_state.gather(here)
    now = formats.now()
    return {
        "processes": system_state.processes(daemon),
        "cli": system_state.cli(daemon),
        "health": system_state.health(daemon, now),
    }


async def _triggers(here: Parts) -> dict[str, Any]:
    from webui.pages import triggers

    return await triggers.live(here)


async def _cooldowns(here: Parts) -> dict[str, Any]:
    from webui.pages import cooldowns

    return await cooldowns.live(here)


async def _notifications(here: Parts) -> dict[str, Any]:
    from webui.pages import notifications

    return await notifications.live(here)


async def _memories(here: Parts) -> dict[str, Any]:
    return {"mark": here.feed.mark("memories")}


async def _services(here: Parts) -> dict[str, Any]:
    return {"mark": here.feed.mark("services")}


async def _nothing(here: Parts) -> dict[str, Any]:
    return {}


FRAME = Section((), _nothing)
WATCHED = Section(("_services_mark.html",), _services)
SECTIONS: dict[str, Section] = {
    "overview": Section(
        (
            "_attention.html",
            "_service_list.html",
            "_running.html",
            "_waiting.html",
            "_figures.html",
            "_recent.html",
            "_processes.html",
            "_health.html",
        ),
        _overview,
    ),
    "system": Section(("_processes.html", "_health.html"), _system),
    "triggers": Section(("_queue.html", "_past.html"), _triggers),
    "cooldowns": Section(("_cooldowns.html", "_actions.html"), _cooldowns),
    "notifications": Section(("_channels.html", "_notifications.html"), _notifications),
    "memories": Section(("_memories_mark.html",), _memories),
    "sessions": FRAME,
    "approvals": FRAME,
    "events": FRAME,
    "services": WATCHED,
    "service": WATCHED,
    "incidents": WATCHED,
    "maintenance": WATCHED,
    "wall": WATCHED,
    "session": FRAME,
    "chain": FRAME,
    "frame": FRAME,
}
