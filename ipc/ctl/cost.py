"""`claudeopsctl cost`: what sessions cost, by day, tier, model and trigger."""

import argparse

from ipc.ctl.connection import Body, Connection
from ipc.ctl.terminal import dollars, one_line, show_json, table


def show(connection: Connection, arguments: argparse.Namespace) -> int:
    """The last days, the newest first, and what the money went into."""
    cost = connection.call("cost.show", {"days": arguments.days})["cost"]
    if arguments.json:
        show_json(cost)
        return 0
    days = [
        (day["day"], *(dollars(usd) for usd in day["tiers"]), dollars(day["usd"]), str(day["sessions"]))
        for day in reversed(cost["days"])
    ]
    print(table(("DAY (UTC)", "TIER 1", "TIER 2", "TIER 3", "TOGETHER", "SESSIONS"), days))
    for head, shares in (("TIER", cost["tiers"]), ("MODEL", cost["models"]), ("TRIGGER", cost["triggers"])):
        _shares(head, shares)
    if cost["chains"]:
        chains = [
            (str(chain["id"]), chain["day"], str(chain["sessions"]), dollars(chain["usd"])) for chain in cost["chains"]
        ]
        print("\n" + table(("CHAIN", "DAY (UTC)", "SESSIONS", "COST"), chains))
    print(f"\n{_all(cost)}")
    return 0


def _shares(head: str, shares: list[Body]) -> None:
    if shares:
        rows = [(one_line(share["name"]), str(share["sessions"]), dollars(share["usd"])) for share in shares]
        print("\n" + table((head, "SESSIONS", "COST"), rows))


def _all(cost: Body) -> str:
    """The sum in a sentence, and what of it is not certain."""
    days = len(cost["days"])
    text = f"{dollars(cost['usd'])} in {days} day{'' if days == 1 else 's'}"
    text += f", {dollars(cost['previous_usd'])} in as many before."
    if cost["estimated"]:
        text += f" Of {cost['estimated']} session(s) only an estimate is known."
    if cost["unknown"]:
        text += f" Of {cost['unknown']} nothing is known, which counts as $0."
    return text
