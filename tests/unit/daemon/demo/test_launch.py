"""The environment that the demo's daemon gets: built from nothing, whatever its caller's holds."""

from pathlib import Path

from daemon.demo.launch import environment, prepare
from daemon.demo.services import Cycle, Service
from daemon.demo.stage import KEY, Address
from schema.configuration import BY_ENV, load

STAGE = Address("http://127.0.0.1:9", [Service("web", "http://127.0.0.1:8/health")])


def test_no_credential_and_no_proxy_of_the_caller_is_taken_over() -> None:
    caller = {declaration.env: "real-secret" for declaration in BY_ENV.values() if declaration.meta.secret}
    caller |= {"PATH": "/bin", "HTTPS_PROXY": "http://real-secret", "ANTHROPIC_BASE_URL": "http://real-secret"}
    caller |= {"HOME": "/real-secret", "CLAUDE_CONFIG_DIR": "/real-secret", "AWS_SECRET_ACCESS_KEY": "real-secret"}
    found = environment(caller, Path("/s"), "/bin/claude", STAGE)
    assert "real-secret" not in str(found)
    assert found["ANTHROPIC_API_KEY"] == KEY
    assert found["ANTHROPIC_BASE_URL"] == "http://127.0.0.1:9"
    assert found["HOME"] == "/s/home"


def test_the_settings_are_those_of_a_demo_on_loopback() -> None:
    settings = load(environment({}, Path("/s"), "/bin/claude", STAGE))
    assert settings.demo
    assert (settings.dashboard_host, settings.dashboard_port, settings.interval) == ("127.0.0.1", 8080, 120)
    assert (settings.state_dir, settings.runtime_dir) == ("/s", "/s/run")
    assert Path(settings.schema_path).is_file()


def test_the_caller_chooses_address_interval_and_sockets() -> None:
    caller = {"CLAUDEOPS_DASHBOARD_PORT": "0", "CLAUDEOPS_INTERVAL": "7", "CLAUDEOPS_RUNTIME_DIR": "/r", "TZ": ""}
    settings = load(environment(caller, Path("/s"), "/bin/claude", STAGE))
    assert (settings.dashboard_port, settings.interval, settings.runtime_dir) == (0, 7, "/r")


def test_the_prompt_names_the_services_of_this_start(tmp_path: Path) -> None:
    prepare(tmp_path, STAGE)
    settings = load(environment({}, tmp_path, "/bin/claude", STAGE))
    assert "web: http://127.0.0.1:8/health" in Path(settings.prompt).read_text()
    assert list((tmp_path / "home").iterdir()) == []


def test_where_the_stage_listens_survives_the_line() -> None:
    assert Address.read(STAGE.line()) == STAGE


def test_the_breaking_service_starts_broken_recovers_and_breaks_again() -> None:
    cycle = Cycle(down_s=10, up_s=20)
    assert [cycle.is_down(at) for at in (0, 9.9, 10, 29.9, 30, 40)] == [True, True, False, False, True, False]
