"""Codes that people read and type: drawn by the operating system, without letters that look alike."""

import secrets

ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # without I, L, O, 0 and 1: five bits a character, nearly


def digits(count: int) -> str:
    """`count` decimal digits, which may begin with zeros."""
    return "".join(secrets.choice("0123456789") for _ in range(count))


def letters(count: int) -> str:
    """`count` characters of the alphabet."""
    return "".join(secrets.choice(ALPHABET) for _ in range(count))


def typed(code: str) -> str:
    """A code as it was made, from how a person typed it: blanks, hyphens and case do not matter."""
    return "".join(code.split()).replace("-", "").upper()[:64]


def grouped(code: str, size: int) -> str:
    """A code in groups that are easier to copy: ABCDE-FGHJK."""
    return "-".join(code[first : first + size] for first in range(0, len(code), size))
