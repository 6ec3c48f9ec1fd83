"""Every program that is known, by name. `shell` looks here; what isn't here is not understood."""

from daemon.limits import wrappers
from daemon.limits.command import Program
from daemon.limits.programs import (
    archives,
    cloud,
    compose,
    copying,
    docker,
    files,
    finding,
    git,
    host,
    interpreters,
    kube,
    network,
    observing,
    packages,
    plain,
    playbooks,
    probes,
    processes,
    shells,
    sql,
    stores,
    systemd,
    text,
    versions,
)

PROGRAMS: dict[str, Program] = {}
_FAMILIES = (
    plain, text, files, archives, copying, network, probes, docker, compose, kube, systemd, host, processes, observing,
    sql, stores, versions, git, packages, cloud, playbooks, interpreters, finding, shells, wrappers,
)  # fmt: skip
for _family in _FAMILIES:
    PROGRAMS |= _family.PROGRAMS
