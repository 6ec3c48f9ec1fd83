"""packaging/run.sh, which `make run` becomes: live with the caller's credentials, in demo with nobody's."""

import contextlib
import subprocess
from pathlib import Path

from tests.acceptance.harness import KEY, ROOT, Daemon, wait_for
from tests.acceptance.memory import in_memory
from tests.fakes.messages_api import CLI

RUN = ["bash", str(ROOT / "packaging" / "run.sh")]
SECRET = "sk-ant-api03-real-0123456789-of-the-caller"


def by_script(directory: Path, live: str, **environment: str) -> Daemon:
    """A daemon that the script starts; places that it may be told are left to its defaults."""
    daemon = Daemon(directory, **environment)
    daemon.command = [*RUN, live]
    daemon.results = daemon.state / "results"
    for name in ("CLAUDEOPS_RESULTS_DIR", "CLAUDEOPS_DASHBOARD_HOST"):
        del daemon.environment[name]
    return daemon


def test_live_without_a_credential_nothing_starts_and_the_sentence_says_what_to_pass(tmp_path: Path) -> None:
    daemon = by_script(tmp_path, "1", ANTHROPIC_API_KEY="")
    try:
        told = subprocess.run(
            [*RUN, "1"], env=daemon.environment, cwd="/", capture_output=True, text=True, timeout=30, check=False
        )
        assert told.returncode == 78
        assert told.stdout == ""
        assert told.stderr.startswith(
            "Real sessions need a credential: set ANTHROPIC_API_KEY or CLAUDE_CODE_OAUTH_TOKEN"
        )
        assert told.stderr.endswith("then run: make run LIVE=1\n")
        assert not daemon.state.exists()
    finally:
        daemon.close()


def test_live_sessions_run_with_the_credential_that_was_passed(tmp_path: Path) -> None:
    daemon = by_script(tmp_path, "1")
    try:
        daemon.start()
        assert str(daemon.file()["address"]).startswith("http://127.0.0.1:")
        ended = daemon.wait_ended(daemon.trigger(lines=3, leak=["ANTHROPIC_API_KEY"])["id"])
        assert ended["status"] == "completed"
        log = Path(ended["log_file"])
        assert log.parent == daemon.state / "results"
        assert "[REDACTED:ANTHROPIC_API_KEY]" in log.read_text(), "the session had it"
        assert KEY not in log.read_text()
        assert daemon.json("status")["sessions"]["running"] == 0
        assert (daemon.state / "app" / "prompts" / "tier1-observe.md").exists()
        assert daemon.stop() == 0
    finally:
        daemon.close()


def environments(daemon: Daemon) -> dict[str, bytes]:
    """Command line and environment of each process of a daemon, by its program."""
    found = {}
    for pid in daemon.left_over():
        with contextlib.suppress(OSError):
            argv, environ = (Path(f"/proc/{pid}/{name}").read_bytes() for name in ("cmdline", "environ"))
            found[f"{Path(argv.split(bytes(1))[0].decode()).name} {pid}"] = argv + environ
    return found


def test_the_demo_lets_no_credential_of_its_caller_in(tmp_path: Path) -> None:
    caller = {"ANTHROPIC_API_KEY": SECRET, "CLAUDE_CODE_OAUTH_TOKEN": SECRET, "GITHUB_TOKEN": SECRET}
    daemon = by_script(tmp_path, "", CLAUDEOPS_INTERVAL="3600", CLAUDEOPS_CLAUDE_BIN=str(CLI), **caller)
    seen: dict[str, bytes] = {}

    def curls() -> bool:
        seen.update(environments(daemon))
        return any(name.startswith("curl ") for name in seen)

    try:
        daemon.start()
        session = wait_for(lambda: daemon.json("sessions", "list"), 15)[0]
        shim, command = daemon.run_pids(session)
        wait_for(curls, 60, "a call of the session")
        assert any(name.endswith(f" {command}") for name in seen)
        assert [name for name, told in seen.items() if SECRET.encode() in told] == []
        stage = next(pid for pid in daemon.left_over() if b"demo stage" in Path(f"/proc/{pid}/cmdline").read_bytes())
        # Those with a title have written it over their environment.
        titled = {"shim": shim, "stage": stage, **{name: daemon.pid(name) for name in ("supervisor", "worker", "web")}}
        assert [name for name, pid in titled.items() if in_memory(pid, SECRET.encode())] == []
        assert daemon.stop() == 0
        wait_for(lambda: daemon.left_over() == [], 10, "the end of the stage, which ends after the daemon")
        for file in [*daemon.directory.rglob("*"), *daemon.runtime.rglob("*")]:
            if file.is_file() and not file.is_symlink():
                assert SECRET.encode() not in file.read_bytes(), file
    finally:
        daemon.close()
