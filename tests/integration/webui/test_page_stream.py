"""The live parts of the pages: what changes is sent, once, and to whom it concerns."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable

import pytest

from tests.integration.webui.site import Site
from tests.integration.webui.sse_reader import Said, read


async def until(stream: AsyncIterator[Said], wanted: Callable[[Said], bool]) -> Said:
    async with asyncio.timeout(10):
        async for said in stream:
            if wanted(said):
                return said
    raise AssertionError("the stream ended")


@pytest.mark.parametrize(
    ("page", "ids"),
    [
        (
            "overview",
            {"page-status", "worker-banner", "attention", "running", "figures", "recent", "processes", "health"},
        ),
        ("system", {"page-status", "worker-banner", "processes", "health"}),
        ("sessions", {"page-status", "worker-banner"}),
    ],
)
async def test_a_page_gets_all_its_parts_at_first(site: Site, page: str, ids: set[str]) -> None:
    site.worker.session(log=b"")
    stream = read(site.browser("viewer"), f"/live?page={page}")
    first = await until(stream, lambda said: said.event == "state")
    found = set(re.findall(r'<(?:section|span|div)[^>]*? id="([\w-]+)"', first.data))
    assert ids | {"page-status", "worker-banner"} <= found
    assert (await until(stream, lambda said: True)).event in ("beat", "state")
    await stream.aclose()


async def test_who_leaves_before_there_is_anything_to_show_is_watched_for_no_longer(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed, tails, streams = site.parts.feed, site.parts.tails, site.parts.streams

    async def never() -> bool:
        return await asyncio.Future[bool]()

    monkeypatch.setattr(feed, "_refresh", never)
    id_ = site.worker.session(log=b"")
    browser = site.browser("viewer")
    for path in ("/live?page=overview", f"/sessions/{id_}/stream", f"/chains/{id_}/stream"):
        answer = await browser.get(path, headers={"Accept": "text/event-stream"})
        async with asyncio.timeout(10):
            while not feed._watchers:
                await asyncio.sleep(0.01)
        answer.close()
        async with asyncio.timeout(10):
            while len(streams):
                await asyncio.sleep(0.01)
        assert (feed._watchers, feed._task, tails._tails) == ({}, None, {}), path


async def test_a_session_that_ends_changes_the_overview(site: Site) -> None:
    id_ = site.worker.session(log=b"")
    stream = read(site.browser("viewer"), "/live?page=overview")
    await until(stream, lambda said: f'id="now-{id_}"' in said.data)
    site.worker.end(id_, "failed", "it broke")
    said = await until(stream, lambda said: f"Session #{id_} failed." in said.data)
    assert "it broke" in said.data
    assert f'id="now-{id_}"' not in said.data
    await stream.aclose()


async def stream_of(site: Site, path: str) -> str:
    async with site.browser("viewer").get(path) as response:
        return (await response.text()).split('data-stream="')[1].split('"')[0].replace("&amp;", "&")


async def test_a_list_gets_its_rows_again_and_new_ones_that_its_filters_let_in(site: Site) -> None:
    mine = site.worker.session(tier=1, log=b"")
    other = site.worker.session(tier=2, log=b"")
    address = await stream_of(site, "/sessions?tier=1")
    site.worker.end(mine, "stopped")
    later = site.worker.session(tier=1, log=b"")
    stream = read(site.browser("viewer"), address)
    first = await until(stream, lambda said: said.event == "state")
    assert f'id="session-{mine}"' in first.data
    assert "stopped" in first.data
    assert f'id="session-{later}"' in first.data
    assert f'id="session-{other}"' not in first.data
    site.worker.end(other)
    site.worker.end(later)
    said = await until(stream, lambda said: f'id="session-{later}"' in said.data)
    assert "completed" in said.data
    assert f'id="session-{other}"' not in said.data
    await stream.aclose()


def parts(data: str) -> dict[str, str]:
    """The parts of a page that were sent, by their ids."""
    return {found[1]: found[0] for found in re.finditer(r'<section[^>]*? id="([\w-]+)".*?</section>', data, re.DOTALL)}


async def test_a_reader_that_comes_again_gets_what_changed_since(site: Site) -> None:
    id_ = site.worker.session(log=b"")
    browser = site.browser("viewer")
    keeper = read(browser, "/live?page=overview")  # keeps the numbering alive meanwhile
    first = await until(keeper, lambda said: said.event == "state")
    site.worker.end(id_)
    await until(keeper, lambda said: said.event == "state" and 'id="recent"' in said.data)
    again = read(browser, "/live?page=overview", {"Last-Event-ID": first.id})
    said = await until(again, lambda said: said.event == "state")
    before, after = parts(first.data), parts(said.data)
    assert "recent" in after
    # What tells how long ago something was may have changed as well.
    assert [id_ for id_, part in after.items() if before[id_] == part] == []
    assert len(after) < len(before)
    for stream in (keeper, again):
        await stream.aclose()


async def test_the_banner_comes_when_the_worker_falls_silent_and_goes_when_it_is_back(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webui.worker.SILENT_SECONDS", 0.6)
    stream = read(site.browser("viewer"), "/live?page=system")
    await until(stream, lambda said: said.event == "state")
    await site.worker.stop()
    await until(stream, lambda said: "Worker down." in said.data)
    await site.worker.start()
    await until(stream, lambda said: 'id="worker-banner"' in said.data and "Worker down." not in said.data)
    await stream.aclose()


async def test_a_page_without_live_parts_is_refused(site: Site) -> None:
    async with site.browser("viewer").get("/live?page=nothing") as response:
        assert response.status == 422


async def test_a_fault_in_one_part_is_logged_and_the_streams_go_on(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, faults = site.parts.feed._refresh, [ValueError("a fault of ours")]

    async def refresh() -> bool:
        if faults:
            raise faults.pop()
        return await whole()

    monkeypatch.setattr(site.parts.feed, "_refresh", refresh)
    stream = read(site.browser("viewer"), "/live?page=overview")
    await until(stream, lambda said: said.event == "beat")
    site.worker.end(site.worker.session(log=b""))
    await until(stream, lambda said: 'id="recent"' in said.data)
    assert "a fault of ours" in capsys.readouterr().err
    await stream.aclose()
