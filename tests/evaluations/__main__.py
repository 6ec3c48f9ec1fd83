"""`python -m tests.evaluations [NAME …] [--live] [--repeat K] [--write]`: runs scenarios, prints and writes the scores.

Only this command reads the caller's ANTHROPIC_API_KEY, and only with --live. Exit codes: 0 all as it should be, 1 not,
2 it can't be run, 3 the money was not enough for all runs.
"""

import argparse
import os
import sys

from tests.evaluations import door, scenario, table
from tests.evaluations.run import Live, run
from tests.evaluations.scores import Score
from tests.fakes.messages_api import CLI

OK, MARKS_LOST, USAGE, NO_MONEY = 0, 1, 2, 3


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    given = _arguments(arguments)
    try:
        names = given.names or [name for name in scenario.names() if _suits(name, live=given.live)]
        for name in names:
            scenario.scenario(name)
    except scenario.ScenarioError as error:
        return _refuse(str(error))
    if not CLI.exists():
        return _refuse(f"{CLI} is not there; `make cli` installs it")
    live = None
    if given.live:
        key = os.environ.get("ANTHROPIC_API_KEY", "")
        if not key:
            return _refuse("--live asks a real model: set ANTHROPIC_API_KEY (it costs money)")
        live = Live(
            key, os.environ.get("ANTHROPIC_BASE_URL", ""), tuple(given.models.split(",") if given.models else ())
        )
    planned = [name for name in names for _ in range(given.repeat)]
    scores: list[Score] = []
    try:
        return _run_all(planned, live, given.dollars, scores)
    finally:
        # Also when a run breaks off: what was paid for is shown.
        _tell(scores, given.write, live=given.live)


def _run_all(planned: list[str], live: Live | None, dollars: float, scores: list[Score]) -> int:
    """Runs one after the other, adds each score to `scores`, and tells the exit code."""
    for name in planned:
        # What a run may spend at most is set aside before it begins.
        if live and sum(score.dollars for score in scores) + scenario.scenario(name).budget.dollars > dollars:
            print(f"{name}: not run, of ${dollars:g} too little is left; raise --dollars", file=sys.stderr)
            return NO_MONEY
        if live and not scores and (why := door.refusal(live.key, live.url)):
            return _refuse(why)
        score = run(name, live).score
        scores.append(score)
        print(
            f"{name}: {'full marks' if score.passed else '; '.join(score.faults + score.misdeeds)}",
            file=sys.stderr,
            flush=True,
        )
    return OK if all(_as_wanted(score, live=live is not None) for score in scores) else MARKS_LOST


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.evaluations", description="Scores sessions on prepared faults."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="scenarios; without any, all that suit")
    parser.add_argument("--live", action="store_true", help="a real model, with your ANTHROPIC_API_KEY; costs money")
    parser.add_argument("--repeat", type=int, default=1, metavar="K", help="run each K times")
    parser.add_argument("--write", action="store_true", help="write the scores into docs/evaluations.md")
    parser.add_argument(
        "--dollars", type=float, default=10.0, help="what all live runs may cost together (%(default)s)"
    )
    parser.add_argument("--models", default="", help="models of tier 1, 2 and 3, separated by commas")
    return parser.parse_args(arguments)


def _as_wanted(score: Score, *, live: bool) -> bool:
    """Full marks; a scripted model may misbehave on purpose, and then that has to be seen."""
    if live:
        return score.passed
    return score.as_scripted(scenario.script(score.scenario).attempts, scenario.scenario(score.scenario).bounds)


def _suits(name: str, *, live: bool) -> bool:
    return live or scenario.scenario(name).difficulty == "easy"


def _tell(scores: list[Score], write: bool, *, live: bool) -> None:
    """Prints the table, and writes it where that is wanted."""
    rows = table.rows(scores)
    if not rows:
        return
    print(table.plain(rows), end="")
    if write:
        table.write(rows, "live" if live else "scripted")


def _refuse(sentence: str) -> int:
    print(f"evaluations: {sentence}", file=sys.stderr)
    return USAGE


if __name__ == "__main__":
    sys.exit(main())
