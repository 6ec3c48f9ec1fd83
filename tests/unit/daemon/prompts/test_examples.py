"""Every command that the shipped texts give as an example is judged as the text says."""

import re

import pytest

from daemon.cooldowns import rules as cooldowns
from daemon.limits.calls import judge_call
from daemon.limits.kinds import Judgement, Kind
from daemon.repositories import shipped
from daemon.sessions import command
from schema.settings import Settings
from tests.unit.daemon.prompts.prompts import EXAMPLES, TEXTS, Example

# What tiers 1, 2 and 3 get for a command of each kind; the words stand behind ```sh in the texts.
WANTED = {
    "": ["allow", "allow", "allow"],
    "restart": ["deny", "allow", "allow"],
    "redeployment": ["deny", "ask", "allow"],
    "change": ["deny", "ask", "allow"],
    "unclear": ["deny", "ask", "ask"],
    "irreversible": ["deny", "deny", "ask"],
}
# The rows of the runbook's table, with a call that the row is about.
ROWS = {
    "only reads": ["curl -sS -m 10 http://web", "docker ps", "ssh web systemctl status app"],
    "restarts one service": ["docker restart web", "sudo systemctl restart web", "ssh web docker restart app"],
    "redeploys one service": ["helm upgrade web chart", "docker compose up -d web"],
    "changes something else": ["docker stop web", "curl -X POST http://web", "kill 5"],
    "writes a file": ["tee /tmp/x", "echo x > /tmp/x"],
    "installs packages": ["apt-get install -y jq", "pip install x"],
    "changes the host itself": ["reboot", "mount /dev/sda1 /mnt"],
    "can't be undone": ["docker volume rm data", "psql -c 'DROP TABLE x'"],
    "can't be understood": ['bash -c "$X"', "./repair.sh"],
    "shows credentials": ["printenv", "cat /etc/shadow", "kubectl get secret x -o yaml"],
}
VERDICTS = {"runs": "allow", "runs, counted": "allow", "a person decides": "ask", "refused": "deny"}


def judged(line: str, tier: int, *, by_settings: bool = False, dry_run: bool = False) -> Judgement:
    disallowed = command.tool_lists(Settings(), tier)[1] if by_settings else ()
    return judge_call(
        "Bash",
        {"command": line, "description": "Because the text says so"},
        tier=tier,
        dry_run=dry_run,
        disallowed=tuple(disallowed),
        mcp_reading=(),
        state_dir="/state",
    )


def name(example: Example) -> str:
    return f"{example.file}: {example.command}"


def test_there_are_examples_of_every_kind() -> None:
    assert {example.kind for example in EXAMPLES} == set(WANTED)
    assert len(EXAMPLES) > 100
    assert all(len(text.split("```")) % 2 == 1 for text in TEXTS.values())


@pytest.mark.parametrize("example", EXAMPLES, ids=name)
def test_an_example_gets_the_verdict_that_its_text_says(example: Example) -> None:
    verdicts = [judged(example.command, tier) for tier in (1, 2, 3)]
    assert [verdict.decision for verdict in verdicts] == WANTED[example.kind], verdicts[2].reason


@pytest.mark.parametrize("example", EXAMPLES, ids=name)
def test_what_the_settings_refuse_beyond_that_is_told_in_its_text(example: Example) -> None:
    """Checks are for tier 1, so the settings' defaults may refuse nothing in them."""
    refused = [
        verdict
        for tier in (1, 2, 3)
        if (verdict := judged(example.command, tier, by_settings=True)).decision != WANTED[example.kind][tier - 1]
    ]
    for verdict in refused:
        assert verdict.rule.startswith("disallowed: ")
        assert not example.file.startswith("checks/"), verdict.reason
        program = re.sub(r".*Bash\((.*?):\*\).*", r"\1", verdict.rule)
        assert f"`{program}`" in TEXTS[example.file], verdict.reason


@pytest.mark.parametrize("example", [e for e in EXAMPLES if e.kind in ("restart", "redeployment")], ids=name)
def test_what_is_called_counted_can_be_counted_for_one_service(example: Example) -> None:
    found = judged(example.command, 3).found
    assert [item.kind for item in found] == [Kind(example.kind)]
    assert cooldowns.uncountable(found) is None
    assert len(cooldowns.counted(found)) == 1


@pytest.mark.parametrize("example", EXAMPLES, ids=name)
def test_in_a_dry_run_only_what_reads_runs(example: Example) -> None:
    assert (judged(example.command, 3, dry_run=True).decision == "allow") is (example.kind == "")


def table() -> dict[str, list[str]]:
    """The runbook's table: verdicts at tier 1, 2 and 3 by what a call does."""
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", TEXTS["agent.md"], re.MULTILINE)
    return {what: [VERDICTS[cell] for cell in cells] for what, *cells in rows if cells[0] in VERDICTS}


def test_the_runbooks_table_is_the_policy() -> None:
    told = table()
    assert set(told) == set(ROWS)
    for what, lines in ROWS.items():
        for line in lines:
            assert [judged(line, tier).decision for tier in (1, 2, 3)] == told[what], line


def test_what_the_prompt_of_tier_1_proposes_is_allowed_to_it() -> None:
    proposed = {
        "curl -sS -m 10": "http://web",
        "dig": "web",
        "systemctl status": "web",
        "docker ps": "-a",
        "kubectl get": "pods",
    }
    (line,) = [line for line in TEXTS["tier1-observe.md"].splitlines() if line.startswith("- Use `curl")]
    assert set(re.findall(r"`([^`]+)`", line)) == set(proposed)
    for start, rest in proposed.items():
        assert judged(f"{start} {rest}", 1, by_settings=True).decision == "allow"


@pytest.mark.parametrize("tool", ["Read", "Grep"])
@pytest.mark.parametrize("root", ["/app", "/state/work"])
def test_every_shipped_file_can_be_read_where_sessions_find_it(root: str, tool: str) -> None:
    for place, _ in shipped.files():
        path = f"{root}/{place}"
        given = {"file_path": path} if tool == "Read" else {"path": path, "pattern": "x"}
        verdict = judge_call(
            tool, given, tier=1, dry_run=True, disallowed=(), mcp_reading=(), state_dir="/state", cwd=root
        )
        assert verdict.decision == "allow", verdict.reason


def test_the_files_of_the_daemon_that_are_named_for_reading_or_writing_are_open() -> None:
    for file, tool, decision in (("cooldown.json", "Read", "allow"), ("handoff.json", "Write", "allow")):
        assert file in TEXTS["agent.md"]
        verdict = judge_call(
            tool,
            {"file_path": f"/state/{file}", "content": "{}"},
            tier=1,
            dry_run=False,
            disallowed=(),
            mcp_reading=(),
            state_dir="/state",
        )
        assert verdict.decision == decision, verdict.reason
