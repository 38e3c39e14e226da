"""What axe-core finds on a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import axe_playwright_python
from playwright.sync_api import Page

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
#: Animations of a look that comes up would be measured half transparent.
#: So would parts that are pale because a run is about to draw them again.
STILL = (
    "*, *::before, *::after { animation: none !important; transition: none !important; }"
    " [data-stale=true] { opacity: 1 !important; }"
)


def findings(page: Page) -> list[str]:
    """What axe-core calls serious or critical, each with its first places."""
    page.add_style_tag(content=STILL)
    if not page.evaluate("() => 'axe' in window"):
        page.add_script_tag(path=AXE)
    found: dict[str, Any] = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{one['id']}: {one['help']}: " + " | ".join(node["html"][:200] for node in one["nodes"][:3])
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]
