"""What the options of `services add`, `edit` and `test` say of a definition. Pure; called by `ipc.ctl.services`."""

import argparse
from typing import Any

from ipc.ctl.service_commands import RULE

PLAIN = ("name", "url", "interval", "timeout", "retries", "retry_interval", "group", "description", "method", "body",
         "proxy", "family", "server_name", "ca_file", "certificate_file", "key_file", "grace", "cron", "zone",
         "session_tier", "session_after", "session_cooldown", "remind", "notify_from")  # fmt: skip
# Fields that an option of another name says.
NAMED = {"condition": "conditions", "warning": "warnings", "tag": "tags", "header": "headers", "needs": "needs",
         "notify": "notify", "run": "command"}  # fmt: skip


def given(arguments: argparse.Namespace) -> dict[str, Any]:
    """The fields that were given, with their values."""
    values = {name: getattr(arguments, name, None) for name in PLAIN}
    values |= {field: getattr(arguments, option, None) for option, field in NAMED.items()}
    if values["headers"]:
        values["headers"] = dict(values["headers"])
    if getattr(arguments, "no_redirects", False):
        values["redirects"] = False
    if getattr(arguments, "no_verify", False):
        values["verify"] = False
    if getattr(arguments, "mute", None):
        values["mute"] = arguments.mute == "yes"
    return {name: value for name, value in values.items() if value is not None}


def put_back(arguments: argparse.Namespace) -> frozenset[str]:
    """The fields that are left out from now on, so that the usual holds."""
    named = [option for name in arguments.reset or () for option in (RULE if name == "rule" else (name,))]
    return frozenset(NAMED.get(option, option.replace("-", "_")) for option in named)
