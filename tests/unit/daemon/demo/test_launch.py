"""The environment that the demo's daemon gets: built from nothing, whatever its caller's holds."""

import os
from pathlib import Path

import pytest

from daemon.demo.launch import environment
from daemon.demo.place import prepare
from daemon.demo.services import Service
from daemon.demo.stage import KEY, Address
from schema.configuration import BY_ENV, load

STAGE = Address("http://127.0.0.1:9", "http://127.0.0.1:7", [Service("web", "http://127.0.0.1:8/health")])


def test_no_credential_and_no_proxy_of_the_caller_is_taken_over() -> None:
    caller = {declaration.env: "real-secret" for declaration in BY_ENV.values() if declaration.meta.secret}
    caller |= {"PATH": "/bin", "HTTPS_PROXY": "http://real-secret", "ANTHROPIC_BASE_URL": "http://real-secret"}
    caller |= {"HOME": "/real-secret", "CLAUDE_CONFIG_DIR": "/real-secret", "AWS_SECRET_ACCESS_KEY": "real-secret"}
    caller |= {"DOCKER_HOST": "tcp://real-secret", "KUBECONFIG": "/real-secret"}
    found = environment(caller, Path("/s"), "/bin/claude", STAGE)
    assert "real-secret" not in str(found)
    assert found["ANTHROPIC_API_KEY"] == KEY
    assert found["ANTHROPIC_BASE_URL"] == "http://127.0.0.1:9"
    assert found["HOME"] == "/s/home"


def test_the_settings_are_those_of_a_demo_on_loopback() -> None:
    settings = load(environment({}, Path("/s"), "/bin/claude", STAGE))
    assert settings.demo
    assert (settings.dashboard_host, settings.dashboard_port, settings.interval) == ("127.0.0.1", 8080, 60)
    assert (settings.state_dir, settings.runtime_dir) == ("/s", "/s/run")
    assert settings.approval_hold == 5
    assert Path(settings.schema_path).is_file()


def test_the_caller_chooses_address_interval_and_sockets_and_no_limit() -> None:
    caller = {"CLAUDEOPS_DASHBOARD_PORT": "0", "CLAUDEOPS_INTERVAL": "7", "CLAUDEOPS_RUNTIME_DIR": "/r", "TZ": ""}
    caller |= {"CLAUDEOPS_COOLDOWN_RESTARTS": "99", "CLAUDEOPS_TIER2_PROMPT": "/mine"}
    settings = load(environment(caller, Path("/s"), "/bin/claude", STAGE))
    assert (settings.dashboard_port, settings.interval, settings.runtime_dir) == (0, 7, "/r")
    assert settings.cooldown_restarts == 2
    assert settings.tier2_prompt == "/s/app/prompts/tier2-investigate.md"


@pytest.mark.parametrize("path", ["/usr/bin:/bin", ""])
def test_the_stand_in_for_docker_comes_before_a_real_one(path: str) -> None:
    first, _, rest = environment({"PATH": path}, Path("/s"), "/bin/claude", STAGE)["PATH"].partition(os.pathsep)
    assert first == "/s/bin"
    assert rest == (path or os.defpath)


def test_the_prompts_name_the_services_of_this_start(tmp_path: Path) -> None:
    prepare(tmp_path, STAGE.services, STAGE.engine_url)
    settings = load(environment({}, tmp_path, "/bin/claude", STAGE))
    for file in (settings.prompt, settings.tier2_prompt, settings.tier3_prompt):
        assert "web: http://127.0.0.1:8/health" in Path(file).read_text()
    assert (tmp_path / "app" / "CLAUDE.md").is_file()
    assert list((tmp_path / "home").iterdir()) == []


def test_a_second_start_renews_addresses_and_keeps_what_a_person_changed(tmp_path: Path) -> None:
    prepare(tmp_path, STAGE.services, "http://127.0.0.1:1")
    runbook = tmp_path / "repos" / "demo-shop" / "CLAUDE-OPS.md"
    runbook.write_text("mine")
    prepare(tmp_path, [Service("web", "http://127.0.0.1:9/health")], "http://127.0.0.1:2")
    assert "http://127.0.0.1:9/health" in (tmp_path / "app" / "prompts" / "tier1-observe.md").read_text()
    assert (tmp_path / "bin" / "docker").read_text().count("http://127.0.0.1:2") == 1
    assert runbook.read_text() == "mine"


def test_where_the_stage_listens_survives_the_line() -> None:
    assert Address.read(STAGE.line()) == STAGE
