"""However a denied command is hidden, it is not allowed."""

import shlex
from collections import Counter
from typing import NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.cooldowns.rules import ACTIONS, Counted, counted, uncountable
from daemon.limits.kinds import Decision
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
# Half a script may be made a whole one, and a harmless one, by what is put around it; and `local` is something only
# within a function.
WHOLE = [
    case
    for case in DENIED
    if "local " not in case.command
    and not any("not a complete shell command" in item.reason for item in understand(case.command, state_dir=STATE_DIR))
]


class Seen(NamedTuple):
    """What is made of a script: the decision at each tier, and what of it the cooldowns count."""

    decisions: list[Decision]
    counted: list[Counted] | None  # None: it can't be counted, so a person is asked


def see(script: str, state_dir: str = STATE_DIR) -> Seen:
    found = understand(script, state_dir=state_dir)
    return Seen(
        [judge(found, tier=tier, dry_run=False, disallowed=[]).decision for tier in (1, 2, 3)],
        counted(found) if uncountable(found) is None else None,
    )


def check(case: Case, script: str) -> None:
    """Nothing is allowed that was not, at any tier, and what is allowed uses the cooldowns that it used."""
    elsewhere = any(wrapper in script for wrapper in ELSEWHERE)
    plain, got = see(case.command, "" if elsewhere else STATE_DIR), see(script)
    assert plain.decisions[0] is not Decision.DENY or got.decisions[0] is Decision.DENY, script
    for tier in (2, 3):
        before, after = plain.decisions[tier - 1], got.decisions[tier - 1]
        assert before is Decision.ALLOW or after is not Decision.ALLOW, (tier, script)
        if after is Decision.ALLOW and got.counted is not None:
            assert plain.counted is not None, (tier, script)
            # More often is denied as such: one call may do it once.
            assert Counter(got.counted) >= Counter(plain.counted), (tier, script)
            assert set(got.counted) == set(plain.counted), (tier, script)


def test_there_is_enough_to_hide() -> None:
    assert len(DENIED) >= 300
    assert len(WHOLE) >= 0.9 * len(DENIED)
    assert len(SIMPLE) >= 150
    assert len(GROUPS + WRAPPERS) >= 60
    assert sum(bool(case.kinds & ACTIONS.keys()) for case in WHOLE) >= 100
    assert sum(case.decisions[1] is Decision.ASK for case in WHOLE) >= 100


def test_every_disguise_is_seen_through() -> None:
    """With a harmless command inside the disguise is understood, or else it would prove nothing."""
    opaque = [
        disguise("docker ps")
        for disguise in GROUPS + WRAPPERS
        if see(disguise("docker ps")).decisions[0] is not Decision.ALLOW
    ]
    assert opaque == []


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_a_denied_command_spelt_otherwise_is_denied(data: st.DataObject) -> None:
    case = data.draw(st.sampled_from(SIMPLE))
    check(case, data.draw(hidden(data.draw(spelt(shlex.split(case.command))))))


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_a_denied_script_in_a_disguise_is_denied(data: st.DataObject) -> None:
    case = data.draw(st.sampled_from(WHOLE))
    check(case, data.draw(hidden(case.command)))


# What reads its input as commands, or sends it on, before and behind what else may stand there.
READERS = ["bash", "exec", "openssl s_client -connect web:443", "ssh web1", "xargs docker restart", "{ bash; }", "cat"]
REDIRECTIONS = [
    "< /tmp/evil", "<<< ls", "<<< 'docker restart web'", "> /tmp/out", "2> /dev/null", "2>&1", "< /dev/null", "<<E",
    "0< /tmp/evil", "< <(cat /tmp/x)", ">> /state/x",
]  # fmt: skip
CHAINS = ["ls && ", "ls || ", "! ", "ls && ! ", "ls && ls && ", "ls | ", "ls && ls | ", "echo | ", "ls && echo | "]


@given(
    st.sampled_from(READERS),
    st.lists(st.sampled_from(REDIRECTIONS), min_size=1, max_size=3, unique=True),
    st.sampled_from(CHAINS),
)
def test_what_stands_behind_a_chain_is_read_by_its_last_command(reader: str, behind: list[str], chain: str) -> None:
    """Where bash puts it; the parser hangs it on the whole chain."""
    script = " ".join([reader, *behind]) + ("\ndocker restart web\nE" if "<<E" in behind else "")
    for alone, chained in zip(see(script).decisions, see(chain + script).decisions, strict=True):
        assert alone is Decision.ALLOW or chained is not Decision.ALLOW, chain + script
