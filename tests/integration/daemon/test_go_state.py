"""What the Go program keeps in files is taken into the database once, and a file that can't be read stops nothing."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from daemon import go_state, state
from schema.database import Database
from tests.fixtures import go_state as written

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    written.write(tmp_path / "state", tmp_path / "results", now=NOW)
    return tmp_path / "state", tmp_path / "results"


def opened(places: tuple[Path, Path]) -> tuple[Database, list[str]]:
    told: list[str] = []
    return state.open_database(places[0] / state.NAME, places[1], told.append), told


def actions(database: Database) -> list[dict[str, Any]]:
    return [
        row for row in database.rows("cooldowns.newest", limit=100) if row["service"] in ("jellyfin", "grafana", "x")
    ]


def test_an_action_of_the_file_is_added_once_and_not_beside_the_row_that_tells_of_it(
    places: tuple[Path, Path],
) -> None:
    database = Database(places[0] / state.NAME, readonly=False)
    first = go_state.take_along(database, *places)
    again = go_state.take_along(database, *places)
    database.close()
    assert first == [
        "2 actions of cooldown.json were not in the database and are taken along",
        "1 sessions that never ended have got their logs",
    ]
    assert again == []
    database, told = opened(places)
    found = {(row["service"], row["action_type"], row["timestamp"]) for row in actions(database)}
    database.close()
    assert found == {
        ("jellyfin", "restart", "2026-03-01T09:00:00.123Z"),
        ("jellyfin", "restart", "2026-03-01T11:01:00.000Z"),
        ("grafana", "redeployment", "2026-03-01T09:00:00.123Z"),
    }
    assert any("a copy of its cooldown.json lies at" in line for line in told)


@pytest.mark.parametrize("text", ["", "not JSON", "[]", '{"services": []}', "\xff"])
def test_a_file_that_is_none_is_told_copied_and_left_out(places: tuple[Path, Path], text: str) -> None:
    (places[0] / "cooldown.json").write_text(text, encoding="latin-1")
    database, told = opened(places)
    assert len(actions(database)) == 1
    database.close()
    assert any("cooldown.json can't be read and is not taken along" in line for line in told)
    (copy,) = places[0].glob("cooldown-go-*.json")
    assert copy.read_text(encoding="latin-1") == text


def test_what_a_model_wrote_wrongly_costs_only_itself(places: tuple[Path, Path]) -> None:
    good = {"timestamp": written.rfc(NOW - timedelta(hours=2))}
    wild = {"x": {"restarts": [good, {"timestamp": "yesterday"}, 7, {}], "redeployments": "none"}, "y": [], "z": {}}
    (places[0] / "cooldown.json").write_text(json.dumps({"services": wild}))
    database, told = opened(places)
    assert [row["success"] for row in actions(database) if row["service"] == "x"] == [1]
    database.close()
    assert "cooldown.json: what it says of y can't be read" in told
    assert told.count("cooldown.json: an entry among the restarts of x can't be read and is left out") == 3


def test_a_log_is_given_to_the_session_that_was_cut_off_and_to_no_other(places: tuple[Path, Path]) -> None:
    started = NOW.replace(microsecond=123000) - timedelta(minutes=90)
    name = f"run-{started.astimezone():%Y%m%d-%H%M%S}.log"
    database = Database(places[0] / state.NAME, readonly=False)
    database.script(f"INSERT INTO sessions (id, tier, model, prompt_file, status, started_at, log_file)"
                    f" VALUES (21, 1, 'haiku', 'p', 'completed', 't', '/results/{name}')")  # fmt: skip
    assert go_state.take_along(database, *places) == [
        "2 actions of cooldown.json were not in the database and are taken along"
    ]
    database.close()


def test_a_directory_without_files_of_the_go_program_is_carried_forward_too(places: tuple[Path, Path]) -> None:
    (places[0] / "cooldown.json").unlink()
    for log in places[1].iterdir():
        log.unlink()
    database, told = opened(places)
    database.close()
    assert "database: carried forward from the Go program" in told
    assert not list(places[0].glob("cooldown-go-*"))
