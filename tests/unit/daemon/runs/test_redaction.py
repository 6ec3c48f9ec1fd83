import base64
import html
import json
from urllib.parse import quote, quote_plus

import markupsafe
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.runs.redaction import Redactor, too_short
from daemon.runs.shim.c_library import fast_search

SECRET = 'p4ss "word"/+ü\\x'
IN_HTML = "p4ss<&>'\"word"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=4, max_size=40).filter(
    lambda text: len(text.strip().encode()) >= 4
)


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        json.dumps(json.dumps(SECRET)[1:-1])[1:-1],
        quote(SECRET, safe=""),
        quote(SECRET),
        quote_plus(SECRET),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
    ],
)
def test_each_form_of_a_secret_goes_whole(form: str) -> None:
    redactor = Redactor([("KEY", SECRET)])
    assert redactor.text(f"before {form} after") == "before [REDACTED:KEY] after"


@pytest.mark.parametrize(
    "form",
    [
        html.escape(IN_HTML),
        html.escape(IN_HTML, quote=False),
        str(markupsafe.escape(IN_HTML)),
        json.dumps(html.escape(IN_HTML, quote=False))[1:-1],
        json.dumps(json.dumps(html.escape(IN_HTML, quote=False))[1:-1])[1:-1],
    ],
)
def test_a_secret_in_a_page_goes_whole(form: str) -> None:
    assert Redactor([("KEY", IN_HTML)]).text(f"<p>{form}</p>") == "<p>[REDACTED:KEY]</p>"


@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "user:"])
@pytest.mark.parametrize("after", ["", "z", "yz", "xyz", "\n"])
def test_base64_around_a_secret_tells_nothing_of_it(before: str, after: str) -> None:
    secret = "S3cretValueOfSomeLength"
    encoded = base64.b64encode(f"{before}{secret}{after}".encode()).decode()
    left = Redactor([("KEY", secret)]).text(encoded)
    assert "[REDACTED:KEY]" in left
    # Every character that holds bits of the secret alone is gone; those shared with a neighbour may stay.
    first_bit, last_bit = 8 * len(before), 8 * (len(before) + len(secret))
    gone = len(encoded) - len(left.replace("[REDACTED:KEY]", ""))
    assert gone >= last_bit // 6 - -(-first_bit // 6)


def test_a_secret_within_a_longer_one_does_not_save_the_rest_of_the_longer() -> None:
    redactor = Redactor([("SHORT", "abcd"), ("LONG", "abcdefgh")])
    assert redactor.text("abcdefgh abcd") == "[REDACTED:LONG] [REDACTED:SHORT]"


def test_a_form_that_shares_its_piece_with_a_longer_one_does_not_spoil_another_secret() -> None:
    inner = '""""""""abcdefgh'  # escaped, it is longer than the secret that holds it
    outer = f"{inner}-and-more"
    redactor = Redactor([("INNER", inner), ("OUTER", outer)])
    assert redactor.text(f"{outer} {inner}") == "[REDACTED:OUTER] [REDACTED:INNER]"


@given(secrets=st.lists(TEXTS, min_size=1, max_size=4))
def test_what_is_looked_for_is_part_of_every_form_that_it_stands_for(secrets: list[str]) -> None:
    redactor = Redactor([(f"K{number}", secret) for number, secret in enumerate(secrets)])
    for piece, forms in redactor.probes:
        assert piece
        for form, _ in forms:
            assert piece in form
            assert b"\n" not in form
    known = {form for _, forms in redactor.probes for form, _ in forms}
    for secret in secrets:
        if len(secret.splitlines()) == 1:
            wanted = (secret, json.dumps(secret)[1:-1], quote(secret), quote_plus(secret))
            assert {form.encode() for form in wanted} <= known


def test_forms_that_end_alike_are_looked_for_at_once() -> None:
    """Each piece costs a pass over all output."""
    base64_pieces = 3
    assert len(Redactor([("KEY", "ghp_Ab3dEf6hIj9lMn2pQr5tUv8xYz1b")]).probes) == 1 + base64_pieces
    assert len(Redactor([("PASSWORD", 'cor"rect horse battery')]).probes) == 2 + base64_pieces


def test_values_shorter_than_four_bytes_are_left_alone() -> None:
    assert too_short("abc")
    assert not too_short("äö")
    assert Redactor([("KEY", "abc"), ("EMPTY", "")]).text("abc") == "abc"


def test_a_key_of_many_lines_is_redacted_line_by_line_and_escaped() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END KEY-----\n"
    redactor = Redactor([("PEM", key)])
    plain = redactor.text(key)
    assert "MIIE" not in plain
    assert "hkiG" not in plain
    assert redactor.text(json.dumps(key)) == '"[REDACTED:PEM]"'


def test_without_secrets_nothing_changes() -> None:
    redactor = Redactor([])
    assert redactor.lines(b"\xff\x00 text\n") == b"\xff\x00 text\n"
    assert redactor.settled(b"abc") == 3


@given(secret=TEXTS, before=st.text(max_size=20), after=st.text(max_size=20))
def test_no_secret_survives_in_json_of_json(secret: str, before: str, after: str) -> None:
    redactor = Redactor([("K", secret)])
    inner = json.dumps({"text": before + secret + after})
    outer = redactor.text(json.dumps({"content": inner}))
    assert json.dumps(json.dumps(secret)[1:-1])[1:-1] not in outer.replace("[REDACTED:K]", "")


@given(data=st.binary(max_size=200), at=st.integers(0, 200), piece=st.binary(min_size=1, max_size=20))
def test_the_fast_search_finds_what_python_finds(data: bytes, at: int, piece: bytes) -> None:
    contains = fast_search()
    assert contains(data, piece) == (piece in data)
    assert contains(data[:at] + piece + data[at:], piece)


@given(
    st.lists(st.sampled_from([b"abcd", b"abcdefgh", b"cdab", b"x", b"ab", b"\x00"]), max_size=30),
    st.integers(0, 200),
)
def test_a_settled_piece_and_the_rest_redact_as_the_whole_does(parts: list[bytes], more: int) -> None:
    redactor = Redactor([("A", "abcd"), ("B", "abcdefgh")])
    seen = b"".join(parts)
    whole = seen + b"abcdefgh"[: more % 9]
    cut = redactor.settled(seen)
    assert redactor.lines(whole[:cut]) + redactor.lines(whole[cut:]) == redactor.lines(whole)


def test_a_chain_of_overlapping_matches_is_given_up_in_bounded_time() -> None:
    redactor = Redactor([("A", "aaaa")])
    assert redactor.settled(b"a" * 1_000_000) == 0
