"""Names of files and folders made from names in data."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tracin_viz.relabel.exports.safe_names import LONGEST, SafeNames, plain_name


def test_plain_names_stay_as_they_are():
    names = SafeNames()
    assert [names(text) for text in ("cat", "a b", "7", "é", "001.png")] == [
        "cat",
        "a b",
        "7",
        "é",
        "001.png",
    ]


def test_the_ending_of_a_file_is_kept():
    assert plain_name("x" * 500 + ".jpeg").endswith("x.jpeg")
    names = SafeNames()
    assert names("1.png", of="a") == "1.png"
    assert names("1.png", of="b").endswith(".png") and names("1.png", of="b") != "1.png"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=300), max_size=20))
def test_every_text_gets_a_name_of_its_own_that_is_one_part_of_a_path(texts):
    names = SafeNames()
    made = {text: names(text) for text in texts}
    assert all(names(text) == name for text, name in made.items())
    assert len({name.casefold() for name in made.values()}) == len(made)
    for name in made.values():
        assert name and name not in (".", "..") and not name.startswith((".", "-", "~"))
        assert not set(name) & set('/\\:*?"<>|\0\n') and len(name.encode()) <= LONGEST + 12
