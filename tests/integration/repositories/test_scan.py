"""What mounted repositories contribute, from a real disk; nothing in one of them is fatal."""

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.repositories import scan
from daemon.repositories.scan import DOCUMENT_MAX, DOCUMENTS_MAX
from ipc import codec
from ipc.messages.repositories import RepositoriesReply, Repository
from tests.integration.repositories.place import Place, as_nobody


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path).make()


@pytest.fixture
def open_place() -> Iterator[Place]:
    """A place that any user may look at, which pytest's own directories are not."""
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        yield Place(Path(directory)).make()


def look(place: Place, name: str = "infra") -> Repository:
    return scan.repository(place.repos / name)


def test_a_repository_contributes_what_lies_in_its_places(place: Place) -> None:
    place.write("infra/CLAUDE-OPS.md")
    for name in ("checks/b.md", "checks/a.md", "playbooks/p.md", "skills/s.md", "dashboard/load.html"):
        place.write(f"infra/.claude-ops/{name}")
    for name in ("checks/notes.txt", "checks/.hidden.md", "dashboard/x.md", "other/x.md"):
        place.write(f"infra/.claude-ops/{name}")
    place.servers("infra", grafana={"command": "x"}, clock={"command": "y"})
    assert look(place) == Repository(
        name="infra",
        path=str(place.repos / "infra"),
        runbook=True,
        checks=("a.md", "b.md"),
        playbooks=("p.md",),
        skills=("s.md",),
        panels=("load.html",),
        servers=("clock", "grafana"),
    )


def test_an_empty_repository_is_no_problem(place: Place) -> None:
    (place.repos / "infra").mkdir()
    assert look(place) == Repository(name="infra", path=str(place.repos / "infra"))


def test_repositories_are_directories_and_links_to_such_in_alphabetical_order(place: Place) -> None:
    for name in ("b", "a", ".git"):
        (place.repos / name).mkdir()
    place.write("README.md")
    elsewhere = place.root / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "CLAUDE-OPS.md").write_text("x")
    (place.repos / "c").symlink_to(elsewhere)
    mounted = scan.mounted(str(place.repos))
    assert [path.name for path in mounted.places] == ["a", "b", "c"]
    assert look(place, "c").runbook
    assert look(place, "c").problem is None


def test_a_directory_of_repositories_that_is_missing_is_told(place: Place) -> None:
    mounted = scan.mounted(str(place.root / "nowhere"))
    assert mounted.places == ()
    assert mounted.problem is not None
    assert mounted.problem.startswith("CLAUDEOPS_REPOS_DIR: ")
    assert "No such file" in mounted.problem


@pytest.mark.parametrize(
    "name", ["CLAUDE-OPS.md", ".claude-ops/checks/x.md", ".claude-ops/checks", ".claude-ops", ".claude-ops/mcp.json"]
)
def test_a_link_out_of_the_repository_is_left_out_and_told(place: Place, name: str) -> None:
    """Whatever level the link is at, nothing of what it leads to is shown."""
    outside = place.root / "outside"
    for path in ("checks/x.md", "x.md"):
        (outside / path).parent.mkdir(exist_ok=True, parents=True)
        (outside / path).write_text("secret")
    (outside / "mcp.json").write_text('{"mcpServers": {"evil": {"command": "x"}}}')
    link = place.repos / "infra" / name
    link.parent.mkdir(parents=True)
    is_directory = name in (".claude-ops", ".claude-ops/checks")
    within = {".claude-ops": ".", ".claude-ops/checks": "checks", ".claude-ops/mcp.json": "mcp.json"}
    link.symlink_to(outside / within.get(name, "x.md"), target_is_directory=is_directory)
    found = look(place)
    assert (found.runbook, found.checks, found.servers) == (False, (), ())
    assert found.problem is not None
    assert "leads out of its repository" in found.problem


def test_a_repository_whose_name_begins_alike_is_outside_too(place: Place) -> None:
    place.write("infra/.claude-ops/checks/own.md")
    (place.repos / "infra/.claude-ops/checks/other.md").symlink_to(place.write("infra-two/other.md"))
    assert look(place).checks == ("own.md",)
    assert "other.md leads out of its repository" in (look(place).problem or "")


def test_a_link_within_the_repository_is_followed(place: Place) -> None:
    place.write("infra/docs/http.md")
    place.write("infra/.claude-ops/checks/own.md")
    (place.repos / "infra/.claude-ops/checks/http.md").symlink_to("../../docs/http.md")
    assert look(place).checks == ("http.md", "own.md")
    assert look(place).problem is None


def test_links_in_a_circle_and_to_nothing_are_told(place: Place) -> None:
    place.write("infra/.claude-ops/checks/good.md")
    checks = place.repos / "infra/.claude-ops/checks"
    (checks / "circle.md").symlink_to("circle.md")
    (checks / "nothing.md").symlink_to("nowhere.md")
    (place.repos / "infra/.claude-ops/skills").symlink_to("skills")
    (place.repos / "round").symlink_to("round")
    found = look(place)
    assert found.checks == ("good.md",)
    assert found.problem is not None
    assert "circle.md can't be read: Too many levels of symbolic links" in found.problem
    assert "nothing.md is a link to nothing" in found.problem
    assert ".claude-ops/skills: " in found.problem
    (_, round_) = scan.mounted(str(place.repos)).places
    assert scan.repository(round_).problem is not None


def test_what_is_no_regular_file_or_huge_is_told_and_never_waited_for(place: Place) -> None:
    checks = place.write("infra/.claude-ops/checks/good.md").parent
    os.mkfifo(checks / "pipe.md")
    os.mkfifo(place.repos / "infra/.claude-ops/mcp.json")
    (checks / "folder.md").mkdir()
    (checks / "huge.md").write_bytes(b"")
    os.truncate(checks / "huge.md", DOCUMENT_MAX + 1)
    (place.repos / "infra/CLAUDE-OPS.md").mkdir()
    place.write("infra/.claude-ops/playbooks")
    begun = time.monotonic()
    found = look(place)
    assert time.monotonic() - begun < 5
    assert found.checks == ("good.md",)
    assert found.runbook is False
    for told in (
        "CLAUDE-OPS.md is not a regular file",
        "pipe.md is not a regular file",
        "folder.md is not a regular file",
        f"huge.md has {DOCUMENT_MAX + 1} bytes and may have {DOCUMENT_MAX}",
        ".claude-ops/playbooks: is not a directory",
        "infra/.claude-ops/mcp.json: is not a regular file",
    ):
        assert told in (found.problem or "")


def test_what_the_daemon_may_not_read_is_told(open_place: Place) -> None:
    place = open_place
    place.write("infra/CLAUDE-OPS.md").chmod(0)
    place.write("infra/.claude-ops/checks/closed.md").chmod(0)
    place.write("infra/.claude-ops/checks/open.md")
    place.servers("infra", x={"command": "x"}).chmod(0)
    place.write("infra/.claude-ops/skills/s.md").parent.chmod(0)
    (place.repos / "shut").mkdir(mode=0)
    try:
        told = as_nobody(lambda: look(place))
        shut = as_nobody(lambda: look(place, "shut"))
    finally:
        (place.repos / "infra/.claude-ops/skills").chmod(0o755)
        (place.repos / "shut").chmod(0o755)
    assert "checks=('open.md',)" in told
    assert "runbook=False" in told
    for name in ("CLAUDE-OPS.md can't", "closed.md can't", "mcp.json: can't", ".claude-ops/skills: can't"):
        assert f"{name} be read: Permission denied" in told
    assert "Permission denied" in shut


def test_names_that_are_no_text_can_be_sent(place: Place) -> None:
    odd = os.fsencode(place.repos) + b"/bad\xff\x1b[2Jname"
    os.makedirs(odd + b"/.claude-ops/checks")
    with open(odd + b"/.claude-ops/checks/\xfe.md", "wb"):
        pass
    (path,) = scan.mounted(str(place.repos)).places
    found = scan.repository(path)
    assert found.name == "bad\ufffd\ufffd[2Jname"
    assert found.checks == ("\ufffd.md",)
    assert codec.store(RepositoriesReply(repositories=[found]))


def test_a_crowded_folder_is_shown_in_part_and_the_rest_is_told(place: Place) -> None:
    for number in range(DOCUMENTS_MAX + 1):
        place.write(f"infra/.claude-ops/checks/{number:04}.md")
    found = look(place)
    assert len(found.checks) == DOCUMENTS_MAX
    assert f"has {DOCUMENTS_MAX + 1} files" in (found.problem or "")


def test_a_thousand_repositories_are_looked_through_at_once(place: Place) -> None:
    for number in range(1000):
        place.write(f"r{number:04}/CLAUDE-OPS.md")
        place.write(f"r{number:04}/.claude-ops/checks/http.md")
        place.servers(f"r{number:04}", **{f"s{number}": {"command": "x"}})
    begun = time.monotonic()
    found = [scan.repository(path) for path in scan.mounted(str(place.repos)).places]
    took = time.monotonic() - begun
    assert len(found) == 1000
    assert all(one.runbook and one.checks and one.servers and not one.problem for one in found)
    assert took < 10  # 0.3 s where it was measured
