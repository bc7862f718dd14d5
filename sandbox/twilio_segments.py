"""How many parts a text is sent in: GSM 03.38, and UCS-2 as soon as one character is outside of it."""

_BASIC = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_TWICE = set("\f^{}\\[~]|€")
GSM_ALONE, GSM_PART = 160, 153
UCS_ALONE, UCS_PART = 70, 67


def segments(body: str) -> int:
    """The number of parts; an escaped character is never cut in two, which can cost one more."""
    if set(body) <= _BASIC | _TWICE:
        return _parts([2 if each in _TWICE else 1 for each in body], GSM_ALONE, GSM_PART)
    return _parts([2 if ord(each) > 0xFFFF else 1 for each in body], UCS_ALONE, UCS_PART)


def _parts(sizes: list[int], alone: int, part: int) -> int:
    if sum(sizes) <= alone:
        return 1
    count, room = 1, part
    for size in sizes:
        if size > room:
            count, room = count + 1, part
        room -= size
    return count
