"""LoRA adapters with random numbers in them, written as PEFT writes them, without PEFT or torch."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

SMOLLM2 = {"self_attn.q_proj": (576, 576), "self_attn.v_proj": (192, 576)}
"""Rows and columns of parts of a layer of SmolLM2-135M."""
LAYERS = 30


def write_adapter(folder: Path, seed: int, rank: int = 4, size: float = 0.05) -> Path:
    """An adapter for SmolLM2-135M; `size` is the standard deviation of its numbers."""
    random = np.random.default_rng(seed)
    tensors: dict[str, np.ndarray] = {}
    for layer in range(LAYERS):
        for part, (rows, columns) in SMOLLM2.items():
            name = f"base_model.model.model.layers.{layer}.{part}"
            tensors[f"{name}.lora_A.weight"] = random.normal(0, size, (rank, columns)).astype(np.float32)
            tensors[f"{name}.lora_B.weight"] = random.normal(0, size, (rows, rank)).astype(np.float32)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "adapter_model.safetensors").write_bytes(safetensors(tensors))
    config = {
        "peft_type": "LORA", "task_type": "CAUSAL_LM", "r": rank, "lora_alpha": 2 * rank, "lora_dropout": 0.0,
        "bias": "none", "target_modules": [part.rpartition(".")[2] for part in SMOLLM2],
        "base_model_name_or_path": "HuggingFaceTB/SmolLM2-135M-Instruct",
    }  # fmt: skip
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return folder


def safetensors(tensors: dict[str, np.ndarray]) -> bytes:
    """The content of a safetensors file."""
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    content = b""
    for name, tensor in tensors.items():
        data = tensor.tobytes()
        offsets = [len(content), len(content) + len(data)]
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": offsets}
        content += data
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    return len(head).to_bytes(8, "little") + head + content
