"""Messages on the screen: the desk's inbox and log, the admin's words and hours, and a patient's wishes."""

from datetime import time, timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from core import announcements, phone_states
from db.config import config
from db.models import (
    Answer,
    Appointment,
    Channel,
    ClinicSettings,
    EmergencyAccess,
    InboundMessage,
    InboundState,
    MessageKind,
    MessageTemplate,
    Notification,
    NotificationStatus,
    Patient,
    User,
)
from db.session import unit_of_work
from tests import make
from tests.app_pages import OpenAs
from tests.phones import ACCOUNT, NUMBER, TOKEN
from tests.portal import NOON, Residents
from tests.test_pages import open_as, residents, said, texts, visit

__all__ = ["open_as", "residents"]
pytestmark = pytest.mark.usefixtures("noon_without_cookies")
INBOX, LOG = "pages/staff/inbox.py", "pages/staff/message_log.py"
WISHES, WORDS = "pages/patient/notifications.py", "pages/admin/messages.py"
ADA = "+4930111111"


@pytest.fixture(autouse=True)
def _texts_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_FROM": NUMBER,
        "TWILIO_API_BASE": "http://127.0.0.1:1",
    }.items():
        monkeypatch.setenv(name, value)
    config.cache_clear()


@pytest.fixture
def ada(database: Engine, residents: Residents) -> int:
    """Ada with a number that she has agreed to be texted at; her patient number."""
    with unit_of_work(database) as session:
        patient = session.get_one(Patient, residents.ada_id)
        account = session.get_one(User, patient.user_id)
        account.phone = patient.phone = ADA
        account.sms_consent_at = NOON
    return residents.ada_id


def texted(database: Engine, body: str, **changes: object) -> int:
    """A text from Ada's number that waits at the desk; its number."""
    row = {"provider_id": f"SM{body}", "sender": ADA, "body": body, "received_at": NOON}
    row |= {"state": InboundState.AT_DESK, "why": "unclear", "suggestion": Answer.UNCLEAR}
    with unit_of_work(database) as session:
        inbound = InboundMessage(**row | changes)
        session.add(inbound)
        session.flush()
        return inbound.id


def shown(app: AppTest) -> str:
    return texts(app).replace("\\", "")


def links(app: AppTest) -> list[str]:
    """The labels of the links on a page."""
    return [link.proto.label for link in app.get("page_link")]


def submit(app: AppTest) -> None:
    """Send the page's form."""
    next(button for button in app.button if button.label == "Save").click().run()


class TestInbox:
    def test_nothing_to_do_is_said(self, open_as: OpenAs) -> None:
        app = open_as("rita", INBOX)
        assert [text.partition(".")[0] for text in said(app.info)] == [
            "Nothing to answer",
            "Every message about a coming visit has arrived",
        ]

    def test_a_text_is_answered_with_what_was_suggested_or_in_ones_own_words(
        self, open_as: OpenAs, database: Engine, ada: int
    ) -> None:
        number = texted(database, "What was that again?")
        app = open_as("rita", INBOX)
        assert "Ada Okafor" in shown(app)
        assert ":material/sms: What was that again?" in shown(app)
        assert (
            app.text_area(key=f"inbox_text_{number}").value == "Thank you for your message. How can we help?"
        )
        app.text_area(key=f"inbox_text_{number}").set_value("Please call us.").run()
        app.button(key=f"inbox_send_{number}").click().run()
        assert said(app.success) == ["The answer is sent."]
        with Session(database) as session:
            [message] = session.scalars(select(Notification))
            assert (message.kind, message.details["to"]) == (MessageKind.REPLY, ADA)
            assert session.get_one(InboundMessage, number).state is InboundState.SETTLED

    def test_an_empty_answer_is_refused_and_the_text_stays(
        self, open_as: OpenAs, database: Engine, ada: int
    ) -> None:
        number = texted(database, "?")
        app = open_as("rita", INBOX)
        app.text_area(key=f"inbox_text_{number}").set_value(" ").run()
        app.button(key=f"inbox_send_{number}").click().run()
        assert said(app.error) == ["Please write an answer."]
        with Session(database) as session:
            assert session.get_one(InboundMessage, number).state is InboundState.AT_DESK

    def test_of_many_texts_the_first_are_drawn_with_how_many_there_are(
        self, open_as: OpenAs, database: Engine, ada: int
    ) -> None:
        numbers = [texted(database, f"What? {count}") for count in range(23)]
        app = open_as("rita", INBOX)
        assert "20 of 23. The others come up" in shown(app)
        assert not [area for area in app.text_area if area.key == f"inbox_text_{numbers[20]}"]
        for number in numbers[:3]:
            app.button(key=f"inbox_done_{number}").click().run()
        assert " of 2" not in shown(app)
        assert app.text_area(key=f"inbox_text_{numbers[22]}").value

    def test_no_answer_is_offered_to_a_number_that_wants_no_texts(
        self, open_as: OpenAs, database: Engine, ada: int
    ) -> None:
        number = texted(database, "CANCEL", why="perhaps the visit was meant", suggestion=Answer.CANCEL)
        with unit_of_work(database) as session:
            phone_states.stop(session, ADA, by="a text")
        app = open_as("rita", INBOX)
        assert "No text can be sent there. Please call." in shown(app)
        assert not app.text_area
        app.button(key=f"inbox_done_{number}").click().run()
        assert said(app.success) == ["Noted."]

    def test_the_visit_that_was_meant_is_confirmed_with_one_click(
        self, open_as: OpenAs, database: Engine, residents: Residents, ada: int
    ) -> None:
        first, _second = visit(database, residents), visit(database, residents, hours_ahead=100)
        number = texted(database, "C", why="several visits", suggestion=Answer.CONFIRM)
        app = open_as("rita", INBOX)
        app.button(key=f"inbox_confirm_{number}_{first}").click().run()
        assert said(app.success) == ["Noted that they will come."]
        with Session(database) as session:
            assert session.get_one(Appointment, first).attending_at is not None

    def test_a_lost_message_says_whom_to_call_and_is_ticked_off(
        self, open_as: OpenAs, database: Engine, residents: Residents, ada: int
    ) -> None:
        number = visit(database, residents)
        with unit_of_work(database) as session:
            announcements.cancelled(session, session.get_one(Appointment, number))
            message = session.scalars(select(Notification)).one()
            message.status, message.error_code = NotificationStatus.UNDELIVERED, 30005
            message.sent_to, message.channel, lost = ADA, Channel.SMS, message.id
        app = open_as("rita", INBOX)
        assert "Cancelled: visit on" in shown(app)
        assert "+49 30 111111" in shown(app)
        app.button(key=f"inbox_reached_{lost}").click().run()
        assert said(app.success) == ["Noted."]
        assert "Every message about a coming visit has arrived." in said(app.info)

    def test_every_page_of_the_desk_says_how_many_texts_wait_and_no_others_do(
        self, open_as: OpenAs, database: Engine, ada: int
    ) -> None:
        assert not any("to answer" in label for label in links(open_as("rita")))
        number = texted(database, "What?")
        assert "1 text to answer" in links(open_as("rita"))
        texted(database, "Where?")
        assert "2 texts to answer" in links(open_as("rita", LOG))
        assert not any("to answer" in label for label in links(open_as("ada")))
        app = open_as("rita", INBOX)
        app.button(key=f"inbox_done_{number}").click().run()
        assert "1 text to answer" in links(app)

    def test_all_that_waits_stands_in_one_row_below_one_line_on_what_is_not_real(
        self, open_as: OpenAs, database: Engine, ada: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_none")
        monkeypatch.setenv("STRIPE_API_BASE", "http://127.0.0.1:2")
        config.cache_clear()
        texted(database, "What?")
        with unit_of_work(database) as session:
            make.clinic(session, is_demo=True, requires_second_factor=False)
            until = NOON + timedelta(hours=2)
            told = {"reason": "Found unconscious", "opened_at": NOON, "expires_at": until}
            session.add(EmergencyAccess(doctor_id=make.doctor(session).id, patient_id=ada, **told))
        app = open_as("albert", LOG)
        row = app.container(key="home_notices")
        assert [each.proto.label for each in row.get("page_link")] == [
            "1 emergency access to review",
            "1 text to answer",
        ]
        assert row.proto.flex_container.direction == row.proto.flex_container.Direction.HORIZONTAL
        [line] = [each.value for each in app.markdown if "Simulated" in each.value]
        assert line.startswith(
            ":small[Demo clinic · [Simulated payments](http://127.0.0.1:2) · [Simulated texts]("
        )

    def test_patients_have_no_inbox(self, open_as: OpenAs) -> None:
        with pytest.raises(ValueError, match="page"):
            open_as("ada", INBOX)


class TestLog:
    def test_the_desk_sees_what_was_sent_about_a_visit_and_how_it_fared(
        self, open_as: OpenAs, database: Engine, residents: Residents, ada: int
    ) -> None:
        number = visit(database, residents)
        with unit_of_work(database) as session:
            announcements.booked(session, session.get_one(Appointment, number))
            message = session.scalars(select(Notification)).one()
            message.status, message.body = NotificationStatus.DELIVERED, "You are booked *now*"
            message.sent_to, message.channel, message.segments = ADA, Channel.SMS, 1
            message.sent_at = NOON
        app = open_as("rita", "pages/staff/book_for_patient.py")
        app.text_input(key="people_text").set_value("Okafor").run()
        app.button(key=f"people_{ada}").click().run()
        app.toggle(key=f"messages_of_{number}").set_value(True).run()
        assert "Booked** :green-badge[Delivered]" in shown(app)
        assert "You are booked \\*now\\*" in texts(app)
        assert "1 segment" in shown(app)

    def test_every_page_leads_to_the_phones_where_texts_are_simulated(
        self, open_as: OpenAs, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert "[Simulated texts](http://127.0.0.1:1/phones)" in shown(open_as("ada", WISHES))
        monkeypatch.delenv("TWILIO_API_BASE")
        config.cache_clear()
        assert "Simulated texts" not in shown(open_as("ada", WISHES))

    def test_a_patients_log_is_empty_at_first(self, open_as: OpenAs, ada: int) -> None:
        app = open_as("rita", LOG)
        app.text_input(key="people_text").set_value("Okafor").run()
        app.button(key=f"people_{ada}").click().run()
        assert "No message yet." in shown(app)
        assert "Messages go by text to +49 30 111111." in " ".join(said(app.success)).replace("\\", "")


class TestWishes:
    def test_a_patient_chooses_email_and_no_reminders(
        self, open_as: OpenAs, database: Engine, ada: int
    ) -> None:
        app = open_as("ada", WISHES)
        app.radio(key=f"contacts_{ada}_by").set_value("email")
        app.checkbox(key=f"contacts_{ada}_reminders").set_value(False)
        app.selectbox(key=f"contacts_{ada}_zone").set_value("America/New_York")
        submit(app)
        assert said(app.success)[-1] == "Saved."
        with Session(database) as session:
            patient = session.get_one(Patient, ada)
            assert (patient.contact_by, patient.wants_reminders) == ("email", False)
            assert patient.time_zone == "America/New_York"

    def test_who_has_stopped_texts_is_told_how_to_get_them_again(
        self, open_as: OpenAs, database: Engine, ada: int
    ) -> None:
        with unit_of_work(database) as session:
            phone_states.stop(session, ADA, by="a text")
        app = open_as("ada", WISHES)
        assert any("text START to us" in text for text in said(app.warning))

    def test_without_a_number_texts_cannot_be_chosen(self, open_as: OpenAs, residents: Residents) -> None:
        app = open_as("ben", WISHES)
        assert app.checkbox(key=f"contacts_{residents.ben_id}_texts").disabled


class TestWords:
    def test_the_admin_changes_the_hours_and_the_reminders(self, open_as: OpenAs, database: Engine) -> None:
        app = open_as("albert", WORDS)
        app.text_input(key="messages_text_name").set_value("Linden")
        app.multiselect(key="messages_reminders").set_value([1440])
        app.time_input(key="messages_quiet_from").set_value(time(21))
        submit(app)
        assert said(app.success) == ["Saved."]
        with Session(database) as session:
            settings = session.get_one(ClinicSettings, 1)
            assert (settings.text_name, settings.reminder_minutes) == ("Linden", [1440])
            assert settings.quiet_from == time(21)

    def test_own_words_are_previewed_with_their_length_saved_and_given_up(
        self, open_as: OpenAs, database: Engine
    ) -> None:
        app = open_as("albert", WORDS)
        area = app.text_area(key="words_booked_en")
        area.set_value("{clinic}: bis {when}! ŵ {link}").run()
        assert "Linden Clinic: bis Wed, Nov 25, 10:30 AM! ŵ" in shown(app)
        assert "2 segments" in shown(app)
        assert "a segment holds 70, else 160" in shown(app)
        app.button(key="words_save").click().run()
        with Session(database) as session:
            assert session.scalars(select(MessageTemplate.text)).one().startswith("{clinic}: bis")
        app.button(key="words_restore").click().run()
        with Session(database) as session:
            assert session.scalars(select(MessageTemplate)).all() == []

    @pytest.mark.parametrize(
        ("text", "refusal"),
        [
            ("{clinic}: {when}", "The message must still have {link}"),
            ("{clinic} {when} {link} {doctor}", "There is nothing to put in place of {doctor}"),
            ("{clinic} {when} {link} }", "A brace stands alone"),
            ("{clinic} {when} {link} or reply CANCEL", "Phone companies take “CANCEL”"),
        ],
    )
    def test_words_that_cannot_be_sent_are_refused_in_a_sentence(
        self, open_as: OpenAs, database: Engine, text: str, refusal: str
    ) -> None:
        app = open_as("albert", WORDS)
        app.text_area(key="words_booked_en").set_value(text).run()
        app.button(key="words_save").click().run()
        assert any(refusal in each.replace("\\", "") for each in said(app.error))
        with Session(database) as session:
            assert session.scalars(select(MessageTemplate)).all() == []

    def test_the_desk_may_not_change_them(self, open_as: OpenAs) -> None:
        with pytest.raises(ValueError, match="page"):
            open_as("rita", WORDS)
