"""What is said about a command beside its verdict: targets, hosts, wrappers, patterns; and that nothing breaks it."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.limits.kinds import Decision, Found, Kind
from daemon.limits.rules import POLICY, judge, matches
from daemon.limits.understanding import understand


def only(command: str) -> Found:
    (found,) = understand(command)
    return found


def test_every_kind_has_a_decision_at_every_tier() -> None:
    assert set(POLICY) == set(Kind)
    assert POLICY[Kind.READ] == (Decision.ALLOW,) * 3
    assert POLICY[Kind.SECRET] == (Decision.DENY,) * 3
    for kind in set(Kind) - {Kind.READ}:
        assert POLICY[kind][0] is Decision.DENY


@pytest.mark.parametrize(
    ("command", "target"),
    [
        ("docker restart web", "web"),
        ("docker compose -f a.yml restart web", "web"),
        ("docker compose up -d --force-recreate web", "web"),
        ("systemctl restart nginx.service", "nginx"),
        ("service nginx restart", "nginx"),
        ("kubectl -n prod rollout restart deployment/web", "web"),
        ("kubectl rollout restart deployment web", "web"),
        ("kubectl set image deploy/web app=web:2", "web"),
        ("helm upgrade --install web ./chart", "web"),
        ("docker run -d --name web nginx", "web"),
        ("docker compose up -d", None),
        ("docker rm -f web", "web"),
        ("ansible-playbook -i hosts plays/redeploy.yml", "redeploy"),
    ],
)
def test_a_restart_or_redeployment_names_what_it_is_counted_for(command: str, target: str | None) -> None:
    assert only(command).target == target


def test_several_targets_are_several_finds() -> None:
    assert [item.target for item in understand("systemctl restart nginx redis")] == ["nginx", "redis"]
    assert [item.target for item in understand("for s in a b; do docker restart $s; done")][:2] == ["a", "b"]


def test_wrappers_and_host_are_told_and_the_text_is_the_inner_command() -> None:
    found = only("""ssh -p 22 ops@db1 "sudo bash -c 'systemctl restart postgresql'" """)
    assert found.through == ("ssh ops@db1", "sudo", "bash -c")
    assert found.host == "db1"
    assert found.text == "systemctl restart postgresql"
    assert only("docker -H ssh://web1 restart web").host == "web1"
    assert only("systemctl -H root@web1 restart nginx").host == "web1"


def test_the_text_is_quoted_anew() -> None:
    assert only(r"""doc"ker" 'restart' a\ b""").text == "docker restart 'a b'"


def test_the_worst_of_all_decides_and_the_first_of_equals_is_told() -> None:
    judged = judge(understand("docker ps; docker stop a; reboot; shutdown"), tier=2, dry_run=False, disallowed=[])
    assert (judged.decision, judged.rule) == (Decision.DENY, "tier2-host")
    assert judged.reason.startswith("reboot")
    judged = judge(understand("docker ps; docker stop a"), tier=2, dry_run=False, disallowed=[])
    assert (judged.decision, judged.rule) == (Decision.ASK, "tier2-changes")
    assert judge(understand("docker ps"), tier=1, dry_run=True, disallowed=[]).rule == "reads"
    assert judge(understand("docker stop a"), tier=3, dry_run=True, disallowed=[]).rule == "dry-run"


@pytest.mark.parametrize("tier", [0, 4, -1, 99])
def test_a_tier_that_does_not_exist_is_the_lowest(tier: int) -> None:
    assert judge(understand("docker stop a"), tier=tier, dry_run=False, disallowed=[]).decision is Decision.DENY


def test_nothing_found_is_not_understood() -> None:
    judged = judge([], tier=1, dry_run=False, disallowed=[])
    assert judged.decision is Decision.DENY
    assert judged.found


@pytest.mark.parametrize(
    ("pattern", "command"),
    [
        ("Bash(docker restart:*)", "docker restart web"),
        ("Bash(docker restart:*)", "sudo -n docker restart web"),
        ("Bash(docker restart:*)", "ssh a 'docker container restart web'"),
        ("Bash(docker compose:*)", "docker-compose -f x.yml restart web"),
        ("Bash(docker-compose:*)", "docker-compose restart web"),
        ("Bash(git push --force:*)", "git -C /repos/a push --force"),
        ("Bash(helm:*)", "helm -n prod upgrade web ."),
        ("Bash(ssh:*)", "ssh web1 uptime"),
        ("Bash(docker exec:*)", "docker exec web ps"),
        ("Bash(docker restart *)", "docker restart web"),
        ("Bash(docker ps)", "docker ps"),
        ("Bash", "docker ps"),
        ("Bash(rm -rf /:*)", "rm -rf / --no-preserve-root"),
        ("Bash(docker restart:*)", "docker $(echo restart) web"),
    ],
)
def test_a_disallowed_pattern_denies_whatever_wraps_it(pattern: str, command: str) -> None:
    judged = judge(understand(command), tier=3, dry_run=False, disallowed=["Write", pattern])
    assert (judged.decision, judged.rule) == (Decision.DENY, f"disallowed: {pattern}")


@pytest.mark.parametrize(
    ("pattern", "command"),
    [
        ("Bash(docker restart:*)", "docker logs restart"),
        ("Bash(rm -rf /:*)", "rm -rf /srv/app/cache/x"),
        ("Bash(docker:*)", "docker-foo ps"),
        ("Write", "docker ps"),
        ("", "docker ps"),
        ("Bash(", "docker ps"),
    ],
)
def test_a_pattern_covers_no_more_than_its_words(pattern: str, command: str) -> None:
    assert not any(matches(pattern, item.words) for item in understand(command))


@pytest.mark.parametrize(
    "command",
    [
        "{\U00031860",
        "echo {1\U0005353e",
        "echo {1..\u4e00}",
        "echo {1..2\u4e00}",
        "bash -c 'ls {\U00031860}'",
        "ls {\xe9",
    ],
)
def test_what_the_parser_would_crash_on_never_reaches_it(command: str) -> None:
    """tree-sitter-bash issue 337: a read far outside a table, which kills the process only now and then."""
    found = understand(command)
    assert [item.kind for item in found] == [Kind.UNKNOWN]
    assert "outside ASCII" in found[0].reason


@given(st.text(max_size=200))
def test_any_text_is_understood_or_not_but_never_breaks(text: str) -> None:
    found = understand(text)
    assert found
    assert all(isinstance(item.kind, Kind) for item in found)


@pytest.mark.parametrize(
    "command",
    [
        "(" * 10_000 + ")" * 10_000, "$(" * 5_000, "a" * 1_000_000, "docker ps;" * 100_000, "<" * 16_000, "${" * 8_000,
        "echo $(" * 200 + "ls" + ")" * 200, "bash -c " * 1_000, "a=(" * 4_000, "ls | " * 3_000 + "ls", "'" * 16_000,
        "for i in 1 2 3 4 5 6 7 8 9; do " * 9 + "ls" + "; done" * 9, "cat <<A " * 2_000, "{a,b}" * 3_000, "`" * 16_001,
        "f() { f; f; }; f", "eval " * 3_000 + "ls", "[[ " + "(" * 3_000 + "a" + ")" * 3_000 + " ]]", "echo a;" * 2_200,
        "\0", "ls\r", "\ud800", "", " ", "\n", "# nothing",
    ],
    ids=lambda text: repr(text[:20]),
)  # fmt: skip
def test_hostile_input_is_judged_quickly(command: str) -> None:
    started = time.process_time()
    found = understand(command)
    assert time.process_time() - started < 2
    assert judge(found, tier=1, dry_run=False, disallowed=[]).decision is (
        Decision.DENY if command.strip() not in {"", "# nothing"} else Decision.ALLOW
    )
    assert all(len(item.text) < 20_000 for item in found)


def test_an_ordinary_long_command_is_judged_in_a_few_milliseconds() -> None:
    command = "for h in a b; do echo $h; ssh $h 'docker ps; docker logs web 2>&1 | grep -i error | tail -20'; done\n"
    command = command * (2_000 // len(command))
    spent = []
    for _ in range(5):
        started = time.process_time()
        assert {item.kind for item in understand(command)} == {Kind.READ}
        spent.append(time.process_time() - started)
    # Some 10 ms in truth; the bound is for a machine that does much else.
    assert min(spent) < 0.2


def test_what_breaks_while_judging_is_not_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.limits.shell.PROGRAMS", {"ls": lambda command: 1 / 0})
    (found,) = understand("ls")
    assert found.kind is Kind.UNKNOWN
    assert "ZeroDivisionError" in found.reason
