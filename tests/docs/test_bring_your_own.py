"""The worked pages are run: every code block of a page, in order, in an empty folder."""

from __future__ import annotations

import logging
import re
import warnings
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = ("bring-your-own-huggingface.md", "bring-your-own-lightning.md", "bring-your-own-pytorch.md")
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES)
def test_the_code_of_a_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    blocks = BLOCK.findall((DOCS / page).read_text(encoding="utf-8"))
    assert len(blocks) >= 3
    names: dict[str, object] = {"__name__": "page"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Lightning warns of missing workers and loggers
        for number, block in enumerate(blocks):
            exec(compile(block, f"{page}, block {number + 1}", "exec"), names)
    found = names["found"]
    assert len(found["checkpoints"]) == 3 and all(
        entry["learning_rate"] > 0 for entry in found["checkpoints"]
    )


def test_the_overview_leads_to_every_page():
    text = (DOCS / "bring-your-own.md").read_text(encoding="utf-8")
    assert all(f"({page})" in text for page in PAGES)
