"""Conditions: what they say of an answer, how they read with its values, and where one is written wrongly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.services.rules.conditions import Answer, judge, lasting
from daemon.services.rules.notation import OPERATORS, PLACES, Condition, ConditionError, parse
from schema.facts import Facts

FACTS = Facts(
    latency_ms=250.4,
    connected=True,
    status=503,
    headers={"Content-Type": "text/html; charset=utf-8", "x-Node": "a7"},
    body=b'{"data": [{"id": 2, "name": "b", "gone": null}], "status": "UP", "ratio": 0.5, "ok": true}',
    certificate_s=5 * 86400 + 60,
    domain_s=-3600.0,
    dns_rcode="NOERROR",
    ip="10.0.0.7",
)


@pytest.mark.parametrize(
    "text",
    [
        "[STATUS] == 503",
        "503 == [STATUS]",
        "[STATUS] != 200",
        "[STATUS] == any(200, 503)",
        "[STATUS] >= 500",
        "[RESPONSE_TIME] < 300",
        "[RESPONSE_TIME] < 300ms",
        "[RESPONSE_TIME] < 0.3s",
        "1s > [RESPONSE_TIME]",
        "[BODY].status == UP",
        "[BODY].data[0].id == 2",
        "[BODY].data.[0].id == 2",
        "[BODY].data[0].gone == null",
        "[BODY].ratio <= 0.5",
        "[BODY].ok == true",
        "[BODY].data[0].name == any(a, pat(b*))",
        "[BODY] == pat(*UP*)",
        "[BODY] != pat(*UP (of) it)*)",
        "[BODY] != pat(*DOWN*)",
        "len([BODY].data) == 1",
        "len([BODY]) < 5",
        "len([BODY].status) == 2",
        "has([BODY].data) == true",
        "has([BODY].errors) == false",
        "[HEADER].content-type == pat(text/html*)",
        "[HEADER].X-NODE == a7",
        "[CONNECTED] == true",
        "[IP] == 10.0.0.7",
        "[DNS_RCODE] == NOERROR",
        "[CERTIFICATE_EXPIRATION] > 48h",
        "[CERTIFICATE_EXPIRATION] < 6d",
        "[DOMAIN_EXPIRATION] < 0",
        "[BODY].status == 'UP'",
        # As Gatus has them.
        "[RESPONSE_TIME] < 1m30s",
        "[RESPONSE_TIME] > 250000us",
        "[CERTIFICATE_EXPIRATION] > 4d23h30m",
        "[BODY].nope != 5",
        "[BODY].data[7].id != 1",
        "[HEADER].nope != x",
        "[status] == 503",
        "[Body].data.[0].id == 2",
        "[BODY] != pat(a)b)",
        "[BODY] != <h1>",
        "[BODY] !=<h1>",
        "[BODY] != 'a && b'",
    ],
)
def test_it_holds(text: str) -> None:
    assert judge(parse(text), Answer(FACTS)).holds


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[STATUS] == 200", "[STATUS] (503) == 200"),
        ("[RESPONSE_TIME] < 200", "[RESPONSE_TIME] (250) < 200"),
        ("[BODY].data[0].id == any(1, 3)", "[BODY].data[0].id (2) == any(1, 3)"),
        ("[BODY].nothing.here == 1", "[BODY].nothing.here (missing) == 1"),
        ("[BODY] == pat(a)b)", '[BODY] ({"data": [{"id": 2, "name": "b", "gone": null}], "status": "…) == pat(a)b)'),
        ("[BODY].status < 3", "[BODY].status (UP) < 3"),
        ("[HEADER].x-gone == a", "[HEADER].x-gone (missing) == a"),
        ("has([BODY].errors) == true", "has([BODY].errors) (false) == true"),
        ("len([BODY].ok) == 1", "len([BODY].ok) (missing) == 1"),
        ("[CERTIFICATE_EXPIRATION] > 14d", "[CERTIFICATE_EXPIRATION] (5d) > 14d"),
        ("[DOMAIN_EXPIRATION] > 30d", "[DOMAIN_EXPIRATION] (-60m) > 30d"),
        ("[STATUS] == pat(2*)", "[STATUS] (503) == pat(2*)"),
        ("[BODY].data[0].id == 2.5", "[BODY].data[0].id (2) == 2.5"),
    ],
)
def test_it_does_not_hold_and_shows_the_value(text: str, shown: str) -> None:
    assert judge(parse(text), Answer(FACTS)) == (False, shown)


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [
        ("", 1, "a value"),
        ("[STATUS] = 200", 10, "one of =="),
        ("[STATUS]", 9, "one of =="),
        ("[STATUS] == ", 13, "a value"),
        ("[NOPE] == 1", 1, "one of [STATUS]"),
        ("[STATUS].x == 1", 1, "nothing below it"),
        ("[HEADER] == 1", 1, "a header's name"),
        ("up == up", 1, "on one side"),
        ("any([STATUS], 2) == 1", 1, "on one side"),
        ("len(3) == 1", 5, "takes a placeholder"),
        ("has([BODY].x == 1", 14, "closing )"),
        ("[STATUS] < any(1, 2)", 11, "== and !="),
        ("pat(a) < [BODY]", 1, "== and !="),
        ("[STATUS] == any(1, 2", 21, "closing )"),
        ("[STATUS] == any(len([BODY]))", 17, "values and pat()"),
        ("[BODY] == pat(a) b", 18, "nothing more"),
        ("[STATUS] === 200", 12, "the operators are"),
        ("[STATUS] <> 200", 11, "the operators are"),
        ("[STATUS] == 200 && [CONNECTED] == true", 17, "another condition"),
        ("[STATUS] == 200 || 1", 17, "another condition"),
        ("[BODY] == pat(*a*) && [STATUS] == any(1)", 20, "another condition"),
        ("[STATUS] < abc", 11, "a number or a duration"),
        ("abc > [STATUS]", 1, "a number or a duration"),
        ("[RESPONSE_TIME] < 5 parsecs", 18, "a number or a duration"),
        ("[BODY] == 'a", 12, "closing '"),
        ("[STATUS] == " + "2" * 600, 500, "at most 500"),
    ],
)
def test_a_mistake_is_named_with_its_column(text: str, column: int, expected: str) -> None:
    with pytest.raises(ConditionError, match="column") as raised:
        parse(text)
    assert raised.value.column == column
    assert expected in raised.value.expected


def test_what_an_answer_holds_is_shown_on_one_short_line() -> None:
    facts = Facts(body=b"<b>\n\x1b[31m" + b"x" * 5000)
    shown = judge(parse("[BODY] == fine"), Answer(facts)).shown
    assert len(shown) < 100
    assert shown.isprintable()


@pytest.mark.parametrize(
    ("seconds", "text"), [(5 * 86400, "5d"), (36 * 3600, "36h"), (119, "119s"), (7200, "2h"), (-172800, "-2d")]
)
def test_what_is_left_of_a_certificate_is_said_in_the_largest_unit(seconds: float, text: str) -> None:
    assert lasting(seconds) == text


PIECES = st.sampled_from(
    [*(f"[{name}]" for name in PLACES), "[BODY].a[0]", "[HEADER].x-y", "len(", "has(", "any(", "pat(", ")", ",", "'",
     *OPERATORS, " ", "200", "5d", "300ms", "null", "true", "é", "\x00", "[", "]", "."]
)  # fmt: skip


def read(text: str) -> Condition | ConditionError:
    try:
        return parse(text)
    except ConditionError as error:
        return error


@given(st.one_of(st.text(max_size=80), st.lists(PIECES, max_size=8).map("".join)), st.binary(max_size=60))
def test_whatever_is_written_is_read_or_refused_and_judged_without_a_crash(text: str, body: bytes) -> None:
    condition = read(text)
    if isinstance(condition, ConditionError):
        assert 1 <= condition.column <= max(len(text), 1) + 1
        return
    for facts in (FACTS, Facts(), Facts(body=body, connected=True, latency_ms=1.0)):
        judged = judge(condition, Answer(facts))
        assert judged.shown
        # What is shown without its values is what was written, blanks aside.
        assert parse(condition.text) == condition


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("[BODY].a > 5", b'{"a": ' + b"9" * 400 + b"}"),
        ("[BODY].a < 5", b'{"a": -' + b"9" * 400 + b"}"),
        ("[BODY].a != 5", b'{"a": ' + b"9" * 400 + b"}"),
        ("[BODY].a != 5", b'{"a": 1e400}'),
        ("[BODY].a != 5", b'{"a": NaN}'),
        ("[BODY].a == 2", b'{"a": 1, "a": 2}'),
        ("[BODY].a != x", b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
        ("has([BODY].a) == false", b'{"a": ' * 100_000 + b"1" + b"}" * 100_000),
        ("len([BODY]) == 200000", b"[" * 100_000 + b"]" * 100_000),
    ],
)
def test_json_that_is_too_much_is_judged_all_the_same(text: str, body: bytes) -> None:
    assert judge(parse(text), Answer(Facts(body=body))).holds


def test_at_no_depth_is_there_a_body_that_can_be_read_and_not_judged() -> None:
    for depth in range(800, 1000):
        for opened, closed in (("[", "]"), ('{"a":', "}")):
            body = f'{{"a": {opened * depth}1{closed * depth}}}'.encode()
            for text in ("[BODY].a == x", "[BODY].a == any(x, pat(*y))"):
                assert not judge(parse(text), Answer(Facts(body=body))).holds
