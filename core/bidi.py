"""Which way each character of a line runs: the implicit part of the Unicode Bidirectional Algorithm (UAX #9).

People's words cannot hold the characters that turn others round, so the explicit levels are left out: such a
character counts as nothing. Our own sentences hold people's words, and keep them to themselves as `isolated`.
"""

import re
from itertools import groupby
from unicodedata import bidirectional

_TURNING = re.compile(
    "[\u0590-\u08ff\u200f\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
_OPENS, _CLOSES, _OBJECT = "\u2068", "\u2069", "\ufffc"
_NEUTRAL = frozenset(["B", "S", "WS", "ON"])
_PAIRS = {"(": ")", "[": "]", "{": "}", "«": "»"}
_NOTHING = frozenset(["BN", "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"])


def isolated(words: str) -> str:
    """Somebody's words within a sentence of ours, whose order they do not change."""
    return f"{_OPENS}{plain(words)}{_CLOSES}"


def plain(text: str) -> str:
    """A sentence without the marks of `isolated`."""
    return text.replace(_OPENS, "").replace(_CLOSES, "")


def is_turning(text: str) -> bool:
    """Whether anything in `text` may run from right to left."""
    return _TURNING.search(text) is not None


def base_level(text: str) -> int:
    """0 for a paragraph from left to right, 1 from right to left, as its first strong character (P2, P3)."""
    for character in text:
        kind = bidirectional(character)
        if kind in {"L", "R", "AL"}:
            return int(kind != "L")
    return 0


def levels(text: str, base: int) -> list[int]:
    """The level of each character: even runs from left to right, odd from right to left."""
    if not base and not is_turning(text):
        return [0] * len(text)
    start, end = text.find(_OPENS), text.find(_CLOSES)
    if 0 <= start < end:  # what is isolated is ordered by itself, and counts as one neutral character outside
        outer = levels(f"{text[:start]}{_OBJECT}{text[end + 1 :]}", base)
        inside = text[start + 1 : end]
        own = base_level(inside)
        inner = levels(inside, outer[start] + (outer[start] + own) % 2)
        return [*outer[:start], outer[start], *inner, outer[start], *outer[start + 1 :]]
    return _resolved(text, base)


def _resolved(text: str, base: int) -> list[int]:
    kinds = [bidirectional(character) or "L" for character in text]
    kept = [at for at, kind in enumerate(kinds) if kind not in _NOTHING]
    edge = "R" if base % 2 else "L"
    resolved = _weak([kinds[at] for at in kept], edge)
    resolved = _brackets([text[at] for at in kept], resolved, edge)
    resolved = _neutral(resolved, edge)
    found = [base] * len(text)
    for at, kind in zip(kept, resolved, strict=True):
        found[at] = base + _raised(kind, base)
    return found


def _raised(kind: str, base: int) -> int:
    """I1 and I2."""
    if base % 2:
        return 0 if kind == "R" else 1
    return {"L": 0, "R": 1}.get(kind, 2)


def _weak(kinds: list[str], edge: str) -> list[str]:
    """W1 to W7: marks, digits and what stands between digits."""
    found = list(kinds)
    before, strong = edge, edge
    for at in range(len(found)):
        if found[at] == "NSM":
            found[at] = before  # W1
        if found[at] in {"L", "R", "AL"}:
            strong = found[at]
        elif found[at] == "EN" and strong == "AL":
            found[at] = "AN"  # W2
        before = found[at]
    found = ["R" if kind == "AL" else kind for kind in found]  # W3
    for at in range(1, len(found) - 1):  # W4
        around = found[at - 1]
        if around == found[at + 1] and (
            (found[at] == "ES" and around == "EN") or (found[at] == "CS" and around in {"EN", "AN"})
        ):
            found[at] = around
    return _digits_and_signs(found, edge)


def _digits_and_signs(found: list[str], edge: str) -> list[str]:
    """W5 to W7."""
    ordered: list[str] = []
    for kind, run in groupby(found):
        ordered += [kind] * len(list(run))
    at = 0
    while at < len(ordered):  # W5
        end = at
        while end < len(ordered) and ordered[end] == "ET":
            end += 1
        if end > at and "EN" in {*ordered[max(at - 1, 0) : at], *ordered[end : end + 1]}:
            ordered[at:end] = ["EN"] * (end - at)
        at = max(end, at + 1)
    strong = edge
    for at, kind in enumerate(ordered):
        if kind in {"ES", "ET", "CS"}:
            ordered[at] = "ON"  # W6
        elif kind in {"L", "R"}:
            strong = kind
        elif kind == "EN" and strong == "L":
            ordered[at] = "L"  # W7
    return ordered


def _brackets(characters: list[str], kinds: list[str], edge: str) -> list[str]:
    """N0: a pair of brackets runs as what it holds."""
    found, opened = list(kinds), []
    pairs: list[tuple[int, int]] = []
    for at, character in enumerate(characters):
        if kinds[at] != "ON":
            continue
        if character in _PAIRS:
            opened.append((at, _PAIRS[character]))
        else:
            matching = [place for place, (_at, closing) in enumerate(opened) if closing == character]
            if matching:
                pairs.append((opened[matching[-1]][0], at))
                del opened[matching[-1] :]
    for start, end in sorted(pairs):
        inside = {_strong(kind) for kind in found[start + 1 : end]} - {""}
        if not inside:
            continue
        if edge in inside:
            found[start] = found[end] = edge
        else:
            before = next((_strong(kind) for kind in reversed(found[:start]) if _strong(kind)), edge)
            found[start] = found[end] = before if before in inside else edge
    return found


def _neutral(kinds: list[str], edge: str) -> list[str]:
    """N1 and N2: what has no direction takes that of what is around it, or of the paragraph."""
    found: list[str] = []
    for is_neutral, run in groupby(enumerate(kinds), key=lambda each: each[1] in _NEUTRAL):
        part = list(run)
        if not is_neutral:
            found += [kind for _at, kind in part]
            continue
        first, last = part[0][0], part[-1][0]
        before = _strong(kinds[first - 1]) if first else edge
        after = _strong(kinds[last + 1]) if last + 1 < len(kinds) else edge
        found += [before if before == after else edge] * len(part)
    return found


def _strong(kind: str) -> str:
    """The direction that a kind counts for among neutral ones: digits as right to left."""
    return {"L": "L", "R": "R", "EN": "R", "AN": "R"}.get(kind, "")


def visual(order: list[int]) -> list[int]:
    """The places of units with these levels, from left to right (L2)."""
    places = list(range(len(order)))
    odd = [level for level in order if level % 2]
    if not odd:
        return places
    for level in range(max(order), min(odd) - 1, -1):
        at = 0
        while at < len(places):
            end = at
            while end < len(places) and order[places[end]] >= level:
                end += 1
            places[at:end] = places[at:end][::-1]
            at = max(end, at + 1)
    return places
