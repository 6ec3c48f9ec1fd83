"""Live parts of what people decide: the bell on every page, cards that come and freeze, verdicts, new events."""

import pytest

from ipc.messages.knowledge import EventSaid
from ipc.messages.limits import CallJudged
from schema.states import ApprovalStatus
from tests.integration.webui import rows
from tests.integration.webui.site import CSRF, Site
from tests.integration.webui.sse_reader import read
from tests.integration.webui.test_page_stream import stream_of, until

CALL = (
    b'{"type":"assistant","message":{"id":"m","content":[{"type":"tool_use","id":"one","name":"Bash","input":'
    b'{"command":"docker restart web"}}]}}\n'
)


def ask(site: Site, session: int) -> int:
    id_ = rows.approval(site.worker.database, session)
    site.worker.approval_changed(id_, ApprovalStatus.WAITING, session)
    return id_


async def test_the_bell_counts_on_every_kind_of_stream(site: Site) -> None:
    session = site.worker.session(log=b"")
    paths = [f"/live?page={page}" for page in ("overview", "system", "sessions", "frame", "events", "approvals")]
    streams = [
        read(site.browser("viewer"), path) for path in [*paths, f"/sessions/{session}/stream", "/chains/1/stream"]
    ]
    for stream in streams:
        await until(stream, lambda said: said.event == "beat")
    ask(site, session)
    for stream in streams:
        said = await until(stream, lambda said: "Approvals: 1 waits for a person" in said.data)
        assert 'data-word="1 needs you"' in said.data
        await stream.aclose()


async def test_a_card_comes_and_freezes_for_everybody_when_somebody_decides(site: Site) -> None:
    session = site.worker.session(log=b"")
    operator = read(site.browser("operator"), "/live?page=approvals")
    viewer = read(site.browser("viewer"), "/live?page=approvals")
    beside = read(site.browser("operator"), f"/sessions/{session}/stream")
    for stream in (operator, viewer, beside):
        await until(stream, lambda said: said.event == "beat")
    id_ = ask(site, session)
    for stream, acts in ((operator, True), (viewer, False), (beside, True)):
        said = await until(stream, lambda said: f'id="approval-{id_}"' in said.data)
        assert 'data-append="approvals-list"' in said.data
        assert (f"/approvals/{id_}/approve" in said.data) == acts
    await site.browser("admin").post(f"/approvals/{id_}/deny", data={"csrf": CSRF, "reason": "no"})
    for stream in (operator, viewer, beside):
        said = await until(stream, lambda said: "Denied by admin" in said.data)
        assert "data-append" not in said.data
        assert f"/approvals/{id_}/deny" not in said.data
        await stream.aclose()


async def test_a_call_that_was_decided_before_the_stream_began_is_told_at_once(site: Site) -> None:
    session = site.worker.session(log=b"")
    id_ = rows.approval(site.worker.database, session)
    address = await stream_of(site, "/approvals")
    rows.set_values(site.worker.database, "approvals", id_, status="denied", decided_by="bob")
    stream = read(site.browser("viewer"), address)
    first = await until(stream, lambda said: said.event == "state")
    assert "Denied by bob" in first.data
    await stream.aclose()


async def test_a_decision_that_nobody_told_is_noticed_all_the_same(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webui.live.feed.REFRESH_SECONDS", 0.2)
    session = site.worker.session(log=b"")
    stream = read(site.browser("viewer"), "/live?page=approvals")
    await until(stream, lambda said: said.event == "beat")
    id_ = rows.approval(site.worker.database, session)
    await until(stream, lambda said: f'id="approval-{id_}"' in said.data)
    rows.set_values(site.worker.database, "approvals", id_, status="expired")
    await until(stream, lambda said: "Expired: nobody decided in time" in said.data)
    await stream.aclose()


async def test_the_page_of_one_approval_is_told_of_that_one_alone(site: Site) -> None:
    session = site.worker.session(log=b"")
    mine, other = (rows.approval(site.worker.database, session, name) for name in ("a", "b"))
    stream = read(site.browser("viewer"), await stream_of(site, f"/approvals/{mine}"))
    await until(stream, lambda said: said.event == "beat")
    for id_ in (other, mine):
        rows.set_values(site.worker.database, "approvals", id_, status="expired")
        site.worker.approval_changed(id_, ApprovalStatus.EXPIRED, session)
    said = await until(stream, lambda said: "Expired: nobody decided in time" in said.data)
    assert f'id="approval-{mine}"' in said.data
    assert f'id="approval-{other}"' not in said.data
    await stream.aclose()


async def test_a_verdict_reaches_a_call_that_is_shown_already(site: Site) -> None:
    session = site.worker.session(log=CALL)
    stream = read(site.browser("viewer"), f"/sessions/{session}/stream")
    await until(stream, lambda said: 'id="tool-one"' in said.data)
    rows.call(site.worker.database, session, tool_use_id="one", decision="deny", reason="2 of 2 used")
    site.worker.publish(CallJudged(session_id=session, decision="deny"))
    said = await until(stream, lambda said: said.event == "marks")
    assert 'data-verdict="tool-one" data-mark="denied"' in said.data
    assert "2 of 2 used" in said.data
    await stream.aclose()


async def test_a_session_that_waits_keeps_its_stream_and_goes_on_with_it(site: Site) -> None:
    session = site.worker.session(log=CALL)
    stream = read(site.browser("viewer"), f"/sessions/{session}/stream")
    await until(stream, lambda said: said.event == "rows")
    site.worker.end(session, "awaiting_approval")
    await until(stream, lambda said: "awaiting approval" in said.data)
    rows.set_values(site.worker.database, "sessions", session, status="running")
    with site.worker.log_of(session).open("ab") as log:
        log.write(b"2026-01-31T08:05:00.000000000Z\tgoing on\n")
    said = await until(stream, lambda said: said.event == "rows")
    assert "going on" in said.data
    site.worker.end(session)
    await until(stream, lambda said: said.event == "done")


async def test_new_events_are_counted_where_the_filters_let_them_in(site: Site) -> None:
    rows.event(site.worker.database, "old")
    address = await stream_of(site, "/events?level=warning")
    between = rows.event(site.worker.database, "between", level="warning")
    stream = read(site.browser("viewer"), address)
    first = await until(stream, lambda said: said.event == "state")
    assert f'id="event-{between}"' in first.data
    await until(stream, lambda said: said.event == "beat")
    hidden = rows.event(site.worker.database, "hidden")
    shown = rows.event(site.worker.database, "shown", level="warning")
    site.worker.publish(EventSaid(id=shown, level="warning", service=None, session_id=None))
    said = await until(stream, lambda said: f'id="event-{shown}"' in said.data)
    assert f'id="event-{hidden}"' not in said.data
    await stream.aclose()
