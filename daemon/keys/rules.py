"""Whether a key is the right one, and whether a body is signed as its sender would. Decided from values.

Each comparison takes as long for a wrong value as for the right one. The schemes are those that senders have: a
signature of the body alone (GitHub's header, which many took over, and PagerDuty's), of a time and the body
(Grafana's), and of an id, a time and the body (https://www.standardwebhooks.com, as our own webhooks go out).
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping

from schema.declarations import several
from schema.settings import COMMAS

HUB = "x-hub-signature-256"
PAGERDUTY = "x-pagerduty-signature"
GRAFANA = "x-grafana-alerting-signature"
GRAFANA_TIMES = ("x-grafana-alerting-timestamp", "x-grafana-alerting-signature-timestamp")  # as the operator names it
STANDARD = "webhook-signature"
STANDARD_ID = "webhook-id"
STANDARD_TIME = "webhook-timestamp"
TOLERANCE_SECONDS = 300.0
WHSEC = "whsec_"


def same(shown: str, secret: str) -> bool:
    """Whether a key that was shown is the secret."""
    return hmac.compare_digest(_digest(shown), _digest(secret))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def secrets_of(setting: str) -> list[str]:
    """The secrets of a setting that holds one, or more with commas between them."""
    return several(COMMAS, setting)


def key_bytes(secret: str) -> bytes:
    """What is signed with: the text itself, or what stands in base64 behind `whsec_`. ValueError if that is none."""
    if not secret.startswith(WHSEC):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(WHSEC), validate=True)
    except binascii.Error:
        raise ValueError(f"what stands behind {WHSEC} is no base64") from None


def standard_signature(secret: str, id_: str, moment: int, body: bytes) -> str:
    """The value of `webhook-signature`."""
    signed = f"{id_}.{moment}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key_bytes(secret), signed, "sha256")).decode()


def signature_problem(headers: Mapping[str, str], body: bytes, secrets: Iterable[str], now: float) -> str:
    """Why a body is not taken as signed by somebody who knows one of the secrets; empty if it is."""
    told, shown, signed = "", [], body
    if value := headers.get(HUB, ""):
        told, shown = HUB, [value.removeprefix("sha256=")]
    elif value := headers.get(PAGERDUTY, ""):
        told, shown = PAGERDUTY, [part.strip().removeprefix("v1=") for part in value.split(",")]
    elif value := headers.get(GRAFANA, ""):
        told, shown = GRAFANA, [value.removeprefix("sha256=")]
        for name in GRAFANA_TIMES:
            if moment := headers.get(name, ""):
                if problem := _late(name, moment, now):
                    return problem
                signed = f"{moment}:".encode() + body
    elif value := headers.get(STANDARD, ""):
        return _standard_problem(headers, value, body, secrets, now)
    if not told:
        return f"there is no signature; the headers that may carry one are {HUB}, {PAGERDUTY}, {GRAFANA}, {STANDARD}"
    for secret in secrets:
        right = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        if any(same(one.lower(), right) for one in shown):
            return ""
    return f"{told}: the body is not signed with CLAUDEOPS_WEBHOOK_SECRET"


def _standard_problem(headers: Mapping[str, str], value: str, body: bytes, secrets: Iterable[str], now: float) -> str:
    moment = headers.get(STANDARD_TIME, "")
    if problem := _late(STANDARD_TIME, moment, now):
        return problem
    for secret in secrets:
        try:
            right = standard_signature(secret, headers.get(STANDARD_ID, ""), int(moment), body)
        except ValueError:
            continue  # a secret that is none is told where settings are checked
        if any(same(one, right) for one in value.split()):
            return ""
    return f"{STANDARD}: the body is not signed with CLAUDEOPS_WEBHOOK_SECRET"


def _late(name: str, moment: str, now: float) -> str:
    if not (moment.isascii() and moment.isdigit() and len(moment) < 15):
        return f"{name}: {moment[:20]!r} is no time in seconds since 1970"
    if abs(now - int(moment)) > TOLERANCE_SECONDS:
        return f"{name}: more than {TOLERANCE_SECONDS:g} s from now; set the sender's clock, or it was sent before"
    return ""
