"""Secrets out of text, before it reaches a disk: `[REDACTED:NAME]` in place of every known value.

Each value is looked for raw and as HTML writes it, both JSON-escaped (once and twice: JSON within JSON), URL-quoted
and in base64, wherever in a base64 text it starts. Pure functions of bytes, standard library alone: the shim redacts
output, the worker prompts.
"""

import itertools
import json
from binascii import b2a_base64
from collections.abc import Callable, Iterable

SHORTEST = 4  # shorter values would blacken ordinary words; whoever configures one is warned
URL_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~")
COMPONENT_SAFE = URL_SAFE | frozenset(b"!'()*")  # what JavaScript's encodeURIComponent leaves alone
SHORTEST_BASE64 = 6  # a shorter piece of base64 would hit unrelated text
WORTH_SHARING = 8  # the shorter a piece is, the longer takes the search for it
LONGEST_CHAIN = 64  # secrets that overlap one another in a row; only a value like "aaaa" makes more
# From rare to common in what programs print; what is not in here is rarer still.
RARE_FIRST = b'ZQXJqzKYVWUHFGkxjBOLMPDNvRSCIATEwbyf7g5869p43cu2h1ldmosarnit0e=+/\\%,.:_-" '

Probe = tuple[bytes, tuple[tuple[bytes, bytes], ...]]  # look for this; if found, replace these (form, label)


def too_short(value: str) -> bool:
    """Whether a secret cannot be redacted because it is too short."""
    return len(value.encode(errors="surrogateescape")) < SHORTEST


def _quoted(value: bytes, safe: frozenset[int], space: bytes = b"%20") -> bytes:
    return b"".join(bytes((b,)) if b in safe else space if b == 0x20 else b"%%%02X" % b for b in value)


def _escaped(text: str) -> set[str]:
    """As it stands inside a JSON string, with and without escapes for what is not ASCII."""
    return {json.dumps(text, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)}


def _in_html(text: str) -> set[str]:
    """As it stands in a page: quotes left alone, or in the ways that Python, JavaScript and others write them."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    quotes = itertools.product(('"', "&quot;", "&#34;"), ("'", "&#x27;", "&#39;", "&apos;"))
    return {plain.replace('"', double).replace("'", single) for double, single in quotes}


def _base64(value: bytes) -> Iterable[tuple[bytes, list[bytes]]]:
    """(piece that any base64 text around the value must hold, the forms to replace) for the three alignments."""
    for shift in range(3):
        encoded = b2a_base64(b"\0" * shift + value, newline=False)
        over = (shift + len(value)) % 3
        # Bits of the neighbours mix into the first and the last characters: only what lies between is certain.
        end = len(encoded.rstrip(b"=")) - (1 if over else 0)
        piece = encoded[(0, 2, 3)[shift] : end]
        if len(piece) >= SHORTEST_BASE64:
            yield piece, [encoded, encoded.rstrip(b"="), piece] if shift == 0 else [piece]


def _start(forms: set[bytes]) -> bytes:
    """How all of them begin."""
    same = itertools.takewhile(lambda column: len(set(column)) == 1, zip(*forms, strict=False))
    return bytes(column[0] for column in same)


def _alike(forms: set[bytes]) -> dict[bytes, list[bytes]]:
    """What to look for -> what to replace: one piece for all forms, where they begin or end alike and long enough."""
    piece = max(_start(forms), _start({form[::-1] for form in forms})[::-1], key=len)
    return {piece: sorted(forms)} if len(piece) >= WORTH_SHARING else {form: [form] for form in forms}


def _forms(value: str) -> dict[bytes, list[bytes]]:
    """What to look for -> what to replace, for one line of one secret."""
    raw = value.encode(errors="surrogateescape")
    quoted = {_quoted(raw, URL_SAFE), _quoted(raw, URL_SAFE | {0x2F}), _quoted(raw, COMPONENT_SAFE)}
    quoted.add(_quoted(raw, URL_SAFE, space=b"+"))
    written = {value, *_in_html(value)}
    once = {form for text in written for form in _escaped(text)}
    twice = {form for text in once for form in _escaped(text)}
    escaped = {form.encode(errors="surrogateescape") for form in written | once | twice}
    found = _alike(quoted)
    for piece, forms in _alike({raw, *escaped}).items():
        found.setdefault(piece, []).extend(forms)
    for piece, forms in _base64(raw):
        found.setdefault(piece, []).extend(forms)
        # The URL-safe alphabet, where it differs.
        safe = piece.replace(b"+", b"-").replace(b"/", b"_")
        if safe != piece:
            found.setdefault(safe, []).extend(form.replace(b"+", b"-").replace(b"/", b"_") for form in forms)
    return found


def label(name: str) -> bytes:
    return f"[REDACTED:{name}]".encode(errors="replace")


class Redactor:
    """Knows the secrets of one run and takes them out of complete lines.

    `secrets`: (name, value) pairs; too short ones are left out (`too_short`). `contains(text, piece)`: the search,
    if there is a faster one than `in`.
    """

    def __init__(
        self, secrets: Iterable[tuple[str, str]], contains: Callable[[bytes, bytes], bool] = bytes.__contains__
    ) -> None:
        self._contains = contains
        gathered: dict[bytes, list[tuple[bytes, bytes]]] = {}
        for name, value in secrets:
            # Text is redacted line by line, so a value of many lines (a PEM key) is, too; and whole where escaped.
            lines = [line for line in value.splitlines() if len(line) >= 2 * SHORTEST] if "\n" in value else []
            for part in dict.fromkeys((value, value.strip(), *lines)):
                if too_short(part):
                    continue
                for piece, forms in _forms(part).items():
                    of_a_line = [(form, label(name)) for form in forms if b"\n" not in form]
                    if of_a_line:
                        gathered.setdefault(piece, []).extend(of_a_line)
        self.probes: tuple[Probe, ...] = tuple(
            (piece, tuple(dict.fromkeys(found))) for piece, found in gathered.items()
        )
        self.longest = max((len(form) for _, forms in self.probes for form, _ in forms), default=0)
        # One byte of each piece, few altogether: text that lacks it can't hold the piece, and that is known at once.
        self._rare = {piece: min(piece, key=RARE_FIRST.find) for piece, _ in self.probes}
        self._rare_bytes = frozenset(self._rare.values())

    def lines(self, text: bytes) -> bytes:
        """The text without the secrets. It must not end within one: see `settled`."""
        contains = self._contains
        there = {byte for byte in self._rare_bytes if byte in text}
        found = [
            pair
            for piece, forms in self.probes
            if self._rare[piece] in there and contains(text, piece)
            for pair in forms
        ]
        # Longest first: a secret that holds another one goes whole.
        for form, replacement in sorted(found, key=lambda pair: -len(pair[0])):
            text = text.replace(form, replacement)
        return text

    def text(self, text: str) -> str:
        """The same for a text, such as a prompt."""
        return self.lines(text.encode(errors="surrogateescape")).decode(errors="surrogateescape")

    def settled(self, text: bytes) -> int:
        """How many bytes of an unfinished line can be redacted and written now, whatever follows them.

        A secret may have begun in the last bytes; one that is whole must not be cut in two. 0: not known yet.
        """
        if not self.longest:
            return len(text)
        cut = max(0, len(text) - self.longest + 1)
        forms = [form for _, pairs in self.probes for form, _ in pairs]
        for _ in range(LONGEST_CHAIN):
            starts = [text.find(form, max(0, cut - len(form) + 1), cut + len(form) - 1) for form in forms]
            spanning = [start for start in starts if 0 <= start < cut]
            if not spanning:
                return cut
            cut = min(spanning)
        return 0
