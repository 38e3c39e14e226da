from __future__ import annotations

from tracin_viz.fingerprint import LONGEST_IN_ADDRESS, from_address, in_address
from tracin_viz.ui.short import LONGEST, short, short_names


def test_a_name_is_one_line_of_bounded_length_and_short_ones_are_left_alone():
    assert short("cat") == "cat" and short("") == ""
    assert short("a" * LONGEST) == "a" * LONGEST
    assert short("a" * 10_000) == "a" * (LONGEST - 1) + "…"
    assert short("two\nlines\x00 and \u202eturned") == "two lines  and turned"
    assert len(short("\u0300" * 10_000)) <= LONGEST


def test_a_name_of_which_nothing_can_be_seen_is_given_by_its_signs():
    assert short("\u200b") == "U+200B"
    assert short("\u202e \u200b\x00\x01") == "U+202E U+0020 U+200B U+0000…"


def test_no_two_short_names_are_alike():
    names = ("a" * 100 + "x", "a" * 100 + "y", "a" * (LONGEST - 1) + "…", "b\x00", "b", "b\n")
    found = short_names(names)
    assert list(found) == list(names)
    assert len(set(found.values())) == len(names)
    assert all(len(word) <= LONGEST for word in found.values())
    assert found["b"] == "b"


def test_a_long_name_is_a_digest_in_an_address_and_is_found_by_it():
    names = ["cat", "~cat", "x" * 10_000, "x" * 9_999 + "y", "%:&#?/ 猫"]
    written = [in_address(name) for name in names]
    assert len(set(written)) == len(names)
    assert max(len(word.encode()) for word in written) <= LONGEST_IN_ADDRESS
    assert written[0] == "cat" and written[-1] == names[-1]
    assert [from_address(word, names) for word in written] == names
    assert from_address("~0123456789abcdef", names) is None and from_address("dog", names) is None
