"""The framing of server-sent events, read back by a parser that knows nothing of the encoder."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.integration.webui.sse_reader import Parser, Said
from webui.live import sse

WILD = st.text(alphabet=st.characters() | st.sampled_from("\r\n\0:"))


def normal(text: str) -> str:
    """What a browser can get of a text: line ends are all alike."""
    return re.sub(r"\r\n|\r", "\n", text).encode("utf-8", "replace").decode()


@settings(deadline=None)
@given(st.lists(WILD, min_size=1, max_size=5))
def test_any_text_comes_out_as_one_event_each(texts: list[str]) -> None:
    stream = b"".join(sse.encode("rows", text, str(number)) for number, text in enumerate(texts))
    wanted = [Said("rows", normal(text), str(number)) for number, text in enumerate(texts)]
    assert Parser().feed(stream.decode()) == wanted


@settings(deadline=None)
@given(st.binary())
def test_any_bytes_as_a_log_shows_them_come_out_as_one_event(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    assert Parser().feed(sse.encode("rows", text).decode()) == [Said("rows", normal(text), "")]


@settings(deadline=None)
@given(WILD, st.integers(1, 40))
def test_an_event_may_come_in_any_pieces(text: str, size: int) -> None:
    whole = sse.encode("state", text, "7").decode()
    parser, found = Parser(), []
    for at in range(0, len(whole), size):
        found += parser.feed(whole[at : at + size])
    assert found == [Said("state", normal(text), "7")]


def test_line_ends_are_lf_alone() -> None:
    assert b"\r" not in sse.encode("rows", "a\r\nb\rc", "1")


@pytest.mark.parametrize(("event", "id_"), [("a\nb", ""), ("a", "1\n2"), ("a", "1\r"), ("a", "\0")])
def test_a_name_or_id_with_a_line_end_is_refused(event: str, id_: str) -> None:
    with pytest.raises(ValueError, match="one line"):
        sse.encode(event, "x", id_)


def test_a_lone_surrogate_does_not_stop_the_stream() -> None:
    assert Parser().feed(sse.encode("rows", "a\ud800b").decode()) == [Said("rows", "a?b", "")]
