"""The unit as systemd reads it: valid, hardened, and in step with the program."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from daemon.supervisor import rules
from schema.configuration import BY_ENV, load
from schema.settings import Settings
from tests.fixtures import machine

SYSTEMD = Path(__file__).parents[3] / "packaging" / "systemd"
UNIT = SYSTEMD / "claudeops.service"
EXPOSURE_MAX = 2.0


class Lines(dict[str, object]):
    """Keeps every value of a name that is there more than once, on a line each."""

    def __setitem__(self, key: str, value: object) -> None:
        if isinstance(value, list) and isinstance(self.get(key), list):
            self[key].extend(value)  # type: ignore[attr-defined]
        else:
            super().__setitem__(key, value)


@pytest.fixture(scope="module")
def service() -> dict[str, list[str]]:
    parser = configparser.RawConfigParser(strict=False, dict_type=Lines)  # type: ignore[arg-type]
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(UNIT, encoding="utf-8")
    return {name: value.split("\n") for name, value in parser["Service"].items()}


@pytest.fixture(scope="module")
def analyze() -> str:
    return machine.need_program("systemd-analyze", "systemd")


def test_systemd_finds_nothing_wrong_with_the_unit(analyze: str, tmp_path: Path) -> None:
    # The program is not installed here; any program that is there stands for it.
    text = UNIT.read_text(encoding="utf-8")
    copy = tmp_path / "claudeops.service"
    copy.write_text(text.replace("/opt/claudeops/.venv/bin/python", shutil.which("env") or ""))
    assert copy.read_text() != text
    told = subprocess.run(
        [analyze, "verify", "--man=no", str(copy)], capture_output=True, text=True, check=False, timeout=60
    )
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")


def test_the_unit_is_in_the_good_range(analyze: str) -> None:
    told = subprocess.run(
        [analyze, "security", "--offline=true", "--no-pager", str(UNIT)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    overall = re.search(r"Overall exposure level for claudeops\.service: ([\d.]+)", told.stdout)
    assert overall, told.stderr
    assert float(overall[1]) <= EXPOSURE_MAX


def test_sessions_outlive_a_killed_daemon(service: dict[str, list[str]]) -> None:
    assert service["KillMode"] == ["process"]
    assert service["Delegate"] == ["yes"]
    assert service["OOMPolicy"] == ["continue"]
    assert service["Restart"] == ["on-failure"]


def test_what_a_session_uses_outlives_a_killed_daemon_too(service: dict[str, list[str]]) -> None:
    # systemd carries out both whenever the main process ends, whoever else is left.
    assert "PrivateTmp" not in service
    assert "RemoveIPC" not in service
    own = "/var/lib/claudeops/tmp"
    assert service["BindPaths"] == [f"{own}:/tmp {own}:/var/tmp"]
    assert f"e {own} - - - 10d" in (SYSTEMD / "tmpfiles.conf").read_text().splitlines()


def test_a_start_that_can_not_work_is_not_tried_again(service: dict[str, list[str]]) -> None:
    assert str(rules.EXIT_CONFIGURATION) in service["RestartPreventExitStatus"][0].split()


def test_systemd_hears_of_the_daemon_and_can_have_it_reload(service: dict[str, list[str]]) -> None:
    assert (service["Type"], service["NotifyAccess"]) == (["notify"], ["main"])
    assert service["ExecReload"] == ["/bin/kill -HUP $MAINPID"]


def test_the_daemons_own_restarts_come_before_the_watchdog(service: dict[str, list[str]]) -> None:
    pause = rules.delay(100, 1.0) + rules.READY_SECONDS
    assert float(service["WatchdogSec"][0]) > pause + Settings().heartbeat_timeout


def test_systemd_waits_longer_than_the_daemon_takes_to_stop(service: dict[str, list[str]]) -> None:
    assert float(service["TimeoutStopSec"][0]) >= Settings().stop_timeout + 10


def test_the_claude_cli_may_compile_as_it_runs(service: dict[str, list[str]]) -> None:
    assert "MemoryDenyWriteExecute" not in service


def test_every_place_that_is_written_is_one_that_the_unit_makes(service: dict[str, list[str]]) -> None:
    environ = dict(line.split("=", 1) for line in service["Environment"])
    assert set(environ) - set(BY_ENV) == {"LANG"}
    settings = load(environ)
    made = {"/var/lib/claudeops": "State", "/var/log/claudeops": "Logs", "/run/claudeops": "Runtime"}
    for place, kind in made.items():
        assert service[f"{kind}Directory"][0].split()[0] == "claudeops", place
        assert service[f"{kind}DirectoryMode"] == ["0750"], place
    assert service["StateDirectory"] == ["claudeops claudeops/tmp"]
    assert {settings.state_dir, settings.results_dir, settings.runtime_dir} == set(made)
    assert settings.dashboard_host == "127.0.0.1"


def test_the_file_that_the_unit_reads_is_made_at_boot(service: dict[str, list[str]]) -> None:
    environ = dict(line.split("=", 1) for line in service["Environment"])
    assert f"f {environ['CLAUDEOPS_ENV_FILE']} 0640 root claudeops -" in (SYSTEMD / "tmpfiles.conf").read_text()


def test_user_and_group_are_made_by_sysusers(service: dict[str, list[str]]) -> None:
    assert (service["User"], service["Group"]) == (["claudeops"], ["claudeops"])
    assert re.search(r"^u claudeops ", (SYSTEMD / "sysusers.conf").read_text(), re.MULTILINE)


def test_user_group_and_places_are_made_in_an_empty_root(analyze: str, tmp_path: Path) -> None:
    machine.need_root("it makes users and owners, if only below a directory of its own")
    for name in ("etc", "var/lib", "run"):
        (tmp_path / name).mkdir(parents=True)
    for command in (["systemd-sysusers"], ["systemd-tmpfiles", "--create"]):
        file = SYSTEMD / f"{command[0].removeprefix('systemd-')}.conf"
        subprocess.run([*command, f"--root={tmp_path}", str(file)], check=True, capture_output=True, timeout=30)
    assert "\nclaudeops:" in f"\n{(tmp_path / 'etc/passwd').read_text()}"
    made = (tmp_path / "etc/claudeops/claudeops.env").stat()
    assert (made.st_mode & 0o777, made.st_uid) == (0o640, 0)
    assert made.st_gid != 0
