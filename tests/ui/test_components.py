"""What holds for the scripts of all components."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import tracin_viz.ui.components as package
from tracin_viz.ui.components.registering import script, style

FOLDER = Path(package.__file__).parent
SCRIPTS = sorted(FOLDER.glob("*/*.js"))


@pytest.mark.parametrize("file", SCRIPTS, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_no_script_writes_markup_or_names_an_address(file: Path):
    written = file.read_text("utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|Function\(", written)
    assert "http://" not in written.replace("http://www.w3.org/2000/svg", "") and "https://" not in written


def test_a_script_is_its_files_in_their_order():
    part = (FOLDER / "parts" / "element.js").read_text("utf-8")
    own = (FOLDER / "gallery" / "gallery.js").read_text("utf-8")
    assert script("gallery", ("parts/element.js", "gallery.js")) == f"{part}\n{own}"
    assert script("gallery") == own
    assert style("gallery") == (FOLDER / "gallery" / "gallery.css").read_text("utf-8")
    assert style("shell") == "", "it draws nothing"
