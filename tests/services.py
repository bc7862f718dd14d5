"""The services of `core`: every public function that takes `session, actor`, and those that need not ask.

Beside them stands what pages and jobs call that takes no actor, and so cannot ask.
"""

import ast
from collections.abc import Iterator, Set
from functools import cache
from pathlib import Path

CORE = Path(__file__).parent.parent / "core"

# What asks nobody, and why that opens no door.
WITHOUT_ACCESS = {
    "appointment_events.answered": "finds only visits that the actor's own form made; its callers have asked",
    "appointment_events.record": "writes what its callers were allowed to do",
    "audit.record": "writes what its callers were allowed to do",
    "audit.record_money": "writes what its callers were allowed to do",
    "audit.record_read": "writes what its callers were allowed to do",
    "audit.record_refusal": "writes what was refused",
    "cancellations.call_off": "calls off what its caller was allowed to cancel",
    "cancellations.settle": "pays back as agreed when its caller was allowed to cancel",
    "ledger.owe": "writes what its callers were allowed to do",
    "ledger.pay_back": "writes what its callers were allowed to do",
    "ledger.receive": "writes what its callers were allowed to do",
    "moves.relocate": "writes what its callers were allowed to do, or what a patient's own link lets them do",
    "moves.move": "writes what its callers were allowed to do",
    "note_drafts.note": "writes what its callers were allowed to do",
    "patients.own": "gives the rows of the actor's own numbers, and takes no other",
    "payments.confirm": "confirms what its callers have seen paid",
    "payments.new_hold": "counts the actor's own held times, and takes no other",
    "placements.first_answer": "gives the actor back what the actor's own form was answered",
    "placements.in_the_way": "tells its callers, who were allowed to book or move, what is in their way",
    "placements.insert": "writes what its callers were allowed to do",
    "profiles.is_code_over": "counts a try at the actor's own code, and tells nothing but that",
    "profiles.is_over": "counts a try at the actor's own password, and tells nothing but that",
    "refunds.ask": "writes what its callers were allowed to do",
    "refunds.credit": "writes what its callers were allowed to do",
    "refunds.ask_surplus": "writes what its callers were allowed to do",
    "refunds.note": "writes what its callers were allowed to do",
    "statements.note_look": "writes what its callers were allowed to do",
    "waitlist_answers.let_go": "frees what its callers were allowed to free",
    "waitlists.withdraw_all": "takes off what its caller was allowed to erase",
    "treatments.treating_doctor": "gives the table what it asks about: the actor's own number or nothing",
}

# What asks for each of many, one after the other: of none of them it gives nothing.
ASKING_FOR_EACH = {
    "agendas.past": "asks for each patient before it reads; without any there is no visit to give",
    "statements.of_patients": "asks for each patient before it reads; without any there is no visit to give",
    "waitlist_endings.own": "asks for each patient before it reads; without any no wish of anybody ended",
    "waitlists.own": "asks for each patient before it reads; without any there is no wish to give",
    "suggestions.suggest": "asks for each visit before it reads; without any there is no time to give",
    "agendas.upcoming": "asks for each patient before it reads; without any there is no visit to give",
    "intakes.ahead": "asks for each patient before it reads; without any nothing is asked",
}

_BEFORE = "comes before anybody is known: "
_COUNTED = "only counts a try, and tells no more than that there were too many"
_EVERYBODYS = "tells what everybody may know: "
_BEATS = "notes when a job has run, and nothing of what it works on"
_TIDYING = "is the clinic's own tidying, whoever is signed in: "

# What pages and jobs call with a session and without an actor, and why that opens no door.
WITHOUT_ACTOR = {
    "accounts.named": "tells a sign-in under which name its tries count; nothing of it is shown",
    "missed_visits.note": _TIDYING + "marks who has not come on a day that is over",
    "audit.require_whole": "only counts, and tells that the trail is whole or that it is not",
    "availability.all_free": _EVERYBODYS + "times that can be booked, and nobody's name",
    "choices.choose": _BEFORE + "takes the secret of a link that only the patient was sent, and only once",
    "choices.is_over": _COUNTED,
    "choices.look": _BEFORE + "takes the secret of a link that only the patient was sent",
    "closures.home_country": _EVERYBODYS + "in which country the clinic's time zone is",
    "calendar_feeds.read": "takes the secret of one calendar, which tells initials and times",
    "clinics.offered_languages": _EVERYBODYS + "which languages can be chosen",
    "clinics.settings": _EVERYBODYS + "the clinic's name, zone and policies",
    "clinics.zone": _EVERYBODYS + "the clinic's zone",
    "delivery_reports.note": "enters what the carrier of texts has signed",
    "grants.complete": _BEFORE + "only the browser's own grant, once its second factor was right",
    "grants.offer": _BEFORE + "its caller has just checked the password or another site's word",
    "grants.redeem": _BEFORE + "takes the browser's secret, which one browser holds, and only once",
    "grants.waiting": _BEFORE + "takes the browser's secret, which one browser holds",
    "grants.withdraw": _BEFORE + "forgets the browser's own grant",
    "heartbeats.fail": _BEATS,
    "heartbeats.health": "tells which jobs run, and nothing of what they work on",
    "heartbeats.succeed": _BEATS,
    "heartbeats.take": _BEATS,
    "holds.release": _TIDYING + "ends only holds that ran out",
    "identities.is_known": "tells whoever proved to be that identity whether it is linked, not to whom",
    "identities.spend": _BEFORE + "takes another site's fresh word, once, and only for a linked account",
    "inbound_texts.forget_old": _TIDYING + "deletes what is past its days",
    "inbound_texts.store": "keeps what the carrier of texts has signed",
    "intakes.are_asked": _EVERYBODYS + "whether there are questions before visits for a service",
    "invites.accept": _BEFORE + "takes the code that only the invited address was sent",
    "invites.is_over": _COUNTED,
    "letterheads.logo": _EVERYBODYS + "the clinic's logo",
    "notifications.forget_old": _TIDYING + "deletes what is past its days",
    "notifications.has_mailbox": _EVERYBODYS + "whether this is a demo",
    "notifications.mailbox": "is empty but in a demo, whose people are invented",
    "one_time_codes.forget_old": _TIDYING + "deletes what ran out",
    "password_resets.ask": _BEFORE
    + "sends a code to the account's own address, and tells the screen nothing",
    "password_resets.finish": _BEFORE + "takes the code that only the account's own address was sent",
    "password_resets.is_asking_over": _COUNTED,
    "password_resets.is_over": _COUNTED,
    "processor_events.forget_old": _TIDYING + "deletes what is past its days",
    "processor_events.store": "keeps what the card processor has signed",
    "prescription_drafts.matches": "compares a draft that its caller was given with the allergies",
    "privacy.expired_records": _TIDYING + "erases what the law no longer makes a clinic keep",
    "reminders.remind": _TIDYING + "writes down what patients are to be reminded of",
    "registrations.ask": _BEFORE + "keeps a form and sends a code, and tells the screen nothing",
    "registrations.confirm": _BEFORE + "takes the code that only the address was sent",
    "registrations.is_asking_over": _COUNTED,
    "registrations.is_over": _COUNTED,
    "second_factors.begin": _BEFORE + "for whoever the browser's grant waits for, whose password was right",
    "second_factors.check": _BEFORE + "takes a code of the account's phone, once",
    "second_factors.confirm": _BEFORE + "takes a code of the secret that was shown after the password",
    "second_factors.is_over": _COUNTED,
    "second_factors.pending": _BEFORE + "for whoever the browser's grant waits for, whose password was right",
    "sign_ins.check_password": _BEFORE + "it is the question who somebody is",
    "sign_ins.current_actor": "it is what finds the actor: takes the token, which one browser holds",
    "sign_ins.end": "ends only the session whose token is given",
    "sign_ins.forget_old": _TIDYING + "deletes what is over",
    "sign_ins.live": "takes hashes of tokens that were given, and tells only which of them still count",
    "sign_ins.note_failure": _BEFORE + "writes a refusal into the trail",
    "throttles.forgive_here": _BEFORE + "its caller has just checked the password",
    "throttles.is_over": _COUNTED,
}

Function = tuple[str, ast.FunctionDef]


@cache
def functions() -> tuple[Function, ...]:
    """Every function of `core`, by module and name."""
    return tuple(
        (f"{path.stem}.{node.name}", node)
        for path in sorted(CORE.rglob("*.py"))
        for node in ast.parse(path.read_text(), str(path)).body
        if isinstance(node, ast.FunctionDef)
    )


def acts(function: ast.FunctionDef) -> bool:
    """Whether a function takes a session and the person acting, as services do."""
    taken = [argument.arg for argument in function.args.posonlyargs + function.args.args]
    return taken[:2] == ["session", "actor"]


def takes_session_alone(function: ast.FunctionDef) -> bool:
    """Whether a public function takes a session and nobody first for whom it acts."""
    given = function.args.posonlyargs + function.args.args + function.args.kwonlyargs
    is_public = not function.name.startswith("_")
    return is_public and not acts(function) and "session" in [argument.arg for argument in given]


def outside_calls(tree: ast.Module) -> set[str]:
    """What a file names of `core`, as module and function, under whatever names it imports them."""
    known = {"core": ""}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "core":
            within = (node.module or "").removeprefix("core").removeprefix(".")
            known |= {
                each.asname or each.name: f"{within}.{each.name}".removeprefix(".") for each in node.names
            }
    named = {each for each in known.values() if "." in each}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            first, _dot, rest = ast.unparse(node).partition(".")
            if first in known:
                named.add(f"{known[first]}.{rest}".removeprefix("."))
    return named


def services() -> list[str]:
    """The services that ask the access table."""
    return sorted(
        name
        for name, function in functions()
        if acts(function) and not function.name.startswith("_") and name not in WITHOUT_ACCESS
    )


@cache
def asking() -> frozenset[str]:
    """The functions that ask `access`, themselves or through others, before they return anything."""
    known, others, before = {"access.require", "access.may"}, dict(functions()), 0
    while len(known) > before:
        before = len(known)
        known |= {name for name, function in others.items() if asks_first(name, function, known)}
        others = {name: function for name, function in others.items() if name not in known}
    return frozenset(known)


def asks_first(name: str, function: ast.FunctionDef, known: Set[str]) -> bool:
    """Whether a statement that is always reached asks on the actor's behalf, before any that returns."""
    for statement in _always_reached(function.body):
        asked = [node for node in _outside_branches(statement) if _passes_actor_to(node, name, known)]
        if asked:
            return True
        if any(isinstance(node, ast.Return | ast.Yield | ast.YieldFrom) for node in ast.walk(statement)):
            return False
    return False


def _always_reached(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a body in order, those within `with` and `finally`'s `try` too.

    A loop may have no turn, and `except` may swallow a refusal.
    """
    for statement in body:
        if isinstance(statement, ast.With) or (isinstance(statement, ast.Try) and not statement.handlers):
            yield from _always_reached(statement.body)
        else:
            yield statement


def _outside_branches(statement: ast.stmt) -> Iterator[ast.AST]:
    """What is evaluated whichever way a statement goes: of an `if` its question, of a loop its rows."""
    roots: list[ast.AST] = [statement]
    if isinstance(statement, ast.If | ast.While | ast.For):
        roots = [statement.iter if isinstance(statement, ast.For) else statement.test]
    while roots:
        node = roots.pop()
        yield node
        if isinstance(node, ast.IfExp | ast.BoolOp):
            roots.append(node.test if isinstance(node, ast.IfExp) else node.values[0])
        elif isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            roots.append(node.generators[0].iter)
        elif not isinstance(node, ast.Lambda | ast.Try):
            roots += ast.iter_child_nodes(node)


def _passes_actor_to(node: ast.AST, name: str, known: Set[str]) -> bool:
    if not isinstance(node, ast.Call):
        return False
    module = name.partition(".")[0]
    called = ast.unparse(node.func)
    is_known = (called if "." in called else f"{module}.{called}") in known
    return is_known and any(isinstance(each, ast.Name) and each.id == "actor" for each in node.args)
