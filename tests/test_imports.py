"""The layers of DESIGN §7, read from the import statements, and proved in a fresh interpreter."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CORE = {"errors", "config", "fingerprint", "portable", "data"}
ENGINE_LIBRARIES = {"torch", "safetensors"}
MODEL_LIBRARIES = {"torch", "safetensors", "transformers", "tokenizers"}

# layer -> (layers of the package it may import, third-party packages whose home it is)
LAYERS: dict[str, tuple[set[str], set[str]]] = {
    "core": (set(), {"numpy", "pandas", "pyarrow", "PIL", "filelock"}),
    "engine": ({"core"}, {"numpy", *ENGINE_LIBRARIES}),
    "models": ({"core", "engine"}, {"numpy", "PIL", "peft", *MODEL_LIBRARIES}),
    "record": ({"core", "engine"}, {"numpy", "lightning", "pytorch_lightning", *MODEL_LIBRARIES}),
    "demo": (
        {"core", "models", "record", "audit"},
        {"numpy", "PIL", "mlxtend", "home_assistant_intents", *MODEL_LIBRARIES},
    ),
    "store": ({"core"}, {"numpy", "pandas", "pyarrow"}),
    "explore": ({"core", "store"}, {"numpy", "pandas", "umap", "hdbscan", "sklearn", "scipy"}),
    "relabel": ({"core", "store"}, {"numpy", "pandas", "pyarrow"}),
    "jobs.worker": (
        {"core", "engine", "models", "store", "explore", "relabel", "jobs.front", "demo"},
        {"numpy", "pandas", "torch", "PIL"},
    ),
    "jobs.front": ({"core", "store"}, {"numpy"}),
    "report": ({"core", "store", "explore", "relabel"}, set()),
    "audit": ({"core", "store", "explore", "relabel", "report", "jobs.front"}, {"numpy", "pandas", "PIL"}),
    "ui": ({"core", "audit"}, {"streamlit", "babel", "plotly", "numpy", "pandas", "PIL", "starlette"}),
    "pages": ({"core", "audit", "ui"}, {"streamlit", "plotly", "numpy", "pandas"}),
    # The report is written in the reader's language: the command asks the pages' catalogue for its words.
    "cli": ({"core", "audit", "jobs.worker", "demo", "ui.language"}, set()),
}
HEAVY = {"umap", "hdbscan", "sklearn", "transformers", "streamlit", "torch"}
WORKER_MODULES = {
    "answers",
    "asked",
    "copies",
    "bases",
    "devices",
    "embedding_map",
    "estimating",
    "exposure",
    "fit_run",
    "fitness",
    "fitting",
    "held",
    "likeness",
    "helper_process",
    "inspect_run",
    "loading",
    "mapping",
    "measuring",
    "opposing",
    "pilot",
    "planning",
    "proving",
    "query_server",
    "query_side",
    "ray",
    "retrieval",
    "retraining",
    "self_testing",
    "subject",
    "team",
    "trainers",
    "units",
    "warm",
    "witnesses",
    "worker",
    "writing",
}


def layer_of(module: str) -> str:
    """The layer that a module of the package (or a page) belongs to."""
    parts = module.split(".")
    if parts[0] in ("app", "pages"):
        return "pages"
    if len(parts) == 1:
        return "core"  # the package's own __init__ imports nothing
    name = parts[1]
    if name == "jobs":
        return "jobs.worker" if len(parts) > 2 and parts[2] in WORKER_MODULES else "jobs.front"
    if name in CORE:
        return "core"
    if name == "__main__":
        return "cli"
    return name


def modules() -> list[tuple[str, Path]]:
    files = [
        *sorted((ROOT / "tracin_viz").rglob("*.py")),
        ROOT / "app.py",
        *sorted((ROOT / "pages").glob("*.py")),
    ]
    names = []
    for file in files:
        dotted = ".".join(file.relative_to(ROOT).with_suffix("").parts)
        names.append((dotted.removesuffix(".__init__"), file))
    return names


def imports(file: Path, *, top_level_only: bool = False) -> set[str]:
    tree = ast.parse(file.read_text())
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
        for inner in ast.walk(node)
    }
    nodes = tree.body if top_level_only else ast.walk(tree)
    found = set()
    for node in nodes:
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            if node.module.split(".")[0] == "tracin_viz":
                found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def package_target(name: str, layer: str) -> str | None:
    """The layer an imported name of the package points to; ``None`` for the bare package."""
    parts = name.split(".")
    if len(parts) < 2:
        return None
    if parts[1] == "jobs" and len(parts) == 2:
        return "jobs.front"
    # `from tracin_viz.config import Home` lists `tracin_viz.config.Home` too: same layer as the module.
    if parts[1:3] == ["ui", "language"] and layer == "cli":
        return "ui.language"
    return layer_of(".".join(parts[:3] if parts[1] == "jobs" else parts[:2]))


@pytest.mark.parametrize(("module", "file"), modules(), ids=lambda value: str(value).split("/")[-1])
def test_imports_follow_the_table_of_layers(module: str, file: Path):
    layer = layer_of(module)
    allowed, libraries = LAYERS[layer]
    for name in imports(file):
        top = name.split(".")[0]
        if top == "tracin_viz":
            if name in ("tracin_viz", "tracin_viz.__version__"):
                continue
            target = package_target(name, layer)
            assert target in (None, layer, *allowed), f"{module} ({layer}) imports {name} ({target})"
        elif top not in sys.stdlib_module_names:
            assert top in libraries, f"{module} ({layer}) imports {top}"


@pytest.mark.parametrize("layer", ["explore", "jobs.front", "audit", "relabel", "report", "store", "core"])
def test_heavy_libraries_are_imported_where_they_are_used(layer: str):
    for module, file in modules():
        if layer_of(module) == layer:
            tops = {name.split(".")[0] for name in imports(file, top_level_only=True)}
            assert not tops & HEAVY, f"{module} imports {tops & HEAVY} when it is loaded"


def test_the_facade_loads_neither_torch_nor_streamlit():
    code = (
        "import sys, tracin_viz.audit\n"
        "loaded = {'torch', 'streamlit', 'umap', 'hdbscan', 'transformers', 'sklearn'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {loaded}' if loaded else 0)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_the_command_line_starts_without_torch():
    code = "import sys, tracin_viz.cli\nsys.exit('torch is loaded' if 'torch' in sys.modules else 0)\n"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
