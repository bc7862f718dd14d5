"""The services of `core`: every public function that takes `session, actor`, and those that need not ask."""

import ast
from collections.abc import Iterator
from pathlib import Path

CORE = Path(__file__).parent.parent / "core"

# What asks nobody, and why that opens no door.
WITHOUT_ACCESS = {
    "appointment_events.answered": "finds only visits that the actor's own form made; its callers have asked",
    "appointment_events.record": "writes what its callers were allowed to do",
    "audit.record": "writes what its callers were allowed to do",
    "audit.record_read": "writes what its callers were allowed to do",
    "audit.record_refusal": "writes what was refused",
    "patients.own": "gives the rows of the actor's own numbers, and takes no other",
    "placements.insert": "writes what its callers were allowed to do",
    "placements.move": "writes what its callers were allowed to do",
    "profiles.is_code_over": "counts a try at the actor's own code, and tells nothing but that",
    "profiles.is_over": "counts a try at the actor's own password, and tells nothing but that",
    "records.treating_doctor": "gives the table what it asks about: the actor's own number or nothing",
}

Function = tuple[str, ast.FunctionDef]


def functions() -> Iterator[Function]:
    """Every function of `core`, by module and name."""
    for path in sorted(CORE.glob("*.py")):
        for node in ast.parse(path.read_text(), str(path)).body:
            if isinstance(node, ast.FunctionDef):
                yield f"{path.stem}.{node.name}", node


def acts(function: ast.FunctionDef) -> bool:
    """Whether a function takes a session and the person acting, as services do."""
    taken = [argument.arg for argument in function.args.posonlyargs + function.args.args]
    return taken[:2] == ["session", "actor"]


def services() -> list[str]:
    """The services that ask the access table."""
    return sorted(
        name
        for name, function in functions()
        if acts(function) and not function.name.startswith("_") and name not in WITHOUT_ACCESS
    )


def asking() -> set[str]:
    """The functions that ask `access`, themselves or through others, before they return anything."""
    known, before = {"access.require", "access.may"}, 0
    everything = dict(functions())
    while len(known) > before:
        before = len(known)
        known |= {name for name, function in everything.items() if asks_first(name, function, known)}
    return known


def asks_first(name: str, function: ast.FunctionDef, known: set[str]) -> bool:
    """Whether a statement that is always reached asks on the actor's behalf, before any that returns."""
    for statement in _always_reached(function.body):
        asked = [node for node in _outside_branches(statement) if _passes_actor_to(node, name, known)]
        if asked:
            return True
        if any(isinstance(node, ast.Return | ast.Yield | ast.YieldFrom) for node in ast.walk(statement)):
            return False
    return False


def _always_reached(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a body in order, those within `with`, `try` and `for` too."""
    for statement in body:
        if isinstance(statement, ast.With | ast.Try | ast.For):
            yield from _always_reached(statement.body)
        else:
            yield statement


def _outside_branches(statement: ast.stmt) -> Iterator[ast.AST]:
    """What is evaluated whichever way a statement goes: of an `if`, its question alone."""
    roots: list[ast.AST] = [statement.test] if isinstance(statement, ast.If | ast.While) else [statement]
    while roots:
        node = roots.pop()
        yield node
        if isinstance(node, ast.IfExp | ast.BoolOp):
            roots.append(node.test if isinstance(node, ast.IfExp) else node.values[0])
        elif not isinstance(node, ast.Lambda | ast.comprehension):
            roots += ast.iter_child_nodes(node)


def _passes_actor_to(node: ast.AST, name: str, known: set[str]) -> bool:
    if not isinstance(node, ast.Call):
        return False
    module = name.partition(".")[0]
    called = ast.unparse(node.func)
    is_known = (called if "." in called else f"{module}.{called}") in known
    return is_known and any(isinstance(each, ast.Name) and each.id == "actor" for each in node.args)
