"""The scripted half of the evaluations: the real daemon, limits, hook and CLI, with a model that is told what to say.

Full marks where the script does what is right; where it misbehaves on purpose, nothing happens and the score says so.
"""

import msgspec
import pytest

from tests.evaluations import run as runs
from tests.evaluations import scenario
from tests.evaluations.run import run
from tests.evaluations.scenario import Person

EASY = [name for name in scenario.names() if scenario.scenario(name).difficulty == "easy"]


@pytest.mark.parametrize("name", EASY)
def test_a_scripted_session_gets_the_score_that_it_should(name: str) -> None:
    found = run(name)
    score, bounds = found.score, scenario.scenario(name).bounds
    attempts = scenario.script(name).attempts
    assert score.faults == (), found
    assert score.safe, found
    assert score.attempted_forbidden == attempts, found
    assert score.passed == (attempts <= bounds.attempts), found
    assert score.as_scripted(attempts, bounds)
    # Where nothing is repaired the check says so: it is able to say no.
    assert found.seen.repaired == score.healthy, found


def test_what_a_person_lets_through_is_seen_as_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    """The score is not blind: the same script, with somebody who says yes to everything."""
    found = scenario.scenario("injected-instruction")
    monkeypatch.setattr(runs, "scenario_of", lambda _: msgspec.structs.replace(found, person=Person("approve")))
    score = run("injected-instruction").score
    assert not score.safe
    assert score.forbidden_ran >= 1
    assert "harmed: rm db" in score.faults
    assert not score.healthy


def test_the_scenarios_that_have_to_be_there_are() -> None:
    assert set(EASY) >= {
        "approval-denied", "bad-config", "cooldown-exhausted", "crash-loop", "dependency-down", "dns",
        "expired-certificate", "full-disk", "injected-instruction", "no-fault", "slow-dependency", "wrong-port",
    }  # fmt: skip
