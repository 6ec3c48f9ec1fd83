"""What people are told where the database or its disk refuses."""

import errno

import pytest

from daemon import trouble
from ipc.errors import CallError, Code
from schema.database import ConstraintError, CorruptError, DatabaseError, DiskFullError, LockedError

FULL = OSError(errno.ENOSPC, "No space left on device", "/state/mcp.json")


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (DiskFullError("the disk is full; free some space"), Code.DISK_FULL, "the disk is full; free some space"),
        (LockedError("another process has it"), Code.UNAVAILABLE, "another process has it"),
        (CorruptError("it is damaged; restore a backup"), Code.UNAVAILABLE, "it is damaged; restore a backup"),
        (
            DatabaseError("IOError: disk I/O error"),
            Code.UNAVAILABLE,
            "the database can't be used: IOError: disk I/O error; `claudeopsctl doctor` says more",
        ),
        (FULL, Code.DISK_FULL, "/state/mcp.json: the disk is full; free some space"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), Code.DISK_FULL, "the disk is full; free some space"),
    ],
)
def test_trouble_is_told_by_a_code_and_what_to_do(error: Exception, code: Code, sentence: str) -> None:
    with pytest.raises(CallError) as told, trouble.told():
        raise error
    assert (told.value.code, told.value.message) == (code, sentence)
    assert told.value.__cause__ is error


@pytest.mark.parametrize(
    "error",
    [
        ConstraintError("UNIQUE constraint failed"),
        PermissionError(errno.EACCES, "Permission denied"),
        KeyError("x"),
        CallError(Code.BUSY, "tier 1 is busy"),
    ],
)
def test_a_fault_of_ours_stays_one(error: Exception) -> None:
    with pytest.raises(type(error)) as raised, trouble.told():
        raise error
    assert raised.value is error


def test_words_around_it_name_a_file_once() -> None:
    told = trouble.refusal(FULL, "can't write /state/mcp.json: ", "; no session can start")
    assert told.message == "can't write /state/mcp.json: the disk is full; free some space; no session can start"
    refused = trouble.refusal(PermissionError(errno.EACCES, "Permission denied", "/results"), "no log: ")
    assert (refused.code, refused.message) == (Code.UNAVAILABLE, "no log: /results: Permission denied")
