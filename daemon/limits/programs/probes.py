"""What asks the network: name lookups, probes of ports and certificates, packets."""

import re

from daemon.limits.command import Command, Program
from daemon.limits.kinds import Found, Kind
from daemon.limits.options import options, read
from daemon.limits.programs.entries import every, reader, told
from daemon.limits.words import has_numbers


def _nc(command: Command) -> list[Found]:
    given = read(command.args, options("-z -v -n -u -4 -6 -w= -q= -i= -h -t"))
    if not given.has("-z", "-h") or any(word.text is None for word in command.args):
        return command.unknown("a connection that may carry anything")
    return [command.found(Kind.READ, "tries a port")]


_DIG = options("-4 -6 -r -u -v -h -m -i -x= -t= -c= -p= -b= -q=")


def _nslookup(command: Command) -> list[Found]:
    """Without a name, or with a dash for one, it takes names and commands from its input."""
    told(command)
    operands = [word for word in command.args if not (word.text or "").startswith("-")]
    if not operands or any(word.text == "-" for word in command.args):
        return command.unknown("what it asks can't be told")
    return [command.found(Kind.READ, "asks for a name")]


def _dig(command: Command) -> list[Found]:
    """-f reads a file of questions, and -k one of keys: they are not in the table."""
    told(command)
    read(command.args, _DIG)
    return [command.found(Kind.READ, "asks for a name")]


def _openssl(command: Command) -> list[Found]:
    args = list(command.args)
    verb = args[0].text if args else None
    if any(word.text is None for word in args) and verb != "x509":
        return command.unknown("an argument that can't be told")
    if verb == "s_client":
        read(args[1:], _S_CLIENT, single_dash=True)
        if _says_something(command):
            return command.unknown("what goes through the connection can't be told")
        return [command.found(Kind.READ, "looks at a server's certificate")]
    if verb == "x509":
        given = read(args[1:], _X509, single_dash=True)
        open_in = any(value.is_open and not value.text for value in given.values("-in"))
        return (
            command.unknown("which file it is can't be told")
            if open_in
            else [command.found(Kind.READ, "prints a certificate")]
        )
    if verb == "crl" or verb == "verify":
        read(args[1:], options("-in= -noout -text -CAfile= -untrusted= -nextupdate"), single_dash=True)
        return [command.found(Kind.READ, "looks at certificates")]
    if verb in {"version", "ciphers"}:
        return [command.found(Kind.READ, "prints its version")]
    return command.unknown("which may read or write keys")


_S_CLIENT = options(
    "-connect= -servername= -showcerts -brief -starttls= -tls1_2 -tls1_3 -tls1_1 -tls1 -CAfile= -CApath="
    " -verify= -verify_return_error"
    "  -status -alpn= -quiet -no_ign_eof -prexit -verify_hostname= -4 -6 -host= -port= -crlf -ign_eof"
    " -tlsextdebug -noservername"
    " -verify_quiet -cipher= -groups= -sigalgs= -no_tls1_3 -no_tls1_2"
)
_X509 = options(
    "-in= -noout -text -dates -enddate -startdate -subject -issuer -serial -fingerprint -sha256 -sha1"
    " -checkend= -ext= -email -purpose"
    " -checkhost= -checkip= -nameopt= -dateopt= -inform= -subject_hash -ocsp_uri -pubkey -modulus -hash"
)


def _says_something(command: Command) -> bool:
    """Whether more than empty lines may go from its input into the connection."""
    if command.stdin is not None:
        return bool(command.stdin.strip())
    return command.typed and not command.frame.empty_input


_WHOIS = options("-H -h= --host= --verbose --version --help")


def _whois(command: Command) -> list[Found]:
    """With -h and -p it says its operand to anything that listens."""
    given = read(command.args, _WHOIS)
    if any(word.text is None for word in command.args):
        return command.unknown("an argument that can't be told may carry anything out")
    if any(not re.fullmatch(r"whois\.[\w.-]+", value.text or "") for value in given.values("-h", "--host")):
        return command.unknown("what it says to which port can't be told")
    return [command.found(Kind.READ, "asks who has a name")]


_DRILL = options("-D -T -S -4 -6 -a -t -u -x -z -s -v -h -V= -b= -p= -o=")


def _drill(command: Command) -> list[Found]:
    """-w and -q write a file, -f and -i read one: they are not in the table."""
    if any(word.text is None for word in command.args):
        return command.unknown("an argument that can't be told may carry anything out")
    read(command.args, _DRILL)
    return [command.found(Kind.READ, "asks for a name")]


def _tcpdump(command: Command) -> list[Found]:
    """A number of packets by their headers. What prints or keeps their content is not in the table."""
    given = read(command.args, options("-c= -i= -s= -n -e -q -t -l -p -K -# -D --list-interfaces --count"))
    counted = given.values("-c")
    if given.has("-D", "--list-interfaces") or (counted and all(has_numbers(value) for value in counted)):
        return [command.found(Kind.READ, "looks at packets")]
    return command.unknown("without -c it doesn't end")


# A flood, or an answer from a whole network, is no look: they are not in the table.
_PING = "-4 -6 -A -D -n -O -q -v -V -a -c= -i= -I= -M= -s= -S= -t= -w= -W= -Q= -m= --help --version"

PROGRAMS: dict[str, Program] = {
    **every("nc ncat netcat", _nc),
    "openssl": _openssl,
    **every("dig delv", _dig),
    "host": reader("asks for a name", fixed=True),
    "nslookup": _nslookup,
    "drill": _drill,
    "whois": _whois,
    "tcpdump": _tcpdump,
    **every("ping ping6", reader("tries a host", _PING, fixed=True)),
    **every("traceroute traceroute6 tracepath", reader("tries a host", fixed=True)),
    "mtr": reader(
        "tries a host", "-r -n -c= -w -b -4 -6 -T -u -P= -i= -m= --report --report-wide --no-dns --tcp -z", fixed=True
    ),
}
