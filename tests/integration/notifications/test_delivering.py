"""What is in the outbox arrives: in order, once where nothing is killed, whatever another channel does."""

import asyncio
import re
import resource
import time
from datetime import UTC, datetime, timedelta

import pytest

from daemon.notifications import rules, sender
from daemon.notifications.notifications import PACE
from daemon.notifications.rules import Pace
from ipc.messages.notifications import TestNotification
from schema import timestamps
from schema.knowledge import Level
from schema.notifications import Kind
from schema.settings import Settings
from tests.integration.notifications.office import Office
from tests.integration.notifications.receiver import Receiver


async def test_a_notification_arrives_with_its_number_and_link(office: Office, receiver: Receiver) -> None:
    await office.work(receiver.url, CLAUDEOPS_PUBLIC_URL="https://ops.example.org")
    await office.say("the database is down", level=Level.CRITICAL)
    await office.until_all("sent")
    (body,) = receiver.bodies
    assert body["title"] == "[critical] the database is down"
    assert body["message"].endswith("Claude Ops, notification 1")
    assert body["type"] == "failure"
    (row,) = await office.rows("SELECT * FROM deliveries")
    assert row["attempts"] == 1
    assert row["error"] is None


async def test_a_channel_that_was_down_gets_everything_after_once_and_in_order(
    office: Office, receiver: Receiver
) -> None:
    receiver.close()
    await office.work(receiver.url, CLAUDEOPS_NOTIFY_RATE="0")
    await office.say(*(f"number {n}" for n in range(5)))

    async def tried() -> bool:
        return bool(await office.rows("SELECT 1 FROM deliveries WHERE status = 'retrying' AND attempts > 1"))

    end = time.monotonic() + 20
    while not await tried():
        assert time.monotonic() < end
        await asyncio.sleep(0.05)
    (head,) = await office.rows("SELECT error FROM deliveries ORDER BY id LIMIT 1")
    assert head["error"]
    assert (await office.statuses())[1:] == ["pending"] * 4
    receiver.open()
    await office.until_all("sent")
    assert receiver.titles == [f"[warning] number {n}" for n in range(5)]


async def test_what_a_channel_missed_in_an_hour_arrives_after_once_and_each_by_name(
    office: Office, receiver: Receiver
) -> None:
    """With the pace and the rate that hold where nobody sets others."""
    await office.work(receiver.url, pace=PACE)
    receiver.close()
    await office.say(*(f"number {n}" for n in range(1, 201)))
    end = time.monotonic() + 20
    while "retrying" not in await office.statuses():
        assert time.monotonic() < end
        await asyncio.sleep(0.05)
    await office.rest()
    # As after an hour of attempts, when the next one has come: that takes a quarter of an hour at most.
    assert rules.pause(8, PACE, 1.0) == 900.0
    hour = timestamps.stamp(datetime.now(UTC) - timedelta(hours=1))
    await office.store.write(
        lambda db: db.script(
            f"UPDATE deliveries SET status = 'retrying', since = '{hour}', attempts = 8, next_at = '{timestamps.now()}'"
        )
    )
    receiver.open()
    began = time.monotonic()
    await office.work(receiver.url, pace=PACE)
    await office.until_all("sent", 60)
    assert time.monotonic() - began < 60, "no minute has to pass"
    assert len(receiver.bodies) <= Settings().notify_rate
    # Each by its line in a message of many, or by the number at the end of its own.
    told = [re.findall(r"number \d+ \((\d+)\)|notification (\d+)$", body["message"]) for body in receiver.bodies]
    numbers = [int(one or other) for found in told for one, other in found]
    assert numbers == list(range(1, 201)), "once each, and in order"


async def test_one_message_that_is_always_refused_is_given_up_and_those_behind_it_arrive(
    office: Office, receiver: Receiver
) -> None:
    receiver.never["poison"] = 413
    await office.work(receiver.url, CLAUDEOPS_NOTIFY_RATE="0")
    await office.say("first", "poison", "last")
    await office.until(lambda: receiver.titles == ["[warning] first", "[warning] last"])
    async with asyncio.timeout(5):  # the receiver has it before the delivery is noted
        while await office.statuses() != ["sent", "given_up", "sent"]:
            await asyncio.sleep(0.02)
    _, poison, _ = await office.rows("SELECT status, attempts, error FROM deliveries ORDER BY notification_id")
    assert poison["attempts"] == 6
    assert "413" in poison["error"]
    assert "refused 6 times" in poison["error"]


async def test_a_gathered_message_that_is_refused_loses_but_the_one_that_is_refused(
    office: Office, receiver: Receiver
) -> None:
    receiver.never["poison"] = 400
    await office.say("poison", *(f"number {n}" for n in range(20)))
    await office.work(receiver.url, CLAUDEOPS_NOTIFY_RATE="8", pace=Pace(0.1, 0.1))
    await office.until(lambda: "number 19" in str(receiver.bodies))
    async with asyncio.timeout(5):  # the receiver has it before the delivery is noted
        while await office.statuses() != ["given_up", *["sent"] * 20]:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("status", [401, 403, 429, 500])
async def test_what_may_pass_is_tried_again_for_longer(office: Office, receiver: Receiver, status: int) -> None:
    receiver.never["poison"] = status
    await office.work(receiver.url, CLAUDEOPS_NOTIFY_RATE="0", pace=Pace(0.05, 0.05))
    await office.say("poison")
    await office.until(lambda: len(receiver.raw) > 8)
    assert await office.statuses() != ["given_up"]


async def test_a_clock_that_was_set_back_holds_nothing_up(office: Office, receiver: Receiver) -> None:
    receiver.refuse = 1
    await office.work(receiver.url)
    await office.say("one")
    later = timestamps.stamp(datetime.now(UTC) + timedelta(hours=1))
    await office.until(lambda: len(receiver.raw) == 1)
    await office.rest()
    script = f"UPDATE deliveries SET status = 'retrying', next_at = '{later}'"
    await office.store.write(lambda db: db.script(script))
    await office.work(receiver.url)
    await office.until_all("sent", 10)


async def test_a_test_does_not_wait_behind_the_next_attempt(office: Office, receiver: Receiver) -> None:
    receiver.refuse = 1
    found = await office.work(receiver.url, pace=Pace(900, 900))
    await office.say("waits")
    await office.until_all("retrying")
    await found.test(TestNotification(), "ada", "r1")
    await office.until(lambda: len(receiver.bodies) == 2)
    assert receiver.titles == ["[warning] waits", "[info] A test, asked for by ada"]


async def test_what_is_too_long_for_a_service_comes_in_parts(office: Office, receiver: Receiver) -> None:
    """Mattermost takes 4,000 characters; apprise would hand over all of it, and the service refuse that."""
    await office.say(*(f"{n:03d} {'x' * 116}" for n in range(30)))
    await office.work(receiver.url.replace("json://", "mmost://"), CLAUDEOPS_NOTIFY_RATE="1")
    await office.until_all("sent")
    texts = [body["text"] for body in receiver.bodies]
    assert len(texts) == 2
    assert max(len(text) for text in texts) <= 4000
    assert re.findall(r"x\W+\((\d+)\)", "".join(texts)) == [str(n) for n in range(1, 31)]


async def test_a_channel_that_hangs_is_timed_out_and_does_not_delay_another(
    office: Office, receiver: Receiver, other: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.hang_s = 60
    monkeypatch.setattr(sender, "SILENT_SECONDS", 3.0)
    # apprise would give up by itself; here it is told to wait for longer than we do.
    await office.work(f"{receiver.url}?rto=50", other.url)
    began = time.monotonic()
    await office.say("first", "second")
    await office.until(lambda: other.titles == ["[warning] first", "[warning] second"], 10)
    assert time.monotonic() - began < 10
    end = time.monotonic() + 15
    while not (found := await office.rows("SELECT error FROM deliveries WHERE status = 'retrying'")):
        assert time.monotonic() < end
        await asyncio.sleep(0.05)
    assert found[0]["error"] == "no answer within 3 s"


async def test_beyond_the_rate_what_waits_is_gathered_into_one_message_that_says_how_many(
    office: Office, receiver: Receiver
) -> None:
    await office.say(*(f"number {n}" for n in range(100)))
    await office.work(receiver.url, CLAUDEOPS_NOTIFY_RATE="3")
    await office.until_all("sent")
    assert receiver.titles == ["[warning] 100 notifications"]
    message = receiver.bodies[0]["message"]
    assert "[warning] number 2 (3)" in message
    assert "and 70 more" in message
    assert "notifications 1 to 100" in message
    (row,) = await office.rows("SELECT together FROM deliveries ORDER BY id DESC LIMIT 1")
    assert row["together"] == 100
    await office.say("one more")
    await office.say("and one")
    await office.until_all("sent")
    assert receiver.titles[1:] == ["[warning] one more", "[warning] and one"]


async def test_quiet_hours_let_pass_what_is_critical_and_that_it_is_over(office: Office, receiver: Receiver) -> None:
    await office.work(receiver.url, CLAUDEOPS_NOTIFY_QUIET_HOURS="00:00-23:59")
    await office.say("can wait")
    await office.say("can't wait", level=Level.CRITICAL)
    await office.say("it works again", level=Level.INFO, told_as=Level.CRITICAL)
    await office.until(lambda: receiver.titles == ["[critical] can't wait", "[info] it works again"])
    await office.until_statuses("pending", "sent", "sent")
    await office.settings.set("notify_quiet_hours", "")
    await office.rest()
    await office.work(receiver.url)
    await office.until_all("sent")
    assert receiver.titles == ["[critical] can't wait", "[info] it works again", "[warning] can wait"]


async def test_what_fails_for_too_long_is_given_up_and_told(office: Office, receiver: Receiver) -> None:
    receiver.refuse = 1000
    found = await office.work(receiver.url, pace=Pace(0.05, 0.1, give_up=0.5))
    await office.say("never arrives")
    await office.until_all("given_up")
    await office.until(lambda: any("given up" in text for text in found.warnings()))
    assert await office.rows("SELECT 1 FROM deliveries WHERE error IS NOT NULL AND attempts > 0")


async def test_what_a_killed_worker_was_sending_is_sent_again_with_the_same_number(
    office: Office, receiver: Receiver
) -> None:
    await office.work(receiver.url)
    await office.say("once")
    await office.until_all("sent")
    await office.rest()
    # As if it had been killed between the channel's yes and its own note of it.
    await office.store.write(lambda db: db.script("UPDATE deliveries SET status = 'sending'"))
    await office.again()
    await office.work(receiver.url)
    await office.until_all("sent")
    assert [body["message"] for body in receiver.bodies] == [receiver.bodies[0]["message"]] * 2


async def test_rules_and_levels_say_which_channel_is_told_what(
    office: Office, receiver: Receiver, other: Receiver
) -> None:
    second = other.url.replace("json://", "jsons://")  # never answers by TLS: it is only looked at
    found = await office.work(receiver.url, second, CLAUDEOPS_NOTIFY_RULES="jsons=budget+info", pace=Pace(60, 60))
    await office.say("below the level", level=Level.INFO)
    await office.say("money", level=Level.INFO, kind=Kind.BUDGET)
    await office.say("worth knowing")
    await office.until(lambda: receiver.titles == ["[warning] worth knowing"])
    names = {one["channel"].partition("-")[0]: one["title"] for one in await office.rows(
        "SELECT d.channel, n.title FROM deliveries d JOIN notifications n ON n.id = d.notification_id"
    )}  # fmt: skip
    assert names == {"json": "worth knowing", "jsons": "money"}
    kept = [row["title"] for row in await office.rows("SELECT title FROM notifications")]
    assert kept == ["money", "worth knowing"], "what no channel wants is not kept"
    assert found.warnings() == []


async def test_ten_thousand_that_wait_are_sent_with_flat_memory(office: Office, receiver: Receiver) -> None:
    await office.say(*(f"number {n}" for n in range(10_000)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    await office.work(receiver.url, CLAUDEOPS_NOTIFY_RATE="20")
    await office.until_all("sent", 90)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 20_000, f"{grown} KiB more"
    counts = [int(title.split()[1]) for title in receiver.titles]
    assert sum(counts) == 10_000
    assert len(counts) <= 12
