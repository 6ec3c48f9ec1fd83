"""`python -m daemon` before it is a supervisor: flags, and the check of settings that touches nothing."""

import subprocess
import sys
from pathlib import Path

from schema.version import VERSION

ROOT = Path(__file__).parents[4]


def run(tmp_path: Path, *flags: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "daemon", *flags], cwd=ROOT, capture_output=True, text=True, timeout=20, check=False,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "CLAUDEOPS_STATE_DIR": str(tmp_path / "s"), **environment},
    )  # fmt: skip


def test_a_check_of_good_settings_is_silent_and_touches_nothing(tmp_path: Path) -> None:
    found = run(tmp_path, "--interval", "60", "--check")
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


def test_a_check_of_bad_settings_names_them_all(tmp_path: Path) -> None:
    found = run(tmp_path, "--interval", "soon", "--check", CLAUDEOPS_RESTART_LIMIT="0")
    assert found.returncode == 78
    assert "CLAUDEOPS_INTERVAL" in found.stderr
    assert "CLAUDEOPS_RESTART_LIMIT" in found.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_start_with_bad_settings_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    assert run(tmp_path, CLAUDEOPS_RESTART_LIMIT="0").returncode == 78
    assert list(tmp_path.iterdir()) == []


def test_it_tells_its_version_and_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    assert run(tmp_path, "--version").stdout == f"claudeops {VERSION}\n"
    assert run(tmp_path, "--no-such-flag").returncode == 2


def test_a_switch_may_stand_alone_and_a_secret_is_no_flag(tmp_path: Path) -> None:
    assert run(tmp_path, "--dry-run", "--verbose", "--interval=60", "--check").returncode == 0
    assert run(tmp_path, "--dry-run=perhaps", "--check").returncode == 78
    found = run(tmp_path, "--apprise-urls", "made://up", "--check")
    assert found.returncode == 2
    assert "set CLAUDEOPS_APPRISE_URLS, or CLAUDEOPS_APPRISE_URLS_FILE" in found.stderr
    assert "apprise" not in run(tmp_path, "--help").stdout
