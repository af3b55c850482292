"""Turns a GGUF file into an ordinary model folder: python gguf_to_hf.py FILE.gguf FOLDER.

Run in a Python that has transformers, torch, gguf and accelerate; Driftline itself needs none of them.
"""

import sys
from pathlib import Path

from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig


def main(source: Path, target: Path) -> None:
    """Dequantise and save: the weights become bfloat16, the tokenizer keeps the file's chat template."""
    folder, name = str(source.parent), source.name
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=name)
    model = AutoModelForCausalLM.from_pretrained(
        folder, gguf_file=name, dtype="bfloat16", quantization_config=GgufConfig(dequantize=True)
    )
    tokenizer.save_pretrained(target)
    model.save_pretrained(target)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
