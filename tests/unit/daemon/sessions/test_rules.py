"""What sessions decide from values alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.sessions.rules import (
    Ending,
    Money,
    Outcome,
    Room,
    Said,
    final,
    judge_cli,
    outcome,
    refusal,
)
from schema.states import SESSION, SessionStatus, TransitionError, follow

SUCCESS = Said("success", is_error=False)


@pytest.mark.parametrize(
    ("ending", "said", "status", "code", "words"),
    [
        (Ending("exited", 0), SUCCESS, "completed", 0, None),
        (Ending("exited", 0), None, "completed", 0, "without a result"),
        (Ending("exited", 0), Said("success", False, "", "toolu_1"), "awaiting_approval", 0, "waits for a person"),
        (Ending("stopped", 0, by="ada"), Said("success", False, "", "toolu_1"), "stopped", 0, "stopped by ada"),
        (Ending("exited", 1), None, "failed", 1, "without a result"),
        (Ending("exited", 1), SUCCESS, "failed", 1, "exit code 1"),
        (Ending("exited", 0), Said("success", is_error=True, text="API Error: 500"), "failed", 0, "API Error: 500"),
        (Ending("exited", None, 9), SUCCESS, "failed", 137, "SIGKILL"),
        (Ending("timed_out", 0), SUCCESS, "timed_out", 0, "longer than 5 s"),
        (Ending("stopped", 0, by="ada"), SUCCESS, "stopped", 0, "stopped by ada"),
        (Ending("stopped", 143), None, "stopped", 143, "stopped"),
        (Ending("interrupted", 0), SUCCESS, "interrupted", 0, "daemon was stopped"),
        (Ending("lost"), SUCCESS, "interrupted", None, "keeper was killed"),
        (Ending("quota", None, 15), None, "failed", 143, "CLAUDEOPS_SESSION_MAX_BYTES"),
        (Ending("disk_full", None, 15), None, "failed", 143, "disk was full"),
        (Ending("spawn_failed", error="no such file"), None, "failed", None, "no such file"),
    ],
)
def test_an_ending_has_one_outcome(
    ending: Ending, said: Said | None, status: str, code: int | None, words: str | None
) -> None:
    found = outcome(ending, said, timeout_s=5)
    assert (found.status.value, found.exit_code) == (status, code)
    assert found.reason is None if words is None else words in (found.reason or "")


@pytest.mark.parametrize(
    ("money", "words"),
    [
        (Money(0.0, 0.01), "spent $0.9024 of its $0.01 budget (CLAUDEOPS_SESSION_MAX_BUDGET_USD)"),
        (Money(12.5, 13.0), "spent $13.4 of its $13 budget (CLAUDEOPS_SESSION_MAX_BUDGET_USD)"),
        (Money(), "spent $0.9024, and its budget was less (CLAUDEOPS_SESSION_MAX_BUDGET_USD)"),
    ],
)
def test_a_session_that_has_spent_its_budget_says_how_much_over_all_its_runs(money: Money, words: str) -> None:
    said = Said("error_max_budget_usd", is_error=True, text="Reached maximum budget ($0.5)", usd=0.9024)
    found = outcome(Ending("exited", 1), said, timeout_s=5, money=money)
    assert (found.status, found.reason) == (SessionStatus.FAILED, words)


def test_the_last_line_of_stderr_says_why_a_command_failed() -> None:
    found = outcome(Ending("exited", 1), None, timeout_s=5, last_stderr="Error: unknown option")
    assert found.reason == "exit code 1: Error: unknown option"


@given(st.sampled_from(sorted(SESSION)), st.sampled_from(sorted(SESSION)))
def test_only_listed_transitions_happen(current: SessionStatus, wanted: SessionStatus) -> None:
    if wanted in SESSION[current]:
        assert follow(SESSION, current, wanted) is wanted
    else:
        with pytest.raises(TransitionError, match="can't become"):
            follow(SESSION, current, wanted)


def asked(**more: object) -> str | None:
    values: dict[str, object] = {"tier": 1, "max_tier": 3, "cli": None, "room": Room(10**9), "free_min": 10**8, **more}
    return refusal(**values)  # type: ignore[arg-type]


def test_a_session_is_refused_with_a_sentence() -> None:
    assert asked() is None
    assert "no tier 7" in (asked(tier=7) or "")
    assert "CLAUDEOPS_MAX_TIER" in (asked(tier=3, max_tier=2) or "")
    assert asked(cli="there is no command") == "there is no command"
    assert "CLAUDEOPS_FREE_DISK_MIN" in (asked(room=Room(1)) or "")
    assert asked(room=Room(0, "/results is gone"), free_min=0) == "/results is gone"


def test_the_cli_is_judged_by_what_it_prints() -> None:
    assert judge_cli("2.1.197 (Claude Code)\n") == ("2.1.197", None)
    version, warning = judge_cli("9.0.1 (Claude Code)")
    assert version == "9.0.1"
    assert "has not been proved" in (warning or "")
    with pytest.raises(ValueError, match="no version"):
        judge_cli("command not found")


@pytest.mark.parametrize(
    ("status", "next_tier", "asked", "stored"),
    [
        ("completed", None, False, ("completed", "its own")),
        ("completed", 2, False, ("escalated", "handed over to tier 2")),
        ("awaiting_approval", None, True, ("awaiting_approval", "its own")),
        ("awaiting_approval", None, False, ("failed", "its call was put aside, but nobody was asked about it")),
        ("failed", None, True, ("failed", "its own")),
    ],
)
def test_what_is_stored_of_an_end_says_what_follows_it(
    status: str, next_tier: int | None, asked: bool, stored: tuple[str, str]
) -> None:
    found = final(Outcome(SessionStatus(status), 0, "its own"), next_tier=next_tier, asked=asked)
    assert (found[0].value, found[1]) == stored
