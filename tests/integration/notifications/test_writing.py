"""What people are told is written in one transaction with what it tells of; people's own requests are repeatable."""

from datetime import UTC, datetime, timedelta

import pytest

from daemon.budgets import budgets
from daemon.events import journal
from daemon.notifications import outbox
from daemon.notifications.routing import Trouble, troubles
from daemon.notifications.rules import Pace
from ipc.errors import CallError, Code
from ipc.messages.notifications import ListNotifications, RetryNotifications, TestNotification
from ipc.messages.system import Process
from schema.database import Database
from schema.knowledge import Level
from schema.settings import Settings
from schema.states import DeliveryStatus
from tests.integration.notifications.office import Office
from tests.integration.notifications.receiver import Receiver

NEVER = Pace(3600, 3600)


async def test_an_event_and_its_notification_are_there_both_or_neither(office: Office) -> None:
    def half(db: Database) -> None:
        journal.add(db, Level.CRITICAL, "the disk is full", service="db")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await office.store.write(half)
    assert await office.rows("SELECT 1 FROM notifications") == []
    event = await office.store.write(lambda db: journal.add(db, Level.CRITICAL, "the disk is full", service="db"))
    (row,) = await office.rows("SELECT * FROM notifications")
    assert (row["kind"], row["level"], row["title"], row["link"], row["key"]) == (
        "event",
        "critical",
        "db: the disk is full",
        "/events",
        f"event:{event.id}",
    )


async def test_a_call_that_waits_is_told_with_the_page_where_it_is_decided(office: Office, receiver: Receiver) -> None:
    await office.store.write(
        lambda db: outbox.note_approval(
            db,
            7,
            session_id=3,
            tier=2,
            subject="docker restart web",
            reason="it changes something",
            expires_at="2026-02-01T08:00:00.000Z",
        )
    )
    await office.work(receiver.url, CLAUDEOPS_PUBLIC_URL="https://ops.example.org/")
    await office.until_all("sent")
    (body,) = receiver.bodies
    assert body["title"] == "[warning] Session 3 (tier 2) waits for a person's decision"
    for line in ("docker restart web", "https://ops.example.org/approvals/7", "2026-02-01 08:00 UTC"):
        assert line in body["message"]


async def test_a_budget_warns_once_as_its_own_kind(office: Office) -> None:
    await office.store.write(
        lambda db: db.script(
            "INSERT INTO sessions (tier, model, prompt_file, status, started_at, cost_usd) VALUES"
            f" (1, 'haiku', 'p', 'completed', '{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.000Z}', 9.0)"
        )
    )
    settings = Settings(budget_day_usd=10.0)
    for _ in range(2):
        await office.store.write(lambda db: budgets.warn(db, settings, 1, datetime.now(UTC)))
    (row,) = await office.rows("SELECT * FROM notifications")
    assert (row["kind"], row["level"], row["session_id"]) == ("budget", "warning", 1)


async def test_a_test_goes_to_the_channel_asked_for_with_a_line_in_the_audit_log(
    office: Office, receiver: Receiver, other: Receiver
) -> None:
    found = await office.work(receiver.url, other.url, CLAUDEOPS_NOTIFY_QUIET_HOURS="00:00-23:59")
    await office.until(lambda: found._channels)
    names = [one.name for one in (await found.page(ListNotifications())).channels]
    reply = await found.test(TestNotification(channel=names[1]), "ada", "request-1")
    assert reply.channels == [names[1]]
    await office.until(lambda: other.titles == ["[info] A test, asked for by ada"])
    assert receiver.titles == []
    (line,) = await office.rows("SELECT * FROM audit")
    assert (line["actor"], line["action"], line["subject"]) == ("ada", "notification.test", names[1])
    assert await office.rows("SELECT 1 FROM replies WHERE request_id = 'request-1'")
    with pytest.raises(CallError, match="there is no channel 'nobody'") as error:
        await found.test(TestNotification(channel="nobody"), "ada", "request-2")
    assert error.value.code is Code.NOT_FOUND


async def test_what_was_given_up_can_be_sent_again(office: Office, receiver: Receiver) -> None:
    receiver.refuse = 1000
    found = await office.work(receiver.url, pace=Pace(0.05, 0.1, give_up=0.3))
    await office.say("try again")
    await office.until_all("given_up")
    (channel,) = (await found.page(ListNotifications())).channels
    assert channel.given_up == 1
    receiver.refuse = 0
    assert (await found.retry(RetryNotifications(), "ada", "r")).retried == 1
    await office.until_all("sent")
    with pytest.raises(CallError, match="nothing to repeat"):
        await found.retry(RetryNotifications(id=1), "ada", "r2")
    (line,) = await office.rows("SELECT * FROM audit")
    assert line["action"] == "notification.retry"


async def test_what_waits_for_a_channel_that_is_gone_is_suppressed_and_told(
    office: Office, receiver: Receiver, other: Receiver
) -> None:
    receiver.close()
    await office.work(receiver.url, pace=NEVER)
    await office.say("for nobody")
    await office.until_all("retrying")
    await office.rest()
    found = await office.work(other.url)
    await office.until_all("suppressed")
    (one,) = (await found.page(ListNotifications())).notifications
    assert one.deliveries[0].status is DeliveryStatus.SUPPRESSED
    assert one.deliveries[0].error == "its channel is not in CLAUDEOPS_APPRISE_URLS or CLAUDEOPS_WEBHOOK_URLS any more"


async def test_new_channels_hold_after_a_reload(office: Office, receiver: Receiver, other: Receiver) -> None:
    receiver.close()
    found = await office.work(receiver.url, pace=NEVER)
    await office.say("for the old one")
    await office.until_all("retrying")
    office.settings.reload({**office.settings.environ, "CLAUDEOPS_APPRISE_URLS": other.url})
    await office.until_all("suppressed")
    await office.say("for the new \x1b[31mone")
    await office.until(lambda: other.titles == ["[warning] for the new [31mone"])
    assert [one.name[:5] for one in (await found.page(ListNotifications())).channels] == ["json-"]


async def test_the_digest_comes_once_a_day_whoever_is_killed(office: Office, receiver: Receiver) -> None:
    now = datetime.now().astimezone()
    due = "00:00" if now.hour == 0 else f"{now - timedelta(hours=1):%H:%M}"
    await office.store.write(lambda db: journal.add(db, Level.WARNING, "slow"))
    await office.store.write(
        lambda db: db.script(
            "INSERT INTO sessions (tier, model, prompt_file, status, started_at, cost_usd) VALUES"
            f" (1, 'haiku', 'p', 'timed_out', '{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.000Z}', 1.25)"
        )
    )
    office.blocked = ["search"]
    for _ in range(2):
        await office.work(receiver.url, CLAUDEOPS_NOTIFY_DIGEST_AT=due, CLAUDEOPS_NOTIFY_LEVEL="critical")
        await office.until_all("sent")
        await office.again()
    assert receiver.titles == [f"[info] Daily digest, {now:%Y-%m-%d}"]
    text = receiver.bodies[0]["message"]
    for line in (
        "Sessions: 1 (1 timed out)",
        "Cost: $1.25",
        "Events: 1 warning",
        "wait for a person: 0",
        "hold now: search",
    ):
        assert line in text, text


async def test_what_the_daemon_has_to_tell_of_itself_is_told_once(office: Office, receiver: Receiver) -> None:
    crashed = Process(name="worker", state="running", restarts=2, last_exit="SIGSEGV")
    asked = Process(name="web", state="running", restarts=1, last_exit="exit code 0")
    office.troubles = troubles("boot", [crashed, asked], "the disk is full", "2026-01-31")
    assert [one.level for one in office.troubles] == [Level.WARNING, Level.CRITICAL]
    for _ in range(2):
        await office.work(receiver.url)
        await office.until_all("sent")
        await office.again()
    titles = ["[warning] The worker process had to be started again", "[critical] The daemon can't do its work"]
    assert receiver.titles == titles
    assert "SIGSEGV" in receiver.bodies[0]["message"]
    assert isinstance(office.troubles[0], Trouble)


async def test_a_rule_that_is_none_is_told_and_the_others_do_not_hold(office: Office, receiver: Receiver) -> None:
    found = await office.work(receiver.url, CLAUDEOPS_NOTIFY_RULES="json=loud")
    await office.until(lambda: found.warnings())
    assert "'loud' is neither a level nor a kind" in found.warnings()[0]
    await office.say("told all the same")
    await office.until_all("sent")
    with pytest.raises(CallError, match="of the form CHANNEL=word"):
        await office.settings.set("notify_rules", "json")
