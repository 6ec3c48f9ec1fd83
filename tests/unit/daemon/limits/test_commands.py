"""The corpus of shell commands: what each does and what becomes of it at each tier."""

import pytest

from daemon.limits.kinds import Decision, Kind
from daemon.limits.rules import judge
from daemon.limits.understanding import understand
from daemon.sessions.command import tool_lists
from schema.settings import Settings
from tests.fixtures.commands.corpus import STATE_DIR, Case, cases

CASES = cases()
FILES = sorted({case.file for case in CASES})


def test_the_corpus_is_large_enough_and_nothing_is_in_it_twice() -> None:
    assert FILES == ["disguised", "found", "harmless", "mutating", "operands"]
    assert len(CASES) >= 450
    assert len({case.command for case in CASES}) == len(CASES)
    for file in FILES:
        assert sum(case.file == file for case in CASES) >= 150, file


def wrong(case: Case) -> list[str]:
    """What of a command's verdict isn't as it should be."""
    found = understand(case.command, state_dir=STATE_DIR)
    kinds = {item.kind for item in found} - {Kind.READ} or {Kind.READ}
    faults = [f"kinds: {sorted(kinds)}"] if kinds != case.kinds else []
    decisions = tuple(judge(found, tier=tier, dry_run=False, disallowed=[]).decision for tier in (1, 2, 3))
    faults += [f"decisions: {decisions}"] if decisions != case.decisions else []
    # Dry run: nothing but reading, at any tier.
    expected = Decision.ALLOW if case.kinds == {Kind.READ} else Decision.DENY
    dry = [judge(found, tier=tier, dry_run=True, disallowed=[]) for tier in (1, 2, 3)]
    faults += ["dry run"] if any(it.decision is not expected for it in dry) else []
    faults += (
        ["dry run's reason"] if any(it.reason.startswith("dry run: ") != (kinds != {Kind.READ}) for it in dry) else []
    )
    return [f"{case.command!r}: {fault}" for fault in faults]


@pytest.mark.parametrize("file", FILES)
def test_each_command_gets_its_verdict_at_each_tier(file: str) -> None:
    assert [fault for case in CASES if case.file == file for fault in wrong(case)] == []


@pytest.mark.parametrize("tier", [1, 2, 3])
def test_at_most_a_twentieth_of_the_harmless_is_refused_as_the_settings_come(tier: int) -> None:
    harmless = [case.command for case in CASES if case.file == "harmless"]
    found = {command: understand(command, state_dir=STATE_DIR) for command in harmless}
    disallowed = tool_lists(Settings(), tier)[1]
    told = {it: judge(found[it], tier=tier, dry_run=False, disallowed=disallowed) for it in harmless}
    refused = {command: it.rule for command, it in told.items() if it.decision is not Decision.ALLOW}
    assert len(refused) <= 0.05 * len(harmless), refused
    # The policy itself refuses next to nothing: the rest are programs that the shipped patterns name whole.
    patterns = {f"disallowed: Bash({name}:*)" for name in ("docker compose", "helm", "ansible-playbook")}
    assert sum(rule not in patterns for rule in refused.values()) <= 0.01 * len(harmless), refused
