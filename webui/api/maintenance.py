"""The API's maintenance windows: list, add, end. Each is a message to the worker, which judges and keeps them."""

from aiohttp import web

from ipc.messages.envelope import Done
from ipc.messages.incidents import AddWindow, ListWindows, RemoveWindow, WindowReply, WindowsReply
from schema.definitions import Window
from schema.monitored import PlannedWindow
from webui.api.service_types import WindowList
from webui.parts import parts, signed_in

SECONDS = 10.0


async def listing(request: web.Request) -> WindowList:
    """GET /api/v1/maintenance."""
    return WindowList(windows=(await parts(request).worker.call(ListWindows(), WindowsReply, timeout=SECONDS)).windows)


async def add(request: web.Request, body: Window) -> PlannedWindow:
    """POST /api/v1/maintenance."""
    message = AddWindow(window=body, by=signed_in(request).name)
    return (await parts(request).worker.call(message, WindowReply, timeout=SECONDS)).window


async def remove(request: web.Request, id_: int) -> None:
    """DELETE /api/v1/maintenance/{id}."""
    message = RemoveWindow(id=id_, by=signed_in(request).name)
    await parts(request).worker.call(message, Done, timeout=SECONDS)
