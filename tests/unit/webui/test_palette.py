"""Contrast and colour vision, recomputed from the built CSS: what the theme promises, whatever it is changed to."""

import math
import re
from itertools import combinations
from pathlib import Path

import pytest

CSS = (Path(__file__).parents[3] / "webui/static/app.css").read_text(encoding="utf-8")
TONES = ("ok", "warn", "bad", "info", "plan", "neutral")
BASES = ("color-base-100", "color-base-200", "color-base-300")
THEMES = ("ops-light", "ops-dark")
TINT = 0.12

Rgb = tuple[float, float, float]

# Machado, Oliveira, Fernandes 2009, severity 1.0, for linear sRGB.
VISIONS: dict[str, tuple[Rgb, Rgb, Rgb]] = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


def colours(theme: str) -> dict[str, Rgb]:
    """Custom properties of one theme, as sRGB in 0..1."""
    found: dict[str, Rgb] = {}
    for block in re.findall(rf'\[data-theme="?{theme}"?\]\{{([^}}]*)\}}', CSS):
        for name, value in re.findall(r"--([a-z0-9-]+):(#[0-9a-f]{3}(?:[0-9a-f]{3})?)(?=[;}]|$)", block):
            digits = value[1:] if len(value) == 7 else "".join(c * 2 for c in value[1:])
            red, green, blue = (int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))
            found[name] = (red, green, blue)
    assert {*BASES, "color-base-content", "muted", *TONES, *(f"{tone}-fill" for tone in TONES)} <= found.keys()
    return found


def linear(colour: Rgb) -> Rgb:
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour)
    return red, green, blue


def luminance(colour: Rgb) -> float:
    red, green, blue = linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Rgb, other: Rgb) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def mixed(fill: Rgb, base: Rgb, share: float = TINT) -> Rgb:
    red, green, blue = (f * share + b * (1 - share) for f, b in zip(fill, base, strict=True))
    return red, green, blue


def dot(row: Rgb, colour: Rgb) -> float:
    return sum(a * b for a, b in zip(row, colour, strict=True))


def oklab(colour: Rgb) -> Rgb:
    """From linear sRGB."""
    long = dot((0.4122214708, 0.5363325363, 0.0514459929), colour)
    middle = dot((0.2119034982, 0.6806995451, 0.1073969566), colour)
    short = dot((0.0883024619, 0.2817188376, 0.6299787005), colour)
    lms = (long ** (1 / 3), middle ** (1 / 3), short ** (1 / 3))
    return (
        dot((0.2104542553, 0.7936177850, -0.0040720468), lms),
        dot((1.9779984951, -2.4285922050, 0.4505937099), lms),
        dot((0.0259040371, 0.7827717662, -0.8086757660), lms),
    )


def difference(one: Rgb, other: Rgb, vision: str) -> float:
    """OKLab distance times 100, as seen with this vision."""
    seen = []
    for colour in (one, other):
        light = linear(colour)
        red, green, blue = (min(1.0, max(0.0, dot(row, light))) for row in VISIONS[vision])
        seen.append(oklab((red, green, blue)))
    return 100 * math.dist(*seen)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("base", BASES)
def test_text_and_secondary_text_are_readable_on_every_surface(theme: str, base: str) -> None:
    palette = colours(theme)
    assert contrast(palette["color-base-content"], palette[base]) >= 11.8
    assert contrast(palette["muted"], palette[base]) >= 4.9


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("tone", [*TONES, "ansi-cyan"])
def test_a_tone_is_readable_as_text_on_every_surface_and_on_its_own_tint(theme: str, tone: str) -> None:
    palette = colours(theme)
    grounds = [palette[base] for base in BASES]
    if tone in TONES:
        grounds += [mixed(palette[f"{tone}-fill"], palette["color-base-100"])]
    assert min(contrast(palette[tone], ground) for ground in grounds) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
def test_everything_in_a_tinted_error_row_is_readable(theme: str) -> None:
    palette = colours(theme)
    ground = mixed(palette["bad-fill"], palette["color-base-100"])
    for ink in ("color-base-content", "muted", "color-primary", *TONES):
        assert contrast(palette[ink], ground) >= 4.5, ink


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("mark", [*(f"{tone}-fill" for tone in TONES), "line-field", "color-primary"])
def test_fills_field_borders_and_the_focus_ring_stand_out_from_every_surface(theme: str, mark: str) -> None:
    palette = colours(theme)
    assert min(contrast(palette[mark], palette[base]) for base in BASES) >= 3


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("button", ["primary", "error", "neutral", "info", "success", "warning"])
def test_the_ink_of_a_solid_button_is_readable(theme: str, button: str) -> None:
    palette = colours(theme)
    assert contrast(palette[f"color-{button}"], palette[f"color-{button}-content"]) >= 4.5


@pytest.mark.parametrize(("theme", "least"), [("ops-light", 8.6), ("ops-dark", 10.5)])
@pytest.mark.parametrize("vision", VISIONS)
def test_no_two_tones_look_alike_to_anyone(theme: str, least: float, vision: str) -> None:
    palette = colours(theme)
    closest = min(
        (difference(palette[f"{a}-fill"], palette[f"{b}-fill"], vision), a, b) for a, b in combinations(TONES, 2)
    )
    assert closest[0] >= least, closest


def test_the_dark_theme_is_the_same_whether_chosen_or_preferred() -> None:
    chosen = colours("ops-dark")
    preferred = re.search(r"prefers-color-scheme:\s*dark\)\{:root:not\(\[data-theme\]\)\{([^}]*)\}", CSS)
    assert preferred
    for name in ("color-base-100", "bad", "muted"):
        value = "#" + "".join(f"{round(c * 255):02x}" for c in chosen[name])
        assert f"--{name}:{value}" in preferred[1], name


def test_nothing_is_fetched_from_elsewhere() -> None:
    assert set(re.findall(r"url\(\"?([^)\"]*)\"?\)", CSS)) == {
        "/static/inter-5.3.0.woff2",
        "/static/jetbrains-mono-5.3.0.woff2",
    }
