"""What sessions report becomes what needs a person; the newest word on each service counts."""

import json
from datetime import UTC, datetime
from typing import Any

from schema.sessions import Session
from schema.states import SessionStatus, Trigger
from webui.pages import reports
from webui.pages.system_state import Problem

NOW = datetime(2026, 3, 14, 12, tzinfo=UTC)
WORSE = {"needed": True, "reason": "a restart is needed"}


def session(
    id_: int,
    services: dict[str, str] | None = None,
    *,
    tier: int = 1,
    escalation: Any = None,
    ended: str = "2026-03-14T11:00:00.000Z",
    status: SessionStatus = SessionStatus.COMPLETED,
) -> Session:
    checked = [{"name": name, "status": word, "detail": f"{name} says so"} for name, word in (services or {}).items()]
    said = None if services is None else json.dumps({"services_checked": checked, "escalation": escalation})
    return Session(
        id=id_,
        tier=tier,
        model="haiku",
        prompt_file="p",
        status=status,
        trigger=Trigger.SCHEDULED,
        started_at=ended,
        ended_at=ended,
        structured=said,
    )


def titles(*ended: Session, running: tuple[Session, ...] = ()) -> list[str]:
    return [problem.title for problem in reports.problems(list(ended), list(running), NOW)]


def test_services_in_trouble_are_listed_worst_first_and_lead_to_their_session() -> None:
    found = reports.problems([session(3, {"a": "degraded", "b": "healthy", "c": "down", "d": "unreachable"})], [], NOW)
    assert [problem.title for problem in found] == ["c down:", "d unreachable:", "a degraded:"]
    assert found[0] == Problem("bad", "octagon-x", "c down:", "c says so", "/sessions/3", "Session #3")


def test_the_newest_report_on_a_service_counts() -> None:
    assert titles(session(2, {"a": "healthy"}), session(1, {"a": "down"})) == []
    assert titles(session(2, {"a": "down"}), session(1, {"a": "healthy"})) == ["a down:"]


def test_a_session_that_looked_at_one_service_takes_nothing_back_of_the_others() -> None:
    assert titles(session(2, {"b": "healthy"}), session(1, {"a": "down", "b": "down"})) == ["a down:"]


def test_a_session_without_a_report_takes_nothing_back() -> None:
    stopped = session(2, None, status=SessionStatus.STOPPED)
    assert titles(stopped, session(1, {"a": "down"}, escalation=WORSE)) == ["a down:", "Tier 1 asks for the next tier."]


def test_a_report_of_yesterday_needs_nobody() -> None:
    assert titles(session(1, {"a": "down"}, ended="2026-03-13T11:59:00.000Z")) == []


def test_an_escalation_is_listed_until_a_higher_tier_takes_it_up_or_a_newer_report_does_without() -> None:
    asked = session(1, {}, escalation=WORSE)
    assert titles(asked) == ["Tier 1 asks for the next tier."]
    assert titles(session(2, {}, tier=2), asked) == []
    assert titles(asked, running=(session(2, None, tier=2, status=SessionStatus.RUNNING),)) == []
    assert titles(session(2, None, tier=2, status=SessionStatus.STOPPED), asked) == ["Tier 1 asks for the next tier."]
    assert titles(session(2, {}, escalation={"needed": False}), asked) == []


def test_an_escalation_without_a_reason_says_so() -> None:
    assert reports.problems([session(1, {}, escalation={"needed": True})], [], NOW)[0].text == "It gives no reason."


def test_what_has_not_the_shape_of_a_report_is_no_report() -> None:
    for said in ("{", "[]", "null", '{"services_checked": 1, "escalation": []}', '{"services_checked": [1, {}]}'):
        odd = session(1, {})
        changed = Session(**{name: getattr(odd, name) for name in odd.__struct_fields__} | {"structured": said})
        assert titles(changed) == []


def test_control_characters_and_long_words_are_tamed() -> None:
    found = reports.problems([session(1, {"\x1b[31ma\nb" + "x" * 500: "down"})], [], NOW)[0]
    assert "\x1b" not in found.title
    assert len(found.title) < 120
