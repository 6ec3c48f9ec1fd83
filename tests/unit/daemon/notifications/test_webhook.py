"""Channels that are programs, and what is posted to them."""

import json

from daemon.notifications import webhook

URL = "https://example.org/hook?token=hush"


def test_each_address_is_a_channel_once_with_a_name_that_tells_nothing() -> None:
    found, problems = webhook.channels(f"{URL}, http://10.0.0.1:8080/x {URL}", "s")
    assert problems == []
    assert [channel.url for channel in found] == [URL, "http://10.0.0.1:8080/x"]
    assert all(channel.kind == "webhook" for channel in found)
    assert "hush" not in repr(found)


def test_what_is_no_address_or_is_without_a_secret_is_told_and_not_posted_to() -> None:
    found, problems = webhook.channels(f"ftp://x/y,https://,{URL},nothing,http://h:99999/", "s")
    assert [channel.url for channel in found] == [URL]
    assert [problem.split(" is no address")[0] for problem in problems] == [
        f"CLAUDEOPS_WEBHOOK_URLS: part {number}" for number in (1, 2, 4, 5)
    ]
    assert "hush" not in str(problems)
    assert webhook.channels(URL, "") == ([], [webhook.NO_SECRET])
    assert webhook.channels("", "") == ([], [])
    (none, (problem,)) = webhook.channels(URL, "whsec_%%")
    assert none == []
    assert "no base64" in problem


def test_a_body_has_the_same_fields_whatever_is_told() -> None:
    row = {"id": 7, "kind": "event", "level": "warning", "title": "t", "body": "", "session_id": None,
           "approval_id": None, "created_at": "2026-01-31T08:00:00.000Z", "delivery_id": 1}  # fmt: skip
    assert json.loads(webhook.payload(row, "https://ops/events")) == {
        "type": "notification.event",
        "timestamp": "2026-01-31T08:00:00.000Z",
        "data": {"id": 7, "kind": "event", "level": "warning", "title": "t", "body": "", "url": "https://ops/events",
                 "session_id": None, "approval_id": None},
    }  # fmt: skip
