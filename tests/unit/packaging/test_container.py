"""The container's files, as far as they can be judged without an engine."""

import fnmatch
import json
import re
import runpy
import shlex
from pathlib import Path

import pytest

from daemon.repositories import shipped
from schema.configuration import BY_ENV, load
from schema.settings import Settings
from schema.version import VERSION

ROOT = Path(__file__).parents[3]
CONTAINER = ROOT / "packaging" / "container"
IGNORED = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()


def instructions() -> list[tuple[str, str]]:
    """(word, rest) of each instruction of the Dockerfile, its continued lines joined."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in joined.splitlines()]


def last_stage() -> list[tuple[str, str]]:
    found = instructions()
    start = max(number for number, (word, _) in enumerate(found) if word == "FROM")
    return found[start:]


def of(word: str) -> list[str]:
    return [rest for name, rest in last_stage() if name == word]


def copied() -> list[str]:
    """Sources that are copied from the checkout."""
    lines = [rest for word, rest in instructions() if word == "COPY" and "--from=" not in rest]
    return [source for line in lines for source in shlex.split(line)[:-1]]


def let_in(path: str) -> bool:
    """Whether .dockerignore lets a path below the checkout into the build; its last line that fits counts."""
    verdict = True
    for line in IGNORED:
        if not line or line.startswith("#"):
            continue
        pattern = line.removeprefix("!").removeprefix("**/")
        names = [path, *(str(parent) for parent in Path(path).parents)]
        if line.startswith("**/"):
            names = list(Path(path).parts)
        if any(fnmatch.fnmatchcase(name, pattern) for name in names):
            verdict = line.startswith("!")
    return verdict


@pytest.mark.parametrize("source", sorted(set(copied())))
def test_whatever_is_copied_is_there_and_let_in(source: str) -> None:
    assert (ROOT / source).exists()
    assert let_in(source)


@pytest.mark.parametrize(
    "path",
    [".git/config", ".claudeops/live/claudeops.db", ".env", "tests/conftest.py", "daemon/__pycache__/x.pyc", "id_rsa"],
)
def test_nothing_of_a_developers_own_gets_into_the_build(path: str) -> None:
    assert not let_in(path)


def test_all_four_packages_are_copied() -> None:
    assert {"daemon", "ipc", "schema", "webui"} <= set(copied())


def test_every_stage_that_is_copied_from_is_one() -> None:
    stages = {rest.split(" AS ")[1] for word, rest in instructions() if word == "FROM" and " AS " in rest}
    used = {match[1] for word, rest in instructions() if (match := re.match(r"--from=(\S+)", rest)) and word == "COPY"}
    assert used == stages


def test_the_cli_of_the_image_is_the_release_of_its_lock_file() -> None:
    assert [rest for word, rest in instructions() if word == "RUN" and rest.startswith("npm ci ")]
    place = ROOT / "packaging" / "claude-cli"
    wanted = json.loads((place / "package.json").read_text())["dependencies"]["@anthropic-ai/claude-code"]
    locked = json.loads((place / "package-lock.json").read_text())["packages"]["node_modules/@anthropic-ai/claude-code"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", wanted)
    assert locked["version"] == wanted
    assert locked["integrity"].startswith("sha512-")


def test_images_are_pinned_to_a_release() -> None:
    images = [rest.split()[0] for word, rest in instructions() if word == "FROM"]
    assert all(re.fullmatch(r"[a-z]+:\d+(\.\d+)*-.*bookworm.*", image) for image in images), images


def test_requirements_are_checked_by_their_hashes() -> None:
    installs = [rest for word, rest in instructions() if word == "RUN" and "pip install" in rest]
    assert any("--require-hashes -r" in rest for rest in installs)
    assert all("--require-hashes" in rest or "--no-deps" in rest for rest in installs)


def test_claudeops_is_pid_1_and_not_root() -> None:
    # env becomes claudeops; any shell in between would stay and keep signals to itself.
    assert [json.loads(rest) for rest in of("ENTRYPOINT")] == [["env", "--block-signal=TERM", "claudeops"]]
    assert of("USER") == ["claudeops"]
    assert "useradd --uid 10001" in " ".join(of("RUN"))
    assert of("CMD") == []


def test_volumes_and_port_are_those_of_the_settings_defaults() -> None:
    settings = Settings()
    assert set(json.loads(of("VOLUME")[0])) == {settings.state_dir, settings.results_dir, settings.repos_dir}
    assert of("EXPOSE") == [str(settings.dashboard_port)]


def test_health_is_what_claudeopsctl_says() -> None:
    assert of("HEALTHCHECK")[0].endswith('CMD ["claudeopsctl", "status"]')


def test_everything_that_is_shipped_to_sessions_lies_where_they_look() -> None:
    copied: set[str] = set()
    for line in (line for line in of("COPY") if "--from=" not in line and "daemon/prompts" in line):
        *sources, target = shlex.split(line)
        for source in sources:
            path = ROOT / source
            names = [file.name for file in path.glob("*.md")] if path.is_dir() else [path.name]
            below = path.is_dir() or target.endswith("/")
            copied |= {f"{target.rstrip('/')}/{name}" for name in names} if below else {target}
    assert copied == {f"/app/{place}" for place, _ in shipped.files()}


def test_the_settings_defaults_name_files_that_are_there() -> None:
    places = {f"/app/{place}" for place, _ in shipped.files()}
    settings = Settings()
    assert {settings.prompt, settings.tier2_prompt, settings.tier3_prompt, settings.schema_path} <= places


def test_what_the_image_sets_are_settings() -> None:
    names = {name for rest in of("ENV") for name in re.findall(r"(\w+)=", rest)}
    assert {name for name in names if name.startswith("CLAUDEOPS_")} <= set(BY_ENV)


@pytest.fixture(scope="module")
def service() -> dict[str, list[str]]:
    """What compose.yaml says of the service, as the check of the built image reads it."""
    found: dict[str, list[str]] = runpy.run_path(str(CONTAINER / "check.py"))["service"]({})
    return found


def test_the_key_and_the_checkouts_that_the_guide_puts_there_are_not_committed() -> None:
    ignored = (CONTAINER / ".gitignore").read_text(encoding="utf-8").split("\n")
    guide = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert "> packaging/container/anthropic_api_key\n" in guide
    assert {"/anthropic_api_key", "/repos/"} <= set(ignored)


def test_the_check_of_the_image_can_make_every_base_image() -> None:
    script = (CONTAINER / "check.sh").read_text(encoding="utf-8")
    patterns = [line.strip().removesuffix(")") for line in script.splitlines() if re.fullmatch(r"    \S+:\S+\)", line)]
    images = {rest.split()[0] for word, rest in instructions() if word == "FROM"}
    assert all(any(fnmatch.fnmatchcase(image, pattern) for pattern in patterns) for image in images), (images, patterns)


def test_compose_leaves_pid_1_to_claudeops_and_gives_it_time_to_stop(service: dict[str, list[str]]) -> None:
    assert service["init"] == ["false"]
    assert int(service["stop_grace_period"][0].removesuffix("s")) >= Settings().stop_timeout + 10


def test_compose_takes_away_what_the_daemon_does_not_need(service: dict[str, list[str]]) -> None:
    assert service["read_only"] == ["true"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service


def test_compose_opens_one_port_and_on_this_host_alone(service: dict[str, list[str]]) -> None:
    assert service["ports"] == ["127.0.0.1:8080:8080"]


def test_compose_sets_settings_and_hands_secrets_over_as_files(service: dict[str, list[str]]) -> None:
    for line in service["environment"]:
        name = line.partition(":")[0]
        declaration = BY_ENV[name.removesuffix("_FILE")]
        assert declaration.meta.secret == name.endswith("_FILE")


def test_what_is_written_at_run_time_is_writable(service: dict[str, list[str]]) -> None:
    settings = load({"CLAUDEOPS_RUNTIME_DIR": "/run/claudeops"})
    mounts = {mount.rsplit(":", 1)[1] for mount in service["volumes"] if not mount.endswith(":ro")}
    mounts |= {mount.split(":")[0] for mount in service["tmpfs"]}
    assert {settings.state_dir, settings.results_dir, settings.runtime_dir, "/tmp"} <= mounts


def test_the_image_has_the_programs_version(service: dict[str, list[str]]) -> None:
    assert service["image"] == [f"claudeops:{VERSION}"]
