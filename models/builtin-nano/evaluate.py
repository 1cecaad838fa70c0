"""Score a GGUF through the real engine on held-out chats and describe it in builtin-nano.json.

`python evaluate.py builtin-nano.gguf`, from a folder whose node_modules holds node-llama-cpp and @huggingface/jinja.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from gguf import GGUFReader

from corpus.facts import FACTS
from corpus.beyond import MUST
from corpus.mix import familiar, held_out
from probes import BEYOND_LOOKED_AT, BEYOND_UNSEEN, OURS_LOOKED_AT, OURS_UNSEEN

# Everyday sentences, none of them in the corpus: two ways to say one thing.
PARAPHRASES = [
    ("The cat sleeps on the sofa.", "A cat is sleeping on the couch."), ("How old are you?", "What is your age?"), ("The train was late.", "The train did not arrive on time."),
    ("He bought a new car.", "He purchased a new automobile."), ("It is raining outside.", "Outside it is wet and rainy."), ("Where can I buy bread?", "Which shop sells bread?"),
    ("She plays the piano well.", "She is a good pianist."), ("The shop opens at nine.", "The store starts business at nine."), ("I am hungry.", "I would like something to eat."),
    ("The exam was hard.", "The test was difficult."), ("Turn off the lights.", "Switch the lamps off."), ("My phone is broken.", "My mobile does not work."),
]


def product_pairs() -> list[tuple[str, str]]:
    """Two held-out ways to ask for the same fact."""
    return [(test[0], test[1]) for _, test, _, _ in FACTS if len(test) > 1]


def probe_chats() -> list[dict[str, object]]:
    """The freely written questions, every second one under the most common system prompt."""
    asked = [("probe-beyond", q, MUST) for q in BEYOND_UNSEEN] + [("probe-ours", q, [must]) for q, must in OURS_UNSEEN.items()]
    asked += [("looked-at-beyond", q, MUST) for q in BEYOND_LOOKED_AT] + [("looked-at-ours", q, [must]) for q, must in OURS_LOOKED_AT.items()]
    system = [{"role": "system", "content": "You are a helpful assistant."}]
    return [{"kind": kind, "messages": (system if index % 2 == 0 else []) + [{"role": "user", "content": question}], "tools": [], "must": must, "exact": False}
            for index, (kind, question, must) in enumerate(asked)]


def write_cases(path: Path, seed: int, per_skill: int) -> None:
    records: list[dict[str, Any]] = [
        {"kind": s.kind, "messages": s.messages[:-1], "tools": s.tools, "must": s.must, "exact": s.exact, "names": s.names}
        for s in held_out(seed, per_skill)
    ]
    records += [
        {"kind": f"familiar-{s.kind}", "messages": s.messages[:-1], "tools": s.tools, "must": s.must, "exact": s.exact}
        for s in familiar(seed, per_skill)
    ]
    records += probe_chats()
    records += [{"kind": name, "pairs": pairs} for name, pairs in (("embedding-product", product_pairs()), ("embedding-everyday", PARAPHRASES))]
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")


def run_engine(cases: Path, model: Path, failures: bool) -> dict[str, Any]:
    script = Path(__file__).with_name("evaluate.mjs")
    command = ["node", str(script), str(cases), str(model), *(["--failures"] if failures else [])]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def describe(model: Path, version: str, seed: int, scores: dict[str, Any]) -> dict[str, Any]:
    reader = GGUFReader(model)
    context = reader.get_field("llama.context_length")
    return {
        "format": "Ponto", "name": "builtin-nano", "version": version,
        "description": "Small built-in model: explains Ponto, calls tools, extracts JSON, repeats text; says so when a question needs a larger model",
        "file": model.name, "sha256": hashlib.sha256(model.read_bytes()).hexdigest(),
        "bytes": model.stat().st_size, "parameters": sum(int(tensor.n_elements) for tensor in reader.tensors),
        "contextLength": int(context.contents()) if context else 0, "seed": seed, "scores": scores,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--version", default="1")
    parser.add_argument("--train-seed", type=int, default=20261124)
    parser.add_argument("--test-seed", type=int, default=7)
    parser.add_argument("--per-skill", type=int, default=100)
    parser.add_argument("--failures", action="store_true", help="print every wrong answer to stderr")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        cases = Path(folder) / "cases.jsonl"
        write_cases(cases, args.test_seed, args.per_skill)
        scores = run_engine(cases, args.model, args.failures)
    card = describe(args.model, args.version, args.train_seed, scores)
    args.model.with_suffix(".json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(scores))


if __name__ == "__main__":
    main()
