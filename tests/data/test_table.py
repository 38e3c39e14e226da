from __future__ import annotations

import numpy as np
import pytest

from tracin_viz.data.dataset import open_dataset
from tracin_viz.errors import InputError

GOOD = "text,label,split\nturn it on,on,train\nturn it off,off,train\nlights off,off,test\n"


def test_texts_labels_and_splits_are_read_in_file_order(table):
    data = open_dataset(table(GOOD))
    assert data.task == "text" and data.classes == ("off", "on") and data.problems == ()
    assert list(data.splits) == ["train", "test"]
    assert data.splits["train"].sources == ["turn it on", "turn it off"]
    assert data.splits["train"].labels.tolist() == [1, 0]
    assert data.load("test", 0) == "lights off"
    assert data.place("test", 0) == "reviews.csv line 4"


@pytest.mark.parametrize("change", ["bom", "crlf", "quoted", "order"])
def test_ways_to_write_the_same_table_give_the_same_data(table, change):
    text = {
        "bom": "\ufeff" + GOOD,
        "crlf": GOOD.replace("\n", "\r\n"),
        "quoted": "\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in GOOD.splitlines()),
        "order": "\n".join(",".join(line.split(",")[::-1]) for line in GOOD.splitlines()),
    }[change]
    first, second = open_dataset(table(GOOD)), open_dataset(table(text, "other.csv"))
    for split in ("train", "test"):
        assert first.splits[split].sources == second.splits[split].sources
        assert first.splits[split].labels.tolist() == second.splits[split].labels.tolist()
        rows = range(len(first.splits[split]))
        assert first.digest(split, rows) == second.digest(split, rows)


def test_a_text_over_several_lines_stays_whole_and_later_lines_keep_their_numbers(table):
    data = open_dataset(
        table('text,label,split\n"one\ntwo, three\n\nfour",a,train\nfive,b,train\n,b,train\n')
    )
    assert data.load("train", 0) == "one\ntwo, three\n\nfour"
    assert data.place("train", 1) == "reviews.csv line 6"
    assert [problem.where for problem in data.problems] == ["reviews.csv line 7"]


def test_rows_that_cannot_be_used_are_left_out_and_named_by_line(table):
    data = open_dataset(
        table(
            "text,label,split\n"
            "good,a,train\n"
            " ,a,train\n"  # 3
            "no label, ,train\n"  # 4
            "short,a\n"  # 5
            "\n"  # a blank line is no row
            "long,a,train,more\n"  # 7
            "odd,a,the:split\n"  # 8
            "fine,b,train\n"
        )
    )
    assert data.splits["train"].sources == ["good", "fine"]
    found = [(problem.kind, problem.where.split()[-1]) for problem in data.problems]
    assert sorted(found, key=lambda pair: pair[1]) == [
        ("empty text", "3"),
        ("empty label", "4"),
        ("ragged row", "5"),
        ("ragged row", "7"),
        ("split name", "8"),
    ]
    assert all(problem.message and problem.remedy for problem in data.problems)


def test_usual_spellings_of_splits_are_the_same_split(table):
    data = open_dataset(table("text,label,split\na,x,Training\nb,y,TRAIN\nc,x,dev\nd,x,val\ne,y,holdout\n"))
    assert {name: part.sources for name, part in data.splits.items()} == {
        "train": ["a", "b"],
        "validation": ["c", "d"],
        "holdout": ["e"],
    }


def test_without_a_split_column_a_fifth_is_held_out_by_content(table):
    lines = [f"text {number},{'ab'[number % 2]}" for number in range(500)]
    data = open_dataset(table("text,label\n" + "\n".join(lines)))
    again = open_dataset(table("text,label\n" + "\n".join(reversed(lines)), "turned.csv"))
    assert 70 <= len(data.splits["test"]) <= 130
    assert set(data.splits["test"].sources) == set(again.splits["test"].sources)


BAD = {
    "no label column": (
        "text,split\na,train\n",
        "no column label, and none that looks like one; it has: text, split",
    ),
    "no text column": ("code,label\na1,b\n", "no column that looks like a text, an image or numbers; it has"),
    "empty file": ("", "no column names; its first line is empty"),
    "header only": ("text,label,split\n", "no row with a text and a label"),
    "one class": ("text,label,split\na,on,train\nb,on,test\n", "only one class, 'on'"),
    "no train split": ("text,label,split\na,x,test\nb,y,val\n", "no train split, only test, validation"),
    "column twice": ("text,label,label\na,b,c\n", "column label twice"),
    "open quote": ('text,label,split\na,x,train\n"b,y,train\n', "from line 3 on"),
    "stray quote": ('text,label,split\n"a" b,x,train\n', "from line 2 on"),
    "huge field": (f"text,label,split\n{'a' * 200_000},x,train\n", "from line 2 on"),
    "cut utf-16": (GOOD.encode("utf-16")[:-1], "says it is in UTF-16, but some of it is not"),
    "zeros": (b"text\x00,label", "zero bytes: it is no text"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_table_is_refused_in_one_line_with_a_remedy(table, case):
    content, expected = BAD[case]
    with pytest.raises(InputError) as caught:
        open_dataset(table(content))
    message = str(caught.value)
    assert expected in message and "'reviews.csv'" in message
    assert "\n" not in message and caught.value.remedy


def test_a_file_in_windows_1252_is_read_and_every_guessed_line_named(table):
    content = GOOD.encode() + "schön,on,train\nnormal,on,train\ngrün,off,train\n".encode("cp1252")
    data = open_dataset(table(content))
    assert data.splits["train"].sources[-3:] == ["schön", "normal", "grün"]
    assert data.format == "CSV table in the encoding Windows-1252"
    assert [(problem.kind, problem.where) for problem in data.problems] == [
        ("encoding", "reviews.csv line 5"),
        ("encoding", "reviews.csv line 7"),
    ]


def test_a_file_in_two_encodings_is_refused_and_every_line_named(table):
    content = GOOD.encode() + "schön,on,train\n".encode("cp1252") + "grün,off,train\n".encode()
    content += "blöd,off,train\n".encode("cp1252")
    with pytest.raises(InputError, match=r"not in UTF-8 \(lines: 2, the first is line 5\)") as caught:
        open_dataset(table(content))
    assert [problem.where for problem in caught.value.problems] == [
        "reviews.csv line 5",
        "reviews.csv line 7",
    ]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_encodings_and_separators_give_the_same_data(table, encoding, sign):
    text = GOOD.replace(",", sign)
    data, plain = open_dataset(table(text.encode(encoding))), open_dataset(table(GOOD, "plain.csv"))
    for split in ("train", "test"):
        assert data.splits[split].sources == plain.splits[split].sources
        assert data.splits[split].labels.tolist() == plain.splits[split].labels.tolist()


def test_hostile_cells_stay_on_one_line_of_the_message(table):
    with pytest.raises(InputError) as caught:
        open_dataset(table('"te\nxt","la\x1b[31mbel"\na,b\n'))
    assert "\n" not in str(caught.value) and "\x1b" not in str(caught.value)


def test_damaged_tables_give_data_or_an_input_error_and_nothing_else(table):
    generator = np.random.default_rng(2)
    whole = GOOD.encode() * 3
    outcomes = set()
    for _ in range(500):
        content = bytearray(whole)
        for _ in range(int(generator.integers(1, 4))):
            content[int(generator.integers(len(content)))] = int(
                generator.choice([0, 10, 13, 34, 44, 200, 97])
            )
        try:
            open_dataset(table(bytes(content)))
            outcomes.add("read")
        except InputError as error:
            assert "\n" not in str(error)
            outcomes.add("refused")
    assert outcomes == {"read", "refused"}
