"""Text becomes settings, and settings text; what can't be used is told by name, all at once."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from schema.configuration import (
    BY_ENV,
    DECLARATIONS,
    HIGHEST,
    PLACES,
    ConfigurationError,
    environment,
    load,
    parse,
    read_env_file,
    show,
    without_effect,
)
from schema.settings import Settings

# The existing program's variables and defaults, which its users' environment files rely on.
EXISTING = {
    "CLAUDEOPS_CLAUDE_BIN": "claude",
    "CLAUDEOPS_SESSION_TIMEOUT": 1800,
    "CLAUDEOPS_INTERVAL": 3600,
    "CLAUDEOPS_PROMPT": "/app/prompts/tier1-observe.md",
    "CLAUDEOPS_TIER2_PROMPT": "/app/prompts/tier2-investigate.md",
    "CLAUDEOPS_TIER3_PROMPT": "/app/prompts/tier3-remediate.md",
    "CLAUDEOPS_TIER1_MODEL": "haiku",
    "CLAUDEOPS_TIER2_MODEL": "sonnet",
    "CLAUDEOPS_TIER3_MODEL": "opus",
    "CLAUDEOPS_STATE_DIR": "/state",
    "CLAUDEOPS_RESULTS_DIR": "/results",
    "CLAUDEOPS_REPOS_DIR": "/repos",
    "CLAUDEOPS_ALLOWED_TOOLS": "Bash,Read,Grep,Glob,Task,WebFetch,WebSearch",
    "CLAUDEOPS_TIER1_ALLOWED_TOOLS": "",
    "CLAUDEOPS_TIER1_DISALLOWED_TOOLS": "",
    "CLAUDEOPS_TIER2_ALLOWED_TOOLS": "Bash,Read,Write,Edit,Grep,Glob,Task,WebFetch,WebSearch",
    "CLAUDEOPS_TIER3_ALLOWED_TOOLS": "Bash,Read,Write,Edit,Grep,Glob,Task,WebFetch,WebSearch",
    "CLAUDEOPS_TIER2_DISALLOWED_TOOLS": "Bash(ansible:*),Bash(ansible-playbook:*),Bash(helm:*),"
    "Bash(docker compose down:*),Bash(gh pr merge:*)",
    "CLAUDEOPS_TIER3_DISALLOWED_TOOLS": "Bash(rm -rf /:*),Bash(docker system prune:*),Bash(git push --force:*),"
    "Bash(gh pr merge:*)",
    "CLAUDEOPS_DRY_RUN": False,
    "CLAUDEOPS_VERBOSE": False,
    "CLAUDEOPS_APPRISE_URLS": "",
    "CLAUDEOPS_MCP_CONFIG": "/app/.claude/mcp.json",
    "CLAUDEOPS_DASHBOARD_PORT": 8080,
    "CLAUDEOPS_MAX_TIER": 3,
    "CLAUDEOPS_MEMORY_BUDGET": 2000,
    "CLAUDEOPS_BROWSER_ALLOWED_ORIGINS": "",
    "CLAUDEOPS_SUMMARY_MODEL": "claude-haiku-4-5-20251001",
    "CLAUDEOPS_WEBHOOK_MODEL": "claude-haiku-4-5-20251001",
    "CLAUDEOPS_WEBHOOK_SYSTEM_PROMPT": "",
    "CLAUDEOPS_SCHEMA_PATH": "/app/schemas/agent-response.json",
    "CLAUDEOPS_CHAT_API_KEY": "",
    "ANTHROPIC_API_KEY": "",
    "ANTHROPIC_BASE_URL": "",
    "GITHUB_TOKEN": "",
    "GITEA_URL": "",
    "GITEA_TOKEN": "",
    "CLAUDEOPS_PR_ENABLED": False,
}


def test_nothing_set_gives_the_defaults() -> None:
    assert load({}) == Settings()._replace(runtime_dir="/state/run")


@pytest.mark.parametrize("env", EXISTING)
def test_the_existing_programs_variables_keep_their_names_and_defaults(env: str) -> None:
    assert BY_ENV[env].default == EXISTING[env]


def test_tier_1_denies_the_existing_programs_seventeen_patterns() -> None:
    patterns = str(BY_ENV["CLAUDEOPS_DISALLOWED_TOOLS"].default).split(",")
    assert len(patterns) == len(set(patterns)) == 17
    assert {"Bash(docker restart:*)", "Bash(git push:*)", "Bash(apprise:*)"} <= set(patterns)


def test_empty_text_means_not_set() -> None:
    assert load({"CLAUDEOPS_INTERVAL": "", "CLAUDEOPS_DRY_RUN": "", "CLAUDEOPS_STATE_DIR": ""}) == load({})


def test_an_override_wins_over_the_environment_and_the_environment_over_the_default() -> None:
    environ = {"CLAUDEOPS_INTERVAL": "60"}
    assert load(environ).interval == 60
    assert load(environ, {"interval": "30"}).interval == 30
    assert load(environ, {"interval": ""}).interval == 60


def test_an_override_of_a_setting_that_is_not_live_has_no_effect() -> None:
    assert load({}, {"dashboard_port": "9999"}).dashboard_port == 8080


def test_every_problem_is_told_at_once_and_names_its_variable() -> None:
    environ = {"CLAUDEOPS_INTERVAL": "soon", "CLAUDEOPS_MAX_TIER": "4", "CLAUDEOPS_DRY_RUN": "maybe"}
    with pytest.raises(ConfigurationError) as caught:
        load(environ)
    assert caught.value.problems == [
        "CLAUDEOPS_INTERVAL: 'soon' is not a whole number of s",
        "CLAUDEOPS_MAX_TIER: 4 is above 3",
        "CLAUDEOPS_DRY_RUN: 'maybe' is neither true nor false",
    ]


@pytest.mark.parametrize(
    "text", ["ops.example.org", "ops.example.org:8443", "ftp://x", "https://", "https://:8443", "/", "https://a b"]
)
def test_a_public_address_that_would_let_nobody_in_is_refused(text: str) -> None:
    with pytest.raises(
        ConfigurationError, match=r"CLAUDEOPS_PUBLIC_URL: .* is not of the form https://ops\.example\.org"
    ):
        load({"CLAUDEOPS_PUBLIC_URL": text})


@pytest.mark.parametrize(
    "text", ["https://ops.example.org", "http://10.0.0.1:8080/", "https://[::1]:8443", "https://a/b/"]
)
def test_a_public_address_is_taken_as_browsers_write_it(text: str) -> None:
    assert load({"CLAUDEOPS_PUBLIC_URL": f" {text} "}).public_url == text


@pytest.mark.parametrize("wrong", ["nginx", "10.0.0.300", "10.0.0.0/33", "::1/129", ":::"])
def test_a_proxy_that_is_no_address_is_refused_before_anything_starts(wrong: str) -> None:
    with pytest.raises(
        ConfigurationError, match=f"CLAUDEOPS_TRUSTED_PROXIES: '{wrong}' is no address or network; write"
    ):
        load({"CLAUDEOPS_TRUSTED_PROXIES": f"10.0.0.1, {wrong}"})
    assert load({"CLAUDEOPS_TRUSTED_PROXIES": "10.0.0.1, ::1 fd00::/8"}).trusted_proxies


def test_an_override_that_does_not_fit_is_told_as_one() -> None:
    with pytest.raises(ConfigurationError, match="override of interval: 0 is below 1"):
        load({}, {"interval": "0"})


def test_a_secret_is_read_from_the_file_that_its_variable_names(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("made-up-key\n")
    assert load({"ANTHROPIC_API_KEY_FILE": str(tmp_path / "key")}).anthropic_api_key == "made-up-key"


def test_a_secrets_own_variable_wins_over_its_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from the file")
    environ = {"GITHUB_TOKEN": "from the environment", "GITHUB_TOKEN_FILE": str(tmp_path / "key")}
    assert load(environ).github_token == "from the environment"


def test_a_secrets_file_that_is_missing_is_a_problem_that_names_the_variable(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="GITEA_TOKEN_FILE: can't read"):
        load({"GITEA_TOKEN_FILE": str(tmp_path / "nowhere")})


def test_only_a_secret_is_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "interval").write_text("5")
    assert load({"CLAUDEOPS_INTERVAL_FILE": str(tmp_path / "interval")}).interval == 3600


def test_a_problem_with_a_secret_does_not_show_it(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("made-up\nkey")
    with pytest.raises(ConfigurationError) as caught:
        load({"ANTHROPIC_API_KEY_FILE": str(tmp_path / "key")})
    assert "made-up" not in str(caught.value)


def test_a_secret_is_only_shown_to_be_set() -> None:
    declaration = DECLARATIONS["anthropic_api_key"]
    assert (show(declaration, "made-up-key"), show(declaration, "")) == ("set", "")


def test_the_runtime_directory_is_systemds_or_stands_in_the_state_directory() -> None:
    assert load({"RUNTIME_DIRECTORY": "/run/claudeops:/run/more"}).runtime_dir == "/run/claudeops"
    assert load({"CLAUDEOPS_STATE_DIR": "/s"}).runtime_dir == "/s/run"
    assert load({"CLAUDEOPS_RUNTIME_DIR": "/r", "RUNTIME_DIRECTORY": "/run/claudeops"}).runtime_dir == "/r"


@pytest.mark.parametrize("name", PLACES)
def test_a_place_whose_name_nobody_can_read_is_refused(name: str) -> None:
    """What is run there would be refused, each time anew."""
    env = DECLARATIONS[name].env
    for place in ("/results\u200b", "/results\x1b[1m", "/a\u00a0b", "/\udcff"):
        with pytest.raises(ConfigurationError, match="write its path without them") as told:
            load({env: place})
        assert [problem.partition(":")[0] for problem in told.value.problems] == [env]
    assert getattr(load({env: "/résultats d'été"}), name) == "/résultats d'été"


def test_what_looks_like_a_setting_and_is_none_is_told_by_name() -> None:
    environ = {
        "CLAUDEOPS_INTERVALL": "5",
        "CLAUDEOPS_VERBOSE": "true",
        "CLAUDEOPS_ELSEWHERE_AT_ALL": "x",
        "CLAUDEOPS_PROBE_KEY1": "what a service's $KEY1 stands for",
        "PATH": "/bin",
    }
    assert without_effect(environ) == [
        "CLAUDEOPS_ELSEWHERE_AT_ALL is no setting and has no effect",
        "CLAUDEOPS_INTERVALL is no setting and has no effect; did you mean CLAUDEOPS_INTERVAL?",
        "CLAUDEOPS_VERBOSE has no effect: the log says all there is to say",
    ]


def test_a_setting_its_file_and_what_is_empty_are_not_told() -> None:
    environ = dict.fromkeys(BY_ENV, "x") | {"CLAUDEOPS_CHAT_API_KEY_FILE": "/k", "CLAUDEOPS_TYPO": ""}
    environ.pop("CLAUDEOPS_VERBOSE")
    assert without_effect(environ) == []


@pytest.mark.parametrize("word", ["1", "true", "t", "T", "YES", "On", " true "])
def test_words_for_yes(word: str) -> None:
    assert parse(DECLARATIONS["dry_run"], word) is True


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e400", "9" * 400])
@pytest.mark.parametrize("name", ["stop_grace_int", "session_timeout", "memory_budget"])
def test_a_number_that_no_clock_and_no_database_takes_is_refused(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"above|below|not a"):
        parse(DECLARATIONS[name], text)


@given(st.sampled_from(list(DECLARATIONS)), st.text(max_size=30))
def test_any_text_becomes_a_value_or_a_value_error(name: str, text: str) -> None:
    try:
        value = parse(DECLARATIONS[name], text)
    except ValueError:
        return
    assert type(value) is DECLARATIONS[name].kind


@given(
    st.sampled_from([d for d in DECLARATIONS.values() if not d.meta.secret]),
    st.one_of(st.booleans(), st.integers(-(2**60), 2**60), st.floats(), st.text(max_size=30)),
)
def test_a_value_is_shown_as_text_that_gives_the_value_again(declaration: object, wild: object) -> None:
    assert hasattr(declaration, "kind")
    try:
        value = parse(declaration, str(wild))  # type: ignore[arg-type]
    except ValueError:
        assume(False)
    assert parse(declaration, show(declaration, value)) == value  # type: ignore[arg-type]


@pytest.mark.parametrize("declaration", DECLARATIONS.values(), ids=DECLARATIONS)
def test_every_default_is_a_value_that_its_own_rules_take(declaration: object) -> None:
    assert hasattr(declaration, "default")
    shown = str(declaration.default)
    assert parse(declaration, shown) == declaration.default  # type: ignore[arg-type]


def test_the_highest_number_is_taken_and_the_next_is_not() -> None:
    assert parse(DECLARATIONS["free_disk_min"], str(int(HIGHEST))) == HIGHEST
    with pytest.raises(ValueError, match="above"):
        parse(DECLARATIONS["free_disk_min"], str(int(HIGHEST) + 1))


def test_an_environment_file_is_read_as_systemd_does(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("# a comment\n; another\n\nA=1\n B = two words \nC='quoted # not a comment'\nD=\"x=y\"\nE=\n")
    assert read_env_file(str(file)) == {"A": "1", "B": "two words", "C": "quoted # not a comment", "D": "x=y", "E": ""}


def test_an_environment_files_broken_lines_are_told_by_number(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("A=1\nno equals sign\n=value\nexport X=1\n")
    with pytest.raises(ConfigurationError) as caught:
        read_env_file(str(file))
    assert [problem.split(": ")[0].rsplit(" ", 1)[1] for problem in caught.value.problems] == ["2", "3", "4"]


def test_an_environment_file_that_is_missing_or_no_text_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"A=\xff\xfe")
    for name in ("nowhere", "binary"):
        with pytest.raises(ConfigurationError, match="CLAUDEOPS_ENV_FILE: can't read"):
            environment({"CLAUDEOPS_ENV_FILE": str(tmp_path / name)})


def test_an_environment_file_wins_over_the_environment(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("CLAUDEOPS_INTERVAL=5\n")
    environ = {"CLAUDEOPS_INTERVAL": "9", "CLAUDEOPS_MAX_TIER": "2", "CLAUDEOPS_ENV_FILE": str(tmp_path / "env")}
    settings = load(environment(environ))
    assert (settings.interval, settings.max_tier) == (5, 2)


@given(st.binary(max_size=200))
def test_any_bytes_in_an_environment_file_are_read_or_refused(content: bytes) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        try:
            found = read_env_file(file.name)
        except ConfigurationError:
            return
    assert all("\n" not in value for value in found.values())
