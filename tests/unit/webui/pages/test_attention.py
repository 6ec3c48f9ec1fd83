"""What only a person can settle comes to the overview, and leads to where it is settled."""

from datetime import UTC, datetime

from schema.knowledge import Event
from schema.states import TriggerStatus
from tests.unit.webui.pages.test_approval_view import approval
from tests.unit.webui.pages.test_trigger_rows import trigger
from webui import needs
from webui.pages import attention
from webui.pages.system_state import Problem

NOW = datetime(2026, 3, 14, 2, 6, 30, tzinfo=UTC)


def event(message: str, session_id: int | None = 4) -> Event:
    return Event(id=1, session_id=session_id, level="critical", message=message, created_at="2026-03-14T02:00:00.000Z")


def test_a_call_that_waits_leads_to_its_card_with_the_time_left() -> None:
    [found] = attention.approvals([approval()], NOW)
    assert found.href == "/approvals/7"
    assert "docker restart web" in found.text
    assert "expires in 14:32" in found.text


def test_a_call_about_to_expire_says_so() -> None:
    [found] = attention.approvals([approval(expires_at="2026-03-14T02:06:30.000Z")], NOW)
    assert "is about to expire" in found.text


def test_only_events_that_ask_for_a_person_are_listed() -> None:
    found = attention.events([event("web is down"), event("Needs human attention (dry run): web: renew it", None)])
    assert [(one.title, one.text, one.href) for one in found] == [
        ("Needs human attention (dry run):", "web: renew it", "/events?level=critical")
    ]


def test_a_refused_trigger_is_listed_for_a_day() -> None:
    refused = trigger(status=TriggerStatus.REFUSED, reason="too high")
    old = trigger(status=TriggerStatus.REFUSED, updated_at="2026-03-12T02:00:00.000Z")
    found = attention.refused([refused, old], NOW)
    assert [one.title for one in found] == ["Trigger 9 was refused."]
    assert "too high" in found[0].text


def test_a_service_that_a_report_names_is_listed_once() -> None:
    known = [Problem("bad", "x", "web down:", "503", None, "")]
    assert [one.title for one in attention.down(["web", "webmail"], known)] == ["webmail down."]


def test_the_title_says_what_is_down_before_what_needs_a_person() -> None:
    assert needs.Needs(approvals=1, people=1, down=2).words == "2 down, 2 need you"
    assert needs.Needs(approvals=1).words == "1 needs you"
    assert needs.NOTHING.words == ""
