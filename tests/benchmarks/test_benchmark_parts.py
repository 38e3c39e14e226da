"""Each part of `make benchmark` runs, at a size of seconds, and the document is built from what was kept."""

from __future__ import annotations

import importlib.util
import json

import numpy as np
import pytest
import torch

from benchmarks import judge, run, timing
from benchmarks.methods import EXACT, FITTED, FLOOR_ALL, SELF, SKETCHES, engine_of, methods
from benchmarks.peers import KRONFLUENCE
from benchmarks.sentences import commands_workload
from benchmarks.workloads import TINY, Sizes, build


def benchmark(folder, *arguments):
    threads = ["--threads", str(torch.get_num_threads())]
    places = ["--folder", str(folder), "--document", str(folder / "benchmarks.md")]
    quick = ["--tiny", "--repeats", "1", "--no-memory"]
    run.main(run.arguments([*arguments, *threads, *places, *quick]))
    return (folder / "benchmarks.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("benchmarks")
    benchmark(folder, "--only", "W1", "sketch", "search", "--tools", "kronfluence")
    return folder


@pytest.mark.long
def test_our_rows_are_measured_and_exact(folder):
    rows = json.loads((folder / "W1.json").read_text())["rows"]
    for method in (EXACT, SELF, SKETCHES, FITTED):
        assert rows[method]["wall"] > 0
        assert rows[method]["runs"] >= 1
    assert rows[EXACT]["error"] < 1e-4
    assert rows[SELF]["error"] < 1e-4
    for method in (SKETCHES, FITTED):
        assert rows[method]["error"] < 1.0, "sketched scores have nothing to do with the exact ones"


@pytest.mark.long
def test_a_tool_that_is_not_installed_is_a_row_that_says_so(folder):
    row = json.loads((folder / "W1.json").read_text())["rows"][KRONFLUENCE]
    document = (folder / "benchmarks.md").read_text(encoding="utf-8")
    if importlib.util.find_spec("kronfluence") is None:
        assert row == {"failed": "ModuleNotFoundError: No module named 'kronfluence'"}
        assert f"- {KRONFLUENCE}: ModuleNotFoundError" in document
    else:
        assert row["error"] < 1e-3


@pytest.mark.long
def test_the_document_keeps_parts_that_are_not_measured_again(folder, tmp_path):
    for part in ("search", "sketch", "W1"):
        (tmp_path / f"{part}.json").write_bytes((folder / f"{part}.json").read_bytes())
    document = benchmark(tmp_path, "--only", "search")
    assert document.count("## W1: CNN") == 1
    assert "## Sketch quality" in document
    assert "## Search" in document
    assert "Not measured: W2, W3, real." in document


@pytest.mark.long
def test_a_missed_target_is_in_the_table_and_in_the_list(folder, tmp_path):
    found = json.loads((folder / "search.json").read_text())
    found |= {"sum": 1.0, "one": 1.5, "many": 30.0, "many bf16": 3.0}
    (tmp_path / "search.json").write_text(json.dumps(found))
    document = benchmark(tmp_path, "--report")
    missed = document.split("### Missed")[1].split("##")[0]
    assert "search: 32 queries, × one; 20; ≤ 16" in missed
    assert "one query" not in missed
    assert "| search: 32 queries, × one | 20 | ≤ 16 | **no** |" in document


def test_the_real_model_is_measured_like_the_others(tmp_path):
    work = commands_workload(TINY["real"], small_bert(tmp_path))
    truth = judge.judged(work)
    assert truth.influence.shape == (3, 6)
    assert (
        judge.accuracy(engine_of(work).influence(work.train, work.queries), truth.influence)["error"] < 1e-4
    )
    assert judge.accuracy(engine_of(work).self_influence(work.train), truth.itself)["error"] < 1e-4


def small_bert(folder):
    """The files of a Hugging Face classifier with a few weights."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertModel

    letters = {
        letter: number for number, letter in enumerate(["[PAD]", "[UNK]", *"abcdefghijklmnopqrstuvwxyz"])
    }
    tokenizer = Tokenizer(models.WordLevel(letters, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.save(str(folder / "tokenizer.json"))
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    BertModel(BertConfig(vocab_size=len(letters), max_position_embeddings=32, **sizes)).save_pretrained(
        folder
    )
    return folder


@pytest.mark.long
def test_memory_is_measured_in_a_process_of_its_own():
    assert timing.memory_elsewhere("W1", FLOOR_ALL, "--tiny") > 0


def test_times_are_medians_and_a_method_that_raises_keeps_its_reason():
    calls = []

    def broken():
        raise ValueError("not\nfor this model")

    found = timing.interleaved({"fine": lambda: calls.append(1) or len(calls), "broken": broken}, 3)
    assert len(found["fine"].walls) == 3
    assert found["fine"].result == 4  # once to warm up
    assert found["fine"].wall == sorted(found["fine"].walls)[1]
    assert found["broken"].failed == "ValueError: not for this model"


def test_accuracy_compares_per_query():
    true = np.array([[3.0, 1.0, -1.0, -4.0], [10.0, 20.0, 30.0, 40.0]])
    exact = judge.accuracy(true, true)
    assert exact == {"error": 0.0, "spearman": 1.0, "top": 1.0}
    wrong = judge.accuracy(true + np.array([[0.4, 0, 0, 0], [0, 0, 0, 0]]), true)
    assert wrong["error"] == pytest.approx(0.1)
    with pytest.raises(ValueError, match="shape"):
        judge.accuracy(true[:1], true)


@pytest.mark.parametrize("name", ["W2", "W3"])
def test_the_judge_agrees_with_the_engine_on_the_larger_networks(name):
    work = build(name, Sizes(3, 2, 1, 3))
    found = methods(work, [])[EXACT].run()
    assert judge.accuracy(found, judge.judged(work).influence)["error"] < 1e-4


def test_every_version_of_the_environment_is_pinned():
    for name in ("requirements.txt", "alone.txt"):
        lines = (timing.ROOT / "benchmarks" / name).read_text().splitlines()
        wanted = [line for line in lines if line and not line.startswith("#")]
        assert wanted
        assert all("==" in line or line.startswith("-r ") for line in wanted)
