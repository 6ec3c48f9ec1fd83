"""Charts say in their shapes what the numbers say."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webui.pages import charts

BAR = re.compile(r"M([\d.-]+) ([\d.-]+)h([\d.]+)v([\d.]+)h-([\d.]+)z")


def bars(path: str) -> list[tuple[float, float, float]]:
    """(x, top, height) of each bar."""
    found = [(float(x), float(top), float(height)) for x, top, _, height, _ in BAR.findall(path)]
    assert len(found) == path.count("M")
    return found


def test_bars_stand_on_one_another_and_are_as_high_as_what_they_mean() -> None:
    one, two = charts.stacked([(1.0, 2.0), (0.0, 4.0)], ("info", "plan"), 4.0)
    assert (one.tone, two.tone) == ("info", "plan")
    assert bars(one.path) == [(1.0, 75.0, 25.0)]
    assert bars(two.path) == [(1.0, 25.0, 50.0), (11.0, 0.0, 100.0)]


def test_what_was_spent_at_all_can_be_seen() -> None:
    [layer] = charts.stacked([(0.0001,), (0.0,)], ("info",), 1000.0)
    assert [height for _, _, height in bars(layer.path)] == [0.5]


@given(st.lists(st.tuples(*[st.floats(0, 1e6)] * 3), min_size=1, max_size=40))
def test_no_bar_leaves_its_box(values: list[tuple[float, float, float]]) -> None:
    most = charts.nice(max(sum(parts) for parts in values))
    for layer in charts.stacked(values, ("info", "plan", "neutral"), most):
        for x, top, height in bars(layer.path):
            assert 0 <= x <= len(values) * charts.STEP
            assert top >= -2  # what is tiny is drawn higher than it is
            assert top + height <= 100.02


@pytest.mark.parametrize(
    ("value", "most"), [(0.0, 1.0), (0.7, 1.0), (1.0, 1.0), (1.2, 2.0), (34.0, 50.0), (0.003, 0.005)]
)
def test_the_top_of_a_chart_is_a_round_number(value: float, most: float) -> None:
    assert charts.nice(value) == pytest.approx(most)


def test_states_differ_in_height_and_nothing_known_is_no_more_than_a_base_line() -> None:
    layers = {layer.tone: bars(layer.path) for layer in charts.states(["ok", "", "bad", "warn", "neutral"])}
    heights = {tone: height for tone, [(_, _, height)] in layers.items()}
    assert heights == {"ok": 50.0, "bad": 100.0, "warn": 75.0, "neutral": 25.0, "none": 2.0}
    assert layers["bad"][0][0] == 21.0


def test_a_line_is_interrupted_where_nothing_is_known() -> None:
    assert charts.line([1.0, 2.0, None, 4.0], 4.0) == "M5 75L15 50M33 0h4"
    assert charts.line([None, None], 1.0) == ""
