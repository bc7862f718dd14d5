"""The rules of the house that a machine can keep: who imports whom, guards, commits, clocks and sentences."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services import (
    ASKING_FOR_EACH,
    WITHOUT_ACCESS,
    WITHOUT_ACTOR,
    acts,
    asking,
    asks_first,
    functions,
    outside_calls,
    services,
    takes_session_alone,
)

ROOT = Path(__file__).parent.parent
ENTRIES = ["Home.py", "server.py"]
OURS = ["core", "db", "jobs", "pages", "sandbox"]
FREE = ["tests", "benchmarks"]
# The pages for people of whom nothing is known yet.
WITHOUT_GUARD = {
    "pages/account/sign_in.py",
    "pages/account/register.py",
    "pages/account/reset_password.py",
    "pages/account/accept_invite.py",
    "pages/account/demo_mailbox.py",
    "pages/account/choose_time.py",
}
PERSONAL = {"actor", "user", "patient", "user_id", "patient_id", "session"}
CLOCKS = {"now", "utcnow", "today"}

Tree = tuple[str, ast.Module]


def _sources(*folders: str) -> list[Path]:
    found = [ROOT / name for name in ENTRIES if (ROOT / name).exists()]
    for folder in folders:
        found += sorted((ROOT / folder).rglob("*.py"))
    return found


def _parsed(paths: list[Path]) -> list[Tree]:
    return [(str(path.relative_to(ROOT)), ast.parse(path.read_text(), str(path))) for path in paths]


EVERYTHING = _parsed(_sources(*OURS))
MIGRATIONS = [(name, tree) for name, tree in EVERYTHING if name.startswith("db/migrations/versions/")]
SHARED = ("pages/ui/", "pages/front/")  # what pages are made of and what stands in front of them
SCRIPTS = [
    (name, tree)
    for name, tree in EVERYTHING
    if name.startswith("pages/") and not name.startswith(SHARED) and not name.endswith("__init__.py")
]


CALLERS = [each for each in EVERYTHING if each[0] in ENTRIES or each[0].startswith(("pages/", "jobs/"))]


def of(folder: str) -> list[Tree]:
    return [(name, tree) for name, tree in EVERYTHING if name.startswith(f"{folder}/")]


def _imports(tree: ast.Module) -> Iterator[str]:
    """Every module that is imported anywhere in a file, also inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name their module in full"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _importing(trees: list[Tree], *modules: str) -> list[str]:
    """The files that import one of these modules or something in them."""
    return sorted(
        name
        for name, tree in trees
        if any(
            each == module or each.startswith(f"{module}.") for each in _imports(tree) for module in modules
        )
    )


def _called(node: ast.AST) -> str:
    """What a call or decorator calls, as it is written: `st.cache_data`."""
    return ast.unparse(node.func if isinstance(node, ast.Call) else node)


def _calls(tree: ast.Module, method: str) -> list[int]:
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method
    ]


def test_the_search_itself_finds_the_code() -> None:
    names = {name for name, _tree in EVERYTHING}
    assert {"Home.py", "server.py", "core/appointments.py", "db/session.py", "jobs/__main__.py"} <= names
    assert MIGRATIONS
    assert SCRIPTS


def test_only_the_entries_and_the_pages_import_streamlit() -> None:
    others = [each for each in EVERYTHING if not each[0].startswith("pages/") and each[0] not in ENTRIES]
    assert _importing(others, "streamlit", "streamlit_authenticator", "streamlit_calendar") == []


def test_only_core_and_db_import_sqlalchemy() -> None:
    others = [each for each in EVERYTHING if not each[0].startswith(("core/", "db/"))]
    assert _importing(others, "sqlalchemy", "psycopg", "alembic") == []


def test_core_imports_nothing_above_it() -> None:
    assert _importing(of("core"), "pages", "jobs", "sandbox", "server", "Home") == []


def test_no_name_is_imported_around_a_circle() -> None:
    """Or whether a module can be imported hangs on which was imported before it."""
    graph = {_module(name): _imported_at_once(tree) for name, tree in of("core")}
    around = [
        f"{importer} takes names of {imported}"
        for importer, (modules, named) in graph.items()
        for imported in named
        if importer in _reached(graph, imported)
    ]
    assert around == []


def _module(name: str) -> str:
    return name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _imported_at_once(tree: ast.Module) -> tuple[set[str], set[str]]:
    """The modules of `core` that are imported as a file is read, and those of which names are taken."""
    known = {_module(name) for name, _tree in of("core")}
    modules, named = set(), set()
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module:
            taken = {f"{node.module}.{alias.name}" for alias in node.names}
            modules |= taken & known
            if node.module in known and taken - known:
                modules.add(node.module)
                named.add(node.module)
    return modules - {"core"}, named - {"core"}


def _reached(graph: dict[str, tuple[set[str], set[str]]], start: str) -> set[str]:
    found, waiting = set(), [start]
    while waiting:
        for each in graph[waiting.pop()][0] - found:
            found.add(each)
            waiting.append(each)
    return found


def test_db_imports_nothing_above_it() -> None:
    assert _importing(of("db"), "core", "pages", "jobs", "sandbox", "server", "Home") == []


def test_jobs_import_no_pages() -> None:
    assert _importing(of("jobs"), "pages", "server", "Home") == []


def test_nothing_imports_the_tests_or_the_benchmarks() -> None:
    assert _importing(EVERYTHING, *FREE) == []


def test_the_sandbox_stands_alone() -> None:
    """It is a process of its own, in whose place there is the real provider one day."""
    others = [each for each in EVERYTHING if not each[0].startswith("sandbox/")]
    assert _importing(of("sandbox"), "core", "db", "jobs", "pages", "server", "Home") == []
    assert _importing(others, "sandbox") == []
    assert of("sandbox")


def test_no_migration_imports_a_model() -> None:
    assert _importing(MIGRATIONS, "db", "core", "jobs", "pages") == []


def test_only_the_session_module_commits() -> None:
    committing = {name: lines for name, tree in EVERYTHING if (lines := _calls(tree, "commit"))}
    assert set(committing) <= {"db/session.py"}


def test_only_the_clock_knows_the_time() -> None:
    """Anywhere else a test could not stop it, and a use case could ask twice and get two answers."""
    asking = [
        f"{name}:{node.lineno} {ast.unparse(node)}"
        for name, tree in EVERYTHING
        if name != "core/clock.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in CLOCKS
        and ast.unparse(node.value).split(".")[-1] in {"datetime", "date", "dt"}
    ]
    assert asking == []


def test_the_clock_is_asked_through_its_module() -> None:
    """`from core.clock import now` would keep the real clock when a test stops it."""
    assert _importing(EVERYTHING, "core.clock.now") == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [name for name, tree in EVERYTHING + _parsed(_tests()) if not ast.get_docstring(tree)]
    assert silent == []


def _tests() -> list[Path]:
    return sorted(path for folder in FREE for path in (ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize(("name", "tree"), SCRIPTS, ids=[name for name, _tree in SCRIPTS])
def test_a_page_script_is_one_level_down_and_begins_with_its_guard(name: str, tree: ast.Module) -> None:
    assert len(Path(name).parts) == 3, "pages/<role>/<page>.py"
    docstring, *rest = tree.body
    assert isinstance(docstring, ast.Expr)
    first = next(node for node in rest if not isinstance(node, ast.Import | ast.ImportFrom))
    call = first.value if isinstance(first, ast.Assign | ast.Expr) else None
    is_guard = isinstance(call, ast.Call) and _called(call) == "require"
    assert is_guard or name in WITHOUT_GUARD
    if is_guard:
        assert call.args, "the guard names its roles"
        assert all(ast.unparse(argument).startswith("Role.") for argument in call.args)


def test_the_guard_is_the_one_of_pages_ui() -> None:
    for name, tree in SCRIPTS:
        if name not in WITHOUT_GUARD:
            assert "pages.ui.require" in set(_imports(tree)), name


def test_page_names_are_unique_since_they_are_addresses() -> None:
    stems = [Path(name).stem for name, _tree in SCRIPTS]
    assert len(stems) == len(set(stems))


def test_page_scripts_hold_no_sql_and_catch_nothing_from_the_clinic() -> None:
    for name, tree in SCRIPTS:
        caught = [
            ast.unparse(node.type) if node.type else ""
            for node in ast.walk(tree)
            if isinstance(node, ast.ExceptHandler)
        ]
        assert not {"", "Exception", "BaseException", "ClinicError"} & set(caught), name
        assert _calls(tree, "execute") + _calls(tree, "scalars") + _calls(tree, "scalar") == [], name


def test_pages_open_a_transaction_through_reading_and_perform() -> None:
    """Those keep a refusal in the trail and say it in a sentence; a plain one by another name does not."""
    renaming = [
        name
        for name, tree in of("pages")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and any(alias.name == "unit_of_work" and alias.asname for alias in node.names)
    ]
    opening = [name for name, tree in SCRIPTS if "db.session.unit_of_work" in set(_imports(tree))]
    assert renaming + opening == []


def test_nothing_personal_is_cached_for_everybody() -> None:
    """`st.cache_data` is shared by all users: it never goes on a function that takes a person."""
    shared = [
        f"{name}:{node.name}"
        for name, tree in EVERYTHING
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and any(_called(each) in {"st.cache_data", "cache_data"} for each in node.decorator_list)
        and {argument.arg.lstrip("_") for argument in ast.walk(node.args) if isinstance(argument, ast.arg)}
        & PERSONAL
    ]
    assert shared == []


def _errors() -> dict[str, list[tuple[str, ast.ClassDef]]]:
    """The classes of `core` by name of their base."""
    by_base: dict[str, list[tuple[str, ast.ClassDef]]] = {}
    for name, tree in of("core") + of("pages"):
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                for base in node.bases:
                    by_base.setdefault(ast.unparse(base).split(".")[-1], []).append((name, node))
    return by_base


def _clinic_errors() -> list[tuple[str, ast.ClassDef]]:
    """Every subclass of `ClinicError`, and theirs."""
    by_base, found, bases = _errors(), [], ["ClinicError"]
    while bases:
        below = by_base.get(bases.pop(), [])
        found += below
        bases += [node.name for _name, node in below]
    return found


def test_every_sentence_of_an_error_is_marked_for_translation() -> None:
    errors = _clinic_errors()
    assert len(errors) > 10
    for name, error in errors:
        sentences = [
            node.value
            for node in error.body
            if isinstance(node, ast.Assign)
            and any(ast.unparse(target) == "message" for target in node.targets)
        ]
        for sentence in sentences:
            assert isinstance(sentence, ast.Call), f"{name}: {error.name}"
            assert _called(sentence) == "N_", f"{name}: {error.name}"
            assert [type(argument) for argument in sentence.args] == [ast.Constant], f"{name}: {error.name}"


def test_every_error_has_a_sentence_of_its_own() -> None:
    without = [
        error.name
        for _name, error in _clinic_errors()
        if not any(
            isinstance(node, ast.Assign | ast.AnnAssign | ast.FunctionDef)
            and ("message" in ast.unparse(node))
            for node in error.body
        )
    ]
    assert without == []


def test_a_translated_sentence_is_no_f_string() -> None:
    """`_(f"...")` asks for a translation of the sentence with today's values already in it."""
    wrong = [
        f"{name}:{node.lineno}"
        for name, tree in EVERYTHING
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and _called(node) in {"_", "N_", "ngettext"}
        and any(isinstance(argument, ast.JoinedStr) for argument in node.args)
    ]
    assert wrong == []


def test_every_service_asks_the_access_table_before_it_answers() -> None:
    forgetful = set(services()) - asking()
    assert len(services()) > 30
    assert forgetful == set(ASKING_FOR_EACH)


def test_what_need_not_ask_is_there_and_has_a_reason() -> None:
    there = {name for name, function in functions() if acts(function)}
    assert set(WITHOUT_ACCESS) - there == set()
    assert all([*WITHOUT_ACCESS.values(), *ASKING_FOR_EACH.values()])


def test_pages_and_jobs_act_for_nobody_only_where_that_is_written_down() -> None:
    """What takes no actor can ask nothing about one: each such function has to say what it lets happen."""
    alone = {name for name, function in functions() if takes_session_alone(function)}
    called = {each for _name, tree in CALLERS for each in outside_calls(tree)}
    assert len(called & alone) > 30
    assert called & alone == set(WITHOUT_ACTOR)
    assert all(WITHOUT_ACTOR.values())


@pytest.mark.parametrize(
    "calling",
    [
        "from core import exports\nexports.collect(session, 1)",
        "from core import exports as found\nwork(found.collect)",
        "from core.exports import collect",
        "from core.exports import collect as gathered\ngathered(session, 1)",
        "import core.exports\ncore.exports.collect(session, 1)",
        "def later():\n from core import exports\n return partial(exports.collect)",
    ],
)
def test_the_search_for_calls_finds_them_however_they_are_written(calling: str) -> None:
    assert "exports.collect" in outside_calls(ast.parse(calling))
    assert "exports.collect" not in WITHOUT_ACTOR


@pytest.mark.parametrize(
    ("body", "asks"),
    [
        ("access.require(actor, Action.BOOK)\n return 1", True),
        ("row = session.get(X, 1)\n access.require(actor, Action.BOOK)\n return row", True),
        ("return 1", False),
        ("return session.get(X, 1)\n access.require(actor, Action.BOOK)", False),
        ("if early:\n  return 1\n access.require(actor, Action.BOOK)", False),
        ("if sometimes:\n  access.require(actor, Action.BOOK)\n return 1", False),
        ("if access.may(actor, Action.BOOK):\n  return 1\n raise AccessDenied", True),
        ("access.require(somebody, Action.BOOK)\n return 1", False),
        ("agendas.one(session, actor, 1)\n return 1", True),
        ("agendas.unheard_of(session, actor, 1)\n return 1", False),
        ("for one in many:\n  access.require(actor, Action.BOOK)\n return 1", False),
        ("x = [access.may(actor, Action.BOOK) for each in many]\n return x", False),
        ("try:\n  access.require(actor, Action.BOOK)\n except AccessDenied:\n  pass\n return 1", False),
        ("for one in agendas.one(session, actor, 1):\n  pass\n return 1", True),
        ("for one in many:\n  pass\n access.require(actor, Action.BOOK)\n return 1", True),
        ("with reading() as rows:\n  access.require(actor, Action.BOOK)\n return 1", True),
        ("try:\n  access.require(actor, Action.BOOK)\n finally:\n  pass\n return 1", True),
        ("x = sometimes and access.may(actor, Action.BOOK)\n return 1", False),
    ],
)
def test_the_search_for_services_that_forget_to_ask_finds_them(body: str, asks: bool) -> None:
    made = ast.parse(f"def service(session, actor):\n {body}").body[0]
    assert isinstance(made, ast.FunctionDef)
    assert asks_first("elsewhere.service", made, asking()) is asks


# What puts a file at an address of Streamlit's own, which checks nobody: /media is open to whoever knows it.
MEDIA = {"download_button", "image", "audio", "video", "pdf", "logo"}
MEDIA_ALLOWED = {"pages/ui/enrolment.py": "an SVG given as text is drawn in place, at no address"}


def test_no_page_lets_a_file_travel_through_media() -> None:
    """Personal files have addresses of ours, `/files/...`, which check the cookie and whose file it is."""
    calling = {
        name: lines
        for name, tree in of("pages") + [each for each in EVERYTHING if each[0] == "Home.py"]
        for lines in [[line for method in MEDIA for line in _calls(tree, method)]]
        if lines and name not in MEDIA_ALLOWED
    }
    assert calling == {}
