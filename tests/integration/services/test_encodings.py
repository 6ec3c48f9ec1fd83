"""Bodies that come compressed: read where this program can, bounded always, and never a reason for no answer."""

import gzip
import tracemalloc
import zlib
from typing import Any

import pytest

from daemon.services.probes import probe
from daemon.services.probes.decoding import Body
from daemon.services.probes.http import BODY_MAX, Http
from daemon.services.rules.verdict import Verdict, verdict
from schema.definitions import Definition
from schema.facts import Cause, Facts
from tests.fakes.target import Target

TEXT = b'{"status": "ok"}'
BARE = zlib.compressobj(wbits=-zlib.MAX_WBITS)
BARE_TEXT = BARE.compress(TEXT) + BARE.flush()


async def ask(http: Http, url: str, **more: Any) -> Facts:
    return await probe.ask(http, probe.Target(id=1, definition=Definition(name="x", url=url, timeout=10.0, **more)))


def judged(facts: Facts, *conditions: str) -> Verdict:
    return verdict(facts, conditions, ())


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, br", "BR"])
async def test_of_what_cant_be_decoded_status_and_headers_stand_and_conditions_on_the_body_say_why(
    http: Http, target: Target, encoding: str
) -> None:
    target.answer("/", body=b"\x8b\x03\x80ok\x03", headers=(("Content-Encoding", encoding), ("X-A", "b")))
    found = await ask(http, target.url())
    assert (found.status, found.cause, found.body) == (200, None, b""), found.detail
    assert judged(found, "[STATUS] == 200", "[HEADER].x-a == b").outcome == "healthy"
    why = f"the body is encoded as {encoding.lower()}, which can't be read here"
    for condition in ("[BODY] == ok", "[BODY] != error", "len([BODY]) < 5", "has([BODY].errors) == false"):
        assert judged(found, condition).failing == (f"{condition}: {why}",)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(TEXT)),
        ("x-gzip", gzip.compress(TEXT[:5]) + gzip.compress(TEXT[5:])),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", BARE_TEXT),
        ("identity", TEXT),
        ("utf-8", TEXT),
    ],
)
async def test_what_can_be_decoded_is_read(http: Http, target: Target, encoding: str, body: bytes) -> None:
    target.answer("/", body=body, headers=(("Content-Encoding", encoding),))
    found = await ask(http, target.url())
    assert (found.body, found.unread, found.cause) == (TEXT, "", None)
    by_bytes = Body(encoding, BODY_MAX)
    assert all(by_bytes.add(body[at : at + 1]) for at in range(len(body)))
    assert by_bytes.text() == TEXT


async def test_it_accepts_what_it_can_read_unless_the_service_says_otherwise(http: Http, target: Target) -> None:
    await ask(http, target.url())
    await ask(http, target.url(), headers={"accept-encoding": "br"})
    assert [came.headers["accept-encoding"] for came in target.arrivals] == ["gzip, deflate", "br"]


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_body_that_is_not_encoded_as_it_says_is_a_broken_one(http: Http, target: Target, encoding: str) -> None:
    target.answer("/", body=b"plain text", headers=(("Content-Encoding", encoding),))
    found = await ask(http, target.url())
    assert (found.cause, found.detail) == (Cause.PROTOCOL, f"its {encoding} is broken")


async def test_who_answers_without_a_body_has_none_to_decode(http: Http, target: Target) -> None:
    target.answer("/", headers=(("Content-Encoding", "br"),))
    found = await ask(http, target.url(), method="HEAD")
    assert (found.status, found.unread) == (200, "")


async def test_a_body_that_would_become_huge_is_read_no_further_than_it_is_kept(http: Http, target: Target) -> None:
    squeeze, piece = zlib.compressobj(9, wbits=16 + zlib.MAX_WBITS), bytes(1024 * 1024)
    bomb = b"".join(squeeze.compress(piece) for _ in range(300)) + squeeze.flush()
    target.answer("/", body=bomb, headers=(("Content-Encoding", "gzip"),))
    found = await ask(http, target.url())
    assert (found.status, len(found.body)) == (200, BODY_MAX)
    tracemalloc.start()
    body = Body("gzip", BODY_MAX)
    assert not body.add(bomb)
    assert len(body.text()) == BODY_MAX
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * BODY_MAX
