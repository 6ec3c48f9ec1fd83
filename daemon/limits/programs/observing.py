"""What looks at a machine and its services from outside of them, and what tells people about it."""

import re

from daemon.limits.command import Command, Program
from daemon.limits.kinds import Found, Kind
from daemon.limits.options import options, read
from daemon.limits.programs.entries import acts, every, reader, verbs
from daemon.limits.words import NotUnderstood, has_numbers

_SENDS = "sends a message"
_CONTAINERS = reader("looks at containers")


def _sar(command: Command) -> list[Found]:
    """-o, which writes a file, is not in the table."""
    table = options(
        "-A -b -B -C -d -F -H -h -p -q -r -R -S -t -u -v -w -W -y -z -f= -i= -I= -j= -m= -n= -P= -s="
        " -e= --human --pretty"
    )
    given = read(command.args, table)
    if not all(has_numbers(word) or word.text in {"ALL", "MOUNT", "CPU", "IO", "MEM"} for word in given.operands):
        raise NotUnderstood("what it writes can't be told")
    found = [it for word in given.values("-f") for it in command.reads(word)]
    return found or [command.found(Kind.READ, "looks at the system")]


def _lastlog(command: Command) -> list[Found]:
    """-C and -S change what it shows."""
    read(command.args, options("-b= -t= -u= --before= --time= --user= -h --help"))
    return [command.found(Kind.READ, "looks at the system")]


def _certbot(command: Command) -> list[Found]:
    read(command.args, options("-q --quiet -d= --domains= --cert-name="))
    return [command.found(Kind.READ, "lists certificates")]


_RABBIT = options("-n= -q -s -l -p= -t= --node= --quiet --silent --longnames --vhost= --timeout= --formatter=")


def _logger(command: Command) -> list[Found]:
    table = options(
        "-t= -p= -i -s -f= -n= -P= -T -d -u= -e -S= --tag= --priority= --stderr --file= --server= --port= --id?="
        " --tcp --udp --size= --no-act --skip-empty"
    )
    given = read(command.args, table)
    found = [it for word in given.values("-f", "--file") for it in command.reads(word)]
    return [*found, command.found(Kind.CHANGE, "writes to the system's log")]


def _mail(command: Command) -> list[Found]:
    """Options by which it runs programs are not in the table."""
    given = read(command.args, options("-s= -r= -c= -b= -a= -A= -E -n -i -v --subject= --attach= --append="))
    files = [it for it in given.values("-A", "-a", "--attach") if not re.search(":\\s", it.text or "")]
    found = [it for word in files for it in command.reads(word)]
    return [*found, command.found(Kind.CHANGE, _SENDS)]


def _sendmail(command: Command) -> list[Found]:
    """-C, -X and -be read, write and run: they are not in the table."""
    words = [word for word in command.args if word.text not in {"-oi", "-oem", "-odb"}]
    read(words, options("-t -i -v -f= -F= -r="))
    return [command.found(Kind.CHANGE, _SENDS)]


def _logrotate(command: Command) -> list[Found]:
    """A configuration may run programs: those of the system may run theirs."""
    given = read(command.args, options("-f -v -d --force --verbose --debug"))
    usual = r"/etc/logrotate\.(conf|d/[\w.-]+)"
    if not given.operands or not all(re.fullmatch(usual, word.text or "") for word in given.operands):
        raise NotUnderstood("a configuration that may run something")
    return [command.found(Kind.CHANGE, "rotates logs")]


PROGRAMS: dict[str, Program] = {
    "sar": _sar,
    "lastlog": _lastlog,
    "certbot": verbs({"certificates": _certbot}),
    "rabbitmqctl": verbs(
        every(
            "list_queues list_exchanges list_bindings list_connections list_channels list_consumers list_users"
            " list_vhosts list_permissions status cluster_status ping version",
            reader("looks at a broker"),
        ),
        _RABBIT,
    ),
    "crictl": verbs(
        {
            **every("ps pods images logs inspect inspecti inspectp stats statsp info imagefsinfo version", _CONTAINERS),
            "stop": acts(Kind.CHANGE, "stops a container"),
        },
        options("-r= -i= -t= --runtime-endpoint= --image-endpoint= --timeout= --version"),
    ),
    "ctr": verbs(
        {
            **every(
                "containers container c images image i tasks task t namespaces namespace ns snapshots",
                verbs(every("ls list info", _CONTAINERS)),
            ),
            "version": _CONTAINERS,
        },
        options("-n= -a= --namespace= --address= --version"),
    ),
    "apprise": acts(Kind.CHANGE, _SENDS, files=True),
    "mail": _mail,
    "sendmail": _sendmail,
    "logger": _logger,
    "wall": acts(Kind.CHANGE, _SENDS, files=True),
    "logrotate": _logrotate,
}
