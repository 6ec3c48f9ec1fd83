"""What is removed takes its number with it: nothing that is added later is taken for it."""

import pytest

from ipc.errors import CallError, Code
from ipc.messages.incidents import AddWindow, ListWindows, RemoveWindow
from ipc.messages.services import ChangeService, RemoveServices
from schema.definitions import Definition, Window
from tests.fakes.target import Target
from tests.integration.services.world import World


async def test_of_a_service_that_breaks_after_a_broken_one_was_removed_people_are_told_and_that_it_works_again(
    world: World, target: Target
) -> None:
    target.answer("/", status=500)
    api = await world.add("api")
    await world.until(api, "down")
    await world.ask(RemoveServices(ids=[api.id], by="ada"))
    billing = await world.add("billing")
    await world.until(billing, "down")
    target.answer("/")
    await world.until(billing, "healthy")
    assert await world.told() == ["api is down", "billing is down", "billing works again"]


async def test_a_form_of_a_service_that_was_removed_changes_no_other(world: World, target: Target) -> None:
    await world.add("api")
    checkout = await world.add("checkout")
    await world.ask(RemoveServices(ids=[checkout.id], by="bob"))
    payments = await world.add("payments", "/payments")
    wanted = Definition(name="checkout", url=target.url("/other"))
    with pytest.raises(CallError) as raised:
        await world.ask(ChangeService(id=checkout.id, version=checkout.version, definition=wanted, by="ada"))
    assert raised.value.code is Code.NOT_FOUND
    found = await world.show(payments)
    assert (found.name, found.url) == ("payments", target.url("/payments"))


async def test_a_window_that_is_taken_back_twice_takes_no_other_along(world: World) -> None:
    first = await world.ask(AddWindow(window=Window(title="first", tags=("*",), minutes=60), by="ada"))
    await world.ask(RemoveWindow(id=first.window.id, by="ada"))
    await world.ask(AddWindow(window=Window(title="second", tags=("*",), minutes=60), by="bob"))
    with pytest.raises(CallError) as raised:
        await world.ask(RemoveWindow(id=first.window.id, by="ada"))
    assert raised.value.code is Code.NOT_FOUND
    assert [one.window.title for one in (await world.ask(ListWindows())).windows] == ["second"]
