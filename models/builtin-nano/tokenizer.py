"""Byte-level BPE that llama.cpp splits exactly as we do (pre-tokenizer "qwen2"), and the encoding of chats."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from pathlib import Path
from typing import Any

import jinja2
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from corpus.mix import fixed_answers
from corpus.sample import Sample

PAD, BOS, START, END, CALL, CALL_END = "<|pad|>", "<|bos|>", "<|im_start|>", "<|im_end|>", "<tool_call>", "</tool_call>"
CONTROL = [PAD, BOS, START, END]
SPECIALS = [*CONTROL, CALL, CALL_END]
TEMPLATE_FILE = Path(__file__).with_name("chat_template.jinja")
_QWEN2 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
          r"|\s*[\r\n]+|\s+(?!\S)|\s+")
# Merges are learned with words apart from the space before them, so that a word has the same tokens everywhere and copying it
# is copying tokens. Only the words of fixed answers get tokens with their space, by merges that come last.
_WORDS_APART = _QWEN2.replace(r"[^\r\n\p{L}\p{N}]?\p{L}+", r"\p{L}+")
_SPACE = "\u0120"
# Private-use marks around everything that a caller wrote, so that it can be tokenised apart from the template.
_OPEN, _CLOSE = "\ue000", "\ue001"
_ANSWER = re.compile(r"(<\|im_start\|>assistant\n)(.*?<\|im_end\|>)", re.S)


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment()
    environment.filters["tojson"] = lambda value: json.dumps(value, ensure_ascii=False)
    return environment


_TEMPLATE = _environment().from_string(TEMPLATE_FILE.read_text(encoding="utf-8"))


def render(messages: list[dict[str, Any]], tools: list[dict[str, Any]], prompt: bool = False) -> str:
    return _TEMPLATE.render(messages=messages, tools=tools or None, add_generation_prompt=prompt)


def _mark(text: str) -> str:
    return f"{_OPEN}{text}{_CLOSE}" if text else text


def _marked(sample: Sample) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    messages = [{**m, "content": _mark(m["content"])} if m["role"] != "assistant" and m.get("content") else m for m in sample.messages]
    tools = []
    for tool in sample.tools:
        function = dict(tool["function"])
        function["name"] = _mark(function["name"])
        if "description" in function:
            function["description"] = _mark(function["description"])
        tools.append({"type": "function", "function": function})
    return messages, tools


def _splitter(pattern: str) -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(pattern), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])


def train_tokenizer(texts: list[str], size: int, spaced_words: int) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = _splitter(_WORDS_APART)
    trainer = trainers.BpeTrainer(vocab_size=size - spaced_words, special_tokens=[AddedToken(s, special=True, normalized=False) for s in SPECIALS],
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    state = json.loads(tokenizer.to_str())
    vocab, merges = state["model"]["vocab"], state["model"]["merges"]
    fixed = {word for text in fixed_answers() for word in re.findall(r" ([A-Za-z]+)", text)}
    counts = Counter(word for text in texts for word in re.findall(r" ([A-Za-z]{2,})", text) if word in vocab)
    for word in sorted(counts, key=lambda word: (word not in fixed, -counts[word]))[:spaced_words]:
        vocab[_SPACE + word] = len(vocab)
        merges.append([_SPACE, word])
    tokenizer = Tokenizer.from_str(json.dumps(state))
    tokenizer.pre_tokenizer = _splitter(_QWEN2)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


class Encoder:
    """Chats to token ids and a loss mask (1 on what the assistant says, its end mark included)."""

    def __init__(self, tokenizer: Tokenizer, seed: int) -> None:
        self.tokenizer = tokenizer
        self.rng = random.Random(seed)

    def _ids(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def _prompt_ids(self, text: str, apart: bool) -> list[int]:
        if not apart:
            return self._ids(text.replace(_OPEN, "").replace(_CLOSE, ""))
        pieces = re.split(f"[{_OPEN}{_CLOSE}]", text)
        return [token for piece in pieces if piece for token in self._ids(piece)]

    def encode(self, sample: Sample) -> tuple[list[int], list[int]]:
        """Half of the chats are tokenised piece by piece, as a careful engine does, half in one go."""
        text = render(*_marked(sample))
        apart = self.rng.random() < 0.5
        ids: list[int] = []
        mask: list[int] = []
        at = 0
        for match in _ANSWER.finditer(text):
            prompt = self._prompt_ids(text[at:match.end(1)], apart)
            answer = self._ids(match.group(2))
            ids += prompt + answer
            mask += [0] * len(prompt) + [1] * len(answer)
            at = match.end()
        return ids, mask
