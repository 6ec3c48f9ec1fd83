"""Keys and signatures: right, wrong, late, and as their standards say."""

import hashlib
import hmac

import pytest

from daemon.keys import rules

BODY = b'{"title":"web is down"}'
NOW = 1_770_000_000.0


def of(body: bytes, secret: str = "secret") -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def problem(headers: dict[str, str], body: bytes = BODY, secrets: str = "secret", now: float = NOW) -> str:
    return rules.signature_problem(headers, body, rules.secrets_of(secrets), now)


@pytest.mark.parametrize(
    "headers",
    [
        {rules.HUB: f"sha256={of(BODY)}"},
        {rules.HUB: f"sha256={of(BODY).upper()}"},
        {rules.PAGERDUTY: f"v1={of(BODY)}"},
        {rules.PAGERDUTY: f"v1={'0' * 64}, v1={of(BODY)}"},
        {rules.GRAFANA: of(BODY)},
        {rules.GRAFANA: of(b"1770000000:" + BODY), rules.GRAFANA_TIMES[0]: "1770000000"},
        {rules.GRAFANA: of(b"1769999800:" + BODY), rules.GRAFANA_TIMES[1]: "1769999800"},
        {
            rules.STANDARD: "v1,AAAA " + rules.standard_signature("secret", "m1", 1_770_000_000, BODY),
            rules.STANDARD_ID: "m1",
            rules.STANDARD_TIME: "1770000000",
        },
    ],
)
def test_each_scheme_takes_what_is_signed_and_nothing_else(headers: dict[str, str]) -> None:
    assert problem(headers) == ""
    assert problem(headers, secrets="other, secret") == ""
    assert "not signed with CLAUDEOPS_WEBHOOK_SECRET" in problem(headers, body=BODY + b" ")
    assert "not signed with CLAUDEOPS_WEBHOOK_SECRET" in problem(headers, secrets="other")
    assert problem(headers, secrets="") != ""


@pytest.mark.parametrize("header", [rules.HUB, rules.PAGERDUTY, rules.GRAFANA])
@pytest.mark.parametrize("value", ["sha256=", "v1=", "v1=,", "é", "0" * 64, of(b"")])
def test_what_is_no_signature_of_the_body_is_refused(header: str, value: str) -> None:
    assert "not signed" in problem({header: value})


def test_a_body_without_a_signature_is_not_signed() -> None:
    assert "there is no signature" in problem({})
    assert "there is no signature" in problem({rules.STANDARD_ID: "m1"})


@pytest.mark.parametrize("late", [-301, 301])
def test_what_was_signed_too_long_ago_or_ahead_is_refused(late: int) -> None:
    moment = int(NOW) + late
    grafana = {rules.GRAFANA: of(f"{moment}:".encode() + BODY), rules.GRAFANA_TIMES[0]: str(moment)}
    signature = rules.standard_signature("secret", "m1", moment, BODY)
    standard = {rules.STANDARD: signature, rules.STANDARD_ID: "m1", rules.STANDARD_TIME: str(moment)}
    for headers in (grafana, standard):
        assert "more than 300 s from now" in problem(headers)
        assert problem(headers, now=moment) == ""
    assert "is no time" in problem(standard | {rules.STANDARD_TIME: "soon"})


def test_a_standard_signature_is_the_one_of_the_standards_own_example() -> None:
    body = b'{"event_type":"ping","data":{"success":true}}'
    found = rules.standard_signature("whsec_plJ3nmyCDGBKInavdOK15jsl", "msg_loFOjxBNrRLzqYUf", 1731705121, body)
    assert found == "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="
    with pytest.raises(ValueError, match="no base64"):
        rules.key_bytes("whsec_%%%")


def test_a_key_is_the_key_and_no_other() -> None:
    assert rules.same("kéy", "kéy")
    assert not rules.same("key", "key ")
    assert not rules.same("", "key")
    assert rules.same("\ud800", "\ud800")
