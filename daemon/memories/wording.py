"""Whether two observations say the same in other words. Pure; `daemon.memories.rules` asks, to know what is reinforced.

A memory that is taken for another one by mistake is lost, and what contradicts it would make it stronger. So every word
counts, in its place: a number, a name, "not", "before". What does not count is what can't turn a statement round: case,
space, the punctuation of a sentence, articles, a plural's or a verb's s, and whether the part that begins with "after",
"when", "at" stands first or last.
"""

FILLERS = frozenset({"a", "an", "the", "is", "are", "be", "it", "its", "that", "there", "then", "also"})
OPENERS = frozenset(
    {"after", "before", "when", "while", "during", "if", "once", "because", "since", "until", "at", "on", "in"}
)
# At the edges of a word alone: "-5", ".5", ">5" and "5 %" stay what they are.
BEFORE, AFTER = "\"'`“‘«([{", "\"'`”’»)]}.,;:!?…"

Gist = tuple[str, ...]


def gist(text: str) -> Gist:
    """The words of a text that carry what it says."""
    bare = (word.lstrip(BEFORE).rstrip(AFTER) for word in text.casefold().split())
    words = tuple(_singular(word) for word in bare if word and word not in FILLERS)
    return words or tuple(text.casefold().split())


def _singular(word: str) -> str:
    """Without the s that a plural or a verb ends in."""
    ends = word.endswith("s") and not word.endswith(("ss", "us", "is"))
    return word[:-1] if ends and len(word) > 3 and word.isalpha() else word


def same(one: Gist, other: Gist) -> bool:
    """Whether two gists say the same."""
    if one == other:
        return True
    # Else the words must be the same ones, and only a part that begins with an opener may stand elsewhere.
    return sorted(one) == sorted(other) and (_turned(one, other) or _turned(other, one))


def _turned(one: Gist, other: Gist) -> bool:
    """Whether the last part of `one` is the first of `other`."""
    return any(word in OPENERS and one[at:] + one[:at] == other for at, word in enumerate(one))
