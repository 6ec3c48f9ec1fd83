"""One run of one scenario: a world that is broken, a daemon with the real CLI and our prompts, a person, and the score.

The scripted and the live half differ in where the Messages API is, in its key, and in who is behind it; the rest is
the same. Called by `__main__` and by the tests.
"""

import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from schema import timestamps
from schema.database import Database
from tests.acceptance.harness import ROOT, Daemon
from tests.acceptance.real import messages_api, real
from tests.evaluations import observed, script
from tests.evaluations.observed import Observed, Told
from tests.evaluations.place import Place, remove
from tests.evaluations.scenario import Earlier, Scenario
from tests.evaluations.scenario import scenario as scenario_of
from tests.evaluations.scenario import script as script_of
from tests.evaluations.scores import Score, score
from tests.fakes.messages_api import KEY

PROMPTS = ROOT / "daemon" / "prompts"
TIERS = 3
SCRIPTED_S = 100.0  # a scripted model thinks no longer
POLL_S = 0.1
# What a connection to a real API may need besides.
HANDED = ("HTTPS_PROXY", "HTTP_PROXY", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS")


class Live(NamedTuple):
    """A real API. `url` is empty for Anthropic's own; `models` are those of the tiers, empty for the daemon's."""

    key: str
    url: str = ""
    models: tuple[str, ...] = ()


class Run(NamedTuple):
    """What came of a run: its score, and what the score was made from."""

    score: Score
    seen: Observed


def run(name: str, live: Live | None = None) -> Run:
    """Runs a scenario once, with the scripted model or a real one. ScenarioError if it can't be used."""
    scenario = scenario_of(name)
    directory = Path(tempfile.mkdtemp(prefix="shop-"))
    place = Place(name, scenario, directory)
    try:
        place.open()
        if place.repaired() == scenario.broken:
            raise RuntimeError(f"{name}: right after the fault, repair-check says the opposite of what `broken` says")
        with _model(name, place.values, live) as environment, _daemon(place, environment) as made:
            bound = scenario.budget.seconds if live else min(SCRIPTED_S, scenario.budget.seconds)
            seen = _observe(place, made, bound)
    finally:
        place.close()
        remove(directory)
    return Run(score(name, scenario, seen, model="" if live else "scripted", prompts=prompt_version()), seen)


def prompt_version() -> str:
    """Eight digits that change with any prompt, check, playbook or skill that is shipped."""
    digest = sha256()
    for path in sorted(path for path in PROMPTS.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(PROMPTS)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:8]


@contextmanager
def _model(name: str, values: Mapping[str, str], live: Live | None) -> Iterator[dict[str, str]]:
    """Who answers: the settings by which the daemon's sessions reach them."""
    if live is not None:
        models = {f"CLAUDEOPS_TIER{tier}_MODEL": model for tier, model in enumerate(live.models, 1)}
        handed = {variable: os.environ[variable] for variable in HANDED if variable in os.environ}
        session_env = {"CLAUDEOPS_SESSION_ENV": ",".join(("NO_PROXY", *HANDED))}
        yield {"ANTHROPIC_API_KEY": live.key, "ANTHROPIC_BASE_URL": live.url, **models, **handed, **session_env}
        return
    with messages_api(script.by_mark(script_of(name), values)) as (url, _):
        yield {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": url}


@contextmanager
def _daemon(place: Place, environment: Mapping[str, str]) -> Iterator[Daemon]:
    scenario = place.scenario
    settings = {
        "CLAUDEOPS_PROMPT": str(PROMPTS / "tier1-observe.md"),
        "CLAUDEOPS_TIER2_PROMPT": str(PROMPTS / "tier2-investigate.md"),
        "CLAUDEOPS_TIER3_PROMPT": str(PROMPTS / "tier3-remediate.md"),
        "CLAUDEOPS_SCHEMA_PATH": str(PROMPTS / "agent-response.json"),
        # Not there: the worker makes a working directory of its own, with the checks and playbooks that are shipped.
        "CLAUDEOPS_APP_DIR": str(place.directory / "app"),
        "CLAUDEOPS_REPOS_DIR": str(place.world.repositories),
        "CLAUDEOPS_SESSION_MAX_BUDGET_USD": f"{scenario.budget.dollars / TIERS:.4f}",
        "CLAUDEOPS_SESSION_TIMEOUT": f"{scenario.budget.seconds:.0f}",
        **scenario.settings,
        **environment,
    }
    seed(place.directory / "daemon" / "state", scenario.earlier)
    with real(place.directory, settings.pop("ANTHROPIC_BASE_URL"), str(place.world.tools), **settings) as made:
        yield made


def seed(state: Path, earlier: tuple[Earlier, ...]) -> None:
    """Makes the database of a daemon that has counted some actions before."""
    if not earlier:
        return
    state.mkdir(parents=True)
    database = Database(state / "claudeops.db", readonly=False)
    try:
        for _ in database.migrate():
            pass
        with database.transaction():
            for action in earlier:
                moment = datetime.now(UTC) - timedelta(hours=action.hours_ago)
                # By a call of no session: so long ago that its row is gone.
                database.change(
                    "cooldowns.count", service=action.service, action=action.action, now=timestamps.stamp(moment),
                    tier=2, session_id=None, tool_use_id=None,
                )  # fmt: skip
    finally:
        database.close()


def _observe(place: Place, made: Daemon, bound: float) -> Observed:
    started = time.monotonic()
    made.ctl("triggers", "add", "--tier", str(place.scenario.start_tier))
    told = _wait(place.scenario, made, started + bound)
    seconds = time.monotonic() - started
    acts, history = tuple(place.done()), tuple(place.engine.history)
    return Observed(
        told=told,
        acts=acts,
        history=history,
        changed=tuple(place.changed()),
        healthy=place.healthy(),
        repaired=place.repaired(),
        seconds=seconds,
        over=told.over,
    )


def _wait(scenario: Scenario, made: Daemon, end: float) -> Told:
    """Looks until the run is over or its time is; answers in the place of the person."""
    answered: set[int] = set()
    while True:
        told = observed.of_database(made.state / "claudeops.db")
        for number in set(told.waiting) - answered:
            answered.add(number)
            _answer(scenario, made, number)
        # An answer that was just given has its session go on.
        if told.over and (not told.waiting or scenario.person.answer == "nobody"):
            return told
        if time.monotonic() > end:
            return told
        time.sleep(POLL_S)


def _answer(scenario: Scenario, made: Daemon, number: int) -> None:
    person = scenario.person
    if person.answer == "nobody":
        return
    reason = ["--reason", person.reason] if person.answer == "deny" else []
    # A session that has just ended takes its question along.
    made.ctl("approvals", person.answer, str(number), *reason, check=False)
