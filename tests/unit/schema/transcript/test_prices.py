"""The running estimate of a session's cost."""

import pytest

from schema.sessions import Usage
from schema.transcript.prices import estimate


@pytest.mark.parametrize("model", ["haiku", "claude-haiku-4-5-20251001"])
def test_an_alias_and_a_full_id_cost_the_same(model: str) -> None:
    assert estimate(model, Usage(input=1_000_000, output=1_000_000)) == pytest.approx(6.0)


def test_reading_the_cache_costs_a_tenth_and_writing_it_a_quarter_more() -> None:
    assert estimate("sonnet", Usage(cache_read=1_000_000)) == pytest.approx(0.3)
    assert estimate("sonnet", Usage(cache_creation=1_000_000)) == pytest.approx(3.75)


def test_a_model_of_unknown_price_has_no_estimate() -> None:
    assert estimate("some-gateway/model", Usage(input=5)) is None
