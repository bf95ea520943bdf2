"""Imports point one way: read from the syntax trees, and by what `import qa` loads."""

import ast
import graphlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

import index
import qa

ROOT = Path(__file__).parent.parent
OURS = ("index", "qa", "seeds", "app")
# Steps that exist to be shared with others.
SHARED = {"sentences", "dates", "lines", "runtime", "quiet", "checkpoints", "digests"}
BASE = {"index.types", "index.errors", "index.home"}
STEPS = {"load", "clean", "sections", "chunk", "encode", "store"}
# What a step is made of is used by it alone: docs/ARCHITECTURE.md.
PARTS = {
    "clean": {"navigation", "calendars", "images", "headings"},
    "sections": {"headings"},
    "encode": {"convert"},
    "load": {"headings"},
}
# From what everything may import to what nothing may; names in one row do not import each other.
ORDER = (
    {"index.errors", "index.home", "index.quiet"},
    {"index.types", "index.checkpoints"},
    {"index.sentences", "index.dates"},
    {"index.lines"},
    {"index.load", "index.clean", "index.sections", "index.chunk", "index.encode", "index.store"},
    {"index.nearest", "index.vector_file"},
    {"index.vectors", "index.spelling"},
    {"index.words"},
    {"index.search"},
    {"index.ingest"},
    {"index.index"},
    {"index"},
    {"qa.types", "qa.settings", "qa.database"},
    {"qa.records", "qa.enumerations"},
    {
        "qa.windows",
        "qa.sentence_reader",
        "qa.confidence",
        "qa.cite",
        "qa.widen",
        "qa.phrases",
    },
    {"qa.referents"},
    {"qa.followup"},
    {"qa.span_models"},
    {"qa.read"},
    {"qa.about"},
    {"qa.feedback"},
    {"qa.conversations"},
    {"qa.assistant"},
    {"qa"},
    {"qa.export"},
    {"qa.terminal"},
    {"qa.web", "qa.evaluation"},
    {"qa.bench"},
    {"qa.training"},
    {"qa.cli"},
)


def name_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {
    name_of(path): path
    for path in [
        *ROOT.glob("index/**/*.py"),
        *ROOT.glob("qa/**/*.py"),
        *ROOT.glob("seeds/**/*.py"),
        ROOT / "app.py",
    ]
}


def imports(name, *, top_only=False):
    """The modules that one module imports anywhere in its text, in full; `index.load` for `from index import load`."""
    path = MODULES[name]
    tree = ast.parse(path.read_text("utf-8"))
    found = set()
    for node in _executed_at_import(tree) if top_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = name if path.stem == "__init__" else name.rpartition(".")[0]
                for _ in range(node.level - 1):
                    package = package.rpartition(".")[0]
                base = f"{package}.{base}".rstrip(".")
            full = {f"{base}.{alias.name}" for alias in node.names}
            found |= {one if one in MODULES else base for one in full}
    return found


def _executed_at_import(node):
    """Nodes outside of functions and of `if TYPE_CHECKING`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from _executed_at_import(child)


def within(name, *packages):
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def test_the_trees_are_read():
    assert {
        "index.index",
        "qa.assistant",
        "qa.web.server",
        "index.load.pdf",
        "seeds",
        "app",
    } <= MODULES.keys()
    assert "index.store" in imports("index.vectors")
    assert "torch" in imports("index.convert")
    assert {"index.chunk", "index.clean", "index.load"} <= imports("index.ingest")
    assert "index.convert" in imports("index.encode")
    assert "index.convert" not in imports("index.encode", top_only=True)


@pytest.mark.parametrize("name", sorted(name for name in MODULES if within(name, "index", "seeds")))
def test_index_never_imports_qa(name):
    assert not {one for one in imports(name) if within(one, "qa", "app", "tests")}


@pytest.mark.parametrize("name", sorted(MODULES))
def test_the_product_never_imports_its_tests(name):
    assert not {one for one in imports(name) if within(one, "tests", "pytest", "hypothesis")}


def test_no_module_imports_itself_by_a_detour():
    graph = {
        name: {one for one in imports(name, top_only=True) if one in MODULES and one != name}
        for name in MODULES
    }
    # A package's __init__ gathers what lies in it.
    graph = {name: {one for one in found if not within(name, one)} for name, found in graph.items()}
    list(graphlib.TopologicalSorter(graph).static_order())


def rank(name):
    """The row of ORDER that names the module or, if none does, the package it is in."""
    while name:
        for row, names in enumerate(ORDER):
            if name in names and name not in {"index", "qa"}:
                return row
        if name in {"index", "qa"}:
            return next(row for row, names in enumerate(ORDER) if name in names)
        name = name.rpartition(".")[0]
    return None


@pytest.mark.parametrize("name", sorted(set().union(*ORDER)))
def test_imports_point_down(name):
    here = rank(name)
    for module in (
        one for one in MODULES if one == name or (within(one, name) and name not in {"index", "qa"})
    ):
        for imported in imports(module):
            if (
                imported in MODULES
                and any(imported in names for names in ORDER)
                and not within(imported, name)
            ):
                assert rank(imported) < here, f"{module} imports {imported}"


@pytest.mark.parametrize("step", sorted(STEPS))
def test_a_step_imports_no_other_step(step):
    allowed = {f"index.{one}" for one in SHARED | PARTS.get(step, set()) | {step}} | BASE
    for module in (one for one in MODULES if within(one, f"index.{step}")):
        found = {one for one in imports(module) if within(one, "index") and not within(one, f"index.{step}")}
        assert found <= allowed, f"{module} imports {found - allowed}"


@pytest.mark.parametrize(
    ("library", "places"),
    [
        ("gradio", ("qa.web",)),
        ("fastapi", ("qa.web",)),
        ("starlette", ("qa.web",)),
        ("uvicorn", ("qa.web",)),
        ("torch", ("index.convert", "qa.evaluation", "qa.training")),
        (
            "sentence_transformers",
            ("index.convert", "index.encode", "qa.bench.worker", "qa.evaluation", "qa.training"),
        ),
        ("transformers", ("index.convert", "qa.evaluation", "qa.training")),
        ("openvino", ()),  # by name only, in index.quiet
        ("apsw", ("index.store", "qa.database", "qa.conversations", "qa.feedback")),
        ("faiss", ("index.nearest", "qa.bench.worker")),
        ("pypdf", ("index.load",)),
        ("docx", ("index.load",)),
        ("selectolax", ("index.load",)),
        ("typer", ("qa.cli", "qa.bench", "qa.evaluation", "qa.training", "qa.__main__")),
        ("pickle", ()),
        ("requests", ()),
    ],
)
def test_a_library_is_imported_only_where_it_belongs(library, places):
    for name in MODULES:
        if any(within(one, library) for one in imports(name)):
            assert within(name, *places), f"{name} imports {library}"


def test_what_is_slow_is_imported_late():
    slow = ("torch", "sentence_transformers", "transformers", "gradio", "huggingface_hub", "pypdf", "docx")
    late = ("index.convert", "index.load.", "qa.web", "qa.evaluation", "qa.training", "app")
    for name in MODULES:
        if not name.startswith(late):
            found = {
                one for one in imports(name, top_only=True) if within(one, *slow, "index.convert", "qa.web")
            }
            assert not found, f"{name} imports {found}"


def test_the_public_names_are_these():
    assert sorted(index.__all__) == ["Document", "Encoder", "Hit", "Index", "Passage", "load_encoder"]
    assert sorted(qa.__all__) == [
        "Answer",
        "Assistant",
        "Candidate",
        "Citation",
        "Settings",
        "Turn",
        "answer",
    ]
    for package in (index, qa):
        assert list(package.__all__) == sorted(package.__all__)
        for name in package.__all__:
            assert getattr(package, name).__doc__


ASK = """
import sys
told = []
sys.addaudithook(lambda event, values: told.append((event, values)) if event in WATCHED else None)
from qa import answer
print(answer("Who led the CSTO delegation in Vienna?").status)
print([(event, values) for event, values in told])
print(sorted(WORDS & {name.partition(".")[0] for name, module in sys.modules.items() if module}))
"""


def test_answering_starts_no_process_and_no_connection(home, tmp_path):
    watched = {
        "socket.connect",
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "socket.sendto",
        "subprocess.Popen",
        "os.fork",
    }
    words = {
        "openvino_telemetry",
        "torch",
        "transformers",
        "sentence_transformers",
        "gradio",
        "pypdf",
        "docx",
    }
    done = subprocess.run(
        [sys.executable, "-c", f"WATCHED = {watched}\nWORDS = {words}\n{ASK}"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "VERBATIM_HOME": str(home), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["answered", "[]", "[]"]
    # Nor is anything written outside of its own home.
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "statement", ["import qa", "import index", "from qa import Assistant, answer", "import qa.cli"]
)
def test_importing_loads_nothing_slow_and_writes_nothing(statement, tmp_path):
    script = (
        f"import sys; {statement}\n"
        "slow = {'torch', 'gradio', 'transformers', 'sentence_transformers', 'fastapi', 'pypdf', 'docx', 'huggingface_hub'}\n"
        "print(sorted(slow & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "VERBATIM_HOME": str(tmp_path / "home"),
            "HOME": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")
    assert list(tmp_path.iterdir()) == []
