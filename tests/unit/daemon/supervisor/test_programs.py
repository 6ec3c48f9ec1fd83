"""What the children are given: the worker everything, the web process what it shows and no secret."""

from pathlib import Path

import pytest

from daemon.supervisor.log import LOG
from daemon.supervisor.places import Places
from daemon.supervisor.programs import LEAN, Programs
from schema.configuration import DECLARATIONS, ConfigurationError, load

PLACES = Places(10, 11, 12, 13, "http://127.0.0.1:1", 14)
SECRETS = {declaration.env: f"secret-{name}" for name, declaration in DECLARATIONS.items() if declaration.meta.secret}


def test_the_web_process_gets_its_settings_and_nothing_else() -> None:
    assert SECRETS
    base = {"PATH": "/bin", "HOME": "/h", "EDITOR": "vi", "CLAUDEOPS_CLAUDE_BIN": "/opt/claude", "AWS_KEY": "k",
            "CLAUDEOPS_STATE_DIR": "/s", **SECRETS}  # fmt: skip
    built = Programs(base).web(PLACES, "b00").environment()
    declared = {item.env for item in DECLARATIONS.values() if item.meta.web and not item.meta.secret}
    assert set(built) == declared | {"PATH", "HOME", "CLAUDEOPS_BOOT_ID", *LEAN}
    assert not set(built.values()) & set(SECRETS.values())
    assert built["CLAUDEOPS_BOOT_ID"] == "b00"
    assert load(built).claude_bin == "/opt/claude"


def test_the_web_process_gets_the_http_socket_alone_and_the_worker_the_others() -> None:
    programs = Programs({"CLAUDEOPS_STATE_DIR": "/s"})
    assert programs.web(PLACES, "b").descriptors == {"CLAUDEOPS_HTTP_FD": 13}
    assert programs.worker(PLACES, "b").descriptors == {
        "CLAUDEOPS_RPC_FD": 11, "CLAUDEOPS_PUB_FD": 12, "CLAUDEOPS_LOCK_FD": 10,
        "CLAUDEOPS_STATE_LOCK_FD": 14,
    }  # fmt: skip


def test_the_worker_gets_everything() -> None:
    base = {"CLAUDEOPS_STATE_DIR": "/s", "CLAUDEOPS_RUNTIME_DIR": "/r", "EXTRA": "1", **SECRETS}
    assert dict(Programs(base).worker(PLACES, "b").environment()) == {**LEAN, **base, "CLAUDEOPS_BOOT_ID": "b"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "env"
    path.write_text("CLAUDEOPS_INTERVAL=60\n")
    return path


def read(file: Path) -> Programs:
    return Programs({"CLAUDEOPS_ENV_FILE": str(file), "CLAUDEOPS_STATE_DIR": "/s", "CLAUDEOPS_RUNTIME_DIR": "/r"})


def test_a_reload_takes_over_what_has_changed_also_for_children_that_start_later(file: Path) -> None:
    programs = read(file)
    worker, web = programs.worker(PLACES, "b"), programs.web(PLACES, "b")
    file.write_text("CLAUDEOPS_INTERVAL=90\n")
    assert programs.reload() == (True, "")
    assert programs.settings.interval == 90
    assert worker.environment()["CLAUDEOPS_INTERVAL"] == web.environment()["CLAUDEOPS_INTERVAL"] == "90"


def test_a_reload_that_changes_nothing_for_the_web_process_says_so(file: Path) -> None:
    programs = read(file)
    assert programs.reload() == (False, "")
    file.write_text("CLAUDEOPS_INTERVAL=60\nCLAUDEOPS_RESTART_LIMIT=7\n")
    assert programs.reload() == (False, "")
    assert programs.settings.restart_limit == 7


def test_a_secret_of_before_a_reload_stays_out_of_the_log_for_the_worker_may_print_it_still(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("json", "redact", "file"):
        monkeypatch.setattr(LOG, name, getattr(LOG, name))
    base = {"CLAUDEOPS_ENV_FILE": str(file), "CLAUDEOPS_STATE_DIR": "/s", "CLAUDEOPS_LOG_FORMAT": "json"}
    file.write_text("GITHUB_TOKEN=of-before\n")
    programs = Programs(base)
    programs.begin_log()
    file.write_text("GITHUB_TOKEN=of-now\n")
    programs.reload()
    programs.begin_log()
    assert LOG.redact is not None
    assert LOG.redact("of-before of-now") == "[REDACTED:GITHUB_TOKEN] [REDACTED:GITHUB_TOKEN]"


def test_an_invalid_file_changes_nothing_and_tells_every_problem(file: Path) -> None:
    programs = read(file)
    file.write_text("CLAUDEOPS_INTERVAL=soon\nCLAUDEOPS_RESTART_LIMIT=0\n")
    with pytest.raises(ConfigurationError) as raised:
        programs.reload()
    assert len(raised.value.problems) == 2
    assert programs.settings.interval == 60
    assert programs.environ["CLAUDEOPS_INTERVAL"] == "60"


def test_what_is_opened_at_the_start_stays_and_is_told_each_time(file: Path) -> None:
    programs = read(file)
    file.write_text("CLAUDEOPS_STATE_DIR=/other\nCLAUDEOPS_DASHBOARD_PORT=9\n")
    for _ in range(2):
        web, told = programs.reload()
        assert set(told.split(", ")) == {"CLAUDEOPS_STATE_DIR", "CLAUDEOPS_DASHBOARD_PORT"}
    assert programs.settings.state_dir == "/s"
    assert programs.worker(PLACES, "b").environment()["CLAUDEOPS_STATE_DIR"] == "/s"
    assert web is True or programs.settings.interval == 3600


def test_what_was_handed_over_wins_against_a_file_that_has_changed_meanwhile(file: Path) -> None:
    before = read(file)
    file.write_text("CLAUDEOPS_STATE_DIR=/other\n")
    after = read(file)
    after.keep(before.fixed())
    assert after.settings.state_dir == "/s"
    assert after.worker(PLACES, "b").environment()["CLAUDEOPS_STATE_DIR"] == "/s"


def test_a_flag_wins_over_the_environment_and_over_its_file_also_after_a_reload(file: Path) -> None:
    base = {"CLAUDEOPS_ENV_FILE": str(file), "CLAUDEOPS_STATE_DIR": "/s", "CLAUDEOPS_INTERVAL": "50"}
    programs = Programs(base, {"CLAUDEOPS_INTERVAL": "70"})
    assert programs.settings.interval == 70
    file.write_text("CLAUDEOPS_INTERVAL=90\n")
    programs.reload()
    assert programs.settings.interval == 70
    assert programs.worker(PLACES, "b").environment()["CLAUDEOPS_INTERVAL"] == "70"


def test_what_systemd_says_to_its_main_process_is_not_passed_on() -> None:
    said = {"NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1", "LISTEN_FDS": "1", "LISTEN_PID": "1"}
    built = Programs({"CLAUDEOPS_STATE_DIR": "/s", "PATH": "/bin", **said}).worker(PLACES, "b").environment()
    assert not said.keys() & built.keys()
    assert built["PATH"] == "/bin"
