"""Which passwords are good enough: long ones that nobody guesses, whatever is in them."""

import pytest

from core import passwords
from core.passwords import PasswordCommon, PasswordLength, WrongCurrentPassword

ABOUT = ("Ada Okafor", "ada.okafor@example.org", "Linden Clinic")
SEVENTY_THREE_BYTES = "Frühstück um fünf, " + "Käse, Öl, Möhren, Nüsse, Brötchen und süße Äpfel"
EMOJI = "🐎🍏🎹🧊🚲🌋🧵🪐🦑🎈🥝🗿"


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "kaffee am morgen",
        SEVENTY_THREE_BYTES,
        EMOJI,
        "correct horse\0battery",
        "  blanks at both ends  ",
        "glass river tempo " * 7,
    ],
)
def test_a_good_password_is_taken_as_typed_and_every_character_counts(password: str) -> None:
    passwords.require_acceptable(password, about=ABOUT)
    kept = passwords.hashed(password)
    assert passwords.matches(password, kept)
    assert not passwords.matches(password[:-1], kept)
    assert not passwords.matches(password + " ", kept)


@pytest.mark.parametrize(
    "password",
    [
        "password1234",
        "qwertyuiop12",
        "clinic-portal",
        "linden-clinic",
        "ada.okafor@example.org",
        "AdaOkafor1990",
        "aaaaaaaaaaaaaaaaaaaa",
        "123456789012",
        "a" * 73,
    ],
)
def test_one_that_is_soon_guessed_is_refused(password: str) -> None:
    with pytest.raises(PasswordCommon):
        passwords.require_acceptable(password, about=ABOUT)


@pytest.mark.parametrize("password", ["", "eleven char", "x" * 129, "🐎" * 5000])
def test_too_short_and_too_long_say_how_long(password: str) -> None:
    with pytest.raises(PasswordLength, match="12 to 128"):
        passwords.require_acceptable(password)


@pytest.mark.rounds
def test_the_current_password_is_asked_for_again() -> None:
    passwords.require_current(EMOJI, passwords.hashed(EMOJI))
    for kept in (passwords.hashed("another one"), None):
        with pytest.raises(WrongCurrentPassword):
            passwords.require_current(EMOJI, kept)
