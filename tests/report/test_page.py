"""The report's page from a document: nothing loaded, nothing run, every figure of the document said."""

from __future__ import annotations

import base64
import copy
import hashlib
import itertools
import re
from typing import Any

import pytest

from tests.report.test_markup import Reader
from tests.ui.hostile import HOSTILE
from tracin_viz.report.page import SECTIONS, report_page, style_sheet
from tracin_viz.report.words import Words


def document() -> dict[str, Any]:
    """A report document with something in every part."""
    content = {"text": "turn on the light"}
    entry = {"id": "train:7", "label": "on", "predicted": "off", "score": -12.34, "content": content}
    share = {"reviewed": 20, "wrong": 15, "undecided": 1, "share": 0.75, "low": 0.531, "high": 0.888}
    return {
        "audit": "lights",
        "title": "Lights",
        "task": "text",
        "target": "class",
        "made": 1_700_000_000.0,
        "version": "1.2.3",
        "data": {
            "splits": {"test": 20, "train": 48},
            "classes": [("on", 30), ("off", 18)],
            "problems": {"duplicate": 2},
            "origin": "somewhere",
            "licence": "CC0",
        },
        "model": {
            "architecture": "Net",
            "words": "",
            "parameters": 1234,
            "optimizer": "SGD",
            "split": "test",
            "queries": 20,
            "wrong": 3,
        },
        "checkpoints": [
            {
                "step": 4,
                "epoch": 1.0,
                "learning_rate": 0.125,
                "train_loss": 0.5,
                "provenance": "logged",
                "used": True,
            }
        ],
        "histogram": {
            "edges": [-2, -1, 0, 1],
            "counts": [5, 3, 1],
            "logarithmic": True,
            "line": 0.2,
            "missing": 1,
        },
        "recovery": None,
        "review": {"suspects": share, "control": {**share, "reviewed": 0}, "all": share},
        "decisions": {
            "annotators": [
                {"name": "ada", "keep": 5, "relabel": 15, "exclude": 1, "review": 0, "total": 21},
                {"name": "bo", "keep": 1, "relabel": 0, "exclude": 0, "review": 0, "total": 1},
            ],
            "events": 23,
            "undone": 1,
            "both": 4,
            "agree": 3,
            "pairs": [{"names": ["ada", "bo"], "shared": 4, "same": 3, "kappa": 0.5}],
            "fleiss": None,
        },
        "findings": [
            {
                "id": "train:3",
                "label": "on",
                "suggested": "off",
                "confidence": 0.625,
                "percentile": 99.97,
                "score": 3.0,
                "planted": None,
                "predicted": "off",
                "content": content,
                "neighbours": {"proponents": [("on", 7)], "opponents": [("off", 9)]},
                "decision": {"action": "relabel", "label": "off", "by": "ada", "note": "clear"},
            }
        ],
        "clusters": {
            "rows": [
                {
                    "name": "mostly on",
                    "size": 12,
                    "classes": [("on", 9), ("off", 3)],
                    "suspect_share": 0.5,
                    "exemplars": [{"id": "train:3", **content}],
                }
            ],
            "total": 4,
            "outside": 6,
        },
        "influence": {
            "id": "test:2",
            "label": "off",
            "predicted": "on",
            "confidence": 0.875,
            "wrong": True,
            "content": content,
            "exact": True,
            "target": {"kind": "loss", "class": "off"},
            "proponents": [{**entry, "score": 41.8}],
            "opponents": [entry],
        },
        "evidence": {"estimate": None, "retraining": None, "self_test": None},
        "settings": {
            "run": {"sketch_dim": 256},
            "steps": [4],
            "versions": {"numpy": "2.4.0"},
            "record": "abc",
            "map": "def",
            "commands": ["tracin-viz compute lights"],
        },
    }


def test_the_page_loads_and_runs_nothing():
    page = report_page(document())
    seen = Reader(page)
    names = {name for name, _ in seen.elements}
    assert not names & {"script", "iframe", "object", "embed", "form", "link", "base"}
    assert not [
        key for _, attributes in seen.elements for key in attributes if key.startswith("on") or key == "style"
    ]
    for _, attributes in seen.elements:
        assert str(attributes.get("src", "data:image/")).startswith("data:image/")
        assert str(attributes.get("href") or "#").startswith("#")
    assert "url(" not in style_sheet()
    assert "@import" not in style_sheet()


def test_the_policy_allows_pictures_in_the_file_and_this_very_style_only():
    page = report_page(document())
    policy = next(
        str(attributes["content"])
        for name, attributes in Reader(page).elements
        if name == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    )
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy.split("; ") == [
        "default-src 'none'",
        "img-src data:",
        f"style-src 'sha256-{digest}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]


def test_the_headline_is_the_reviewed_share_with_its_interval():
    text = Reader(report_page(document())).text
    assert (
        "Of 20 suspicious labels that people looked at, 15 were wrong: 75 % (95 % interval 53 % to 89 %)."
        in text
    )
    assert "Reviewed by people" in text
    assert "No random control was reviewed" in text


@pytest.mark.parametrize(
    "words",
    [
        "48 train · 20 test",
        "duplicate: 2",
        "85.0 %",
        "0.125",
        "on → off?",
        "more suspicious than 99.9 %",
        "the model leans to off (62 %)",
        "for: on (7)",
        "against: off (9)",
        "relabelled to off",
        "by ada",
        "clear",
        "Group 1: mostly on",
        "50 % suspects",
        "6 examples belong to no group.",
        "The model says on (88 %); the label is off.",
        "labelled on, score +41.8",
        "labelled on, score −12.3",
        "4 examples were decided by several people; they agree on 3 of them (75 %).",
        "ada and bo: kappa 0.5 on 4 examples",
        "1 decision was taken back.",
        "1 example could not be measured",
        "tracin-viz compute lights",
        "numpy 2.4.0",
        "arXiv 2002.08484",
    ],
)
def test_the_page_says_what_the_document_holds(words: str):
    assert words in Reader(report_page(document())).text


def test_every_section_has_its_heading_and_all_is_named_for_a_screen_reader():
    seen = Reader(report_page(document()))
    headings = [int(name[1]) for name, _ in seen.elements if re.fullmatch("h[1-6]", name)]
    assert headings[0] == 1
    assert headings.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(headings))
    assert headings.count(2) == len(SECTIONS)
    for name, attributes in seen.elements:
        if name == "svg" and attributes.get("aria-hidden") != "true":
            assert attributes["role"] == "img"
            assert attributes["aria-label"]
        if name == "img":
            assert attributes["alt"]
    assert dict(seen.elements)["html"] == {"lang": "en"}


def test_nobody_reviewed_and_nothing_known_is_said_plainly():
    empty = document()
    nobody = {"annotators": [], "events": 0, "undone": 0, "both": 0, "agree": 0, "pairs": [], "fleiss": None}
    empty.update(review=None, recovery=None, clusters=None, influence=None, decisions=nobody)
    text = Reader(report_page(empty)).text
    assert "Not reviewed" in text
    assert "48 training labels were looked at; the most suspicious are listed" in text
    assert text.count("Not measured") == 6
    assert "Nobody has decided anything yet." in text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_from_data_stay_text_everywhere(text: str):
    plain = Reader(report_page(document()))
    replaced = _replaced(document(), text)
    seen = Reader(report_page(replaced))
    assert [name for name, _ in seen.elements] == [name for name, _ in plain.elements]
    assert [sorted(attributes) for _, attributes in seen.elements] == [
        sorted(attributes) for _, attributes in plain.elements
    ]


def _replaced(found: dict[str, Any], text: str) -> dict[str, Any]:
    """The document with ``text`` wherever words come from data or from people."""
    made = copy.deepcopy(found)
    made["title"] = made["audit"] = text
    made["data"].update(origin=text, licence=text, splits={"train": 48, text: 20}, problems={text: 2})
    made["data"]["classes"] = [(text, 30), (f"{text}2", 18)]
    made["model"].update(architecture=text, optimizer=text)
    made["checkpoints"][0]["provenance"] = text
    for one in (made["influence"], *made["influence"]["proponents"], *made["influence"]["opponents"]):
        one.update(label=text, content={"text": text}, id=text)
    finding = made["findings"][0]
    finding.update(label=text, suggested=text, content={"text": text}, id=text)
    finding["neighbours"] = {"proponents": [(text, 7)], "opponents": [(text, 9)]}
    finding["decision"].update(label=text, by=text, note=text)
    for one in made["decisions"]["annotators"]:
        one["name"] = text
    row = made["clusters"]["rows"][0]
    row.update(name=text, classes=[(text, 9), ("off", 3)], exemplars=[{"id": text, "text": text}])
    made["settings"].update(versions={text: text}, commands=[text], run={text: text})
    return made


def test_another_language_is_asked_for_every_sentence():
    asked: list[str] = []

    def tr(message: str, /, **values: object) -> str:
        asked.append(message)
        places = "".join(f" {{{name}}}" for name in re.findall(r"\{(\w+)\}", message))
        return f"词{places}".format(**values) if values else f"词{places}"

    def trn(one: str, many: str, number: int, /, **values: object) -> str:
        return tr(one if number == 1 else many, n=number, **values)

    seen = Reader(report_page(document(), Words("zh-Hans", tr, trn)))
    assert dict(seen.elements)["html"] == {"lang": "zh-Hans"}
    own = {"turn on the light", "clear", "somewhere", "logged", "lights", "Lights"}
    prose = re.findall(r"[A-Za-z]{4,}(?: [A-Za-z]+){2,}", seen.text.replace(style_sheet(), ""))
    assert [line for line in prose if not any(word in line for word in own)] == ALWAYS_ENGLISH


#: The title of the paper stays as it is in every language.
ALWAYS_ENGLISH = ["Estimating Training Data Influence by Tracing Gradient Descent"]
