"""The MCP file of a session: whole, private, and made whatever repositories hold."""

import json
import os
import stat
import threading
from pathlib import Path

import pytest

from daemon.repositories import mcp
from daemon.repositories.servers import FILE_MAX
from ipc.errors import CallError
from tests.integration.repositories.place import Place

X, Y = {"command": "x"}, {"command": "y"}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path).make()


def written(place: Place) -> dict[str, object]:
    path = mcp.write(place.settings, mcp.read(place.settings))
    assert path == str(place.state / "mcp.json")
    found: dict[str, object] = json.loads(Path(path).read_bytes())["mcpServers"]
    return found


def test_without_any_file_there_are_no_servers(place: Place) -> None:
    assert written(place) == {}
    assert mcp.read(place.settings).problems == ()


def test_a_place_without_repositories_is_no_problem(place: Place) -> None:
    place.repos.rmdir()
    place.baseline(clock=X)
    assert written(place) == {"clock": X}
    assert mcp.read(place.settings).problems == ()


def test_the_baseline_is_read_anew_each_time_and_never_written(place: Place) -> None:
    place.baseline(clock=X)
    place.servers("infra", grafana=Y)
    before = place.config.read_bytes()
    assert written(place) == {"clock": X, "grafana": Y}
    assert place.config.read_bytes() == before
    assert os.listdir(place.config.parent) == ["mcp.json"]
    place.baseline(clock=Y)
    (place.repos / "infra/.claude-ops/mcp.json").unlink()
    assert written(place) == {"clock": Y}


def test_the_baseline_that_the_go_program_saved_wins_over_its_last_merge(place: Place) -> None:
    place.baseline(clock=X)
    os.rename(place.config, f"{place.config}.baseline")
    place.baseline(clock=X, left_over_from_a_repository=Y)
    assert written(place) == {"clock": X}


def test_one_bad_repository_is_told_and_the_others_count(place: Place) -> None:
    place.baseline(clock=X)
    place.servers("a-good", one=X)
    place.write("b-broken/.claude-ops/mcp.json", '{"mcpServers": {"two": ')
    place.servers("c-half", three=X, bad={"command": 5})
    (place.write("d-folder/.claude-ops/mcp.json/x")).unlink()
    place.servers("e-good", five=Y, one=Y)
    (place.repos / "f-circle/.claude-ops").mkdir(parents=True)
    (place.repos / "f-circle/.claude-ops/mcp.json").symlink_to("mcp.json")
    assert written(place) == {"clock": X, "five": Y, "one": Y}
    told = mcp.read(place.settings).problems
    assert [problem.split(":")[0] for problem in told] == [
        "b-broken/.claude-ops/mcp.json",
        "c-half/.claude-ops/mcp.json",
        "d-folder/.claude-ops/mcp.json",
        "f-circle/.claude-ops/mcp.json",
    ]
    assert "server bad, field command" in told[1]


@pytest.mark.parametrize("text", ["", "{", '{"mcpServers": 5}', '{"mcpServers": {"a": {}}}'])
def test_a_bad_baseline_is_told_and_repositories_count(place: Place, text: str) -> None:
    place.config.write_text(text)
    place.servers("infra", grafana=Y)
    assert written(place) == {"grafana": Y}
    (problem,) = mcp.read(place.settings).problems
    assert problem.startswith(f"CLAUDEOPS_MCP_CONFIG: {place.config}")


def test_a_baseline_that_is_a_pipe_or_a_folder_is_told_and_not_waited_for(place: Place) -> None:
    os.mkfifo(place.config)
    assert written(place) == {}
    assert "is not a regular file" in mcp.read(place.settings).problems[0]


def test_a_file_that_is_far_too_long_is_told(place: Place) -> None:
    place.config.write_bytes(b" " * (FILE_MAX + 1))
    place.servers("infra", grafana=Y)
    assert written(place) == {"grafana": Y}
    assert f"has more than {FILE_MAX} bytes" in mcp.read(place.settings).problems[0]


def test_the_operators_file_may_be_a_link(place: Place) -> None:
    """As a mounted secret or ConfigMap is one."""
    (place.root / "real.json").write_text(json.dumps({"mcpServers": {"clock": X}}))
    place.config.symlink_to(place.root / "real.json")
    assert written(place) == {"clock": X}


def test_the_file_is_for_the_daemons_user_alone_and_replaced_whole(place: Place) -> None:
    place.baseline(clock={"command": "x", "env": {"TOKEN": "made-up"}})
    path = Path(mcp.write(place.settings, mcp.read(place.settings)))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    first = path.stat().st_ino
    mcp.write(place.settings, mcp.read(place.settings))
    assert path.stat().st_ino == first  # the same servers: nothing is written
    os.chmod(path, 0o644)
    mcp.write(place.settings, mcp.read(place.settings))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(place.state) == ["mcp.json"]


def test_a_link_in_its_place_is_replaced_and_not_followed(place: Place) -> None:
    victim = place.root / "victim"
    place.baseline(clock=X)
    path = Path(mcp.write(place.settings, mcp.read(place.settings)))
    for text in ("mine", path.read_text()):
        victim.write_text(text)
        victim.chmod(0o600)
        path.unlink()
        path.symlink_to(victim)
        assert written(place) == {"clock": X}
        assert not path.is_symlink()
        assert victim.read_text() == text


def test_whoever_reads_while_it_is_written_reads_a_whole_file(place: Place) -> None:
    ended = threading.Event()
    torn: list[bytes] = []
    path = Path(mcp.write(place.settings, mcp.read(place.settings)))

    def reader() -> None:
        while not ended.is_set():
            data = path.read_bytes()
            try:
                json.loads(data)
            except ValueError:
                torn.append(data)

    thread = threading.Thread(target=reader)
    thread.start()
    for number in range(300):
        place.baseline(**{f"s{n}": {"command": "x" * 500} for n in range(number % 40)})
        mcp.write(place.settings, mcp.read(place.settings))
    ended.set()
    thread.join()
    assert torn == []
    assert os.listdir(place.state) == ["mcp.json"]


def test_a_state_directory_that_can_not_be_written_is_told(place: Place) -> None:
    with pytest.raises(CallError, match=r"can't write .*mcp\.json: .*no session can start"):
        mcp.write(place.settings._replace(state_dir=str(place.root / "nowhere")), mcp.read(place.settings))


def test_a_thousand_repositories_are_merged_at_once(place: Place) -> None:
    for number in range(1000):
        place.servers(f"r{number:04}", **{f"s{number % 150}": {"command": f"c{number}"}})
    found = written(place)
    assert len(found) == 150
    assert found["s0"] == {"command": "c900"}
