"""Smart-home voice commands drawn from the sentence templates of the package home-assistant-intents."""

from __future__ import annotations

import importlib.resources
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tracin_viz.demo.sentence_templates import Group, Node, Reference, Sampler, Text, needs_words, parse
from tracin_viz.errors import InputError

_OTHER_TURNS = frozenset({"scene", "script", "button", "input_button", "lock"})
_COVERS = frozenset({"cover", "valve"})

#: What a class is made of: intents of the package, and the kind of device where an intent mixes several.
CLASSES: dict[str, tuple[tuple[str, ...], str]] = {
    "start timer": (("HassStartTimer",), ""),
    "cancel timer": (("HassCancelTimer", "HassCancelAllTimers"), ""),
    "pause timer": (("HassPauseTimer",), ""),
    "resume timer": (("HassUnpauseTimer",), ""),
    "add time to timer": (("HassIncreaseTimer",), ""),
    "take time off timer": (("HassDecreaseTimer",), ""),
    "ask timer": (("HassTimerStatus",), ""),
    "turn on": (("HassTurnOn",), "device"),
    "turn off": (("HassTurnOff",), "device"),
    "open": (("HassTurnOn",), "cover"),
    "close": (("HassTurnOff",), "cover"),
    "set light": (("HassLightSet",), ""),
    "set temperature": (("HassClimateSetTemperature",), ""),
    "ask temperature": (("HassClimateGetTemperature",), ""),
    "set fan speed": (("HassFanSetSpeed",), ""),
    "set volume": (("HassSetVolume",), ""),
    "louder or quieter": (("HassSetVolumeRelative",), ""),
    "next track": (("HassMediaNext",), ""),
    "previous track": (("HassMediaPrevious",), ""),
    "ask state": (("HassGetState",), ""),
}

_WORDS: dict[str, Sequence[str]] = {
    "area": (
        "kitchen", "living room", "bedroom", "bathroom", "office", "hallway", "garage", "dining room",
        "nursery", "attic", "basement", "guest room", "study", "laundry room", "porch", "conservatory",
    ),
    "floor": ("ground", "first", "second", "top", "lower", "upper"),
    "zone": ("work", "school", "the gym", "home"),
    "timer_name": ("pizza", "tea", "eggs", "laundry", "homework", "bread", "workout", "pasta", "nap"),
    "timer_command": (
        "open the garage door", "turn off the lights", "close the blinds", "start the fan", "lock the door",
    ),
}  # fmt: skip
_NAMES: dict[str, Sequence[str]] = {
    "light": ("ceiling light", "reading lamp", "night light", "floor lamp", "fairy lights", "desk lamp"),
    "switch": ("coffee machine", "heater", "christmas tree", "aquarium", "kettle"),
    "fan": ("ceiling fan", "tower fan", "desk fan", "air purifier"),
    "media_player": ("television", "radio", "stereo", "soundbar", "record player"),
    "cover": ("left blind", "garage door", "bay window", "patio awning", "roller shutter", "velvet curtain"),
    "valve": ("water valve", "garden valve", "sprinkler valve"),
    "climate": ("thermostat", "air conditioner", "heat pump", "radiator"),
    "lock": ("front door", "back door", "side gate"),
    "person": ("alice", "robert", "maria", "grandma"),
    "sensor": ("outdoor sensor", "freezer sensor", "greenhouse sensor"),
}
_ANY_NAME = ("ceiling light", "coffee machine", "tower fan", "television", "thermostat", "radio")
_BEFORE = ("please ", "can you ", "could you ")
_AFTER = (" please", " for me")


@dataclass(frozen=True)
class Template:
    """One sentence template of the package, with the class and the kinds of device it is meant for."""

    label: str
    text: str
    domains: tuple[str, ...]


@dataclass(frozen=True)
class Command:
    """A generated text, with the template that it came from."""

    text: str
    label: str
    split: str
    template: str


class HomeIntents:
    """The English templates of the package.

    Raises:
        InputError: The package is of a form that is not known here.
    """

    def __init__(self) -> None:
        source = importlib.resources.files("home_assistant_intents") / "data" / "en.json"
        content = json.loads(source.read_text(encoding="utf-8"))
        try:
            self.rules = {name: parse(text) for name, text in content["expansion_rules"].items()}
            self._lists = {name: _values(entry) for name, entry in content["lists"].items()}
            self.templates = tuple(self._usable(content["intents"]))
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"The package home-assistant-intents has another form than expected ({error!r}).",
                remedy="Install the version that requirements.txt names.",
            ) from error

    def sampler(self, template: Template, random: np.random.Generator) -> Sampler:
        """Draws sentences of one template, with devices of its kind for ``{name}``."""
        names = [name for domain in template.domains for name in _NAMES.get(domain, ())] or _ANY_NAME

        def word(name: str) -> Node:
            if name == "name":
                return Text(str(random.choice(names)))
            if name in _WORDS:
                return Text(str(random.choice(_WORDS[name])))
            values = self._lists[name]
            return values[random.integers(len(values))]

        return Sampler(self.rules, word, random)

    def _usable(self, intents: Mapping[str, Any]) -> Iterator[Template]:
        for label, (names, kind) in CLASSES.items():
            seen: set[str] = set()
            for block in (block for name in names for block in intents[name]["data"]):
                domains = _domains(block)
                if not _of_kind(kind, domains):
                    continue
                for sentence in block["sentences"]:
                    node = parse(sentence)
                    known = _lists_of(node, self.rules) <= {"name", *_WORDS, *self._lists}
                    if sentence not in seen and known and needs_words(node, self.rules):
                        seen.add(sentence)
                        yield Template(label, sentence, domains)


def generate(*, train: int, test: int, seed: int) -> list[Command]:
    """Commands of every class, the templates of the two splits kept apart.

    Args:
        train: Training examples of each class, at most: a class whose templates give fewer different
            sentences has fewer.
        test: Test examples of each class, at most.
        seed: Of everything random.

    Returns:
        Training examples, then test examples, each in random order. No text occurs twice.
    """
    random = np.random.default_rng(seed)
    intents = HomeIntents()
    side: dict[str, str] = {}
    taken: set[str] = set()
    commands: dict[str, list[Command]] = {"train": [], "test": []}
    for label in CLASSES:
        own = [template for template in intents.templates if template.label == label]
        _assign(own, side, random)
        for split, count in (("train", train), ("test", test)):
            members = [template for template in own if side[template.text] == split]
            commands[split] += _draw(intents, members, split, count, taken, random)
    mixed = [[part[row] for row in random.permutation(len(part))] for part in commands.values()]
    return [command for part in mixed for command in part]


def _assign(templates: Sequence[Template], side: dict[str, str], random: np.random.Generator) -> None:
    """A fifth of a class's templates for testing, at least one; one shared by classes is on one side."""
    free = [template.text for template in templates if template.text not in side]
    held_out = max(1, round(0.2 * len(free)))
    for rank, place in enumerate(random.permutation(len(free))):
        side[free[place]] = "test" if rank < held_out else "train"


def _draw(
    intents: HomeIntents,
    templates: Sequence[Template],
    split: str,
    count: int,
    taken: set[str],
    random: np.random.Generator,
) -> list[Command]:
    """Up to ``count`` new sentences, the templates taking turns."""
    drawn: list[Command] = []
    samplers = [(template, parse(template.text), intents.sampler(template, random)) for template in templates]
    for turn in range(20 * count):
        if len(drawn) == count or not samplers:
            break
        template, node, sampler = samplers[turn % len(samplers)]
        text = _polite(sampler.sentence(node), random)
        if text not in taken:
            taken.add(text)
            drawn.append(Command(text, template.label, split, template.text))
    return drawn


def _polite(text: str, random: np.random.Generator) -> str:
    chance = random.random()
    if chance < 0.15:
        return str(random.choice(_BEFORE)) + text
    return text + str(random.choice(_AFTER)) if chance > 0.9 else text


def _domains(block: Mapping[str, Any]) -> tuple[str, ...]:
    named = (
        (block.get("requires_context") or {}).get("domain") or (block.get("slots") or {}).get("domain") or ()
    )
    return (named,) if isinstance(named, str) else tuple(named)


def _of_kind(kind: str, domains: Sequence[str]) -> bool:
    if kind == "cover":
        return bool(_COVERS & set(domains))
    return not kind or not (_COVERS | _OTHER_TURNS) & set(domains)


def _values(entry: Mapping[str, Any]) -> list[Node]:
    """Words of a list; a range of numbers is cut into at most about forty."""
    if "values" in entry:
        return [parse(value["in"] if isinstance(value, dict) else value) for value in entry["values"]]
    if "range" not in entry:
        return []  # free text: only usable with words of our own
    first, last, step = entry["range"]["from"], entry["range"]["to"], entry["range"].get("step", 1)
    numbers = range(max(first, step), last + 1, max(step, (last - first) // 40))
    return [Text(str(number)) for number in numbers]


def _lists_of(node: Node, rules: Mapping[str, Node]) -> set[str]:
    if isinstance(node, Reference):
        return {node.name} if node.kind == "list" else _lists_of(rules[node.name], rules)
    if isinstance(node, Group):
        return {name for part in node.parts for name in _lists_of(part, rules)}
    return set()
