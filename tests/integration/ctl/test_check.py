"""`claudeopsctl check-command`: the verdict is the exit code, and nothing else is taken for one."""

import json

import pytest

from tests.integration.ctl.stage import Stage

USAGE, NO_VERDICT, UNREACHABLE = 64, 70, 5


@pytest.mark.parametrize(
    ("line", "decision", "code"),
    [("docker ps", "allow", 0), ("docker rm web", "deny", 1), ("docker restart web", "ask", 2)],
)
def test_the_verdict_is_the_exit_code(served: Stage, line: str, decision: str, code: int) -> None:
    told = served.json("check-command", "--tier", "2", line, code=code)
    assert told.keys() == {"decision", "reason", "rule", "found"}
    assert (told["decision"], told["rule"]) == (decision, "docker.restart")
    assert told["found"][0].keys() == {"kind", "text", "target", "host", "through", "reason"}
    plain = served.ctl("check-command", "--tier", "2", "--", line)
    assert plain.returncode == code
    assert plain.stdout.startswith(f"{decision}: it restarts web (rule docker.restart)\n\nDOES ")
    assert "sudo, ssh" in plain.stdout
    assert "\x1b" not in plain.stdout


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("docker ps | grep 'a b'",), "docker ps | grep 'a b'"),
        (("docker", "ps"), "docker ps"),
        (("bash", "-c", "reboot; ls"), "bash -c 'reboot; ls'"),
        (("echo", "$(reboot)", "--json"), "echo '$(reboot)' --json"),
        (("kubectl", "exec", "web", "--", "rm", "x"), "kubectl exec web -- rm x"),
    ],
)
def test_one_argument_is_a_line_and_several_are_its_words(served: Stage, words: tuple[str, ...], line: str) -> None:
    served.ctl("check-command", "--tier", "3", "--", *words)
    assert json.loads((served.runtime / "judged").read_text()) == [3, line]


@pytest.mark.parametrize(
    "words", [(), ("--tier", "2"), ("--tier", "2", "--", " "), ("--tier", "9", "--", "ls"), ("-x",)]
)
def test_wrong_usage_is_no_verdict(served: Stage, words: tuple[str, ...]) -> None:
    told = served.ctl("check-command", *words)
    assert (told.returncode, told.stdout) == (USAGE, "")
    assert told.stderr
    assert not (served.runtime / "judged").exists()


@pytest.mark.parametrize("line", ["refuse", "docker x"])
def test_what_is_not_judged_is_no_verdict(served: Stage, line: str) -> None:
    told = served.json("check-command", "--tier", "2", line, code=NO_VERDICT)
    assert told.keys() == {"error"}


def test_without_a_daemon_there_is_no_verdict(stage: Stage) -> None:
    told = stage.json("check-command", "--tier", "2", "docker ps", code=UNREACHABLE)
    assert told["error"]["code"] == "not_running"
