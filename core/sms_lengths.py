"""How many segments a text has, which is how many are paid for: in the GSM 7-bit alphabet, or in UCS-2.

The alphabet is that of 3GPP TS 23.038, 6.2.1; parts of a longer text lose some room to the header that
joins them (TS 23.040, 9.2.3.24).
"""

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€\f")  # each takes two places
_GSM_ALONE, _GSM_PART = 160, 153
_UCS2_ALONE, _UCS2_PART = 70, 67
LONGEST = 1600  # characters; Twilio refuses more (error 21617)

# What typesetters and dates bring along although the plain sign says the same.
_PLAINER = str.maketrans(
    dict.fromkeys("\u00a0\u2007\u2009\u202f", " ")
    | dict.fromkeys("‘’‚‛′", "'")
    | dict.fromkeys("“”„‟″", '"')
    | dict.fromkeys("‐‑‒–—−", "-")
    | {"…": "...", "\u200b": "", "\u2060": "", "\ufeff": ""}
)


def plainer(text: str) -> str:
    """`text` with plain spaces, quotes and dashes, which keep it in the short alphabet."""
    return text.translate(_PLAINER)


def is_gsm(text: str) -> bool:
    """Whether the GSM 7-bit alphabet has all of `text`."""
    return all(sign in _BASIC or sign in _EXTENDED for sign in text)


def segments(text: str) -> int:
    """How many segments `text` is sent in; one for an empty text."""
    if is_gsm(text):
        return _count([2 if sign in _EXTENDED else 1 for sign in text], _GSM_ALONE, _GSM_PART)
    return _count([len(sign.encode("utf-16-le")) // 2 for sign in text], _UCS2_ALONE, _UCS2_PART)


def _count(widths: list[int], alone: int, part: int) -> int:
    """No sign is cut in two: one that does not fit begins the next segment."""
    if sum(widths) <= alone:
        return 1
    count, used = 1, 0
    for width in widths:
        if used + width > part:
            count, used = count + 1, 0
        used += width
    return count
