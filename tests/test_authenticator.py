"""What we rely on in streamlit-authenticator that it does not promise: another version fails here."""

import inspect
from importlib.metadata import version

import pytest
from streamlit.auth_util import get_secrets_auth_section
from streamlit_authenticator.utilities import Hasher
from streamlit_authenticator.views import Authenticate

from core import passwords
from pages.ui.authenticator import SignInForm


def test_the_package_is_the_one_whose_inner_parts_we_know() -> None:
    assert version("streamlit-authenticator") == "0.4.2"


def test_its_form_touches_only_what_we_stand_in_for() -> None:
    used = inspect.getsource(Authenticate.login)
    for part in ("cookie_controller", "authentication_controller", "attrs", "path"):
        assert f"self.{part}" in used
    for part in ("encryptor", "api_key", "credentials", "validator"):
        assert f"self.{part}" not in used


def test_our_form_is_the_package_s_own() -> None:
    assert SignInForm.login is Authenticate.login


@pytest.mark.parametrize("password", ["correct horse battery", "ä" * 37, "🐎" * 40, "with\0nul inside it"])
def test_our_hashes_are_those_of_its_hasher(password: str) -> None:
    """Core cannot import the package, which imports Streamlit; what it stores is the same."""
    digest = passwords.digest(password).decode()
    assert Hasher.check_pw(digest, passwords.hashed(password))
    assert passwords.matches(password, Hasher.hash(digest))


def test_without_secrets_there_is_no_other_site() -> None:
    assert not get_secrets_auth_section()
