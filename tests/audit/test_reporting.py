"""The report document: its figures are those of the façade's other documents."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import end_query_process, run_command
from tracin_viz.audit import ReportOptions, Workspace, report_page
from tracin_viz.audit.reported import EXEMPLARS, EXPLAINED
from tracin_viz.config import Home
from tracin_viz.data.thumbnails import thumbnail
from tracin_viz.errors import InputError
from tracin_viz.explore.noise import wilson
from tracin_viz.relabel.sessions import QueueEntry

pytestmark = pytest.mark.usefixtures("answered_here")


@pytest.fixture(scope="module")
def decided(tiny_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """The tiny audit with decisions of two people about suspects, and a random control; nobody else's."""
    home = tmp_path_factory.mktemp("reporting") / "home"
    shutil.copytree(tiny_home, home, ignore=shutil.ignore_patterns("runtime", "workspace.db*"))
    space = Workspace(Home(home))
    audit = space.open("tiny")
    rows = audit.suspects(top=48)["suspects"]
    other = {name: next(one for one in audit.classes if one != name) for name in audit.classes}
    random = audit.sessions.create(
        [QueueEntry(row["id"]) for row in rows[40:44]],
        name="c",
        source="random control",
        annotator="Ada Lovelace",
    )
    for row in rows[:4]:
        audit.decide(
            row["id"], "relabel", annotator="Ada Lovelace", new_label=other[row["label"]], note="seen"
        )
    audit.decide(rows[0]["id"], "relabel", annotator="Bo Example", new_label=other[rows[0]["label"]])
    audit.decide(rows[1]["id"], "keep", annotator="Bo Example")
    audit.decide(rows[4]["id"], "exclude", annotator="Ada Lovelace")
    for row in rows[40:44]:
        audit.decide(row["id"], "keep", annotator="Ada Lovelace", session=random.id)
    yield space
    end_query_process(home)


def test_the_figures_are_those_of_the_other_documents(decided: Workspace):
    audit = decided.open("tiny")
    told: list[tuple[str, int, int]] = []
    report = audit.report(
        ReportOptions(findings=5, neighbours=1, clusters=2), lambda *step: told.append(step)
    )
    suspects = audit.suspects(top=5)["suspects"]
    for shown, row in zip(report["findings"], suspects, strict=True):
        assert [shown[key] for key in ("id", "label", "suggested", "confidence", "percentile", "score")] == [
            row[key] for key in ("id", "label", "suggested", "confidence", "percentile", "score")
        ]
        now = audit.decisions()[row["id"]]
        assert (shown["decision"]["action"], shown["decision"]["by"]) == (now.action, now.event.annotator)
        assert shown["content"]["picture"].startswith("data:image/webp;base64,")
    asked = audit.influence(query=report["influence"]["id"], top=5)
    assert [(one["id"], one["score"]) for one in report["influence"]["proponents"]] == [
        (one["id"], pytest.approx(one["score"])) for one in asked["proponents"]
    ]
    clusters = audit.clusters()["clusters"][:2]
    assert [(one["name"], one["size"], one["suspect_share"]) for one in report["clusters"]["rows"]] == [
        (one["name"], one["size"], one["suspect_share"]) for one in clusters
    ]
    table = audit.examples("train")
    assert sum(report["histogram"]["counts"]) == int(table["self_influence"].notna().sum())
    queries = audit.examples("test")
    assert (report["model"]["queries"], report["model"]["wrong"]) == (
        len(queries),
        int(queries["wrong"].sum()),
    )
    assert told[-1] == ("done", 1, 1)
    assert json.loads(json.dumps(report)) is not None
    neighbours = report["findings"][0]["neighbours"]
    assert sum(count for _, count in neighbours["proponents"]) <= 10
    assert report["findings"][1]["neighbours"] is None


def test_reviewed_shares_come_from_decisions_with_their_interval(decided: Workspace):
    review = decided.open("tiny").report(ReportOptions(findings=1, neighbours=0, clusters=0))["review"]
    # Of the top tenth (5 examples) three relabels hold, one was kept by a second person, one is excluded.
    assert (review["suspects"]["reviewed"], review["suspects"]["wrong"]) == (4, 3)
    assert (review["suspects"]["low"], review["suspects"]["high"]) == wilson(3, 4)
    assert review["suspects"]["undecided"] == 1
    assert (review["control"]["reviewed"], review["control"]["wrong"]) == (4, 0)


def test_annotators_are_counted_and_may_be_numbered(decided: Workspace):
    audit = decided.open("tiny")
    found = audit.report(ReportOptions(findings=3, neighbours=0, clusters=0))["decisions"]
    assert [(one["name"], one["total"]) for one in found["annotators"]] == [
        ("Ada Lovelace", 9),
        ("Bo Example", 2),
    ]
    assert (found["both"], found["agree"]) == (2, 1)
    assert found["pairs"] == [
        {
            "names": ["Ada Lovelace", "Bo Example"],
            "shared": 2,
            "same": 1,
            "kappa": audit.agreement().pairs[0].kappa,
        }
    ]
    hidden = audit.report(ReportOptions(findings=3, neighbours=0, clusters=0, names=False))
    assert [one["name"] for one in hidden["decisions"]["annotators"]] == ["1", "2"]
    page = report_page(hidden)
    assert "Lovelace" not in page
    assert "seen" not in page


def test_fifty_pictures_fit_in_five_megabytes_even_where_they_are_noise():
    noise = np.random.default_rng(0).integers(0, 256, size=(600, 800, 3), dtype=np.uint8)
    large, small = (len(thumbnail(Image.fromarray(noise), size)) for size in ReportOptions.SIZES[::-1])
    others = 6 * EXEMPLARS + 1 + 2 * EXPLAINED
    assert 4 / 3 * (50 * large + others * small) <= 4_900_000


@pytest.mark.parametrize(
    "options", [{"findings": 0}, {"findings": 1_000}, {"pictures": 5_000}, {"clusters": -1}]
)
def test_options_that_cannot_be_are_refused(options: dict[str, int]):
    with pytest.raises(InputError):
        ReportOptions(**options)


def test_the_command_writes_one_file_in_either_language(decided: Workspace, tmp_path: Path):
    home = decided.home.root
    output = tmp_path / "deep" / "report.html"
    done = run_command(
        "report", "tiny", "--output", str(output), "--findings", "2", "--language", "zh", "--json", home=home
    )
    assert done.code == 0, done.err
    assert done.document == {"audit": "tiny", "report": str(output), "bytes": output.stat().st_size}
    assert '<html lang="zh-Hans">' in output.read_text("utf-8")
    assert [path.name for path in output.parent.iterdir()] == ["report.html"]


def test_the_source_data_are_never_written_to(decided: Workspace):
    data = Path(decided.open("tiny").record.data)
    refused = run_command("report", "tiny", "--output", str(data / "report.html"), home=decided.home.root)
    assert refused.code == 1
    assert "only ever read" in refused.err
    assert not (data / "report.html").exists()
