"""However a denied command is hidden, it is not allowed."""

import shlex

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.limits.kinds import Decision, Kind
from daemon.limits.rules import judge
from daemon.limits.understanding import understand
from tests.fixtures.commands.corpus import STATE_DIR, Case, cases
from tests.unit.daemon.limits.disguises import ELSEWHERE, GROUPS, WRAPPERS, hidden, spelt

DENIED = [case for case in cases() if case.decisions[0] is Decision.DENY]
# Those that are one simple command of plain words.
SIMPLE = [
    case
    for case in DENIED
    if case.file == "mutating"
    and not set(case.command) & set("|&;<>()$`\\\"'*?[]#~!{}\n")
    and "=" not in case.command.split()[0]
]
# Half a script may be made a whole one, and a harmless one, by what is put around it.
WHOLE = [
    case
    for case in DENIED
    if not any("not a complete shell command" in item.reason for item in understand(case.command, state_dir=STATE_DIR))
]
WORST = {Kind.HOST, Kind.DESTROY, Kind.SECRET, Kind.STEER}


def decisions(script: str) -> list[Decision]:
    found = understand(script, state_dir=STATE_DIR)
    return [judge(found, tier=tier, dry_run=False, disallowed=[]).decision for tier in (1, 2, 3)]


def check(case: Case, script: str) -> None:
    got = decisions(script)
    assert got[0] is Decision.DENY, script
    elsewhere = any(wrapper in script for wrapper in ELSEWHERE)
    if (case.kinds - {Kind.STEER} if elsewhere else case.kinds) & WORST:
        assert Decision.ALLOW not in got, script


def test_there_is_enough_to_hide() -> None:
    assert len(DENIED) >= 300
    assert len(WHOLE) >= 0.9 * len(DENIED)
    assert len(SIMPLE) >= 150
    assert len(GROUPS + WRAPPERS) >= 60


def test_every_disguise_is_seen_through() -> None:
    """With a harmless command inside the disguise is understood, or else it would prove nothing."""
    opaque = [
        disguise("docker ps")
        for disguise in GROUPS + WRAPPERS
        if decisions(disguise("docker ps"))[0] is not Decision.ALLOW
    ]
    assert opaque == []


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_a_denied_command_spelt_otherwise_is_denied(data: st.DataObject) -> None:
    case = data.draw(st.sampled_from(SIMPLE))
    check(case, data.draw(hidden(data.draw(spelt(shlex.split(case.command))))))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_a_denied_script_in_a_disguise_is_denied(data: st.DataObject) -> None:
    case = data.draw(st.sampled_from(WHOLE))
    check(case, data.draw(hidden(case.command)))
