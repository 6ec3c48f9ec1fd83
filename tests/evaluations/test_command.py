"""The command: what it refuses, that the live half goes the same way as the scripted one, the table that it writes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.harness import ROOT
from tests.acceptance.real import messages_api
from tests.evaluations import scenario, script, table
from tests.evaluations.scores import Score
from tests.fakes.messages_api import KEY


def evaluations(home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.evaluations", *arguments],
        env={"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", **environment},
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_live_without_a_key_is_one_clear_line(tmp_path: Path) -> None:
    found = evaluations(tmp_path, "--live", "no-fault")
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == "evaluations: --live asks a real model: set ANTHROPIC_API_KEY (it costs money)\n"


def test_an_unknown_scenario_is_refused_before_anything_runs(tmp_path: Path) -> None:
    found = evaluations(tmp_path, "nothing")
    assert found.returncode == 2
    assert found.stderr.startswith("evaluations: there is no scenario nothing")


def test_live_stops_before_a_run_that_might_cost_too_much(tmp_path: Path) -> None:
    found = evaluations(tmp_path, "--live", "no-fault", "--dollars", "0.1", ANTHROPIC_API_KEY=KEY)
    assert found.returncode == 3
    assert "no-fault: not run, of $0.1 too little is left" in found.stderr


def test_a_key_that_the_api_does_not_take_is_told_before_anything_runs(tmp_path: Path) -> None:
    with messages_api() as (url, api):
        found = evaluations(tmp_path, "--live", ANTHROPIC_API_KEY="sk-ant-with-a-slip", ANTHROPIC_BASE_URL=url)
        assert api.turns == []
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == f"evaluations: {url} does not take this ANTHROPIC_API_KEY (HTTP 401); nothing was run\n"
    # Nor where there is nobody.
    found = evaluations(tmp_path, "--live", ANTHROPIC_API_KEY=KEY, ANTHROPIC_BASE_URL=url)
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr.startswith(f"evaluations: {url} can't be reached: ")


def test_live_asks_the_api_of_the_caller_with_the_key_of_the_caller_and_our_prompts(tmp_path: Path) -> None:
    # What a script says is filled in by the run; this one needs no address of the world.
    turns = script.by_mark(
        scenario.script("no-fault"), {"web_url": "http://127.0.0.1:1/", "db_url": "http://127.0.0.1:1/"}
    )
    with messages_api(turns) as (url, api):
        found = evaluations(tmp_path, "--live", "no-fault", ANTHROPIC_API_KEY=KEY, ANTHROPIC_BASE_URL=url)
    assert found.returncode == 0, found.stdout + found.stderr
    assert found.stderr == "no-fault: full marks\n"
    assert "claude-haiku" in found.stdout
    assert api.turns
    assert all(request.keyed for request in api.turns)
    (prompt, *_), told = api.turns[0].body["messages"], str(api.turns[0].body)
    assert script.MARKS[1] in str(prompt)
    assert "CLAUDEOPS_REPOS_DIR=" in told


SCORE = Score("web-down", "m", "p1", True, 0, 0, 0, 2, "completed", 7, 4000, 0.25, 12.0, (), ())


def test_repeats_make_one_row_and_another_model_another() -> None:
    again = SCORE._replace(faults=("the probe fails still",), healthy=False, calls=9, tier=3)
    found = table.rows([SCORE, again, SCORE._replace(model="n")])
    assert [row[:6] for row in found] == [
        ("web-down", "m", "p1", "2", "1/2", "2/2"),
        ("web-down", "n", "p1", "1", "1/1", "1/1"),
    ]
    assert found[0][10:12] == ("2–3", "8")
    assert table.parse(table.markdown(found)) == found


def test_a_written_row_replaces_the_one_about_the_same_and_no_other(tmp_path: Path) -> None:
    document = tmp_path / "evaluations.md"
    document.write_text("before\n<!-- live -->\n<!-- end of live -->\nafter\n")
    table.write(table.rows([SCORE, SCORE._replace(model="n")]), "live", document)
    table.write(table.rows([SCORE._replace(calls=1)]), "live", document)
    text = document.read_text()
    assert text.startswith("before\n<!-- live -->\n| Scenario |")
    assert text.endswith("<!-- end of live -->\nafter\n")
    assert [(row[1], row[11]) for row in table.parse(text)] == [("m", "1"), ("n", "7")]
    document.write_text("<!-- scripted -->\n<!-- end of scripted -->\n")
    for prompts in ("p1", "p2"):
        table.write(table.rows([SCORE._replace(prompts=prompts)]), "scripted", document)
    assert [row[2] for row in table.parse(document.read_text())] == ["p2"]
    with pytest.raises(ValueError, match="has no part between"):
        table.write([], "live", document)


def test_the_document_shows_every_scripted_scenario() -> None:
    part = table.DOCUMENT.read_text().split("<!-- scripted -->")[1].split("<!-- end of scripted -->")[0]
    assert [row[0] for row in table.parse(part)] == scenario.names()
