"""Every program that is known, by name. `shell` looks here; what isn't here is not understood."""

from daemon.limits import wrappers
from daemon.limits.command import Program
from daemon.limits.programs import (
    cloud,
    docker,
    files,
    finding,
    host,
    interpreters,
    kube,
    network,
    packages,
    plain,
    shells,
    sql,
    systemd,
    text,
    versions,
)

PROGRAMS: dict[str, Program] = {}
_FAMILIES = (
    plain, text, files, network, docker, kube, systemd, host, sql, versions, packages, cloud, interpreters, finding,
    shells, wrappers,
)  # fmt: skip
for _family in _FAMILIES:
    PROGRAMS |= _family.PROGRAMS
