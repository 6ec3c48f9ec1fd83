"""The stand-in for docker: what it asks the demo's engine for, and what it does not know."""

import pytest

from daemon.demo.docker import asked, main


@pytest.mark.parametrize(
    ("line", "method", "path"),
    [
        ("ps", "GET", "/containers"),
        ("ps -a", "GET", "/containers"),
        ("logs payments", "GET", "/containers/payments/logs"),
        ("logs --tail 3 payments", "GET", "/containers/payments/logs?tail=3"),
        ("restart payments", "POST", "/containers/payments/restart"),
        ("compose up -d payments", "POST", "/containers/payments/up"),
        ("restart ../x?y", "POST", "/containers/..%2Fx%3Fy/restart"),
    ],
)
def test_what_it_knows(line: str, method: str, path: str) -> None:
    assert asked(line.split()) == (method, path)


@pytest.mark.parametrize(
    "line",
    ["", "rm payments", "run x", "restart", "restart a b", "restart -t 5", "compose up payments", "compose down",
     "-H tcp://box restart payments", "logs --tail many payments", "logs --tail 0 payments", "system prune -f"],
)  # fmt: skip
def test_anything_else_is_refused_by_name(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked(line.split()) is None
    assert main("http://[::1]:1", line.split()) == 1
    assert "the demo's stand-in" in capsys.readouterr().err
