"""The corpus itself: how often each skill comes, and how chats are put together."""

from __future__ import annotations

from typing import Callable, Iterator

from .beyond import NAMED, UNNAMED, beyond, pasted_text
from .facts import FACTS, GREETING
from .noise import recase, roughen
from .sample import Dice, Message, Sample
from .skills import arithmetic, copy, count, extract_json, greet, memory, named_deployment, product
from .systems import system_prompt
from .tongues import OTHER_ANSWER, PORTUGUESE, other_language, portuguese
from .tools import tool_call, tool_result, tool_unneeded

Maker = Callable[[Dice], Sample]

# skill, weight. Hard skills (sums, copying, tools, strange questions) get more than their share of use.
MIX: list[tuple[Maker, float]] = [
    (greet, 3), (product, 13), (beyond, 20), (arithmetic, 17), (copy, 11), (tool_call, 15), (tool_unneeded, 4), (tool_result, 6),
    (extract_json, 6), (named_deployment, 2), (count, 1.5), (memory, 2), (portuguese, 3), (other_language, 2),
]
_MAKERS = [maker for maker, _ in MIX]
_WEIGHTS = [weight for _, weight in MIX]
_FREE = {"greet", "product"}
_EXACT_SHORT = {"arithmetic", "count", "named", "beyond", "portuguese"}


def one(dice: Dice, maker: Maker) -> Sample:
    sample = maker(dice)
    for message in sample.messages:
        if message["role"] != "user" or dice.held_out and dice.chance(0.5):
            continue
        if sample.kind in _FREE:
            message["content"] = roughen(dice, message["content"])
        elif sample.kind in _EXACT_SHORT:
            message["content"] = recase(dice, message["content"])
    return sample


def _earlier(dice: Dice) -> list[Message]:
    """A finished exchange to put before another one."""
    sample = one(dice, dice.pick([greet, product, product, beyond, beyond, arithmetic, copy, extract_json]))
    return sample.messages


def compose(dice: Dice, maker: Maker) -> Sample:
    """A whole chat: perhaps a system prompt, perhaps earlier turns, then the exchange that counts."""
    sample = one(dice, maker)
    turns = 0
    if dice.chance(0.16):
        turns = dice.pick([1, 1, 1, 1, 2, 2, 3])
    if not dice.held_out and dice.chance(0.008):
        turns = dice.number(4, 12)
    if sample.kind == "memory" and turns > 1:
        turns = 1
    before = [message for _ in range(turns) for message in _earlier(dice)]
    if turns and not dice.held_out and dice.chance(0.06):
        before.insert(0, {"role": "user", "content": pasted_text(dice, dice.pick([60, 150, 250]))})
        before.insert(1, {"role": "assistant", "content": dice.pick(UNNAMED)})
    if dice.chance(0.42):
        role = "developer" if dice.chance(0.1) else "system"
        before.insert(0, {"role": role, "content": system_prompt(dice)})
    sample.messages = before + sample.messages
    return sample


def samples(seed: int) -> Iterator[Sample]:
    """Endless training chats; the same seed gives the same chats."""
    dice = Dice(seed)
    while True:
        yield compose(dice, dice.rng.choices(_MAKERS, _WEIGHTS)[0])


def held_out(seed: int, per_skill: int) -> list[Sample]:
    """Test chats from the held-out lists, the same number for each skill."""
    dice = Dice(seed, held_out=True)
    return [compose(dice, maker) for maker in _MAKERS for _ in range(per_skill)]


def familiar(seed: int, per_skill: int) -> list[Sample]:
    """Fresh draws in the phrasings of training: what is left to fail here was not learned, rather than not understood."""
    dice = Dice(seed)
    return [compose(dice, maker) for maker in (product, tool_call, extract_json, copy, arithmetic) for _ in range(per_skill)]


def fixed_answers() -> list[str]:
    """Answers that do not depend on the question's words."""
    return [GREETING, OTHER_ANSWER, *NAMED, *UNNAMED, *(fact[2] for fact in FACTS), *(fact[2] for fact in PORTUGUESE)]
