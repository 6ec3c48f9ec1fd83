from itertools import product

import pytest

from daemon.runs.states import TRANSITIONS, Event, IllegalTransition, Stage, advance


def walk(*events: Event) -> Stage:
    stage = Stage.RUNNING
    for event in events:
        stage = advance(stage, event)
    return stage


def test_a_command_that_ends_by_itself_leaves_time_to_drain() -> None:
    assert walk(Event.COMMAND_EXITED) is Stage.DRAINING
    assert walk(Event.COMMAND_EXITED, Event.TREE_EMPTY) is Stage.GONE


def test_the_ladder_goes_from_interrupt_to_terminate_to_kill() -> None:
    assert walk(Event.STOP) is Stage.INTERRUPTING
    assert walk(Event.STOP, Event.GRACE_OVER) is Stage.TERMINATING
    assert walk(Event.STOP, Event.GRACE_OVER, Event.GRACE_OVER) is Stage.KILLING
    assert walk(Event.STOP, Event.GRACE_OVER, Event.GRACE_OVER, Event.TREE_EMPTY) is Stage.GONE


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage is not Stage.GONE])
def test_force_kills_at_once_from_everywhere(stage: Stage) -> None:
    assert advance(stage, Event.FORCE) is Stage.KILLING


@pytest.mark.parametrize("event", list(Event))
def test_nothing_comes_after_gone(event: Event) -> None:
    with pytest.raises(IllegalTransition, match="a run that is gone cannot take"):
        advance(Stage.GONE, event)


@pytest.mark.parametrize(("stage", "event"), sorted(product(Stage, Event), key=str))
def test_a_pair_that_is_not_listed_raises(stage: Stage, event: Event) -> None:
    if (stage, event) in TRANSITIONS:
        assert advance(stage, event) is TRANSITIONS[stage, event]
    else:
        with pytest.raises(IllegalTransition):
            advance(stage, event)


def test_every_stage_but_the_last_leads_to_the_end() -> None:
    reached = {Stage.GONE}
    for _ in Stage:
        reached |= {before for (before, _), after in TRANSITIONS.items() if after in reached}
    assert reached == set(Stage)
