"""`claudeopsctl sessions`: the contract for scripts, following a log over the worker's deaths, hostile output."""

import json
import os
import pty
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from tests.integration.ctl.stage import Stage, wait_for


def log_of(stage: Stage, id_: int = 7) -> Path:
    return stage.runtime / f"session-{id_}.log"


def end(stage: Stage, id_: int = 7, status: str = "completed") -> None:
    (stage.runtime / f"session-{id_}.status").write_text(status)


def line(number: int) -> bytes:
    return b'2026-01-31T08:05:00.000000001Z\t{"type":"x","number":%d}\n' % number


def test_a_session_has_the_fields_that_scripts_rely_on(served: Stage) -> None:
    told = served.json("sessions", "show", "7")
    wanted = (
        "id tier model status trigger started_at ended_at exit_code cost_usd num_turns duration_ms log_file response"
    )
    assert set(wanted.split()) <= told.keys()


def test_a_trigger_answers_at_once_with_the_id(served: Stage) -> None:
    assert served.json("sessions", "trigger", "--tier", "1", "--prompt", "look")["id"] == 42
    assert (served.runtime / "effects").read_text() == "look\n"


def test_a_busy_tier_is_exit_code_1_and_a_code_for_programs(served: Stage) -> None:
    (served.runtime / "busy").touch()
    told = served.json("sessions", "trigger", "--prompt", "look", code=1)
    assert told == {"error": {"code": "busy", "message": "tier 1 is busy with session 7; stop it first", "session": 7}}
    plain = served.ctl("sessions", "trigger", "--prompt", "look")
    assert (plain.returncode, plain.stdout) == (1, "")
    assert plain.stderr == "claudeopsctl: tier 1 is busy with session 7; stop it first\n"


def test_a_prompt_comes_from_a_file_or_from_standard_input(served: Stage) -> None:
    path = served.runtime / "prompt"
    path.write_text("from a file")
    served.ctl("sessions", "trigger", "--prompt-file", str(path))
    served.ctl("sessions", "trigger", "--prompt-file", "-", input="from input")
    assert (served.runtime / "effects").read_text() == "from a file\nfrom input\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--prompt-file", "/nowhere"), "can't read /nowhere: No such file"),
        (("--prompt-file", "/bin/true"), "not text in UTF-8"),
        (("--prompt", "  "), "the prompt is empty"),
        (("--prompt-file", "/dev/null"), "the prompt is empty"),
        (("--prompt", os.fsdecode(b"look at \xff")), "not text in UTF-8"),
    ],
)
def test_a_prompt_that_is_none_is_a_usage_error_and_starts_nothing(
    served: Stage, arguments: tuple[str, ...], words: str
) -> None:
    told = served.ctl("sessions", "trigger", *arguments)
    assert told.returncode == 2
    assert words in told.stderr
    assert served.calls("sessions.trigger") == []


def test_a_prompt_beyond_a_frame_is_refused_before_it_is_sent(served: Stage) -> None:
    path = served.runtime / "prompt"
    path.write_text("x" * 5_000_000)
    told = served.ctl("sessions", "trigger", "--prompt-file", str(path))
    assert told.returncode == 1
    assert "shorten the prompt" in told.stderr
    assert served.calls() == []


@pytest.mark.parametrize(("status", "code"), [("completed", 0), ("failed", 1), ("timed_out", 1), ("stopped", 1)])
def test_waiting_exits_0_only_if_the_session_completed(served: Stage, status: str, code: int) -> None:
    process = served.popen("sessions", "trigger", "--prompt", "look", "--wait", "--json")
    wait_for(lambda: served.calls("sessions.show"))
    end(served, 42, status)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == code
    assert json.loads(out)["status"] == status


def test_waiting_goes_on_over_the_workers_death(served: Stage) -> None:
    process = served.popen("sessions", "trigger", "--prompt", "look", "--wait", "--json")
    wait_for(lambda: served.calls("sessions.show"))
    served.kill_worker()
    time.sleep(0.3)
    end(served, 42)
    served.start_worker()
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert json.loads(out)["status"] == "completed"


def test_waiting_may_have_a_limit(served: Stage) -> None:
    told = served.json("sessions", "trigger", "--prompt", "look", "--wait", "--timeout", "0.2", code=1)
    assert told["error"]["code"] == "deadline"
    assert told["error"]["id"] == 42


def test_a_trigger_takes_effect_once_though_its_first_answer_is_lost(served: Stage) -> None:
    """The worker does what it is asked and dies before it answers; its successor answers from the stored reply."""
    (served.runtime / "die").touch()
    process = served.popen("sessions", "trigger", "--prompt", "look", "--json")
    assert served.worker is not None
    assert served.worker.wait(10) == 9
    served.kill_worker()
    served.start_worker()
    out, _ = process.communicate(timeout=20)
    assert json.loads(out)["id"] == 42
    assert (served.runtime / "effects").read_text() == "look\n"
    assert len(served.calls("sessions.trigger")) == 1, "the successor need not even ask its handler"


def test_a_trigger_that_was_not_begun_is_asked_again(served: Stage) -> None:
    (served.runtime / "hang").touch()
    process = served.popen("sessions", "trigger", "--prompt", "look", "--json")
    wait_for(lambda: served.calls("sessions.trigger"))
    served.kill_worker()
    (served.runtime / "hang").unlink()
    served.start_worker()
    out, _ = process.communicate(timeout=20)
    assert json.loads(out)["id"] == 42
    assert (served.runtime / "effects").read_text() == "look\n"
    assert len({call["id"] for call in served.calls("sessions.trigger")}) == 1, "under the same id"


def test_requests_wait_for_a_worker_that_is_not_there_yet(served: Stage) -> None:
    served.kill_worker()
    process = served.popen("sessions", "show", "7", "--json")
    time.sleep(0.7)
    assert process.poll() is None
    served.start_worker()
    out, _ = process.communicate(timeout=10)
    assert json.loads(out)["id"] == 7


def test_an_ended_daemon_is_told_at_once_while_waiting(served: Stage) -> None:
    served.kill_worker()
    process = served.popen("sessions", "show", "7")
    time.sleep(0.5)
    assert served.listening is not None
    served.listening.close()
    served.listening = None
    served.release_lock()
    _, told = process.communicate(timeout=10)
    assert process.returncode == 5
    assert b"is not running; start it" in told


def test_stop_waits_for_the_end(served: Stage) -> None:
    assert served.json("sessions", "stop", "7", "--wait")["status"] == "stopped"
    assert served.ctl("sessions", "stop", "8").stdout == "session 8 is being stopped\n"


def test_an_unknown_session_is_exit_code_1(served: Stage) -> None:
    assert served.json("sessions", "show", "404", code=1)["error"]["code"] == "not_found"
    assert served.json("sessions", "tail", "404", code=1)["error"]["code"] == "not_found"


def test_the_list_takes_as_many_answers_as_it_needs(served: Stage) -> None:
    assert [session["id"] for session in served.json("sessions", "list")] == list(range(250, 200, -1))
    everything = served.json("sessions", "list", "--limit", "1000", "--before", "240")
    assert [session["id"] for session in everything] == list(range(239, 0, -1))


def test_long_prompts_do_not_break_the_list(served: Stage) -> None:
    """Fifty prompts of 200 kB are more than a frame may have."""
    (served.runtime / "long").touch()
    told = served.json("sessions", "list", "--limit", "50")
    assert [session["id"] for session in told] == list(range(250, 200, -1))
    assert len(told[0]["prompt_text"]) == 200_000


def test_what_sessions_wrote_commands_no_terminal(served: Stage) -> None:
    for words in (("sessions", "list"), ("sessions", "show", "7")):
        told = served.ctl(*words).stdout
        assert "\x1b" not in told
        assert "\\x1b[" in told


# The log


def test_tail_prints_the_logs_bytes_as_they_are(served: Stage) -> None:
    wild = b"2026-01-31T08:05:00Z\tevent: done\r\n\x00\xff\xfe \x1b[2J data: x\n" * 500 + b"an end without a newline"
    log_of(served).write_bytes(wild)
    end(served)
    process = served.popen("sessions", "tail", "7")
    out, _ = process.communicate(timeout=20)
    assert out == wild
    assert process.returncode == 0


def test_tail_without_follow_ends_though_the_session_runs(served: Stage) -> None:
    log_of(served).write_bytes(line(1))
    told = served.ctl("sessions", "tail", "7")
    assert (told.returncode, told.stdout.encode()) == (0, line(1))


def test_following_loses_and_repeats_nothing_over_killed_workers(served: Stage) -> None:
    count, log = 3000, log_of(served)
    log.touch()
    process = served.popen("sessions", "tail", "7", "-f")

    def write() -> None:
        with log.open("ab", buffering=0) as file:
            for number in range(count):
                file.write(line(number))
                time.sleep(0.001)
        end(served)

    writer = threading.Thread(target=write)
    writer.start()
    for _ in range(4):
        time.sleep(0.4)
        served.kill_worker()
        served.start_worker()
    out, _ = process.communicate(timeout=60)
    writer.join()
    assert out == b"".join(map(line, range(count)))
    assert process.returncode == 0


def test_following_ends_with_the_daemon(served: Stage) -> None:
    log_of(served).write_bytes(line(1))
    process = served.popen("sessions", "tail", "7", "-f")
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == line(1)  # by then it follows
    assert served.listening is not None
    served.listening.close()
    served.listening = None
    served.release_lock()
    served.kill_worker()
    assert process.wait(20) == 5
    assert process.stdout.read() == b""
    assert b"not running" in process.stderr.read()


def test_control_c_ends_quietly_with_130(served: Stage) -> None:
    log_of(served).write_bytes(line(1))
    process = served.popen("sessions", "tail", "7", "-f")
    wait_for(lambda: served.calls("sessions.log"))
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=10)
    assert (process.returncode, told) == (130, b"")


def test_a_reader_that_has_gone_ends_it_quietly(served: Stage) -> None:
    log_of(served).write_bytes(b"".join(map(line, range(20_000))))
    process = served.popen("sessions", "tail", "7", "-f")
    assert process.stdout is not None
    assert process.stdout.readline() == line(0)
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(timeout=10) == -signal.SIGPIPE


@pytest.mark.parametrize(
    "arguments", [("status",), ("status", "--json"), ("sessions", "list"), ("sessions", "tail", "7")]
)
def test_an_answer_that_can_not_be_written_is_told_in_a_sentence(served: Stage, arguments: tuple[str, ...]) -> None:
    """As into a file on a full disk."""
    log_of(served).write_bytes(line(0))
    with Path("/dev/full").open("wb") as full:
        process = served.popen(*arguments, stdout=full)
    told = process.communicate(timeout=30)[1]
    assert (process.returncode, told) == (1, b"claudeopsctl: the answer: No space left on device\n")


def test_with_its_streams_closed_it_does_what_it_should(served: Stage) -> None:
    """As a script may start it that wants no word."""
    closed = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *served.command("sessions", "trigger", "--prompt", "look")]
    assert subprocess.run(closed, env=served.environment, timeout=30, check=False).returncode == 0
    assert (served.runtime / "effects").read_text() == "look\n"


def on_a_terminal(stage: Stage, *arguments: str, **environment: str) -> bytes:
    """What a terminal gets."""
    leader, follower = pty.openpty()
    process = stage.popen(*arguments, stdout=follower, env={**stage.environment, "TERM": "xterm", **environment})
    os.close(follower)
    found = b""
    try:
        while part := os.read(leader, 65536):
            found += part
    except OSError:
        pass  # EIO: the program has closed its side
    finally:
        os.close(leader)
    assert process.stderr is not None
    process.stderr.close()
    assert process.wait(10) == 0
    return found


def test_a_terminal_is_not_commanded_unless_it_is_asked_for(served: Stage) -> None:
    log_of(served).write_bytes(b"2026-01-31T08:05:00Z\t\x1b]0;owned\x07 \xc2\x9b2J text\n")
    end(served)
    safe = on_a_terminal(served, "sessions", "tail", "7")
    assert b"\x1b" not in safe
    assert b"\\x1b]0;owned\\x07 \\x9b2J text" in safe
    assert b"\x1b]0;owned\x07" in on_a_terminal(served, "sessions", "tail", "7", "--raw")


def test_colours_are_for_terminals_that_want_them(served: Stage) -> None:
    assert b"\x1b[34mrunning" in on_a_terminal(served, "status")
    assert b"\x1b" not in on_a_terminal(served, "status", NO_COLOR="1")


def test_pretty_shows_one_line_an_event_also_over_the_edges_of_answers(served: Stage) -> None:
    said = '{"type":"assistant","message":{"content":[{"type":"text","text":"' + "word " * 300 + '\\u001b[2J"}]}}'
    log_of(served).write_text(f"2026-01-31T08:05:00Z\t{said}\n" * 20)
    end(served)
    lines = served.ctl("sessions", "tail", "7", "--pretty").stdout.splitlines()
    assert len(lines) == 20
    assert all(shown.startswith("08:05:00 word word") and "\x1b" not in shown for shown in lines)


def test_tail_in_json_is_one_object_a_line(served: Stage) -> None:
    log_of(served).write_bytes(b"2026-01-31T08:05:00Z\t[stderr] caf\xe9\nno stamp")
    end(served)
    lines = [json.loads(text) for text in served.ctl("sessions", "tail", "7", "--json").stdout.splitlines()]
    assert lines == [
        {"at": "2026-01-31T08:05:00Z", "stream": "stderr", "text": "caf\ufffd"},
        {"at": None, "stream": "stdout", "text": "no stamp"},
    ]
