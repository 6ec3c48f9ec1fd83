"""Following a growing file: whole lines only, every byte once from wherever one begins, and bounded memory."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from schema.sessions import Session
from schema.states import SessionStatus, Trigger
from tests.fixtures.examples import part
from tests.integration.webui.sse_reader import Parser
from webui.live import tails
from webui.live.tails import Tail
from webui.pages.transcript_rows import Row
from webui.pages.watched import Watched


def session(status: SessionStatus = SessionStatus.RUNNING) -> Watched:
    row = Session(
        id=1,
        tier=1,
        model="haiku",
        prompt_file="",
        status=status,
        trigger=Trigger.MANUAL,
        started_at="2026-01-31T08:05:00.000Z",
    )
    return Watched(row, (), (), {})


def render(row: Row) -> Markup:
    return Markup("[{}]").format(row.target)


def render_anchor(row: Row) -> Markup:
    return Markup("[{}]").format(row.anchor)


def read_all(tail: Tail, offset: int = 0) -> str:
    text = ""
    while offset < tail.edge:
        batch = tail.batch(offset)
        assert batch.end > offset
        offset = batch.end
        text += "".join(said.data for said in Parser().feed(batch.payload.decode()))
    return text


def test_a_line_is_told_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"one\ntw")
    tail = Tail(session(), path, render)
    assert (tail.edge, read_all(tail)) == (4, "[one]")
    assert not tail.advance()
    with path.open("ab") as file:
        file.write(b"o\nthree")
    assert tail.advance()
    assert read_all(tail, 4) == "[two]"
    tail.take(session(SessionStatus.COMPLETED))
    assert read_all(tail, 8) == "[three]"


def test_a_file_that_is_not_there_yet_is_found_later(tmp_path: Path) -> None:
    tail = Tail(session(), tmp_path / "log", render)
    assert (tail.edge, tail.size) == (0, 0)
    (tmp_path / "log").write_bytes(b"x\n")
    assert tail.advance()
    assert read_all(tail) == "[x]"


@settings(max_examples=part(0.3), deadline=None)
@given(st.lists(st.integers(0, 30_000), min_size=1, max_size=12), st.data())
def test_every_line_comes_once_from_any_line_on(lengths: list[int], data: st.DataObject) -> None:
    import tempfile

    lines = [f"{number}:".encode() + b"x" * length for number, length in enumerate(lengths)]
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "log"
        tail = Tail(session(), path, render_anchor)
        offsets = [sum(len(line) + 1 for line in lines[:number]) for number in range(len(lines))]
        with path.open("ab", buffering=0) as file:
            for line in lines:
                cut = data.draw(st.integers(0, len(line)))
                file.write(line[:cut])
                tail.advance()
                file.write(line[cut:] + b"\n")
                tail.advance()
        for start in offsets:
            found = re.findall(r"\[b(\d+)\]", read_all(tail, start))
            assert [int(offset) for offset in found] == [offset for offset in offsets if offset >= start]


def test_pieces_are_kept_up_to_a_bound_and_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tails, "KEPT_BYTES", 100_000)
    path = tmp_path / "log"
    path.write_bytes(b"".join(b"%06d " % number + b"x" * 200 + b"\n" for number in range(2000)))
    tail = Tail(session(), path, render)
    first = read_all(tail)
    kept = sum(len(batch.payload) for batch in tail._batches.values())
    assert 50_000 < kept <= 100_000
    assert tail.batch(0) is tail.batch(0)
    assert read_all(tail) == first


def test_who_comes_while_a_call_runs_is_told_how_long_it_took_as_everybody_else(tmp_path: Path) -> None:
    def render_outcome(row: Row) -> Markup:
        return Markup("[{}]").format(row.outcome)

    def call(second: int, content: str) -> bytes:
        return f'2026-01-31T08:05:{second:02}.000Z\t{{"type":{content}}}\n'.encode()

    made = call(1, '"assistant","message":{"id":"m","content":[{"type":"tool_use","id":"t","name":"Bash","input":{}}]}')
    said = call(4, '"user","message":{"content":[{"type":"tool_result","tool_use_id":"t","content":"ok"}]}')
    unknown = call(5, '"user","message":{"content":[{"type":"tool_result","tool_use_id":"u","content":"ok"}]}')
    path = tmp_path / "log"
    path.write_bytes(made + said + unknown)
    assert read_all(Tail(session(), path, render_outcome), len(made)) == "[1 line · 3.0 s][1 line]"
    tail = Tail(session(), path, render_outcome)
    assert read_all(tail, len(made) + len(said)) == "[1 line]", "who comes later is not in the way of others"
    assert read_all(tail, len(made)).startswith("[1 line · 3.0 s]")
