"""docker compose, by either name; and the commands that run within a container, for docker as well."""

import re

from daemon.limits.command import Command, Program
from daemon.limits.kinds import Found, Kind
from daemon.limits.options import options, read
from daemon.limits.programs.entries import acts, every, reader, verbs, worse
from daemon.limits.programs.mounts import mounted
from daemon.limits.words import NotUnderstood

_LOOKS = reader("looks at containers")
_CHANGES = acts(Kind.CHANGE, "changes containers")
_EXEC = options(
    "-i -t -d -T --interactive --tty --detach --no-TTY -u= -w= -e= --user= --workdir= --env= --index= --privileged"
)


def inside(command: Command) -> list[Found]:
    """The command inside is what counts."""
    given = read(command.args, _EXEC, first=True)
    if len(given.operands) < 2 or given.has("--privileged", "-e", "--env"):
        return command.unknown("a shell in a container")
    where = given.operands[0]
    if where.may_be_option:
        raise NotUnderstood("which container can't be told")
    places = [value.text for value in given.values("-w", "--workdir")]
    if None in places:
        raise NotUnderstood("in which directory it runs can't be told")
    at = tuple(place for place in places if place) or ("", "/")
    frame = command.frame.within(f"{' '.join(command.path or (command.name,))} {where.show()}", remote=True, at=at)
    return command.inner.argv(given.operands[1:], frame, command.stdin)


_BEFORE = options(
    "-f= -p= --file= --project-name= --profile= --project-directory= --env-file= --ansi= --progress="
    " --compatibility --no-ansi --dry-run"
    " --verbose --parallel="
)


_LISTS = ("--services", "--volumes", "--images", "--profiles", "--networks", "--quiet", "-q", "--hash")


def _config(command: Command) -> list[Found]:
    """The whole has the variables of .env and of every env_file in it, with their values."""
    table = "--services --volumes --images --profiles --networks --quiet -q --format= --hash= --no-interpolate"
    given = read(command.args, options(table + " --environment -o= --output="))
    written = worse(command.writes(given.values("-o", "--output"))) if given.has("-o", "--output") else []
    if not given.has(*_LISTS) or given.has("--environment"):
        return [*written, command.found(Kind.SECRET, "prints the variables of services with their values")]
    if given.has("-o", "--output"):
        return command.writes(given.values("-o", "--output"))
    return [command.found(Kind.READ, "lists what is configured")]


def _down(command: Command) -> list[Found]:
    if any(
        re.match(r"-\w*v|--vol|--rmi", word.prefix) or (word.may_be_option and not word.prefix) for word in command.args
    ):
        return [command.found(Kind.DESTROY, "removes containers with their volumes or images")]
    return [command.found(Kind.REDEPLOYMENT, "removes the containers of a project")]


def _up(command: Command) -> list[Found]:
    table = (
        "-d -V -y --detach --build --no-build --force-recreate --no-recreate --no-deps --remove-orphans"
        " --wait --no-start --quiet-pull"
        " --pull= --scale= -t= --timeout= --wait-timeout= --always-recreate-deps --no-color --abort-on-container-exit"
    )
    operands = read(command.args, options(table)).operands
    return [command.found(Kind.REDEPLOYMENT, "replaces containers", word.text) for word in operands] or [
        command.found(Kind.REDEPLOYMENT, "replaces a project's containers")
    ]


_RUN = options(
    "-d -i -t -T -P --rm --detach --interactive --build --no-deps --service-ports --use-aliases --quiet-pull"
    " --remove-orphans --no-TTY -e= -l= -p= -u= -v= -w= --entrypoint= --env= --label= --name= --publish= --user="
    " --volume= --workdir= --pull= --cap-add= --cap-drop= --env-from-file="
)


def _run(command: Command) -> list[Found]:
    given = read(command.args, _RUN, first=True)
    found = mounted(command, given)
    for value in given.values("--env-from-file"):
        found += command.reads(value)
    return found or [command.found(Kind.REDEPLOYMENT, "makes a new container")]


_COMPOSE: dict[str, Program] = {
    **every("ps logs ls top port images version events stats", _LOOKS),
    "config": _config,
    "exec": inside,
    "down": _down,
    "up": _up,
    "restart": acts(Kind.RESTART, "restarts services", targets="each", table="-t= --timeout= --no-deps"),
    "start": acts(Kind.RESTART, "starts services", targets="each", table="--wait --wait-timeout="),
    **every("stop kill pause unpause scale", _CHANGES),
    **every("pull push build create watch", acts(Kind.REDEPLOYMENT, "replaces containers or images")),
    "run": _run,
}


def _rm_compose(command: Command) -> list[Found]:
    if any(re.match(r"-\w*v", word.prefix) or not word.prefix for word in command.args if word.may_be_option):
        return [command.found(Kind.DESTROY, "removes containers with their volumes")]
    return [command.found(Kind.REDEPLOYMENT, "removes stopped containers")]


_COMPOSE["rm"] = _rm_compose
_by_verb = verbs(_COMPOSE, _BEFORE)


def compose_of(command: Command) -> list[Found]:
    """`docker compose`. Where a file of it is wrong its lines are printed, and variables are filled in."""
    given = read(command.args, _BEFORE, first=True)
    config = bool(given.operands) and given.operands[0].text in {"config", "convert"}
    if given.has("--env-file") and config:
        return [command.found(Kind.SECRET, "prints the variables of a file")]
    found: list[Found] = []
    for value in given.values("--env-file"):
        if not re.search(r"env[\w.-]*$", value.text or ""):
            found += [it for it in command.reads(value) if it.kind is Kind.SECRET]
    for value in given.values("-f", "--file"):
        # An address, or a repository: its files are fetched and filled in.
        if value.text is None or value.text == "-" or re.match(r"/+(dev|proc)/|.*://|.*@|.*\.git(#|$)", value.text):
            kind = Kind.SECRET if config else Kind.UNKNOWN
            found.append(command.found(kind, "a file that may be anything, in which variables are filled in"))
        else:
            found += [it for it in command.reads(value) if it.kind is Kind.SECRET]
    return found + _by_verb(command)


def _compose(command: Command) -> list[Found]:
    """`docker-compose` is `docker compose`."""
    return compose_of(command.renamed(command.args, "docker", "compose"))


PROGRAMS: dict[str, Program] = every("docker-compose podman-compose", _compose)
