"""Panels of repositories: read by their names, and nothing outside of the repository by any name."""

import os
from pathlib import Path
from typing import Any

import pytest

from daemon.repositories import panels, scan
from ipc.errors import CallError, Code
from tests.integration.repositories.place import Place

FOLDER = ".claude-ops/dashboard"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path).make()
    made.write(f"shop/{FOLDER}/disk.html", "<p>91 %</p>")
    made.write(f"shop/{FOLDER}/note.txt")
    made.write(f"shop/{FOLDER}/.hidden.html")
    made.write("shop/secret.html", "not a panel")
    made.write(f"other/{FOLDER}/theirs.html", "theirs")
    (tmp_path / "outside.html").write_text("outside")
    return made


def refused(place: Place, repository: str, name: str) -> CallError:
    with pytest.raises(CallError) as error:
        panels.read(str(place.repos), repository, name)
    return error.value


def test_a_panel_is_read_with_the_time_of_its_file(place: Place) -> None:
    os.utime(place.repos / f"shop/{FOLDER}/disk.html", (1_800_000_000, 1_800_000_000))
    found = panels.read(str(place.repos), "shop", "disk.html")
    assert found == ("<p>91 %</p>", "2027-01-15T08:00:00.000Z")


@pytest.mark.parametrize(
    "name",
    ["../../secret.html", "../../../../outside.html", "note.txt", ".hidden.html", "gone.html", "", "disk.html\0",
     "/etc/x.html"],
)  # fmt: skip
def test_no_name_leads_elsewhere(place: Place, name: str) -> None:
    assert refused(place, "shop", name).code is Code.NOT_FOUND


@pytest.mark.parametrize("repository", ["..", ".", "", "shop/../other", "gone", "shop/"])
def test_no_repository_is_a_path(place: Place, repository: str) -> None:
    error = refused(place, repository, "theirs.html")
    assert (error.code, "There is no repository" in error.message) == (Code.NOT_FOUND, True)


def test_a_link_out_of_the_repository_a_pipe_and_a_huge_file_are_refused(place: Place) -> None:
    folder = place.repos / f"shop/{FOLDER}"
    (folder / "link.html").symlink_to(place.root / "outside.html")
    (folder / "theirs.html").symlink_to(place.repos / f"other/{FOLDER}/theirs.html")
    (folder / "nothing.html").symlink_to("nowhere")
    os.mkfifo(folder / "pipe.html")
    (folder / "huge.html").write_bytes(b"x" * (scan.DOCUMENT_MAX + 1))
    said = {
        "link.html": "leads out of its repository",
        "theirs.html": "leads out of its repository",
        "nothing.html": "is a link to nothing",
        "pipe.html": "is not a regular file",
        "huge.html": f"has more than {scan.DOCUMENT_MAX} bytes",
    }
    for name, reason in said.items():
        error = refused(place, "shop", name)
        assert (error.code, reason in error.message) == (Code.INVALID, True), name
    listed = scan.repository(place.repos / "shop")
    assert listed.panels == ("disk.html",)


def test_a_folder_that_is_a_link_out_of_the_repository_has_no_panels(place: Place) -> None:
    (place.repos / "third/.claude-ops").mkdir(parents=True)
    (place.repos / "third" / FOLDER).symlink_to(place.repos / "other" / FOLDER)
    assert refused(place, "third", "theirs.html").code is Code.NOT_FOUND


def test_a_name_that_can_not_be_printed_is_found_by_what_is_shown_of_it(place: Place) -> None:
    raw: Any = os.fsencode(str(place.repos / f"shop/{FOLDER}")) + b"/caf\xe9.html"
    Path(os.fsdecode(raw)).write_bytes(b"caf\xe9")
    assert panels.read(str(place.repos), "shop", "caf\ufffd.html").html == "caf\ufffd"
