"""Every sentence that a template allows can be drawn, and no other."""

from __future__ import annotations

import numpy as np
import pytest

from tracin_viz.demo.sentence_templates import Node, Sampler, Text, needs_words, parse
from tracin_viz.errors import InputError

RULES = {"the": parse("(the|my)"), "set": parse("[please] set <the>"), "loop": parse("<loop>")}


def word(name: str) -> Node:
    return Text({"area": "attic", "minutes": "5"}[name])


def sentences(template: str, *, seed: int = 0) -> set[str]:
    sampler = Sampler(RULES, word, np.random.default_rng(seed))
    node = parse(template)
    return {sampler.sentence(node) for _ in range(200)}


@pytest.mark.parametrize(
    ("template", "allowed"),
    [
        ("plain words", {"plain words"}),
        ("(a|b) c", {"a c", "b c"}),
        ("a [b|c] d", {"a d", "a b d", "a c d"}),
        ("hour[s]", {"hour", "hours"}),
        ("{minutes:m}( |-)minute", {"5 minute", "5-minute"}),
        ("<set> lamp", {"set the lamp", "set my lamp", "please set the lamp", "please set my lamp"}),
        ("(off;[now];in {area})", {" ".join(o) for o in (
            ("off", "in attic"), ("in attic", "off"), ("off", "now", "in attic"), ("off", "in attic", "now"),
            ("now", "off", "in attic"), ("now", "in attic", "off"), ("in attic", "off", "now"),
            ("in attic", "now", "off"))}),
        ("[a [b]] c", {"c", "a c", "a b c"}),
    ],
)  # fmt: skip
def test_exactly_the_allowed_sentences_are_drawn(template: str, allowed: set[str]):
    assert sentences(template) == allowed


def test_same_seed_draws_the_same_sentence():
    def drawn() -> str:
        return Sampler(RULES, word, np.random.default_rng(5)).sentence(parse("(a|b|c|d) [e] (f;g;h)"))

    assert drawn() == drawn()


@pytest.mark.parametrize(
    ("template", "needed"),
    [
        ("[the] {area}", False),
        ("turn {area}", True),
        ("(on|{area})", False),
        ("<set> {area}", True),
        ("[on]", False),
    ],
)
def test_template_of_nothing_but_a_list_is_recognised(template: str, needed: bool):
    assert needs_words(parse(template), RULES) is needed


@pytest.mark.parametrize("template", ["(a", "a)", "[a|b", "a]", "(a]", "{area", "<the"])
def test_bracket_without_partner_is_named(template: str):
    with pytest.raises(InputError, match="bracket without its partner at sign"):
        parse(template)


def test_rule_that_names_itself_ends_in_an_error():
    with pytest.raises(InputError, match="names itself"):
        sentences("<loop>")
