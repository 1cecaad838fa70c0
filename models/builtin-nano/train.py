"""Train builtin-nano from nothing. `python train.py --steps 1500 --out DIR` writes DIR/tokenizer.json and DIR/model.pt."""

from __future__ import annotations

import argparse
import ctypes
import itertools
import json
import os
import shutil
import sys
import time
from pathlib import Path

# A thread that waits must not spin: on a busy machine that cost up to nine tenths of the speed. Read when torch loads.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from tokenizers import Tokenizer
from torch import Tensor

from corpus.mix import samples
from model import Nano, Shape
from optimizer import optimizers
from tokenizer import END, PAD, Encoder, render, train_tokenizer

Batch = list[tuple[Tensor, Tensor]]


def keep_freed_memory() -> None:
    """glibc hands large freed blocks back at once; asking for them again, zeroed, cost half of the CPU time here."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        trim, pad, mmap = -1, -2, -3
        for option, size in ((trim, 2**31 - 1), (pad, 64 << 20), (mmap, 32 << 20)):
            libc.mallopt(option, size)


def make_tokenizer(path: Path, seed: int, vocab: int, chats: int) -> Tokenizer:
    if path.exists():
        return Tokenizer.from_file(str(path))
    texts = [render(s.messages, s.tools) for s in itertools.islice(samples(seed + 1), chats)]
    tokenizer = train_tokenizer(texts, vocab, spaced_words=160)
    tokenizer.save(str(path))
    return tokenizer


class Batches:
    """Fresh chats for each step, sorted by length into padded parts so that little padding is computed."""

    def __init__(self, tokenizer: Tokenizer, seed: int, tokens: int, context: int) -> None:
        self.stream = samples(seed)
        self.encoder = Encoder(tokenizer, seed)
        self.pad = tokenizer.token_to_id(PAD)
        self.tokens, self.context = tokens, context

    def _pad(self, rows: list[tuple[list[int], list[int]]]) -> tuple[Tensor, Tensor]:
        longest = max(len(ids) for ids, _ in rows)
        ids = torch.full((len(rows), longest), self.pad)
        mask = torch.zeros((len(rows), longest), dtype=torch.long)
        for row, (i, m) in enumerate(rows):
            ids[row, : len(i)] = torch.tensor(i)
            mask[row, : len(m)] = torch.tensor(m)
        return ids, mask

    def next(self, parts: int = 3) -> Batch:
        rows, total = [], 0
        while total < self.tokens:
            ids, mask = self.encoder.encode(next(self.stream))
            if len(ids) <= self.context:
                rows.append((ids, mask))
                total += len(ids)
        rows.sort(key=lambda row: len(row[0]))
        batch, part, size = [], [], 0
        for row in rows:
            length = len(row[0])
            padded = (len(part) + 1) * length
            if part and (padded > self.tokens / parts or padded > 1.2 * (size + length)):
                batch.append(self._pad(part))
                part, size = [], 0
            part.append(row)
            size += length
        return [*batch, self._pad(part)]


def rate(progress: float, step: int, warmup: int = 50, flat: float = 0.3) -> float:
    """Share of the full learning rate: a short climb, a plateau, then down to zero in a line."""
    return min(1.0, (step + 1) / warmup, max(0.0, (1 - progress) / (1 - flat)))


def train(args: argparse.Namespace) -> None:
    keep_freed_memory()
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    shape = Shape()
    if args.start:
        shutil.copy(args.start / "tokenizer.json", out / "tokenizer.json")
    tokenizer = make_tokenizer(out / "tokenizer.json", args.seed, shape.vocab, args.tokenizer_chats)
    batches = Batches(tokenizer, args.seed, args.batch_tokens, shape.context)
    model = Nano(shape)
    if args.start:
        model.load_state_dict(torch.load(args.start / "model.pt", weights_only=True)["weights"])
    steppers = optimizers(model, args.muon_lr, args.adam_lr)
    full = [group["lr"] for stepper in steppers for group in stepper.param_groups]
    start, seen, smooth = time.time(), 0, None
    print(json.dumps({"parameters": sum(w.numel() for w in model.parameters()), "end": tokenizer.token_to_id(END)}), flush=True)
    for step in itertools.count():
        progress = step / args.steps if args.steps else (time.time() - start) / 60 / args.minutes
        if progress >= 1:
            break
        share = rate(progress, step)
        for group, lr in zip((g for s in steppers for g in s.param_groups), full):
            group["lr"] = lr * share
        batch = batches.next()
        answers = sum(int(mask[:, 1:].sum()) for _, mask in batch)
        summed = 0.0
        for ids, mask in batch:
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=not args.fp32):
                loss = model.loss(ids, mask)
            (loss / answers).backward()
            summed += loss.item()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for stepper in steppers:
            stepper.step()
            stepper.zero_grad()
        seen += sum(ids.numel() for ids, _ in batch)
        smooth = summed / answers if smooth is None else 0.95 * smooth + 0.05 * summed / answers
        if step % 20 == 0:
            seconds = time.time() - start
            print(json.dumps({"step": step, "loss": round(smooth, 4), "rate": round(share, 3), "tokens": seen, "seconds": round(seconds),
                              "per_second": round(seen / seconds)}), flush=True)
        if step % 100 == 99:
            torch.save({"shape": shape.to_dict(), "weights": model.state_dict()}, out / "model.pt")
    torch.save({"shape": shape.to_dict(), "weights": model.state_dict()}, out / "model.pt")
    print(json.dumps({"steps": step, "loss": round(smooth or 0, 4), "tokens": seen, "seconds": round(time.time() - start)}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", required=True, help="folder for the checkpoint and the tokenizer")
    parser.add_argument("--start", type=Path, help="folder of an earlier run whose weights and tokenizer to start from")
    parser.add_argument("--seed", type=int, default=20261124)
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--steps", type=int, help="length of the run; repeatable")
    length.add_argument("--minutes", type=float, help="length of the run by the clock")
    parser.add_argument("--batch-tokens", type=int, default=4096)
    parser.add_argument("--tokenizer-chats", type=int, default=30000)
    parser.add_argument("--muon-lr", type=float, default=0.02)
    parser.add_argument("--adam-lr", type=float, default=0.004)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--fp32", action="store_true", help="no bfloat16")
    train(parser.parse_args())


if __name__ == "__main__":
    main()
