"""Hashes, and the time that an unknown name takes."""

import asyncio

from argon2 import PasswordHasher, extract_parameters

from ipc.errors import CallError, Code
from webui.auth import passwords
from webui.auth.passwords import Passwords


async def test_a_hash_verifies_its_own_password_only() -> None:
    made = Passwords()
    hashed = await made.hash("correct horse")
    assert (await made.verify(hashed, "correct horse")) == (True, "")
    assert not (await made.verify(hashed, "wrong horse")).right
    assert not (await made.verify(None, "correct horse")).right
    assert not (await made.verify("not a hash", "correct horse")).right


async def test_a_weaker_hash_is_made_anew() -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("correct horse")
    verdict = await Passwords().verify(weak, "correct horse")
    assert verdict.right
    assert extract_parameters(verdict.rehash).memory_cost == passwords.MEMORY_KIB


def test_nobody_costs_as_much_as_somebody() -> None:
    nobody = extract_parameters(passwords.NOBODY)
    used = (nobody.memory_cost, nobody.time_cost, nobody.parallelism)
    assert used == (passwords.MEMORY_KIB, passwords.TIME_COST, passwords.LANES)


async def test_too_many_at_a_time_are_refused_and_one_is_judged_at_a_time() -> None:
    made = Passwords()
    inside = most = 0

    async def one() -> None:
        nonlocal inside, most
        async with made.turn():
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.001)
            inside -= 1

    tasks = [asyncio.create_task(one()) for _ in range(passwords.WAITING_MAX + 3)]
    results = await asyncio.gather(*tasks, return_exceptions=True)
    refused = [result for result in results if isinstance(result, CallError)]
    assert [error.code for error in refused] == [Code.OVERLOADED] * 3
    assert most == 1
    async with made.turn():
        pass
