"""The unit of the corpus: one chat, and what a test may demand of its last answer."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any, Sequence, TypeVar

Message = dict[str, Any]
Tool = dict[str, Any]
T = TypeVar("T")


@dataclass
class Sample:
    """`messages` end with the assistant's answer. `must` are texts that a right answer holds; with `exact`
    the answer must be one of `must`, whole. `names` is the topic that a refusal should name."""

    kind: str
    messages: list[Message]
    tools: list[Tool] = field(default_factory=list)
    must: list[str] = field(default_factory=list)
    exact: bool = False
    names: str = ""


class Dice:
    """A seeded source of choices that keeps training and held-out lists apart."""

    def __init__(self, seed: int, held_out: bool = False) -> None:
        self.rng = random.Random(seed)
        self.held_out = held_out

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def pick(self, items: Sequence[T]) -> T:
        return items[int(self.rng.random() * len(items))]

    def split(self, train: Sequence[T], test: Sequence[T]) -> T:
        """One of `test` for evaluation, one of `train` otherwise."""
        return self.pick(test if self.held_out and test else train)

    def number(self, low: int, high: int) -> int:
        return self.rng.randint(low, high)

    def some(self, items: Sequence[T], count: int) -> list[T]:
        return self.rng.sample(list(items), count)


def chat(kind: str, user: str, answer: str, must: list[str] | None = None, exact: bool = False) -> Sample:
    messages = [{"role": "user", "content": user}, {"role": "assistant", "content": answer}]
    return Sample(kind, messages, must=must if must is not None else [answer], exact=exact)
