"""docker, podman and compose: what looks, what restarts, what replaces, what destroys."""

import re
from dataclasses import replace

from daemon.limits.command import Command, Program
from daemon.limits.kinds import Found, Kind
from daemon.limits.options import options, read
from daemon.limits.programs.entries import acts, every, reader, verbs
from daemon.limits.programs.plain import ps
from daemon.limits.words import NotUnderstood

_LOOKS = reader("looks at containers")
_RESTART = acts(Kind.RESTART, "restarts a container", targets="each", table="-t= -s= --time= --timeout= --signal=")
_START = acts(Kind.RESTART, "starts a container", targets="each", table="")
_STOPS = acts(Kind.CHANGE, "stops or changes a container", targets="each", table="-t= -s= --time= --timeout= --signal=")
_CHANGES = acts(Kind.CHANGE, "changes containers, networks or images")
_REMOVES = acts(Kind.REDEPLOYMENT, "removes a container", targets="each", table="-f -l --force --link")
_PRUNES = acts(Kind.DESTROY, "deletes what can't be brought back")
_VOLUMES = acts(Kind.DESTROY, "deletes volumes")


def _rm(command: Command) -> list[Found]:
    """With -v the container's anonymous volumes go too."""
    if any(re.match(r"-\w*v|--vol", word.prefix) for word in command.args):
        return [command.found(Kind.DESTROY, "deletes a container and its volumes")]
    return _REMOVES(command)


_RUN = options(
    "-d -i -t -P --rm --detach --interactive --tty --init --read-only --publish-all -e= -p= -v= -w= -u= -l="
    " -h= -m= --name= --env= --publish="
    "  --volume= --workdir= --user= --label= --network= --net= --restart= --memory= --cpus= --entrypoint="
    " --mount= --hostname= --pull="
    "  --env-file= --add-host= --dns= --expose= --log-driver= --log-opt= --platform= --ulimit= --tmpfs="
    " --health-cmd= --network-alias="
    " --stop-timeout= --shm-size= --cap-drop= --security-opt= --gpus= --link= --ip="
)
_HOST_FILES = re.compile(
    r"(^|,(source|src)=)(/|~|\.\.)[^/:,]*/?([:,]|$)|docker\.sock|^/(etc|root|proc|sys|dev|boot|usr|var/run|run|var/lib)\b"
)


def _run(command: Command) -> list[Found]:
    """A new container. With the host's files or rights in it, it is the host that changes."""
    given = read(command.args, _RUN, first=True)
    mounts = [value.text for value in given.values("-v", "--volume", "--mount")]
    if any(mount is None or _HOST_FILES.search(mount) for mount in mounts) or given.has("--security-opt"):
        return [command.found(Kind.HOST, "a container with the host's files or rights")]
    if any(value.text in {None, "host"} for value in given.values("--network", "--net")):
        return [command.found(Kind.HOST, "a container in the host's network")]
    names = given.values("--name")
    return [command.found(Kind.REDEPLOYMENT, "makes a new container", names[0].text if names else None)]


_EXEC = options(
    "-i -t -d -T --interactive --tty --detach --no-TTY -u= -w= -e= --user= --workdir= --env= --index= --privileged"
)


def _exec(command: Command) -> list[Found]:
    """The command inside is what counts."""
    given = read(command.args, _EXEC, first=True)
    if len(given.operands) < 2 or given.has("--privileged", "-e", "--env"):
        return command.unknown("a shell in a container")
    where = given.operands[0]
    if where.may_be_option:
        raise NotUnderstood("which container can't be told")
    frame = command.frame.within(f"{' '.join(command.path or (command.name,))} {where.show()}", remote=True)
    return command.inner.argv(given.operands[1:], frame, command.stdin)


def _top(command: Command) -> list[Found]:
    """What follows the container goes to ps."""
    return ps(replace(command, name="ps", args=command.args[1:])) if len(command.args) > 1 else _LOOKS(command)


_COMPOSE_BEFORE = options(
    "-f= -p= --file= --project-name= --profile= --project-directory= --env-file= --ansi= --progress="
    " --compatibility --no-ansi --dry-run"
    " --verbose --parallel="
)


def _config(command: Command) -> list[Found]:
    table = "--services --volumes --images --profiles --quiet -q --format= --hash= --no-interpolate --environment"
    given = read(command.args, options(table + " -o= --output="))
    if given.has("-o", "--output"):
        return [command.found(Kind.WRITE, "writes a file")]
    if given.has("--environment"):
        return [command.found(Kind.SECRET, "prints the environment")]
    return [command.found(Kind.READ, "prints the configuration")]


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


_COMPOSE: dict[str, Program] = {
    **every("ps logs ls top port images version events stats", _LOOKS),
    "config": _config,
    "exec": _exec,
    "down": _down,
    "up": _up,
    "restart": acts(Kind.RESTART, "restarts services", targets="each", table="-t= --timeout= --no-deps"),
    "start": acts(Kind.RESTART, "starts services", targets="each", table="--wait --wait-timeout="),
    **every("stop kill pause unpause scale", _CHANGES),
    **every("pull push build create run watch rm", acts(Kind.REDEPLOYMENT, "replaces containers or images")),
}


def _rm_compose(command: Command) -> list[Found]:
    if any(re.match(r"-\w*v", word.prefix) or not word.prefix for word in command.args if word.may_be_option):
        return [command.found(Kind.DESTROY, "removes containers with their volumes")]
    return [command.found(Kind.REDEPLOYMENT, "removes stopped containers")]


_COMPOSE["rm"] = _rm_compose
_by_verb = verbs(_COMPOSE, _COMPOSE_BEFORE)


def _compose(command: Command) -> list[Found]:
    """Variables from a file would be printed with the configuration."""
    given = read(command.args, _COMPOSE_BEFORE, first=True)
    if given.has("--env-file") and given.operands[:1] and given.operands[0].text in {"config", "convert"}:
        return [command.found(Kind.SECRET, "prints the variables of a file")]
    return _by_verb(command)


def compose(command: Command) -> list[Found]:
    """`docker-compose` is `docker compose`."""
    return _compose(command.renamed(command.args, "docker", "compose"))


_CONTAINER: dict[str, Program] = {
    **every("ps ls list logs inspect stats port diff events", _LOOKS),
    "restart": _RESTART,
    "start": _START,
    "rm": _rm,
    "remove": _rm,
    "run": _run,
    "create": _run,
    "exec": _exec,
    "top": _top,
    **every("stop kill pause unpause", _STOPS),
    **every("rename update attach commit", _CHANGES),
    "prune": _PRUNES,
}
_IMAGES: dict[str, Program] = {
    **every("ls list inspect history", _LOOKS),
    **every("pull build tag push load import", _CHANGES),
    **every("rm remove prune", _PRUNES),
}


def _named(*names: str, table: dict[str, Program]) -> Program:
    """`docker container restart` is `docker restart`."""
    inner = verbs(table)
    return lambda command: inner(command.renamed(command.args, *names))


_SUB: dict[str, Program] = {
    **_CONTAINER,
    "container": _named("docker", table=_CONTAINER),
    **every("images history version info search", _LOOKS),
    "compose": _compose,
    "image": _named("docker", "image", table=_IMAGES),
    "network": verbs(
        {**every("ls list inspect", _LOOKS), **every("create connect disconnect rm remove", _CHANGES), "prune": _PRUNES}
    ),
    "volume": verbs({**every("ls list inspect", _LOOKS), "create": _CHANGES, **every("rm remove prune", _VOLUMES)}),
    "system": verbs({**every("df info events", _LOOKS), "prune": _PRUNES}),
    "context": verbs({**every("ls list show inspect", _LOOKS), "use": _CHANGES}),
    "builder": verbs({"du": _LOOKS, "prune": _PRUNES}),
    "node": verbs(
        {**every("ls inspect ps", _LOOKS), **every("update promote demote rm", acts(Kind.HOST, "changes the swarm"))}
    ),
    "service": verbs(
        {
            **every("ls inspect ps logs", _LOOKS),
            **every("update scale rollback create", acts(Kind.REDEPLOYMENT, "changes a service")),
            "rm": acts(Kind.REDEPLOYMENT, "removes a service"),
        }
    ),
    "stack": verbs(
        {**every("ls ps services", _LOOKS), **every("deploy rm up down", acts(Kind.REDEPLOYMENT, "changes a stack"))}
    ),
    "swarm": acts(Kind.HOST, "changes the swarm"),
    "rmi": _PRUNES,
    **every("pull push build tag load import", _CHANGES),
    **every("cp save export", acts(Kind.WRITE, "copies files out of or into a container")),
    **every("login logout", acts(Kind.CHANGE, "changes how it signs in")),
}
_BEFORE = options("-H= --host= -c= --context= -l= --log-level= -D --debug --tls --tlsverify -v --version")


def docker(command: Command) -> list[Found]:
    """docker with its own options; `-H` is the host."""
    given = read(command.args, _BEFORE, first=True)
    if given.has("-v", "--version") and not given.operands:
        return [command.found(Kind.READ, "prints its version")]
    hosts = given.values("-H", "--host", "-c", "--context")
    if any(value.text is None for value in hosts):
        raise NotUnderstood("which host can't be told")
    base = command.renamed(given.operands, "docker" if command.name == "docker" else command.name)
    found = verbs(_SUB)(base)
    host = re.sub(r"^\w+://", "", hosts[-1].text or "") if hosts else None
    return [it._replace(host=it.host or host) for it in found]


PROGRAMS: dict[str, Program] = {
    "docker": docker,
    "podman": docker,
    "docker-compose": compose,
    "podman-compose": compose,
}
