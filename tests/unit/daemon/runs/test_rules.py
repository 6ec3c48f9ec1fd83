from itertools import product

import pytest

from daemon.runs.rules import Verdict, enough_space, judge


@pytest.mark.parametrize(("held", "known", "alive", "waited"), list(product([False, True], repeat=4)))
def test_an_exit_record_settles_it(held: bool, known: bool, alive: bool, waited: bool) -> None:
    verdict = judge(ended=True, lock_held=held, shim_known=known, shim_alive=alive, waited_long=waited)
    assert verdict is Verdict.ENDED


@pytest.mark.parametrize(("known", "alive", "waited"), list(product([False, True], repeat=3)))
def test_a_free_lock_without_an_exit_record_is_a_lost_run(known: bool, alive: bool, waited: bool) -> None:
    verdict = judge(ended=False, lock_held=False, shim_known=known, shim_alive=alive, waited_long=waited)
    assert verdict is Verdict.LOST


@pytest.mark.parametrize("waited", [False, True])
def test_a_held_lock_and_a_living_shim_are_a_live_run(waited: bool) -> None:
    assert judge(ended=False, lock_held=True, shim_known=True, shim_alive=True, waited_long=waited) is Verdict.LIVE


def test_a_pid_that_someone_else_has_now_is_not_the_shim() -> None:
    assert judge(ended=False, lock_held=True, shim_known=True, shim_alive=False, waited_long=False) is Verdict.LOST


def test_a_shim_gets_time_to_start_and_not_for_ever() -> None:
    starting = {"ended": False, "lock_held": True, "shim_known": False, "shim_alive": False}
    assert judge(**starting, waited_long=False) is Verdict.UNCLEAR
    assert judge(**starting, waited_long=True) is Verdict.LOST


@pytest.mark.parametrize(("free", "floor", "enough"), [(10, 10, True), (9, 10, False), (0, 0, True), (0, -1, True)])
def test_the_floor_of_free_space(free: int, floor: int, enough: bool) -> None:
    assert enough_space(free, floor) is enough
