"""What only a person can settle comes to the overview, and leads to where it is settled."""

from datetime import UTC, datetime

from schema.knowledge import Event
from schema.states import TriggerStatus
from tests.unit.webui.pages.test_approval_view import approval
from tests.unit.webui.pages.test_trigger_rows import trigger
from webui import needs
from webui.pages import attention, service_rows
from webui.pages.service_rows import ServiceRow
from webui.pages.system_state import Problem

NOW = datetime(2026, 3, 14, 2, 6, 30, tzinfo=UTC)


def event(message: str, session_id: int | None = 4) -> Event:
    return Event(id=1, session_id=session_id, level="critical", message=message, created_at="2026-03-14T02:00:00.000Z")


def of(service: str, message: str) -> Event:
    return Event(id=2, level="critical", service=service, message=message, created_at="2026-03-14T02:00:00.000Z")


def test_a_call_that_waits_leads_to_its_card_with_the_time_left() -> None:
    [found] = attention.approvals([approval()], NOW)
    assert found.href == "/approvals/7"
    assert "docker restart web" in found.text
    assert "expires in 14:32" in found.text


def test_a_call_about_to_expire_says_so() -> None:
    [found] = attention.approvals([approval(expires_at="2026-03-14T02:06:30.000Z")], NOW)
    assert "expires now" in found.text


def test_a_channel_that_cannot_be_told_is_named_with_what_waits_and_why() -> None:
    rows = [
        {"channel": "slack-3f2a", "waiting": 1, "error": "HTTP 503\nbusy"}, {"channel": "x", "waiting": 2, "error": "y"}
    ]  # fmt: skip
    found = attention.channels(rows)
    assert [(one.title, one.text, one.href) for one in found] == [
        ("slack-3f2a can’t be told,", "1 notification waits · HTTP 503 busy", "/notifications"),
        ("x can’t be told,", "2 notifications wait · y", "/notifications"),
    ]


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


def service(name: str, word: str = "down", *, old: bool = False, detail: str = "") -> ServiceRow:
    looks = service_rows.look(word)
    return ServiceRow(name, f"/services/{name}", *looks, None, None, old, 0, detail, None, "90.0 %", None)


def test_a_service_that_a_report_names_is_listed_once() -> None:
    known = [Problem("bad", "x", "web down:", "503", None, "")]
    found = attention.services([service("web"), service("webmail", "degraded", detail="slow")], known)
    assert [(one.title, one.text, one.href) for one in found] == [("webmail degraded:", "slow", "/services/webmail")]


def test_a_service_that_nobody_has_looked_at_for_a_day_or_of_an_unknown_state_is_not_called_broken() -> None:
    assert attention.services([service("web", old=True), service("db", "paused")], []) == []


def test_critical_events_are_told_once_each_and_those_of_a_service_that_is_listed_are_not() -> None:
    known = [Problem("bad", "x", "web down:", "503", None, "")]
    said = [event("the disk is full")] * 3 + [event("Needs human attention: db: look"), of("web", "answers 503")]
    found = attention.critical(said, known)
    assert [(one.title, one.text, one.href) for one in found] == [("Critical:", "the disk is full", "/sessions/4")]


def test_a_critical_event_of_a_service_that_is_healthy_again_is_not_told() -> None:
    said = [of("db", "is down"), of("web", "is slow"), of("", "the disk is full")]
    healthy = {"db": "2026-03-14T02:05:00.000Z", "web": "2026-03-14T01:59:00.000Z"}
    assert [one.title for one in attention.critical(said, [], healthy)] == ["web:", "Critical:"]


def test_many_critical_events_are_counted() -> None:
    found = attention.critical([of("db", f"fault {number}") for number in range(8)], [])
    assert [one.title for one in found] == ["db:"] * 5 + ["3 more critical events"]
    assert found[-1].href == "/events?level=critical"


def test_the_title_says_what_is_down_before_what_needs_a_person() -> None:
    assert needs.Needs(approvals=1, people=1, down=2).words == "2 down, 2 need you"
    assert needs.Needs(approvals=1).words == "1 needs you"
    assert needs.NOTHING.words == ""
