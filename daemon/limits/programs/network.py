"""What goes over the network: HTTP clients, name lookups, probes of ports and certificates."""

import re

from daemon.limits.command import Command, Program
from daemon.limits.kinds import Found, Kind
from daemon.limits.names import listed
from daemon.limits.options import Given, options, read
from daemon.limits.programs.entries import every, reader
from daemon.limits.words import NotUnderstood, Word

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
# Addresses where clouds hand credentials to whoever asks.
_METADATA = re.compile(
    r"169\.254\.\d+\.\d+|metadata\.google|fd00:0?ec2|100\.100\.100\.200|metadata\.azure|\binstance-data\b"
)
_HANDS_OUT = "asks a cloud's metadata service, which hands out credentials"
_NUMERIC_HOST = re.compile(r"(0x[0-9a-f.x]+|\d+|0\d+\..*|(\d+\.){1,2}\d+)", re.IGNORECASE)
_GUESSED = re.compile(r"(ftp|dict|ldap|imap|smtp|pop3)\.", re.IGNORECASE)
_OVERRIDE = re.compile(
    r"\s*(x-)?(http-)?method(-override)?\s*:|\s*(connection|upgrade)\s*:.*upgrade|\s*@", re.IGNORECASE
)

_CURL = options(
    "-s -S -f -L -k -i -v -I -N -4 -6 -g -G -q -# -0 -1 -2 -3 -j -l -a -Z -n -: --silent --show-error --fail"
    " --location --insecure --include"
    "  --verbose --head --no-buffer --ipv4 --ipv6 --globoff --get --compressed --http1.1 --http1.0 --http2"
    " --http3 --tlsv1.2"
    "  --tlsv1.3 --fail-with-body --no-progress-meter --progress-bar --path-as-is --retry-connrefused"
    " --retry-all-errors"
    "  --location-trusted --no-keepalive --raw --tcp-nodelay --disable --next --parallel --no-sessionid"
    " --junk-session-cookies"
    "  --http2-prior-knowledge --no-alpn --version --help -V -h --netrc --no-location --basic --digest"
    " --fail-early --tr-encoding"
    "  -m= -H= -A= -e= -w= -o= -X= -u= -b= -d= -F= -T= -r= -D= -y= -Y= --max-time= --connect-timeout="
    " --header= --user-agent="
    "  --referer= --write-out= --output= --request= --user= --cookie= --data= --form= --upload-file= --range="
    " --dump-header="
    "  --retry= --retry-delay= --retry-max-time= --max-redirs= --resolve= --interface= --data-raw="
    " --data-binary= --data-urlencode="
    "  --data-ascii= --json= --url= --url-query= --cacert= --capath= --limit-rate= --max-filesize= --tls-max="
    " --ciphers="
    "  --dns-servers= --oauth2-bearer= --form-string= --keepalive-time= --happy-eyeballs-timeout-ms="
    " --remote-name -O -J -R"
    "  --remote-name-all --remote-header-name --cookie-jar= -c= --trace= --trace-ascii= --stderr="
    " --create-dirs --speed-time= --speed-limit="
)
_SENDS = listed(
    "-d --data --data-raw --data-binary --data-urlencode --data-ascii --json -F --form --form-string -T --upload-file"
)


def _curl(command: Command) -> list[Found]:
    given = read(command.args, _CURL)
    everything = [value for _, value in given.options if value is not None] + given.operands
    if any(word.text is None and not _only_numbers(word) for word in everything):
        raise NotUnderstood("an address or option that can't be told may carry anything out")
    # A line end within a header would begin a second request.
    for name, value in given.options:
        if re.search(r"[\x00-\x1f]", value.text or value.prefix if value else "") and name not in {"-w", "--write-out"}:
            raise NotUnderstood("a line end within an option")
    return _requests(command, given)


def _only_numbers(word: Word) -> bool:
    # A ? or * may find a file of that name; its host is known all the same.
    return not word.is_open and bool(re.match(r"(https?://)?\w[\w.:-]*/", word.prefix))


def _requests(command: Command, given: Given) -> list[Found]:
    found: list[Found] = []
    for word in given.operands + given.values("--url", "--resolve", "--url-query"):
        found += _address(command, word, check=word not in given.values("--resolve", "--url-query"))
    for value in given.values("-H", "--header", "-b", "--cookie", "-w", "--write-out", "--url-query"):
        text = value.text or ""
        if _OVERRIDE.match(text) or text.startswith("@") or "%output" in text:
            raise NotUnderstood("a header or format that may write, read or override")
    if any("@" in (value.text or "").partition("=")[0] for value in given.values("--url-query")):
        raise NotUnderstood("a part of the address from a file")
    for value in given.values("-b", "--cookie"):
        if "=" not in (value.text or ""):
            raise NotUnderstood("cookies from a file")
    if given.has("-n", "--netrc"):
        found.append(command.found(Kind.SECRET, "sends the passwords of .netrc"))
    if _writes(given):
        found += command.writes(given.values("-o", "--output", "-D", "--dump-header", "-c", "--cookie-jar", "--trace"))
    method = [(value.text or "").upper() for value in given.values("-X", "--request")]
    sent = given.values(*_SENDS)
    for value in sent:
        if re.match(r"[^=]*@|[^=]*=[@<]", value.text or "") or given.has("-T", "--upload-file"):
            found.append(command.found(Kind.CHANGE, "sends a file"))
    if any(verb not in _READING for verb in method):
        found.append(command.found(Kind.CHANGE, f"an HTTP {' '.join(method)} changes things"))
    elif sent and (not given.has("-G", "--get") or given.has("-F", "--form", "--form-string", "--json", "-T")):
        found.append(command.found(Kind.CHANGE, "an HTTP POST changes things"))
    return found or [command.found(Kind.READ, "an HTTP request that only reads")]


def _writes(given: Given) -> bool:
    if given.has(
        "-O", "--remote-name", "--remote-name-all", "-J", "-c", "--cookie-jar", "--trace", "--trace-ascii", "--stderr"
    ):
        return True
    values = given.values("-o", "--output", "-D", "--dump-header")
    return any(value.text not in {"/dev/null", "-", "/dev/stdout", "/dev/stderr"} for value in values)


def _address(command: Command, word: Word, *, check: bool) -> list[Found]:
    text = word.text or word.prefix
    if not check:
        secret = bool(_METADATA.search(text))
        return [command.found(Kind.SECRET, _HANDS_OUT)] if secret else []
    kind, why = reads_address(text)
    return [] if kind is Kind.READ else [command.found(kind, why)]


def reads_address(text: str) -> tuple[Kind, str]:
    """READ, SECRET or UNKNOWN for getting an address, and why."""
    if _METADATA.search(text):
        return Kind.SECRET, _HANDS_OUT
    if text.startswith("@") or re.search(r"[\x00-\x20]", text):
        return Kind.UNKNOWN, "the address is spelt in an unusual way"
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "http", text
        if _GUESSED.match(text):
            return Kind.UNKNOWN, "the address's protocol is guessed"
    if scheme.lower() not in {"http", "https"}:
        return Kind.UNKNOWN, f"the protocol {scheme[:20]} does more than read"
    host = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    inner = host.lower()
    odd = "%" in host or "{" in host or "\\" in rest
    if host.startswith("["):
        odd |= "ffff" in inner or "64:ff9b" in inner or "fe80" in inner
        odd |= not re.fullmatch(r"\[[0-9a-f:.]+\](:\d+)?", inner)
    name = re.sub(r":\d*$", "", host)
    odd |= not host.startswith("[") and bool(re.search(r"[\[\]]", host) or _NUMERIC_HOST.fullmatch(name))
    if odd or not name.isascii():
        return Kind.UNKNOWN, "the host is spelt in an unusual way"
    if re.search(r"/(attach|exec)([/?]|$)", rest):
        return Kind.UNKNOWN, "the address may run commands"
    return Kind.READ, "an HTTP request that only reads"


_WGET = options(
    "-q -S -v -nv -4 -6 -c --spider --quiet --server-response --no-verbose --no-check-certificate -d -O="
    " --output-document= -T= -t="
    "  --timeout= --tries= --header= -U= --user-agent= --max-redirect= --method= --content-on-error"
    " --dns-timeout= --connect-timeout="
    "  --no-proxy --post-data= --post-file= --body-data= --body-file= --inet4-only --version --read-timeout="
    " --no-cache --no-dns-cache"
)


def _wget(command: Command) -> list[Found]:
    given = read(command.args, _WGET)
    everything = [value for _, value in given.options if value is not None] + given.operands
    if any(word.text is None for word in everything):
        raise NotUnderstood("an address or option that can't be told")
    found: list[Found] = []
    for word in given.operands:
        if (word.text or "").lower().startswith("ftp:"):
            raise NotUnderstood("the protocol ftp")
        found += _address(command, word, check=True)
    if any(_OVERRIDE.match(value.text or "") for value in given.values("--header")):
        raise NotUnderstood("a header that may override the method")
    method = [(value.text or "").upper() for value in given.values("--method")]
    sends = given.has("--post-data", "--post-file", "--body-data", "--body-file")
    if sends or any(verb not in _READING for verb in method):
        found.append(command.found(Kind.CHANGE, "an HTTP request that changes things"))
    outputs = {value.text for value in given.values("-O", "--output-document")}
    if not given.has("--spider", "--version") and not (outputs and outputs <= {"-", "/dev/null", "/dev/stdout"}):
        found.append(command.found(Kind.WRITE, "writes what it gets to a file"))
    return found or [command.found(Kind.READ, "an HTTP request that only reads")]


def _nc(command: Command) -> list[Found]:
    given = read(command.args, options("-z -v -n -u -4 -6 -w= -q= -i= -h -t"))
    if not given.has("-z", "-h") or any(word.text is None for word in command.args):
        return command.unknown("a connection that may carry anything")
    return [command.found(Kind.READ, "tries a port")]


def _dig(command: Command) -> list[Found]:
    """-f reads a file of questions."""
    for word in command.args:
        if word.text is None or re.match(r"-(?![x46tcpbqruvhkm]|$)|-k", word.text):
            return command.unknown("a question that can't be told")
    return [command.found(Kind.READ, "asks for a name")]


def _openssl(command: Command) -> list[Found]:
    args = list(command.args)
    verb = args[0].text if args else None
    if any(word.text is None for word in args) and verb != "x509":
        return command.unknown("an argument that can't be told")
    if verb == "s_client":
        read(args[1:], _S_CLIENT, single_dash=True)
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

PROGRAMS: dict[str, Program] = {
    "curl": _curl,
    "wget": _wget,
    "nc": _nc,
    "ncat": _nc,
    "netcat": _nc,
    "openssl": _openssl,
    "dig": _dig,
    "delv": _dig,
    **every("host nslookup drill", reader("asks for a name", fixed=True)),
    **every("ping ping6 traceroute traceroute6 tracepath whois", reader("tries a host", fixed=True)),
    "mtr": reader(
        "tries a host", "-r -n -c= -w -b -4 -6 -T -u -P= -i= -m= --report --report-wide --no-dns --tcp -z", fixed=True
    ),
}
