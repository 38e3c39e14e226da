"""The gallery's Python half and what its script must never do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import tracin_viz.ui.components.gallery as package
from tracin_viz.ui.components.gallery.gallery import LONGEST_TEXT, Card, _sent

FOLDER = Path(package.__file__).parent
ROOT = Path(__file__).parents[2]


def test_a_long_text_is_sent_in_part():
    sent = _sent(Card(id="train:0", alt="", text="word " * 1_000))
    assert len(sent["text"]) <= LONGEST_TEXT + 2
    assert sent["text"].endswith("…")


def test_pages_and_components_never_load_torch():
    code = (
        "import importlib, pkgutil, sys, tracin_viz.ui\n"
        "for one in pkgutil.walk_packages(tracin_viz.ui.__path__, 'tracin_viz.ui.'):\n"
        "    importlib.import_module(one.name)\n"
        "loaded = {'torch', 'transformers', 'umap', 'hdbscan', 'sklearn'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {loaded}' if loaded else 0)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
