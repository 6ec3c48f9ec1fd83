"""Charts as the paths of an inline SVG, computed on the server: bars in layers, states over time, a line. Pure.

Templates draw them (`_chart.html`) in boxes that stretch, without text in them; the words stand beside, and a table of
the same numbers below, for those who can't see or hover. Used by the pages of cost and of services.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

GAP = 0.2  # of a slot's width
STEP = 10  # a slot's width in the units of a chart
TALL = 100  # its height


class Layer(NamedTuple):
    """One tone of a chart as one path."""

    tone: str
    path: str


class Slot(NamedTuple):
    """A place of a chart that can be pointed at: where it begins, and what it says."""

    x: float
    text: str


class Chart(NamedTuple):
    """What a template draws. `mark`: where a line lies across, from the top; None without one."""

    width: int
    layers: list[Layer]
    slots: list[Slot]
    label: str
    top: str = ""
    mark: float | None = None
    mark_text: str = ""


# How high a state stands, so that it can be told without its colour.
HEIGHTS = {"ok": 50, "warn": 75, "bad": 100, "neutral": 25}
BASELINE = 2


def _short(value: float) -> str:
    """A coordinate without needless digits."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _bar(x: float, top: float, width: float, height: float) -> str:
    return f"M{_short(x)} {_short(top)}h{_short(width)}v{_short(height)}h-{_short(width)}z"


@cache
def _state(number: int, height: int) -> str:
    """A list has as many strips as rows, and all are made of the same few bars."""
    return _bar(number * STEP + STEP * GAP / 2, TALL - height, STEP * (1 - GAP), height)


def nice(value: float) -> float:
    """The next of 1, 2, 5, 10, … times a power of ten: what the highest bar is measured against."""
    if value <= 0:
        return 1.0
    power = 1.0
    while power > value:
        power /= 10
    while power * 10 <= value:
        power *= 10
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= value * 0.999999)


def stacked(values: Sequence[Sequence[float]], tones: Sequence[str], most: float) -> list[Layer]:
    """Bars one beside the other, each of as many parts as there are tones, the first at the bottom."""
    paths: list[list[str]] = [[] for _ in tones]
    for number, parts in enumerate(values):
        top = float(TALL)
        for part, path in zip(parts, paths, strict=True):
            height = TALL * part / most
            if height <= 0:
                continue
            # What was spent at all can be seen.
            height = max(height, 0.5)
            top -= height
            path.append(_bar(number * STEP + STEP * GAP / 2, top, STEP * (1 - GAP), height))
    return [Layer(tone, "".join(path)) for tone, path in zip(tones, paths, strict=True)]


def states(tones: Sequence[str]) -> list[Layer]:
    """States over time, a bar each, one path for each tone; an empty tone is no more than the base line."""
    paths: dict[str, list[str]] = {}
    for number, tone in enumerate(tones):
        paths.setdefault(tone or "none", []).append(_state(number, HEIGHTS.get(tone, BASELINE)))
    return [Layer(tone, "".join(path)) for tone, path in sorted(paths.items())]


def line(values: Sequence[float | None], most: float) -> str:
    """A line through the middle of each slot; interrupted where there is no value. A value alone is a dash."""
    path, drawing = "", False
    for number, value in enumerate(values):
        if value is None:
            drawing = False
            continue
        x, y = number * STEP + STEP / 2, TALL * (1 - min(value, most) / most)
        path += f"{'L' if drawing else 'M'}{_short(x)} {_short(y)}"
        alone = not drawing and (number + 1 == len(values) or values[number + 1] is None)
        if alone:
            path = path.removesuffix(f"M{_short(x)} {_short(y)}") + f"M{_short(x - 2)} {_short(y)}h4"
        drawing = not alone
    return path


def lined(
    values: Sequence[float | None], said: Sequence[str], what: str, written: Callable[[float], str]
) -> tuple[Chart | None, str]:
    """Values as a line: the chart and the line's path; None and "" where no value is known.

    `said` is told of each value that is known, `what` names them all, `written` is how one is written.
    """
    known = [value for value in values if value is not None]
    if not known:
        return None, ""
    most = nice(max(known))
    told = enumerate(zip(values, said, strict=True))
    slots = [Slot(place * STEP, text) for place, (value, text) in told if value is not None]
    label = f"{what}: {written(max(known))} at most."
    return Chart(len(values) * STEP, [], slots, label, written(most)), line(values, most)
