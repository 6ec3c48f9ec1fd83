"""What goes over the network: HTTP clients, name lookups, probes of ports and certificates."""

import re
from urllib.parse import unquote

from daemon.limits.command import Command, Program
from daemon.limits.kinds import Found, Kind
from daemon.limits.names import listed
from daemon.limits.options import Given, options, read
from daemon.limits.words import NotUnderstood, Word, literal

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
# Addresses where clouds hand credentials to whoever asks.
_METADATA = re.compile(
    r"169\.254\.\d+\.\d+|fd00:0?ec2|fd20:ce|100\.100\.100\.200|192\.0\.0\.192|\binstance-data\b"
    r"|metadata\.(google|azure|tencent|platformequinix|packet|internal|local)|(?:^|:/+|@)metadata\.?(?=[:/?#]|$)",
    re.IGNORECASE,
)
_HANDS_OUT = "asks a cloud's metadata service, which hands out credentials"
_NUMERIC_HOST = re.compile(
    r"(0x[0-9a-f.x]+|\d+|0\d+\..*|(\d+\.){1,2}\d+|[0-9a-fx.]*(^|\.)0[0-9a-fx][0-9a-fx.]*)\.?", re.IGNORECASE
)
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
    " --create-dirs --speed-time= --speed-limit= -x= --proxy= --noproxy="
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
    if given.has("-J", "--remote-header-name"):
        raise NotUnderstood("a name that the other side chooses")
    several = any(re.search(r"[{\[]", word.text or "") for word in given.operands + given.values("--url"))
    saves = given.has("-O", "--remote-name", "--remote-name-all")
    if any("#" in (value.text or "") for value in given.values("-o", "--output")) or (several and saves):
        raise NotUnderstood("names that are made from the address")
    if any(value.text for value in given.values("-x", "--proxy")):
        raise NotUnderstood("a proxy")
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
    if _written(given):
        found += command.writes(_written(given))
    method = [(value.text or "").upper() for value in given.values("-X", "--request")]
    sent = given.values(*_SENDS)
    files = _sent_files(given)
    if files:
        found += [it for word in files for it in command.reads(word)]
        found.append(command.found(Kind.CHANGE, "sends a file"))
    if any(verb not in _READING for verb in method):
        found.append(command.found(Kind.CHANGE, f"an HTTP {' '.join(method)} changes things"))
    elif sent and (not given.has("-G", "--get") or given.has(*_NEVER_GET)):
        found.append(command.found(Kind.CHANGE, "an HTTP POST changes things"))
    return found or [command.found(Kind.READ, "an HTTP request that only reads")]


# With these nothing is a GET. -G holds for one of the requests that --next separates.
_NEVER_GET = ("-F", "--form", "--form-string", "--json", "-T", "--upload-file", "--next", "-:")
_WRITTEN = ("-o", "--output", "-D", "--dump-header", "-c", "--cookie-jar", "--trace", "--trace-ascii", "--stderr")
_SINKS = frozenset({"/dev/null", "-", "/dev/stdout", "/dev/stderr"})


def _written(given: Given) -> list[Word]:
    """The files that it writes: those named by options, and with -O those that the addresses end with."""
    named = [value for value in given.values(*_WRITTEN) if value.text not in _SINKS]
    if given.has("-O", "--remote-name", "--remote-name-all", "-J"):
        addresses = given.operands + given.values("--url")
        named += [literal(re.split("[?#]", word.text or "x")[0].rpartition("/")[2] or "x") for word in addresses]
    return named


def _sent_files(given: Given) -> list[Word]:
    """The files whose content goes out."""
    found: list[Word] = []
    for name, value in given.options:
        text = value.text if value is not None else None
        if text is None or name in {"--data-raw", "--form-string"}:
            continue
        if name in {"-T", "--upload-file"}:
            if re.search(r"[{}\[\]]", text):
                raise NotUnderstood("files that can't be told")
            found += [literal(text)]
        elif name in {"-F", "--form"}:
            match = re.match(r"[^=]*=[@<](.*)", text, re.DOTALL)
            found += [literal(part.split(";")[0].strip('"')) for part in match[1].split(",")] if match else []
        elif name in {"-d", "--data", "--data-binary", "--data-ascii", "--json"}:
            found += [literal(text[1:])] if text.startswith("@") else []
        elif name == "--data-urlencode":
            match = re.match(r"[^=@]*@(.*)", text, re.DOTALL)
            found += [literal(match[1])] if match else []
    return found


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
    path = unquote(rest).lower()
    if re.search(r"/(attach|exec)([/?]|$)|/containers/[^/]+/(archive|export)|:10250/run/", path):
        return Kind.UNKNOWN, "the address may run commands, or hand files out"
    if re.search(r"/(secrets?|env|environ|heapdump|configprops)([/?#]|$)", path):
        return Kind.SECRET, "the address may hand credentials out"
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
    for value in given.values("--post-file", "--body-file"):
        found += command.reads(value)
    outputs = given.values("-O", "--output-document")
    # Even when it only looks whether a page is there, it empties the file.
    written = [value for value in outputs if value.text not in _SINKS]
    if not outputs and not given.has("--spider", "--version"):
        written = [literal(re.split("[?#]", it.text or "x")[0].rpartition("/")[2] or "x") for it in given.operands]
    found += command.writes(written) if written else []
    return found or [command.found(Kind.READ, "an HTTP request that only reads")]


PROGRAMS: dict[str, Program] = {"curl": _curl, "wget": _wget}
