"""What people were told, what waits and why, by channel. GET /notifications; a test message, and sending again.

The rows come from the database, so that they are there while the worker is away; which channels there are only the
worker knows, for their URLs are secret.
"""

import uuid
from datetime import datetime
from typing import Any, NamedTuple

from aiohttp import web

from ipc.errors import CallError
from ipc.messages.notifications import (
    ListNotifications,
    NotificationsReply,
    RetriedReply,
    RetryNotifications,
    TestedReply,
    TestNotification,
)
from schema.database import Database
from schema.notifications import Channel, Delivery, Notification, from_rows
from schema.states import DeliveryStatus
from webui import shell
from webui.auth.rules import Access, may
from webui.forms import form_key, read_form
from webui.negotiation import is_json, json_response
from webui.pages import formats
from webui.pages.ansi import plain
from webui.pages.formats import At
from webui.pages.keyed import FAR, address, number
from webui.parts import Parts, parts, signed_in

LATELY = 30
LOOKS = {
    DeliveryStatus.PENDING: ("plan", "hourglass", "waits"),
    DeliveryStatus.SENDING: ("info", "loader-circle", "is sent"),
    DeliveryStatus.RETRYING: ("warn", "rotate-cw", "is tried again"),
    DeliveryStatus.SENT: ("ok", "check", "sent"),
    DeliveryStatus.GIVEN_UP: ("bad", "circle-x", "given up"),
    DeliveryStatus.SUPPRESSED: ("neutral", "ban", "suppressed"),
}
TONES = {"info": ("info", "info"), "warning": ("warn", "triangle-alert"), "critical": ("bad", "siren")}


class Way(NamedTuple):
    """A notification on one channel."""

    channel: str
    tone: str
    icon: str
    word: str
    note: str


class Row(NamedTuple):
    """One notification."""

    id: int
    kind: str
    level: str
    tone: str
    icon: str
    title: str
    href: str
    at: At
    ways: list[Way]


class ChannelRow(NamedTuple):
    """One channel. `says`: what it waits for, or why its last attempt failed."""

    name: str
    tone: str
    icon: str
    word: str
    says: str
    sent: At | None
    next: At | None
    lost: int


class NotificationsPage(NamedTuple):
    """The page's context. `channels` is None while the worker does not answer."""

    shell: shell.Shell
    stream: str
    channels: list[ChannelRow] | None
    problems: list[str]
    rows: list[Row]
    older_href: str | None
    told: str
    error: str
    test_key: str
    retry_key: str
    may_act: bool


def row(one: Notification, now: datetime) -> Row:
    """A notification, seen at `now`."""
    tone, icon = TONES.get(one.level, TONES["info"])
    ways = [_way(way, now) for way in one.deliveries]
    at = formats.ago(one.created_at, now)
    return Row(one.id, one.kind.value, one.level, tone, icon, plain(one.title), one.link, at, ways)


def _way(way: Delivery, now: datetime) -> Way:
    tone, icon, word = LOOKS[way.status]
    note = plain(way.error or "")
    if way.status is DeliveryStatus.RETRYING:
        note = f"attempt {way.attempts} failed: {note}; again {formats.until(way.next_at, now)}"
    elif way.together > 1:
        note = f"in one message with {way.together - 1} more"
    return Way(way.channel, tone, icon, word, note)


def channel_row(one: Channel, now: datetime) -> ChannelRow:
    """A channel, seen at `now`."""
    tone, icon, word = "ok", "circle-check", "idle"
    if one.error and one.waiting:
        tone, icon, word = "bad", "circle-x", f"fails; {one.waiting} wait{'s' if one.waiting == 1 else ''}"
    elif one.waiting:
        tone, icon, word = "plan", "hourglass", f"{one.waiting} wait{'s' if one.waiting == 1 else ''}"
    next_ = At(one.next_at, formats.until(one.next_at, now)) if one.next_at and one.error else None
    sent = formats.ago(one.sent_at, now) if one.sent_at else None
    says = ": ".join(text for text in (one.says, plain(one.error or "")) if text)
    return ChannelRow(one.name, tone, icon, word, says, sent, next_, one.given_up + one.suppressed)


async def _ask(here: Parts) -> NotificationsReply | None:
    if not here.worker.ok:
        return None
    try:
        return await here.worker.call(ListNotifications(limit=1), NotificationsReply, timeout=2.0)
    except CallError:
        return None  # the page says that the worker does not answer


async def _read(here: Parts, before: int, most: int) -> list[Notification]:
    def read(database: Database) -> list[Notification]:
        rows = database.rows("notifications.page", before=before, limit=most)
        low, high = (rows[-1]["id"], rows[0]["id"]) if rows else (0, 0)
        return from_rows(rows, database.rows("notifications.deliveries", low=low, high=high))

    return await here.state.read(read)


def _shown(asked: NotificationsReply | None, found: list[Notification]) -> dict[str, Any]:
    now = formats.now()
    return {
        "channels": None if asked is None else [channel_row(one, now) for one in asked.channels],
        "problems": [] if asked is None else asked.problems,
        "rows": [row(one, now) for one in found[:LATELY]],
    }


async def live(here: Parts) -> dict[str, Any]:
    """The context of the live parts."""
    return _shown(await _ask(here), await _read(here, FAR, LATELY))


async def show(request: web.Request) -> web.StreamResponse:
    """GET /notifications."""
    here, before = parts(request), number(request.query, "before") or FAR
    asked, found = await _ask(here), await _read(here, before, LATELY + 1)
    older = address("/notifications", {"before": found[LATELY - 1].id}) if len(found) > LATELY else None
    if is_json(request):
        channels = None if asked is None else asked.channels
        problems = [] if asked is None else asked.problems
        given = {"channels": channels, "problems": problems, "notifications": found[:LATELY], "next": older}
        return json_response(given)
    return _page(request, _shown(asked, found), older, told=request.query.get("told", ""))


def _page(
    request: web.Request,
    shown: dict[str, Any],
    older: str | None,
    *,
    told: str = "",
    error: str = "",
    status: int = 200,
) -> web.Response:
    context = NotificationsPage(
        shell=shell.build(request, "Notifications", "notifications"),
        # An older page stays as it is.
        stream="/live?page=frame" if "before" in request.query else "/live?page=notifications",
        **shown,
        older_href=older,
        told={"test": "A test is on its way.", "retry": "It is sent again."}.get(told, ""),
        error=error,
        test_key=uuid.uuid4().hex,
        retry_key=uuid.uuid4().hex,
        may_act=may(signed_in(request).role, Access.OPERATOR),
    )
    return shell.page(request, "notifications.html", context, status=status)


async def _refused(request: web.Request, error: CallError) -> web.StreamResponse:
    if is_json(request):
        raise error
    here = parts(request)
    shown = _shown(await _ask(here), await _read(here, FAR, LATELY))
    return _page(request, shown, None, error=error.message, status=error.http_status)


async def test(request: web.Request) -> web.StreamResponse:
    """POST /notifications/test: fields key, channel (empty: all)."""
    fields = await read_form(request)
    message = TestNotification(channel=fields.get("channel", ""), by=signed_in(request).name)
    try:
        reply = await parts(request).worker.call(message, TestedReply, id_=form_key(fields))
    except CallError as error:
        return await _refused(request, error)
    if is_json(request):
        return json_response(reply)
    return web.Response(status=303, headers={"Location": "/notifications?told=test"})


async def retry(request: web.Request) -> web.StreamResponse:
    """POST /notifications/retry: fields key, channel (empty: all), id (empty: all)."""
    fields = await read_form(request)
    id_ = number(fields, "id") or 0
    message = RetryNotifications(id=id_, channel=fields.get("channel", ""), by=signed_in(request).name)
    try:
        reply = await parts(request).worker.call(message, RetriedReply, id_=form_key(fields))
    except CallError as error:
        return await _refused(request, error)
    if is_json(request):
        return json_response(reply)
    return web.Response(status=303, headers={"Location": "/notifications?told=retry"})
