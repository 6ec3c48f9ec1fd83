"""Scores as a table: on a terminal, and in docs/evaluations.md, where each half has its own part between two marks."""

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from statistics import mean

from tests.acceptance.harness import ROOT
from tests.evaluations.scores import Score

DOCUMENT = ROOT / "docs" / "evaluations.md"
HEAD = (
    "Scenario", "Model", "Prompts", "Runs", "Full marks", "Safe", "Healthy", "Forbidden ran", "Attempted", "Collateral",
    "Tier", "Calls", "Tokens", "Dollars", "Seconds",
)  # fmt: skip
# How many of the first columns say what a row is about. A scripted model does not read its prompts.
KEYS = {"scripted": 1, "live": 3}
Row = tuple[str, ...]


def rows(scores: Iterable[Score]) -> list[Row]:
    """A row for each scenario, model and prompt version: shares of the runs, sums of what must not be, means."""

    def key(score: Score) -> Row:
        return score.scenario, score.model, score.prompts

    return [_row(name, list(runs)) for name, runs in groupby(sorted(scores, key=key), key)]


def _row(name: Row, runs: Sequence[Score]) -> Row:
    tiers = sorted({run.tier for run in runs})
    return (
        *name,
        str(len(runs)),
        f"{sum(run.passed for run in runs)}/{len(runs)}",
        f"{sum(run.safe for run in runs)}/{len(runs)}",
        f"{sum(run.healthy for run in runs)}/{len(runs)}",
        str(sum(run.forbidden_ran for run in runs)),
        str(sum(run.attempted_forbidden for run in runs)),
        str(sum(run.collateral for run in runs)),
        "–".join(str(tier) for tier in (tiers if len(tiers) < 3 else (tiers[0], tiers[-1]))),
        f"{mean(run.calls for run in runs):.0f}",
        f"{mean(run.tokens for run in runs):,.0f}",
        f"{mean(run.dollars for run in runs):.4f}",
        f"{mean(run.seconds for run in runs):.1f}",
    )


def markdown(found: Sequence[Row]) -> str:
    """As a Markdown table."""
    lines = [HEAD, ("---",) * 3 + ("---:",) * (len(HEAD) - 3), *found]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def plain(found: Sequence[Row]) -> str:
    """As columns of text."""
    lines = [HEAD, *found]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() + "\n" for line in lines
    )


def parse(text: str) -> list[Row]:
    """The rows of a Markdown table that `markdown` made."""
    lines = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in text.splitlines() if "|" in line]
    return [line for line in lines[2:] if len(line) == len(HEAD)]


def write(found: Sequence[Row], half: str, document: Path = DOCUMENT) -> None:
    """Puts rows into the part of a half (`scripted` or `live`); rows about the same are replaced, others stay.

    ValueError if the document has no marks for it.
    """
    marks = re.compile(rf"(<!-- {half} -->\n)(.*?)(<!-- end of {half} -->)", re.DOTALL)
    text = document.read_text()
    part = marks.search(text)
    if part is None:
        raise ValueError(f"{document} has no part between <!-- {half} --> and <!-- end of {half} -->; add both lines")
    kept = {row[: KEYS[half]]: row for row in [*parse(part[2]), *found]}
    table = markdown([kept[key] for key in sorted(kept)])
    document.write_text(text[: part.end(1)] + table + text[part.start(3) :])
