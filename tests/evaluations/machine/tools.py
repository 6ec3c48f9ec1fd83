"""The programs that stand on PATH in an evaluation in place of those that would reach further than its world.

Each writes what it was run with into the same list of acts as the stand-ins of `tests.acceptance.real`.
"""

import shlex
import sys
from pathlib import Path

from tests.acceptance.harness import ROOT
from tests.evaluations.machine.world import World

NOTED = """#!/bin/sh
echo "{name} $*" >> {acts}
{text}
"""
DOCKER = 'PYTHONPATH={root} exec {python} -S -m tests.evaluations.machine.docker {world} "$@"'
# The names that services find each other by; none of them is known to the resolver of the machine.
NAMES = """for word in "$@"; do
  case "$word" in -*|+*|@*|hosts|ahosts|A|AAAA|ANY) ;; *) name=$word ;; esac
done
found=$(sed 's/#.*//' {hosts} | awk -v name="$name" '{{ for (i = 2; i <= NF; i++) if ($i == name) print $1 }}')
[ -n "$found" ] || {{ echo "$name: not found (NXDOMAIN)" >&2; exit 2; }}
echo "$found $name"
"""
# A service's volume is a directory with a size that the service keeps to: no real file system has to be filled.
DISKS = """echo "Filesystem 1K-blocks Used Available Use% Mounted on"
for volume in {services}/*/volume; do
  [ -d "$volume" ] || continue
  used=$(du -sk --apparent-size "$volume" | cut -f1); size=$(cat "$volume.size")
  [ "$used" -le "$size" ] || used=$size
  echo "/dev/volume $size $used $((size-used)) $((100*used/size))% $volume"
done
"""
ABSENT = 'echo "{name}: nothing of this host is run by it" >&2; exit 1'
NOT_HERE = (
    "systemctl", "service", "kubectl", "helm", "podman", "docker-compose", "ansible", "ansible-playbook", "apt-get",
    "apt", "reboot", "shutdown",
)  # fmt: skip


def install(world: World, acts: Path) -> None:
    """Writes them all into the world's directory of tools."""
    docker = DOCKER.format(root=ROOT, python=sys.executable, world=shlex.quote(str(world.place)))
    texts = {"docker": docker, "df": DISKS.format(services=world.services)}
    texts |= dict.fromkeys(("dig", "getent", "nslookup", "host"), NAMES.format(hosts=world.hosts))
    texts |= {name: ABSENT.format(name=name) for name in NOT_HERE}
    for name, text in texts.items():
        path = world.tools / name
        path.write_text(NOTED.format(name=name, acts=acts, text=text))
        path.chmod(0o755)
