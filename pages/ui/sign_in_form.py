"""The way in, wherever somebody who is signed out arrives: the password, the second factor, other sites."""

from pages.ui import other_sites
from pages.ui.second_step import second_step


def sign_in_form() -> None:
    """Draw the step that is next; who signs in comes back to the page they asked for."""
    if second_step():
        return
    other_sites.enter_if_known()
    # Here, not above: the package declares components when it is imported, which asks for a running page.
    from pages.ui.authenticator import SignInForm

    SignInForm().draw()
    other_sites.buttons()
