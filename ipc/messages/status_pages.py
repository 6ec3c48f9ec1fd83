"""Messages about status pages: list, add, change, remove."""

from typing import ClassVar

from ipc.messages.envelope import Reply, Request
from schema.status_pages import Page, StatusPage


class StatusPageReply(Reply, frozen=True):
    """One status page."""

    page: StatusPage


class StatusPagesReply(Reply, frozen=True):
    """All status pages, in the order in which they were added."""

    pages: list[StatusPage]


class ListStatusPages(Request, frozen=True):
    """All status pages."""

    subject: ClassVar[str] = "status_pages.list"
    reply: ClassVar[type[Reply]] = StatusPagesReply


class AddStatusPage(Request, frozen=True):
    """A status page that is new. `invalid` names each field that can't be so, in `data`."""

    subject: ClassVar[str] = "status_pages.add"
    reply: ClassVar[type[Reply]] = StatusPageReply
    changes: ClassVar[bool] = True
    page: Page
    by: str = ""


class ChangeStatusPage(Request, frozen=True):
    """A status page as it is from now on. `version` is what its author saw; `conflict` if it has changed meanwhile."""

    subject: ClassVar[str] = "status_pages.change"
    reply: ClassVar[type[Reply]] = StatusPageReply
    changes: ClassVar[bool] = True
    id: int
    version: int
    page: Page
    by: str = ""


class RemoveStatusPage(Request, frozen=True):
    """Removes a status page; its address is nobody's then."""

    subject: ClassVar[str] = "status_pages.remove"
    id: int
    by: str = ""
