"""Write a trained checkpoint as GGUF, matrices in Q8_0. `python export.py --run DIR --out builtin-nano.gguf`"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import gguf
import numpy as np
import torch
from gguf.constants import GGMLQuantizationType, LlamaFileType, TokenType

from tokenizer import BOS, CALL, CALL_END, CONTROL, END, PAD, TEMPLATE_FILE

ARCH = "llama"


def add_metadata(writer: gguf.GGUFWriter, shape: dict[str, float]) -> None:
    writer.add_name("builtin-nano")
    writer.add_description("The small built-in model of Ponto, trained from scratch on generated text")
    writer.add_license("mit")
    writer.add_file_type(LlamaFileType.MOSTLY_Q8_0)
    writer.add_block_count(int(shape["layers"]))
    writer.add_context_length(int(shape["context"]))
    writer.add_embedding_length(int(shape["width"]))
    writer.add_feed_forward_length(int(shape["hidden"]))
    writer.add_head_count(int(shape["heads"]))
    writer.add_head_count_kv(int(shape["heads"]))
    writer.add_layer_norm_rms_eps(shape["norm_epsilon"])
    writer.add_rope_dimension_count(int(shape["width"] // shape["heads"]))
    writer.add_rope_freq_base(shape["rope_base"])
    writer.add_vocab_size(int(shape["vocab"]))


def add_tokenizer(writer: gguf.GGUFWriter, path: Path, size: int) -> None:
    model = json.loads(path.read_text(encoding="utf-8"))["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].get)
    if len(tokens) != size:
        raise SystemExit(f"the tokenizer holds {len(tokens)} tokens, the model {size}")
    kinds = [TokenType.CONTROL if t in CONTROL else TokenType.USER_DEFINED if t in (CALL, CALL_END) else TokenType.NORMAL for t in tokens]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges([" ".join(pair) if isinstance(pair, list) else pair for pair in model["merges"]])
    writer.add_bos_token_id(tokens.index(BOS))
    writer.add_eos_token_id(tokens.index(END))
    writer.add_pad_token_id(tokens.index(PAD))
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE_FILE.read_text(encoding="utf-8").rstrip("\n"))


def add_weights(writer: gguf.GGUFWriter, weights: dict[str, torch.Tensor]) -> int:
    count = 0
    for name, weight in weights.items():
        data = weight.float().numpy().astype(np.float32)
        count += data.size
        name = name.replace("blocks.", "blk.")
        if data.ndim == 1:
            writer.add_tensor(name, data)
        else:
            kind = GGMLQuantizationType.Q8_0
            writer.add_tensor(name, gguf.quants.quantize(data, kind), raw_dtype=kind)
    return count


def export(run: Path, out: Path) -> int:
    saved = torch.load(run / "model.pt", weights_only=True)
    writer = gguf.GGUFWriter(str(out), ARCH)
    add_metadata(writer, saved["shape"])
    add_tokenizer(writer, run / "tokenizer.json", int(saved["shape"]["vocab"]))
    parameters = add_weights(writer, saved["weights"])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return parameters


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="folder that train.py wrote")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    parameters = export(args.run, args.out)
    print(json.dumps({"file": args.out.name, "bytes": args.out.stat().st_size, "parameters": parameters}))


if __name__ == "__main__":
    main()
