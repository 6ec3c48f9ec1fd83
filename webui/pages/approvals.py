"""Calls that wait for a person, by their expiry, and those that were decided. GET /approvals and /approvals/{id}.

What a person decides is `webui.pages.decisions`; the cards are `webui.pages.approval_view`.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from aiohttp import web

from ipc.errors import CallError, Code
from ipc.messages.limits import CooldownsReply, ListCooldowns
from schema.database import Database
from schema.limits import Approval
from schema.states import ApprovalStatus
from webui import shell
from webui.auth.rules import Access, may
from webui.forms import id_of
from webui.negotiation import is_json, json_response
from webui.pages import approval_view, formats
from webui.pages.approval_view import Card, Uses
from webui.pages.keyed import FAR, PAGE, address, number
from webui.parts import Parts, parts, signed_in

WAITING_MAX = 100


class Found(NamedTuple):
    """Approvals, how much of their limits the services have used, and which of those that wait are the same call."""

    approvals: list[Approval]
    uses: Uses
    same: Counter[tuple[str, str]]

    def card(self, approval: Approval, now: datetime) -> Card:
        """One of them as its card."""
        alike = self.same[(approval.tool, approval.input)] if waits(approval) else 0
        return approval_view.card(approval, now, self.uses, alike)


class ApprovalsPage(NamedTuple):
    """The list's context."""

    shell: shell.Shell
    stream: str
    waiting: list[Card]
    decided: list[Card]
    may_act: bool
    older_href: str | None


class ApprovalPage(NamedTuple):
    """The context of the page that a notification leads to. `notice`: what became of an answer that came too late."""

    shell: shell.Shell
    stream: str
    card: Card
    others: int
    may_act: bool
    notice: str | None


def waits(approval: Approval) -> bool:
    """Whether nobody has decided yet."""
    return approval.status is ApprovalStatus.WAITING


async def look(here: Parts, more: Iterable[int] = ()) -> Found:
    """What waits, and `more` approvals by their ids."""

    def read(database: Database) -> list[Approval]:
        rows = database.rows("pages.approvals_waiting", limit=WAITING_MAX)
        known = {row["id"] for row in rows}
        others = (database.one("pages.approval", id=id_) for id_ in sorted(set(more) - known))
        return [approval_view.from_row(row) for row in (*rows, *others) if row is not None]

    return await with_uses(here, await here.state.read(read))


async def with_uses(here: Parts, approvals: list[Approval]) -> Found:
    """Approvals with what the worker knows of their services' limits; without that while it does not answer."""
    waiting = [approval for approval in approvals if waits(approval)]
    same = Counter((approval.tool, approval.input) for approval in waiting)
    uses: Uses = {}
    if approval_view.needs_uses(waiting) and here.worker.ok:
        try:
            uses = approval_view.uses((await here.worker.call(ListCooldowns(), CooldownsReply, timeout=1.0)).cooldowns)
        except CallError:
            uses = {}  # the card then shows all but how much of the limit is used
    return Found(approvals, uses, same)


async def read_one(here: Parts, id_: int) -> Approval:
    """One approval. CallError `not_found`."""
    row = await here.state.read(lambda database: database.one("pages.approval", id=id_))
    if row is None:
        raise CallError(Code.NOT_FOUND, f"There is no approval {id_}.")
    return approval_view.from_row(row)


def may_act(request: web.Request) -> bool:
    """Whether whoever asks may decide."""
    return may(signed_in(request).role, Access.OPERATOR)


async def show(request: web.Request) -> web.StreamResponse:
    """GET /approvals."""
    here = parts(request)
    before = number(request.query, "before")
    found = await look(here)
    rows = await here.state.read(
        lambda database: database.rows("pages.approvals_decided", before=before or FAR, limit=PAGE + 1)
    )
    past = [approval_view.from_row(row) for row in rows]
    older = address("/approvals", {"before": past[PAGE - 1].id}) if len(past) > PAGE else None
    if is_json(request):
        return json_response({"waiting": found.approvals, "decided": past[:PAGE], "next": older})
    now = formats.now()
    live = ",".join(str(approval.id) for approval in found.approvals)
    context = ApprovalsPage(
        shell=shell.build(request, "Approvals", "approvals"),
        stream=address("/live", {"page": "approvals", "live": live}),
        waiting=[found.card(approval, now) for approval in found.approvals],
        decided=[approval_view.card(approval, now, {}) for approval in past[:PAGE]],
        may_act=may_act(request),
        older_href=older,
    )
    return shell.page(request, "approvals.html", context)


async def show_one(request: web.Request) -> web.StreamResponse:
    """GET /approvals/{id}."""
    if is_json(request):
        return json_response(await read_one(parts(request), id_of(request)))
    return await one_page(request, id_of(request))


async def one_page(request: web.Request, id_: int, notice: str | None = None, status: int = 200) -> web.Response:
    """One approval's page; `notice` says why an answer was not taken."""
    here = parts(request)
    approval = await read_one(here, id_)
    found = await look(here, [id_])
    context = ApprovalPage(
        shell=shell.build(request, f"Approval {id_}", "approvals"),
        stream=address("/live", {"page": "approvals", "only": id_, "live": id_}),
        card=found.card(approval, formats.now()),
        others=sum(waits(other) and other.id != id_ for other in found.approvals),
        may_act=may_act(request),
        notice=notice,
    )
    return shell.page(request, "approval.html", context, status=status)
