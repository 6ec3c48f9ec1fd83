"""The shipped files reach the sessions' working directory, and what people put there stays."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from daemon.repositories import shipped
from daemon.repositories.shipped import RECORD, Filled, fill
from schema.settings import Settings

ROOT = Path(__file__).parents[3]


def tree(directory: Path) -> dict[str, bytes]:
    """Every file below a directory."""
    return {
        str(path.relative_to(directory)): path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()
    }


def test_a_new_directory_gets_all_of_it_and_a_second_start_writes_nothing(tmp_path: Path) -> None:
    work = tmp_path / "state" / "work"
    first = fill(work)
    assert set(first.written) == set(tree(work)) - {RECORD}
    assert {place: data for place, data in tree(work).items() if place != RECORD} == {
        place: source.read_bytes() for place, source in shipped.files()
    }
    assert (work / "CLAUDE.md").read_bytes() == shipped.shipped("agent.md").read_bytes()
    before = {path: path.stat().st_ino for path in work.rglob("*")}
    assert fill(work) == Filled()
    assert {path: path.stat().st_ino for path in work.rglob("*")} == before


def test_an_older_version_is_brought_up_and_what_is_no_longer_shipped_goes(tmp_path: Path) -> None:
    fill(tmp_path)
    record = json.loads((tmp_path / RECORD).read_bytes())
    (tmp_path / "checks/http.md").write_text("an older one")
    (tmp_path / "checks/gopher.md").write_text("no longer shipped")
    for place in ("checks/http.md", "checks/gopher.md"):
        record[place] = shipped._hash((tmp_path / place).read_bytes())
    (tmp_path / RECORD).write_text(json.dumps(record))
    assert fill(tmp_path) == Filled(written=("checks/http.md",), removed=("checks/gopher.md",))
    assert (tmp_path / "checks/http.md").read_bytes() == shipped.shipped("checks/http.md").read_bytes()
    assert not (tmp_path / "checks/gopher.md").exists()
    assert fill(tmp_path) == Filled()


def test_what_people_put_there_or_changed_stays_and_is_told(tmp_path: Path) -> None:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts/tier1-observe.md").write_text("mine, from the beginning")
    fill(tmp_path)
    (tmp_path / "CLAUDE.md").write_text("mine, changed")
    (tmp_path / "checks/own.md").write_text("mine")
    (tmp_path / "checks/dns.md").unlink()
    (tmp_path / "checks/dns.md").symlink_to("own.md")
    told = fill(tmp_path)
    assert told == Filled(kept=("prompts/tier1-observe.md", "CLAUDE.md", "checks/dns.md"))
    assert (tmp_path / "prompts/tier1-observe.md").read_text() == "mine, from the beginning"
    assert (tmp_path / "CLAUDE.md").read_text() == "mine, changed"
    assert (tmp_path / "checks/own.md").read_text() == "mine"
    assert (tmp_path / "checks/dns.md").is_symlink()


def test_a_deleted_file_comes_back(tmp_path: Path) -> None:
    fill(tmp_path)
    (tmp_path / "skills/events.md").unlink()
    assert fill(tmp_path).written == ("skills/events.md",)


def test_a_persons_link_is_not_written_through(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    work = tmp_path / "work"
    work.mkdir()
    (work / "checks").symlink_to(theirs)
    (work / "playbooks").write_text("a file where a directory belongs")
    told = fill(work)
    assert os.listdir(theirs) == []
    assert {place.split("/")[0] for place in told.kept} == {"checks", "playbooks"}
    assert (work / "skills/events.md").exists()


@pytest.mark.parametrize("record", ["", "[]", '{"../outside.md": HASH, "a/../../outside.md": HASH, "OUTSIDE": HASH}'])
def test_a_damaged_record_harms_nothing(tmp_path: Path, record: str) -> None:
    outside = tmp_path / "outside.md"
    outside.write_text("x")
    record = record.replace("HASH", f'"{shipped._hash(b"x")}"').replace("OUTSIDE", str(outside))
    work = tmp_path / "work"
    fill(work)
    (work / "CLAUDE.md").write_text("mine")
    (work / RECORD).write_text(record)
    assert fill(work).kept == ("CLAUDE.md",)
    assert outside.exists()


def test_the_defaults_of_the_settings_are_places_of_the_layout() -> None:
    places = {f"/app/{place}" for place, _ in shipped.files()}
    settings = Settings()
    assert {settings.prompt, settings.tier2_prompt, settings.tier3_prompt, settings.schema_path} <= places


def test_the_wheel_has_every_shipped_file(tmp_path: Path) -> None:
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8"},
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    prompts = ROOT / "daemon" / "prompts"
    wanted = {str(path.relative_to(ROOT)) for path in prompts.rglob("*") if path.suffix in (".md", ".json")}
    assert wanted <= names
    assert len(wanted) > 20
