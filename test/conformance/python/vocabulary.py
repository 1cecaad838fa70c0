"""Gives tiktoken the vocabulary that it would download, so that LangChain works without a network."""

import atexit
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

_vocabulary = Path(__file__).parents[3] / "node_modules/gpt-tokenizer/data/cl100k_base.tiktoken"
# By this address tiktoken knows the file, and by the digest of the address its copy.
_address = "https://openaipublic.blob.core.windows.net/encodings/cl100k_base.tiktoken"


def offer_vocabulary() -> None:
    """Must come before the first import of tiktoken. tiktoken itself checks that the file is the right one."""
    folder = tempfile.mkdtemp(prefix="tiktoken-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    shutil.copyfile(_vocabulary, Path(folder, hashlib.sha1(_address.encode()).hexdigest()))
    os.environ["TIKTOKEN_CACHE_DIR"] = folder
