"""Which of the demo's scripts answers whom, and the prompt files by whose headings they are told apart.

The words of every script are scripted; each call is run by the real CLI, within the daemon's real limits. Called by
`daemon.demo.stage` and `.place`. Pure.
"""

from collections.abc import Sequence

from daemon.demo.answer import answer
from daemon.demo.observe import check
from daemon.demo.repair import Repair
from daemon.demo.services import Service
from daemon.demo.turns import Playbook

MARKERS = {
    1: "# Check of the demo's services",
    2: "# Repair of the demo's services",
    3: "# Replacement of the demo's services",
}
"""Heads of the tiers' prompt files; without one, a prompt is one's own."""

FILES = {1: "tier1-observe.md", 2: "tier2-investigate.md", 3: "tier3-remediate.md"}

RULES = {
    1: "Look at each service with curl and say how it is. You observe: you change nothing. A service is slow from\n"
    "500 ms on. What is down is looked at twice, and handed on, unless a person has been asked about it already.",
    2: "Look at what was handed over, yourself. What is still down you restart, and look whether that helped.\n"
    "If the restart is refused, ask for a new container (`docker compose up -d NAME`), alone in its message, and say\n"
    "why: a person decides. If that is refused too, report that a person is needed.",
    3: "Look at what was handed over, yourself. What is still down gets a new container\n"
    "(`docker compose up -d NAME`); then look whether that helped. If it is refused, hand it to a person.",
}


def playbook(services: Sequence[Service], tempo: float = 1.0) -> Playbook:
    """All scripts. `tempo` 1 makes a check last about 25 s, 0 makes it as quick as it can be."""
    scripts = {
        1: check(services, tempo),
        2: Repair(services, 2, tempo).script,
        3: Repair(services, 3, tempo).script,
    }
    return Playbook(default=answer(services, tempo), marked={MARKERS[tier]: scripts[tier] for tier in scripts})


def prompt(tier: int, services: Sequence[Service]) -> str:
    """The text of a tier's prompt file."""
    lines = "\n".join(f"- {service.name}: {service.url}" for service in services)
    return f"{MARKERS[tier]}\n\n{RULES[tier]}\n\n{lines}\n\nEnd with your structured report.\n"
