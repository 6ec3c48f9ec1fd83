"""Single rows that changed while somebody looked: sessions, approvals, events, services; as HTML, made once for all.

Kept by `webui.live.feed`. A row is made again only when its value differs, not when its "4 min ago" does.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

import jinja2

from schema.knowledge import Event
from schema.monitored import Monitored
from schema.sessions import Session
from webui.pages import event_rows, formats, probed_rows, session_rows, toasts
from webui.pages.approval_view import Card
from webui.pages.toasts import Toast, Turned

KEPT = 1000


class Html(NamedTuple):
    """A piece for those who may only look, and for those who may act."""

    for_viewers: str
    for_operators: str

    def of(self, *, acts: bool) -> str:
        """The piece for one reader."""
        return self.for_operators if acts else self.for_viewers


class Changed(NamedTuple):
    """A row, and the number of its last change. `kind`: session, approval, event, service; or toast.

    A toast's value are the services that it is about.
    """

    number: int
    kind: str
    id: int
    value: Any
    html: Html


Wants = Callable[[Changed], bool]


def nothing(row: Changed) -> bool:
    """What a page without rows of its own wants."""
    return False


class Rows:
    """The rows that were made last, at most KEPT."""

    def __init__(self, environment: jinja2.Environment) -> None:
        self._environment = environment
        self._known: OrderedDict[tuple[str, int], Changed] = OrderedDict()

    def after(self, number: int, wants: Wants) -> list[Changed]:
        """Those that changed after a number and are wanted."""
        return [row for row in self._known.values() if row.number > number and wants(row)]

    def of(self, kind: str, wanted: frozenset[int]) -> list[Changed]:
        """Those of a kind with these ids."""
        return [row for row in self._known.values() if row.kind == kind and row.id in wanted]

    def ids(self, kind: str) -> set[int]:
        """The ids of a kind that are known."""
        return {id_ for known, id_ in self._known if known == kind}

    def session(self, session: Session, number: int) -> bool:
        """Notes a session; whether it differs from what is known, and so takes the number."""
        if self._same("session", session.id, session):
            return False
        html = str(self._macro("_ui.html", "session_tr")(session_rows.row(session, formats.now())))
        return self._note(Changed(number, "session", session.id, session, Html(html, html)))

    def approval(self, value: Any, card: Card, number: int) -> bool:
        """Notes an approval; `value` is what its card rests on."""
        if self._same("approval", card.id, value):
            return False
        macro = self._macro("_approval.html", "approval_card")
        html = Html(str(macro(card, False, "h2")), str(macro(card, True, "h2")))
        return self._note(Changed(number, "approval", card.id, value, html))

    def event(self, event: Event, number: int) -> bool:
        """Notes an event."""
        if self._same("event", event.id, event):
            return False
        return self._note(Changed(number, "event", event.id, event, self.event_html(event)))

    def event_html(self, event: Event) -> Html:
        """An event's row in the list."""
        html = str(self._macro("_event_row.html", "event_tr")(event_rows.row(event, formats.now())))
        return Html(html, html)

    def service(self, id_: int, service: Monitored | None, number: int) -> bool:
        """Notes a service that is probed; None where it is gone, which leaves its row empty and hidden."""
        if self._same("service", id_, service):
            return False
        if service is None:
            gone = f'<li id="probed-{id_}" data-key hidden></li>'
            return self._note(Changed(number, "service", id_, None, Html(gone, gone)))
        return self._note(Changed(number, "service", id_, service, self.service_html(service)))

    def service_html(self, service: Monitored) -> Html:
        """A service's row in the list."""
        macro, row = self._macro("_probed_row.html", "probed_li"), probed_rows.row(service, formats.now())
        return Html(str(macro(row, False)), str(macro(row, True)))

    def turned(self, found: list[Turned], number: int) -> bool:
        """Notes what is said of services that have another status; whether anything is."""
        told = toasts.told(found)
        for toast, ids in self._toasts(told):
            self._note(Changed(number, "toast", ids[0], frozenset(ids), self._toast_html(toast)))
        return bool(told)

    def toasts_html(self, found: list[Turned]) -> list[Html]:
        """The same, noted nowhere: for one reader who was away."""
        return [self._toast_html(toast) for toast, _ in self._toasts(toasts.told(found))]

    def _toasts(self, told: list[Turned]) -> list[tuple[Toast, list[int]]]:
        if len(told) > toasts.TOGETHER:
            return [(toasts.together(told), [turned.service.id for turned in told])]
        return [(toasts.one(turned), [turned.service.id]) for turned in told]

    def _toast_html(self, toast: Toast) -> Html:
        html = str(self._macro("_toast.html", "toast_p")(toast))
        return Html(html, html)

    def _macro(self, template: str, name: str) -> Any:
        # The module of a template with macros has them as attributes.
        return getattr(self._environment.get_template(template).module, name)

    def _same(self, kind: str, id_: int, value: Any) -> bool:
        known = self._known.get((kind, id_))
        return known is not None and known.value == value

    def _note(self, row: Changed) -> bool:
        self._known[(row.kind, row.id)] = row
        self._known.move_to_end((row.kind, row.id))
        if len(self._known) > KEPT:
            self._known.popitem(last=False)
        return True
