"""What one of several test processes runs together, and what is begun first.

The tests of a file stay together: they share a prepared workspace, a server, a page. So do files over one
server. (The mark ``xdist_group`` would have no effect: pytest-xdist 3.8 writes groups where pytest 9.2 does
not look for them.)
"""

from __future__ import annotations

from collections.abc import Sequence

from xdist.scheduler import LoadScopeScheduling

#: What takes long, the longest first: at the end nothing long is left, when other processes have no more to
#: do. Files that are named together run in one process, one after another.
LONG: Sequence[tuple[str, ...]] = (
    (  # over the server of the finished demo, whose map compiles what the tests of the map need too
        "tests/browser/test_influence.py",
        "tests/browser/test_pages.py",
        "tests/browser/test_accessibility.py",
        "tests/browser/test_map.py",
        "tests/browser/test_map_drawing.py",
        "tests/browser/test_suspects.py",
        "tests/browser/test_tools.py",
        "tests/browser/test_report.py",
        "tests/explore/test_influence_map.py",
    ),
    ("tests/browser/test_own_data.py",),
    ("tests/jobs/test_resume.py", "tests/jobs/test_bases.py", "tests/jobs/test_team.py"),
    ("tests/benchmarks/test_benchmark_parts.py",),
    ("tests/engine/test_architectures.py",),
    ("tests/ui/test_pages.py", "tests/ui/influence/test_page.py"),
    ("tests/browser/test_hostile_audit.py",),
    ("tests/browser/test_relabel.py",),
    ("tests/test_demo_audits.py", "tests/audit/test_suspicion.py"),
    ("tests/engine/test_guarantees.py",),
    ("tests/matrix/test_matrix.py",),
    ("tests/audit/test_evidence.py",),
    ("tests/audit/test_checkpoints_in_use.py",),
    ("tests/jobs/test_looking.py",),
)


class ByFile(LoadScopeScheduling):
    """Gives out files, or files that belong together, in the order in which they were collected."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        return next((files[0] for files in LONG if path in files), path)


def rank(path: str) -> tuple[int, int]:
    """Place of a file, by its path in the project: in the order of ``LONG``, then all others."""
    place = next((n for n, files in enumerate(LONG) if path in files), len(LONG))
    return place, LONG[place].index(path) if place < len(LONG) else 0
