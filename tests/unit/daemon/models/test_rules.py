"""What an API's list of models comes to, and when it is asked anew."""

import json

import pytest

from daemon.models.rules import (
    FAILED_SECONDS,
    FRESH_SECONDS,
    MODELS_MAX,
    Known,
    Source,
    is_fresh,
    models_of,
    refusal,
    url,
)

HERE = Source("http://gateway:4000", "k", "")


def test_models_are_told_once_each_and_sorted() -> None:
    data = [{"id": "b"}, {"id": "a"}, {"id": "b"}, {"name": "no id"}, {"id": ""}, {"id": 7}, {"id": "x\ny"}, "z"]
    assert models_of(json.dumps({"data": data}).encode()) == ("a", "b")


def test_there_is_a_bound_to_them() -> None:
    data = [{"id": f"m{number:05d}"} for number in range(MODELS_MAX + 5)]
    assert len(models_of(json.dumps({"data": data}).encode())) == MODELS_MAX


@pytest.mark.parametrize("answer", [b"", b"<html>", b"[]", b'{"data": {}}', b'{"models": []}', b"\xff", b"[" * 100_000])
def test_what_is_no_list_of_models_is_told(answer: bytes) -> None:
    with pytest.raises(ValueError, match="the answer"):
        models_of(answer)


@pytest.mark.parametrize(
    ("base", "address"),
    [
        ("", "https://api.anthropic.com/v1/models?limit=1000"),
        (" http://gateway:4000/ ", "http://gateway:4000/v1/models?limit=1000"),
        ("http://proxy/anthropic", "http://proxy/anthropic/v1/models?limit=1000"),
    ],
)
def test_where_they_are_asked_for(base: str, address: str) -> None:
    assert url(base) == address


def test_what_is_known_holds_five_minutes_a_failure_half_of_one_and_neither_for_another_source() -> None:
    told = Known(HERE, ("a",), "t", 100.0, "")
    failed = told._replace(problem="refused")
    assert is_fresh(told, HERE, 100.0 + FRESH_SECONDS - 1)
    assert not is_fresh(told, HERE, 100.0 + FRESH_SECONDS)
    assert is_fresh(failed, HERE, 100.0 + FAILED_SECONDS - 1)
    assert not is_fresh(failed, HERE, 100.0 + FAILED_SECONDS)
    assert not is_fresh(told, HERE._replace(key="other"), 101.0)


def test_nobody_is_asked_where_that_is_of_no_use() -> None:
    assert "ANTHROPIC_API_KEY" in refusal(Source(" ", "", ""), demo=False)
    assert refusal(HERE, demo=True)
    assert refusal(HERE, demo=False) == ""
    assert refusal(Source("", "", "token"), demo=False) == ""
