"""How people really type: small letters, capitals, missing marks, typos, polite words around the question."""

from __future__ import annotations

from .sample import Dice

_BEFORE = ["hey, ", "hi, ", "hello, ", "please ", "quick question: ", "question: ", "can you tell me: ", "ok, ", "so ", "well, ", "I want to know: ",
           "tell me: ", "Hello! ", "Hi! ", "excuse me, ", "please tell me, ", "just asking: ", "Q: ", "dear assistant, ", "one more thing: ", "um, "]
_AFTER = [" please", " thanks", ", please", ", thank you", " thx", "??", "...", " :)", " now", ", ok?", " please?", " Thanks!", "!", " (short answer)", " briefly"]
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def _typo(dice: Dice, text: str) -> str:
    if len(text) < 6:
        return text
    at = dice.number(1, len(text) - 2)
    if not text[at].isalpha() or not text[at + 1].isalpha():
        return text
    return dice.pick([
        text[:at] + text[at + 1:], text[:at] + text[at] + text[at:], text[:at] + text[at + 1] + text[at] + text[at + 2:],
        text[:at] + dice.pick(_LETTERS) + text[at + 1:],
    ])


_SHORT = [("what is", "whats"), ("What is", "Whats"), ("what's", "whats"), ("where is", "wheres"), ("where are", "where r"), ("are you", "r u"), ("you", "u"),
          ("your", "ur"), ("please", "pls"), ("thanks", "thx"), ("want to", "wanna"), ("how do I", "how to"), ("how do I", "how do i"), ("can I", "can i"),
          ("do I", "do i"), ("I want", "i want"), ("don't", "dont"), ("I'm", "im"), ("could you", "could u"), ("tell me", "tell me pls"), ("because", "cause"), ("and", "&")]


def _shorten(dice: Dice, text: str) -> str:
    for long, short in dice.some(_SHORT, 9):
        if f" {long} " in f" {text} ":
            text = f" {text} ".replace(f" {long} ", f" {short} ", 1)[1:-1]
    return text


def recase(dice: Dice, text: str) -> str:
    """Change how a question is typed but not one letter of what has to be copied."""
    if text and dice.chance(0.35):
        text = text[0].upper() + text[1:] if dice.chance(0.6) else text[0].lower() + text[1:]
    if text.endswith(("?", ".")) and dice.chance(0.25):
        text = text[:-1]
    return text


def roughen(dice: Dice, text: str) -> str:
    """For questions whose answer copies nothing."""
    text = recase(dice, text)
    if dice.chance(0.12):
        text = _shorten(dice, text)
    roll = dice.rng.random()
    if roll < 0.14:
        text = dice.pick(_BEFORE) + text
    elif roll < 0.24:
        text = text.rstrip("?.!") + dice.pick(_AFTER)
    roll = dice.rng.random()
    if roll < 0.12:
        text = text.lower()
    elif roll < 0.16:
        text = text.upper()
    elif roll < 0.32:
        text = _typo(dice, text)
        if dice.chance(0.3):
            text = _typo(dice, text)
    return text
