"""Programs are posted to: signed, once for each notification, again with the same id, and never led elsewhere."""

import asyncio
import hashlib
import hmac
import time
from base64 import b64decode, b64encode
from typing import Any

from ipc.messages.notifications import ListNotifications
from schema.knowledge import Level
from tests.integration.notifications.office import Office
from tests.integration.notifications.receiver import Receiver

SECRET = "whsec_" + b64encode(b"twenty-four made-up byte").decode()


def environ(receiver: Receiver, **more: str) -> dict[str, Any]:
    return {
        "CLAUDEOPS_WEBHOOK_URLS": receiver.address,
        "CLAUDEOPS_WEBHOOK_SIGNING_SECRET": SECRET,
        "CLAUDEOPS_PUBLIC_URL": "https://ops.example.org",
        **more,
    }


def verify(headers: dict[str, str], body: bytes) -> str:
    """As a receiver would, by the standard's words alone; the id."""
    found = {name.lower(): value for name, value in headers.items()}
    signed = f"{found['webhook-id']}.{found['webhook-timestamp']}.".encode() + body
    right = hmac.new(b64decode(SECRET.removeprefix("whsec_")), signed, hashlib.sha256).digest()
    assert found["webhook-signature"] == "v1," + b64encode(right).decode()
    assert abs(time.time() - int(found["webhook-timestamp"])) < 60
    assert found["content-type"] == "application/json"
    return found["webhook-id"]


async def test_each_notification_is_one_signed_post_whatever_the_rate_and_the_hour(
    office: Office, receiver: Receiver
) -> None:
    hours = {"CLAUDEOPS_NOTIFY_QUIET_HOURS": "00:00-23:59", "CLAUDEOPS_NOTIFY_RATE": "1"}
    await office.work(**environ(receiver, **hours))
    await office.say("one", "two", "three")
    await office.until_all("sent")
    assert [body["data"]["title"] for body in receiver.bodies] == ["one", "two", "three"]
    assert [verify(*raw) for raw in receiver.raw] == ["ntf_1", "ntf_2", "ntf_3"]
    first = receiver.bodies[0]
    assert first["type"] == "notification.event"
    assert set(first["data"]) == {"id", "kind", "level", "title", "body", "url", "session_id", "approval_id"}
    assert (first["data"]["level"], first["data"]["body"]) == ("warning", "what happened")


async def test_what_a_program_always_refuses_is_given_up_and_what_is_behind_it_arrives(
    office: Office, receiver: Receiver
) -> None:
    receiver.never["poison"] = 422
    await office.work(**environ(receiver))
    await office.say("poison", "two")
    await office.until_statuses("given_up", "sent")
    assert len(receiver.bodies) == 1
    (row,) = await office.rows("SELECT error FROM deliveries WHERE status = 'given_up'")
    assert row["error"].startswith("it answered 422; it was refused 6 times")


async def test_a_program_that_is_down_gets_it_later_with_the_same_id(office: Office, receiver: Receiver) -> None:
    receiver.refuse = 2
    await office.work(**environ(receiver))
    await office.say("one")
    await office.until_all("sent")
    assert [verify(*raw) for raw in receiver.raw] == ["ntf_1"] * 3
    assert len(receiver.bodies) == 1


async def test_a_redirect_is_a_failure_and_is_not_followed(office: Office, receiver: Receiver) -> None:
    elsewhere = Receiver()
    receiver.leads_to = elsewhere.address
    try:
        await office.work(**environ(receiver))
        await office.say("one")
        await office.until(lambda: len(receiver.raw) >= 2)
        (row,) = await office.rows("SELECT status, error FROM deliveries")
        assert row["status"] in ("retrying", "sending")
        assert elsewhere.raw == []
    finally:
        elsewhere.close()


async def test_an_error_names_neither_address_nor_secret(office: Office, receiver: Receiver) -> None:
    receiver.close()
    address = receiver.address + "?token=hush-hush"
    found = await office.work(**environ(receiver, CLAUDEOPS_WEBHOOK_URLS=address))
    await office.say("one")
    async with asyncio.timeout(20):
        while not (rows := await office.rows("SELECT error FROM deliveries WHERE error IS NOT NULL")):
            await asyncio.sleep(0.05)
    error = rows[0]["error"]
    assert error.startswith("it can't be reached: ")
    assert "hush" not in error
    assert SECRET not in error
    (channel,) = (await found.page(ListNotifications())).channels
    assert channel.name.startswith("webhook-")


async def test_without_a_secret_nothing_is_posted_and_people_are_told(office: Office, receiver: Receiver) -> None:
    found = await office.work(**environ(receiver, CLAUDEOPS_WEBHOOK_SIGNING_SECRET=""))
    await office.say("one", level=Level.CRITICAL)
    await office.until(lambda: bool(found.warnings()))
    assert "CLAUDEOPS_WEBHOOK_SIGNING_SECRET is not set" in found.warnings()[0]
    assert receiver.raw == []
