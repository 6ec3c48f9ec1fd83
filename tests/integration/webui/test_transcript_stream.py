"""The live transcript: every line once and in order for every reader, whatever output, reader and worker do."""

import asyncio
import contextlib
import fcntl
import html
import re
import socket
import sys
import termios
from pathlib import Path

import aiohttp
import pytest

from ipc.messages.sessions import SessionGrew
from tests.integration.webui.site import CSRF, Site, open_site
from tests.integration.webui.sse_reader import Said, read

STAMP = b"2026-01-31T08:05:00.000000000Z\t"
ROW = re.compile(r'<li class="entry[^>]* id="b(\d+)" data-kind="(\w+)"')


def raw(text: bytes) -> bytes:
    return STAMP + text + b"\n"


def shown(events: list[Said]) -> list[str]:
    """The words of the raw rows, in order."""
    rows = "".join(said.data for said in events if said.event == "rows")
    return [
        html.unescape(re.sub(r"<[^>]+>", "", text))
        for text in re.findall(r'<code class="target">(.*?)</code>', rows, re.DOTALL)
    ]


async def whole(site: Site, id_: int, browser: aiohttp.ClientSession | None = None, chunk: int = 65536) -> list[Said]:
    """A stream from its start to `done`."""
    found = []
    async with asyncio.timeout(30):
        async for said in read(browser or site.browser("viewer"), f"/sessions/{id_}/stream?at=0", chunk=chunk):
            found.append(said)
            if said.event == "done":
                break
    return found


async def test_a_finished_session_is_told_whole_and_done(site: Site) -> None:
    log = b"".join(raw(b"line %d" % number) for number in range(1000)) + STAMP + b"without an end"
    id_ = site.worker.session(status="completed", log=log)
    events = await whole(site, id_)
    assert [said.event for said in events[:2]] == ["state", "beat"]
    assert events[-1].event == "done"
    assert 'id="session-result"' in events[-1].data
    assert shown(events) == [f"line {number}" for number in range(1000)] + ["without an end"]
    assert events[-1].id == str(len(log))


async def test_after_what_was_missed_the_page_is_told_that_this_was_all(site: Site) -> None:
    id_ = site.worker.session(log=b"".join(raw(b"line %d" % number) for number in range(2000)))
    stream = read(site.browser("viewer"), f"/sessions/{id_}/stream?at=0")
    events = []
    async with asyncio.timeout(10):
        async for said in stream:
            events.append(said)
            if said.event == "caught":
                break
    assert shown(events) == [f"line {number}" for number in range(2000)]
    with site.worker.log_of(id_).open("ab") as file:
        file.write(raw(b"new"))
    async with asyncio.timeout(5):
        while (said := await anext(stream)).event != "rows":
            assert said.event != "caught"
    assert shown([said]) == ["new"]
    await stream.aclose()


async def write_lines(path: Path, count: int, pause: float) -> None:
    with path.open("ab", buffering=0) as file:
        for number in range(count):
            line = raw(b"line %05d" % number)
            # Now and then in two pieces, as a program's buffer may end within a line.
            if number % 7:
                file.write(line)
            else:
                file.write(line[:20])
                await asyncio.sleep(0)
                file.write(line[20:])
            if pause:
                await asyncio.sleep(pause)


async def test_three_readers_one_slow_one_that_reconnects_end_with_the_same_transcript(site: Site) -> None:
    id_ = site.worker.session(log=b"")
    count = 3000
    wanted = [f"line {number:05d}" for number in range(count)]

    async def plain() -> list[str]:
        return shown(await whole(site, id_))

    async def slow() -> list[str]:
        found = []
        async for said in read(site.browser("viewer"), f"/sessions/{id_}/stream?at=0", chunk=4096):
            found.append(said)
            await asyncio.sleep(0.005)
            if said.event == "done":
                break
        return shown(found)

    async def reconnecting() -> list[str]:
        found: list[Said] = []
        browser = site.browser("viewer")
        while True:
            rows = 0
            headers = {"Last-Event-ID": found[-1].id} if found and found[-1].id else {}
            async for said in read(browser, f"/sessions/{id_}/stream?at=0", headers):
                found.append(said)
                rows += said.event == "rows"
                if said.event == "done":
                    return shown(found)
                if rows == 7:
                    break

    async def work() -> None:
        await write_lines(site.worker.log_of(id_), count, 0.0005)
        site.worker.end(id_)

    async with asyncio.timeout(50):
        _, *transcripts = await asyncio.gather(work(), plain(), slow(), reconnecting())
    for transcript in transcripts:
        assert transcript == wanted


async def test_lines_come_at_once_when_the_worker_says_so_and_soon_when_it_is_away(site: Site) -> None:
    id_ = site.worker.session(log=b"")
    path = site.worker.log_of(id_)
    loop = asyncio.get_running_loop()
    stream = read(site.browser("viewer"), f"/sessions/{id_}/stream?at=0")
    assert (await anext(stream)).event == "state"
    assert (await anext(stream)).event == "beat"
    for away in (False, True):
        if away:
            await site.worker.stop()
        begun = loop.time()
        with path.open("ab") as file:
            file.write(raw(b"hello"))
        if not away:
            site.worker.publish(SessionGrew(id=id_, size=path.stat().st_size))
        async with asyncio.timeout(5):
            while (await anext(stream)).event != "rows":
                pass
        assert loop.time() - begun < 2.0
    await stream.aclose()


HOSTILE = [
    b"event: done",
    b"data: <script>alert(1)</script>",
    b"id: 99999999",
    b"data: x\r\rdata: y\r",
    b"\x00\x00nul\x00",
    b"\xff\xfe\x80 not utf-8 \xc3",
    b"\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b[2J",
    "\u2028\u2029\x85 line ends of others".encode(),
    b'</li></ol><li id="b0" class=entry>',
    b'{"type":"assistant","message":{"content":[{"type":"text",'
    b'"text":"<img src=x onerror=alert(1)>\\n\\nevent: done\\ndata: x"}]}}',
    b'{"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"\\"><script>",'
    b'"content":"a\\r\\nb\\u0000\\n\\nevent: done"}]}}',
    b"{not json",
    b"[" * 5000,
    b'{"type":"' + b"x" * 300000 + b'"}',
]


async def test_hostile_output_breaks_neither_framing_nor_page(site: Site) -> None:
    lines = [*HOSTILE, b"the last line"]
    id_ = site.worker.session(status="failed", log=b"".join(raw(line) for line in lines))
    events = await whole(site, id_)
    assert [said.event for said in events].count("done") == 1
    assert events[-1].event == "done"
    rows = "".join(said.data for said in events if said.event == "rows")
    assert shown(events)[-1] == "the last line"
    assert len(set(re.findall(r'(?:id|data-anchor)="(b\d+)"', rows))) == len(lines)
    async with site.browser("viewer").get(f"/sessions/{id_}") as response:
        page = await response.text()
    for text in (rows, page):
        assert "<script>alert" not in text
        assert "<img" not in text
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u2028\u2029]", text.replace("\r\n", "\n"))
    assert "the last line" in page


async def test_a_line_of_10_mib_is_cut_with_a_mark_and_what_follows_is_shown(site: Site) -> None:
    id_ = site.worker.session(status="completed", log=raw(b"x" * (10 << 20)) + raw(b"after it"))
    events = await whole(site, id_)
    rows = "".join(said.data for said in events if said.event == "rows")
    assert 'data-kind="cut"' in rows
    assert f"/sessions/{id_}/log?at=0" in rows
    assert shown(events)[-1] == "after it"
    assert len(rows) < 20_000


async def test_the_stream_makes_the_same_rows_as_the_page(site: Site) -> None:
    fixtures = Path(__file__).parents[2] / "fixtures" / "transcripts"
    lines = [line for path in sorted(fixtures.glob("*.ndjson")) for line in path.read_bytes().splitlines()]
    id_ = site.worker.session(status="completed", log=b"".join(raw(line) for line in lines))
    async with site.browser("viewer").get(f"/sessions/{id_}") as response:
        page = await response.text()
    rows = "".join(said.data for said in await whole(site, id_) if said.event == "rows")
    inside = page.split('<ol class="log"')[1].split('id="log-end"')[0]
    assert ROW.findall(rows)
    assert sorted(set(ROW.findall(inside))) == sorted(set(ROW.findall(rows)))


async def test_an_offset_beyond_the_log_asks_for_a_reload(site: Site) -> None:
    id_ = site.worker.session(log=raw(b"x"))
    events = [said async for said in read(site.browser("viewer"), f"/sessions/{id_}/stream?at=999999")]
    assert [said.event for said in events] == ["reset"]


async def test_the_head_comes_again_when_the_row_changes_and_only_who_may_stop_sees_the_button(site: Site) -> None:
    id_ = site.worker.session(log=raw(b"x"))
    for role, sees in (("viewer", False), ("operator", True)):
        stream = read(site.browser(role), f"/sessions/{id_}/stream?at=0")
        first = await anext(stream)
        assert (f'href="/sessions/{id_}/stop"' in first.data) is sees
        await stream.aclose()
    stream = read(site.browser(), f"/sessions/{id_}/stream?at=0")
    await anext(stream)
    with site.worker.database.transaction():
        site.worker.database.script(f"UPDATE sessions SET num_turns = 7, cost_usd = 1.24 WHERE id = {id_}")
    async with asyncio.timeout(5):
        async for said in stream:
            if said.event == "state" and "$1.24" in said.data:
                break
    await stream.aclose()


async def test_a_sign_out_ends_the_streams_of_that_browser_at_once(site: Site) -> None:
    id_ = site.worker.session(log=b"")
    browser, other = site.browser("viewer"), site.browser("admin")
    streams = [read(one, f"/sessions/{id_}/stream?at=0") for one in (browser, other)]
    for stream in streams:
        await anext(stream)
    async with browser.post("/sign-out", data={"csrf": CSRF}, allow_redirects=False) as response:
        assert response.status == 303
    async with asyncio.timeout(5):
        with contextlib.suppress(aiohttp.ClientError):
            async for said in streams[0]:
                assert said.event in ("state", "beat", "caught", "rows")
    assert len(site.parts.streams) == 1
    for stream in streams:
        await stream.aclose()


async def test_numbers_that_are_no_sessions_leave_nothing_behind(site: Site) -> None:
    for signed_in, status in ((site.browser("viewer"), 404), (site.browser(None), 401)):
        for made_up in range(5000, 5050):
            path = f"/sessions/{made_up}/stream"
            async with signed_in.get(path, headers={"Accept": "text/event-stream"}) as response:
                assert response.status == status
    assert (len(site.parts.streams), site.parts.tails.lag()) == (0, {})


async def test_above_the_limit_a_reader_is_told_to_come_again(tmp_path: Path) -> None:
    async with open_site(tmp_path, sse_clients_max=2) as site:
        id_ = site.worker.session(log=b"")
        streams = [read(site.browser("viewer"), f"/sessions/{id_}/stream?at=0") for _ in range(2)]
        for stream in streams:
            await anext(stream)
        async with site.browser("viewer").get(f"/sessions/{id_}/stream") as response:
            assert response.status == 503
            assert response.headers["Retry-After"] == "5"
        for stream in streams:
            await stream.aclose()


async def stalled(site: Site, path: str) -> socket.socket:
    """A reader that asks and never reads."""
    cookie = "; ".join(f"{c.key}={c.value}" for c in site.browser("viewer").cookie_jar)
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(made, ("127.0.0.1", site.server.port))
    await loop.sock_sendall(made, f"GET {path} HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\n\r\n".encode())
    return made


async def test_readers_that_stall_hold_nobody_up_and_are_dropped(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webui.live.streams.WRITE_SECONDS", 1.0)
    log = b"".join(raw(b"%06d " % number + b"x" * 100) for number in range(20_000))
    id_ = site.worker.session(status="completed", log=log)
    idle = [await stalled(site, f"/sessions/{id_}/stream?at=0") for _ in range(10)]
    events = await whole(site, id_)
    assert len(shown(events)) == 20_000
    async with asyncio.timeout(20):
        while len(site.parts.streams):
            await asyncio.sleep(0.1)
    for one in idle:
        one.close()
    assert site.parts.tails.lag() == {}


async def test_of_a_long_log_little_is_made_for_a_reader_that_stalls(site: Site) -> None:
    log = b"".join(raw(b"%06d " % number + b"x" * 100) for number in range(40_000))
    id_ = site.worker.session(status="completed", log=log)
    idle = await stalled(site, f"/sessions/{id_}/stream?at=0")
    async with asyncio.timeout(20):
        while not (made := [one for one in site.parts.streams._open if one._transport.get_write_buffer_size()]):
            await asyncio.sleep(0.1)
    (stream,) = made
    connected = stream._transport.get_extra_info("socket")
    waiting = int.from_bytes(fcntl.ioctl(connected.fileno(), termios.TIOCOUTQ, b"\0" * 4), sys.byteorder)
    assert waiting < 512 * 1024
    idle.close()


async def test_a_stop_of_the_web_process_ends_streams_with_a_word_to_come_again(site: Site) -> None:
    id_ = site.worker.session(log=b"")
    browser = site.browser("viewer")
    async with browser.get(f"/sessions/{id_}/stream?at=0") as response:
        await response.content.readany()
        await site.parts.streams.close(1.0)
        rest = await response.content.read()
    assert rest.endswith(b"retry: 1000\n\n")
    async with browser.get(f"/sessions/{id_}/stream") as response:
        assert response.status == 503


async def test_a_log_that_can_not_be_read_for_a_while_is_told_from_where_it_was(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = site.worker.session(log=raw(b"one"))
    stream = read(site.browser("viewer"), f"/sessions/{id_}/stream?at=0")
    while (await anext(stream)).event != "rows":
        pass
    refused = 0

    def refuse(*arguments: object) -> int:
        nonlocal refused
        refused += 1
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr("webui.live.tails.os.open", refuse)
        with site.worker.log_of(id_).open("ab") as file:
            file.write(raw(b"two"))
        await asyncio.sleep(0.2)
    assert refused
    async with asyncio.timeout(5):
        while (said := await anext(stream)).event != "rows":
            pass
    assert shown([said]) == ["two"]
    await stream.aclose()
