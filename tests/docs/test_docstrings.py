"""What docstrings say: the errors that a function raises, and the units of physical amounts.

That every public module, class, function and method has a docstring is ruff's business (rules D1).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from protocols import errors
from tests.docs.pages import ROOT

FILES = sorted(path for floor in ("protocols", "robots", "agents", "console") for path in (ROOT / floor).rglob("*.py"))
ERRORS = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
"""Labwright's own errors; those that modules derive from them are added."""
Function = ast.FunctionDef | ast.AsyncFunctionDef

AMOUNT = re.compile(
    r"(^|_)(volumes?|heights?|seconds|flow_rates?|temperatures?|concentrations?|films?|depth|diameter|pitch|"
    r"immersion|capacity|length|duration|spare|available|reachable|needed|dead_volume|clock)$"
)
"""Names of fields that hold a physical amount, where their type is a number."""
UNIT = re.compile(r"µL|uL|drawing unit|\bmm\b|\bs\b|\bseconds\b|°C|ng/µL|ng/uL|\bmL\b")
NUMBER = re.compile(r"\b(float|Amount|PositiveAmount)\b")


def derived(trees: dict[Path, ast.Module]) -> set[str]:
    """Labwright's errors, with the classes anywhere that derive from one."""
    known = set(ERRORS)
    classes = [node for tree in trees.values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    while True:
        more = {node.name for node in classes if known & {ast.unparse(base).split(".")[-1] for base in node.bases}}
        if more <= known:
            return known
        known |= more


TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}
KNOWN = derived(TREES)


# -- errors --------------------------------------------------------------------------------------------


def public_functions(tree: ast.Module) -> Iterator[tuple[str, Function, str]]:
    """Functions and methods whose name, and whose class, has no underscore before it; and the class's docstring."""
    for node in tree.body:
        if isinstance(node, Function) and not node.name.startswith("_"):
            yield node.name, node, ""
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for inner in node.body:
                if isinstance(inner, Function) and not inner.name.startswith("_"):
                    yield f"{node.name}.{inner.name}", inner, ast.get_docstring(node) or ""


def own_nodes(function: Function) -> Iterator[ast.AST]:
    """The nodes of a function, those of functions inside it left out."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, Function | ast.Lambda | ast.ClassDef):
            waiting += ast.iter_child_nodes(node)


def raised(function: Function) -> set[str]:
    """The errors of Labwright's that its own body makes and raises, unless it catches them itself."""
    found = set()
    for node in own_nodes(function):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            found.add(ast.unparse(node.exc.func).split(".")[-1])
    return (found & KNOWN) - caught(function)


def caught(function: Function) -> set[str]:
    """The errors that a function's own handlers take."""
    handlers = [node.type for node in own_nodes(function) if isinstance(node, ast.ExceptHandler) and node.type]
    return {name.split(".")[-1] for kind in handlers for name in re.findall(r"[\w.]+", ast.unparse(kind))}


def unsaid_errors(function: Function, of_class: str) -> list[str]:
    """What neither "Raises:" nor a class that speaks for all its methods ("every method may raise ...") says."""
    said = (ast.get_docstring(function) or "").partition("Raises:")[2] + of_class.partition("every method may raise")[2]
    return sorted(name for name in raised(function) if not re.search(rf"\b{name}\b", said))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_public_function_raises_is_said(path: Path) -> None:
    unsaid = {name: unsaid_errors(function, of_class) for name, function, of_class in public_functions(TREES[path])}
    assert {name: missing for name, missing in unsaid.items() if missing} == {}


# -- units ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Field:
    """A public field of a record or dataclass that holds a physical amount."""

    owner: str
    name: str
    told: str

    @property
    def has_unit(self) -> bool:
        return UNIT.search(self.told) is not None


def is_record(node: ast.ClassDef) -> bool:
    """Whether a class declares fields: a dataclass, a named tuple or a pydantic record."""
    words = {ast.unparse(word).split("(")[0].split(".")[-1] for word in (*node.bases, *node.decorator_list)}
    return bool(words & {"Record", "dataclass", "NamedTuple", "BaseModel", "Step", "_KindConfig"})


def amounts(tree: ast.Module) -> Iterator[Field]:
    """The fields of public records that hold plain numbers with a unit, and where that may be said."""
    module = ast.get_docstring(tree) or ""
    for node in tree.body:
        if not isinstance(node, ast.ClassDef) or node.name.startswith("_") or not is_record(node):
            continue
        told = f"{module}\n{ast.get_docstring(node) or ''}"
        for number, item in enumerate(node.body):
            if not isinstance(item, ast.AnnAssign) or not isinstance(item.target, ast.Name):
                continue
            name, kind = item.target.id, ast.unparse(item.annotation)
            if not name.startswith("_") and AMOUNT.search(name) and NUMBER.search(kind):
                yield Field(node.name, name, told + _below(node, number))


def _below(node: ast.ClassDef, number: int) -> str:
    """The string that stands below a field."""
    following = node.body[number + 1] if number + 1 < len(node.body) else None
    return ast.unparse(following) if isinstance(following, ast.Expr) else ""


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_unit_of_every_amount_is_said(path: Path) -> None:
    assert [f"{field.owner}.{field.name}" for field in amounts(TREES[path]) if not field.has_unit] == []


def test_the_checks_look_at_something() -> None:
    assert sum(1 for tree in TREES.values() for _ in amounts(tree)) > 50
    assert sum(len(raised(function)) for tree in TREES.values() for _, function, _ in public_functions(tree)) > 50


def test_a_docstring_that_says_nothing_is_noticed() -> None:
    tree = ast.parse('def read():\n    """Read."""\n    raise InputError("no")\n')
    assert [unsaid_errors(function, "") for _, function, _ in public_functions(tree)] == [["InputError"]]
    tree = ast.parse('class Well(Record):\n    """A well."""\n    volume: float\n')
    assert [field.has_unit for field in amounts(tree)] == [False]
