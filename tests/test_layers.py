"""The house: packages import downwards, in the order of docs/house.md; no file or function is long without a reason."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "src/splitshare"
FILES = sorted(SOURCES.rglob("*.py"))
LONGEST_FILE, LONGEST_FUNCTION = 400, 60
ABOVE_ALL = {"__init__", "lookup", "schemas", "interface", "cli"}
"""Single files that stand above packages."""


def order() -> list[str]:
    """Packages as docs/house.md lists them, the lowest first."""
    table = (ROOT / "docs/house.md").read_text().split("Data flows one way")[1].split("\n\n")[1]
    return re.findall(r"^\| `splitshare\.([\w.]+)`", table, flags=re.MULTILINE)


def module_of(path: Path) -> str:
    return str(path.relative_to(SOURCES).with_suffix("")).replace("/", ".").removesuffix(".__init__")


def package_of(module: str) -> str | None:
    """The package of docs/house.md that a module is of; the innermost; ``None`` for single files."""
    parts = module.split(".")
    names = [".".join(parts[:n]) for n in range(len(parts), 0, -1)]
    return next((name for name in names if name in order()), None)


def imports(path: Path) -> Iterator[str]:
    """Modules of ours that a file imports, inside functions too, without the package's name."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == "splitshare":
            inner = node.module.partition(".")[2]
            for alias in node.names:
                full = f"{inner}.{alias.name}".strip(".")
                there = (SOURCES / full.replace(".", "/")).with_suffix(".py").is_file()
                yield full if there or not inner else inner


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_imports_go_down(path: Path) -> None:
    names, importer = order(), package_of(module_of(path))
    for module in imports(path):
        imported = package_of(module)
        if importer is None and module_of(path) not in ABOVE_ALL:
            assert imported is None, f"a single file imports {module}"
        elif importer is not None and importer not in ABOVE_ALL and imported is None:
            assert module.partition(".")[0] not in ABOVE_ALL - {"schemas"}, f"imports {module} from above"
        elif importer is not None and imported is not None:
            assert names.index(imported) <= names.index(importer), f"imports {module} from above"


def test_the_picture_of_the_house_is_true() -> None:
    """``docs/house.svg``: every package once, and no floor that imports from one above it."""
    picture = (ROOT / "docs/house.svg").read_text()
    marks = re.findall(r'class="(floor|package)"[^>]*>([^<]+)<', picture)
    floor_of: dict[str, int] = {}
    floor = 0
    for kind, name in marks:
        if kind == "floor":
            floor -= 1
        else:
            floor_of[name] = floor
    assert Counter(name for kind, name in marks if kind == "package") == Counter(order())
    for path in FILES:
        importer = package_of(module_of(path))
        for imported in {package_of(module) for module in imports(path)} - {None}:
            if importer is not None and imported is not None:
                assert floor_of[imported] <= floor_of[importer], f"{path.name}: {importer} stands below {imported}"


def test_there_is_no_circle_of_files() -> None:
    modules = {module_of(path): set(imports(path)) for path in FILES}
    done: set[str] = set()

    def walk(module: str, above: tuple[str, ...]) -> None:
        assert module not in above, " -> ".join((*above[above.index(module) :], module))
        if module in done:
            return
        for inner in modules.get(module, ()):
            walk(inner, (*above, module))
        done.add(module)

    for module in modules:
        walk(module, ())


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_nothing_is_long_without_a_reason(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert len(lines) <= LONGEST_FILE
    for node in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            if node.end_lineno - node.lineno >= LONGEST_FUNCTION:
                before: list[str] = []
                while lines[first - 2 - len(before)].startswith("#"):
                    before.append(lines[first - 2 - len(before)])
                assert any(line.startswith("# Long") for line in before), f"{node.name} is long; say why above it"
