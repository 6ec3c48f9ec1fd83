"""Wild bytes never raise anything but CallError, and what is a message comes out as it went in."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipc import codec
from ipc.errors import HTTP_STATUS, CallError, Code
from ipc.messages.envelope import PROTOCOL, Done, Envelope, Event, Reply, Request
from ipc.messages.sessions import LogReply, SessionGrew, ShowSession, TriggerSession
from ipc.messages.system import Beat, Status
from ipc.messages.tables import EVENTS, REQUESTS

TEXT = st.text(max_size=20)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXT, inner, max_size=4)),
    max_leaves=12,
)
FIELDS = sorted({name for request in REQUESTS.values() for name in request.__struct_fields__})
BODY = st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6)
VALID = codec.request("id", TriggerSession(prompt="look"), sent=1.0, deadline=2.0)
VALID_JSON = codec.request("id", TriggerSession(prompt="look"), sent=1.0, deadline=2.0, json=True)


def read(frame: bytes) -> Request | None:
    """As the server reads a frame; None where it is refused."""
    try:
        return codec.read_request(codec.open_envelope(frame), json=codec.is_json(frame))
    except CallError as error:
        if error.code in (Code.INVALID, Code.UNKNOWN_TYPE) and error.message:
            return None
        raise


@given(st.binary(max_size=300))
def test_any_bytes_are_a_message_or_refused(frame: bytes) -> None:
    read(frame)
    read(b"[" + frame)


@given(st.data(), st.sampled_from([VALID, VALID_JSON]))
def test_a_damaged_message_is_read_or_refused(data: st.DataObject, frame: bytes) -> None:
    wild = bytearray(frame)
    for _ in range(data.draw(st.integers(1, 4))):
        wild[data.draw(st.integers(0, len(wild) - 1))] = data.draw(st.integers(0, 255))
    read(bytes(wild))
    read(bytes(wild[: data.draw(st.integers(0, len(wild)))]))


@given(st.sampled_from(sorted(REQUESTS)), BODY, st.booleans())
def test_any_body_is_a_request_of_its_type_or_refused_and_goes_round(type_: str, body: Any, json: bool) -> None:
    encode = msgspec.json.encode if json else msgspec.msgpack.encode
    try:
        frame = encode([PROTOCOL, "req", type_, "id", 0.0, 0.0, "", body])
    except OverflowError:
        return  # a number that MessagePack has no room for
    found = read(frame)
    if found is None:
        return
    assert type(found) is REQUESTS[type_]
    for as_json in (False, True):
        again = codec.request("id", found, sent=0.0, deadline=0.0, json=as_json)
        assert codec.is_json(again) is as_json
        assert codec.read_request(codec.open_envelope(again), json=as_json) == found


@pytest.mark.parametrize("depth", [2_000, 200_000])
@pytest.mark.parametrize(
    "frame",
    [
        lambda depth: b"[" * depth,
        lambda depth: b'[1,"req","status","x",0,0,"",' + b"[" * depth + b"]" * depth + b"]",
        lambda depth: b'[1,"req","status","x",0,0,"",' + b'{"a":' * depth + b"1" + b"}" * depth + b"]",
        lambda depth: b"\x91" * depth,
        lambda depth: b"\x98\x01\xa3req\xa6status\xa1x\x00\x00\xa0" + b"\x91" * depth + b"\xc0",
        lambda depth: b"\x98\x01\xa3req\xa6status\xa1x\x00\x00\xa0" + b"\x81\xa1a" * depth + b"\xc0",
    ],
)
def test_nesting_without_end_is_refused(frame: Any, depth: int) -> None:
    assert read(frame(depth)) is None


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"[",
        b"\xff\xfe",
        b"\x98\x01\xa3req\xa2\xff\xfe\xa1x\x00\x00\xa0\x80",
        b'[1,"req","status","x",1e999,0,"",{}]',
        b"[" + b"9" * 5000 + b',"req","status","x",0,0,"",{}]',
        b'[1,"req","status","x",0,0,""]',
        b'[1,"rep","status","x",0,0,"",{}]',
        b'[1,"req","no.such.thing","x",0,0,"",{}]',
        b'{"protocol":1}',
        b" " * 100 + VALID_JSON,
    ],
)
def test_what_is_nearly_a_message_is_refused(frame: bytes) -> None:
    assert read(frame) is None


def test_a_frame_beyond_the_limit_is_not_even_looked_at() -> None:
    with pytest.raises(CallError, match="may have"):
        codec.open_envelope(b"[" + b" " * codec.MAX_FRAME)


def test_what_the_other_side_would_drop_the_connection_for_is_not_made() -> None:
    with pytest.raises(CallError) as told:
        codec.request("id", TriggerSession(prompt="x" * codec.MAX_FRAME), sent=0.0, deadline=0.0)
    assert told.value.code is Code.TOO_LARGE
    to = codec.open_envelope(VALID)
    big = LogReply(offset=0, next=1, data=b"x" * codec.MAX_FRAME, over=False)
    with pytest.raises(CallError) as told:
        codec.reply(to, big, sent=0.0)
    assert told.value.code is Code.TOO_LARGE


def test_fields_that_a_newer_neighbour_added_are_passed_over() -> None:
    frame = msgspec.msgpack.encode([1, "req", "sessions.show", "x", 0, 0, "", {"id": 7, "new": 1}, "another"])
    assert read(frame) == ShowSession(id=7)


@given(st.sampled_from(list(Code)), TEXT, st.dictionaries(TEXT, st.integers(-(2**53), 2**53), max_size=3))
def test_an_error_arrives_as_it_was_raised(code: Code, message: str, data: dict[str, Any]) -> None:
    for json in (False, True):
        frame = codec.failure("status", "id", CallError(code, message, data), sent=1.0, json=json)
        with pytest.raises(CallError) as told:
            codec.read_reply(codec.open_envelope(frame), Reply, json=json)
        assert (told.value.code, told.value.message, told.value.data) == (code, message, data)


def test_an_error_code_of_a_newer_neighbour_is_internal() -> None:
    frame = msgspec.msgpack.encode([1, "err", "status", "id", 0, 0, "", {"code": "new", "message": "no"}])
    with pytest.raises(CallError, match="no") as told:
        codec.read_reply(codec.open_envelope(frame), Done)
    assert told.value.code is Code.INTERNAL


def test_every_code_has_an_http_status() -> None:
    assert set(HTTP_STATUS) == set(Code)


@given(st.binary(max_size=64))
def test_a_log_goes_through_json_byte_for_byte(data: bytes) -> None:
    to = Envelope(PROTOCOL, "req", "sessions.log", "id", 0.0, 0.0, "", msgspec.Raw(b"{}"))
    reply = LogReply(offset=0, next=len(data), data=data, over=False)
    for json in (False, True):
        frame = codec.reply(to, reply, sent=0.0, json=json)
        assert codec.read_reply(codec.open_envelope(frame), LogReply, json=json) == reply
    assert codec.read_stored(codec.store(reply), LogReply) == reply


@given(st.binary(max_size=200))
def test_any_published_bytes_are_an_event_or_refused(frame: bytes) -> None:
    for wild in (frame, b"beat\0" + frame):
        try:
            epoch, number, event = codec.read_publication(wild)
        except CallError:
            continue
        assert isinstance(epoch, str)
        assert isinstance(number, int)
        assert event is None or type(event) in EVENTS.values()


@given(st.integers(0, 2**63), st.sampled_from([Beat(), Beat(reason="disk"), SessionGrew(id=1, size=2**40)]))
def test_an_event_arrives_with_its_number(number: int, event: Event) -> None:
    assert codec.read_publication(codec.publication("epoch", number, event)) == ("epoch", number, event)


def test_an_unknown_event_still_counts() -> None:
    frame = b"new\0" + msgspec.msgpack.encode(["epoch", 3, "new", {"a": 1}])
    assert codec.read_publication(frame) == ("epoch", 3, None)


def test_a_request_has_the_shape_that_the_contract_says() -> None:
    frame = codec.request("i", Status(), sent=1.0, deadline=2.0, trace="t", json=True)
    assert msgspec.json.decode(frame) == [1, "req", "status", "i", 1.0, 2.0, "t", {}]


@pytest.mark.parametrize("json", [False, True])
def test_bytes_of_strangers_that_got_into_a_text_are_replaced_and_stop_no_answer(json: bool) -> None:
    to = Envelope(PROTOCOL, "req", "sessions.log", "id", 0.0, 0.0, "", msgspec.Raw(b"{}"))
    error = CallError(Code.INVALID, "caf\udce9", {"caf\udce9": ["\ud800", 3]})
    told = codec.failure("a", "id", error, sent=0.0, json=json)
    with pytest.raises(CallError, match=r"caf\?") as raised:
        codec.read_reply(codec.open_envelope(told), Done, json=json)
    assert raised.value.data == {"caf?": ["?", 3]}
    assert codec.reply(to, Done(), sent=0.0, json=json)
