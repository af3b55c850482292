"""Turns a LoRA adapter as PEFT saves it into one for llama.cpp: python lora_to_gguf.py FOLDER BASE.gguf OUT.gguf.

Run in a Python that has gguf (and with it numpy); Driftline itself needs neither.
"""

import json
import math
import re
import sys
from pathlib import Path

import gguf
import numpy as np

PARTS = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
"""What llama.cpp calls the parts of a layer that PEFT adapts."""
ARCHITECTURES = ("llama", "qwen2", "qwen3")
"""Those whose layers have these parts, one to one. Rows of q and k are in another order for `llama` only."""
NAME = re.compile(r"(?:base_model\.model\.)?(?:model\.)?layers\.(\d+)\.([\w.]+)\.lora_([AB])(?:\.default)?\.weight")
DTYPES = {"F32": np.dtype("<f4"), "F16": np.dtype("<f2"), "BF16": np.dtype("<u2"), "F64": np.dtype("<f8")}


def main(folder: Path, base: Path, target: Path) -> None:
    """Read, rename, reorder, write."""
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    fields = gguf.GGUFReader(base).fields
    architecture = fields["general.architecture"].contents()
    if architecture not in ARCHITECTURES:
        sys.exit(f"the base is a {architecture}, and adapters are converted for: {', '.join(ARCHITECTURES)}")
    heads = fields[f"{architecture}.attention.head_count"].contents()
    kv = fields.get(f"{architecture}.attention.head_count_kv")
    kv_heads = kv.contents() if kv else heads
    writer = gguf.GGUFWriter(target, architecture)
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    alpha = float(config.get("lora_alpha") or config["r"])
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, alpha)
    for (layer, part), (a, b) in sorted(pairs(folder / "adapter_model.safetensors").items()):
        b = b * (scale(config, layer, part, a.shape[0]) / (alpha / a.shape[0]))
        if architecture == "llama" and part in ("self_attn.q_proj", "self_attn.k_proj"):
            b = reordered(b, heads if part == "self_attn.q_proj" else kv_heads)
        name = f"blk.{layer}.{PARTS[part]}.weight"
        writer.add_tensor(f"{name}.lora_a", np.ascontiguousarray(a, dtype=np.float32))
        writer.add_tensor(f"{name}.lora_b", np.ascontiguousarray(b, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def pairs(file: Path) -> dict[tuple[int, str], tuple[np.ndarray, np.ndarray]]:
    """The matrices A (rank x in) and B (out x rank) of each adapted part: layer, part."""
    found: dict[tuple[int, str], dict[str, np.ndarray]] = {}
    for name, tensor in tensors(file).items():
        match = NAME.fullmatch(name)
        if not match or match[2] not in PARTS:
            sys.exit(f"{file} adapts {name}, and these parts of a layer can be converted: {', '.join(PARTS)}")
        found.setdefault((int(match[1]), match[2]), {})[match[3]] = tensor
    for (layer, part), both in found.items():
        if set(both) != {"A", "B"} or both["A"].shape[0] != both["B"].shape[1]:
            sys.exit(f"{file}: the two matrices of layer {layer}, {part}, don't go together")
    return {place: (both["A"], both["B"]) for place, both in found.items()}


def tensors(file: Path) -> dict[str, np.ndarray]:
    """The content of a safetensors file: a length, a JSON header, and the numbers."""
    content = file.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    data = memoryview(content)[8 + length :]
    result = {}
    for name, about in header.items():
        if name == "__metadata__":
            continue
        start, end = about["data_offsets"]
        array = np.frombuffer(data[start:end], DTYPES[about["dtype"]])
        if about["dtype"] == "BF16":  # the upper half of a float32
            array = (array.astype(np.uint32) << 16).view(np.float32)
        result[name] = array.reshape(about["shape"]).astype(np.float32)
    return result


def scale(config: dict, layer: int, part: str, rank: int) -> float:
    """By what PEFT multiplies BA: alpha over rank, or over its root; alpha may be a part's own."""
    alpha = float(config.get("lora_alpha") or config["r"])
    for pattern, own in (config.get("alpha_pattern") or {}).items():
        if re.match(rf"(.*\.)?({pattern})$", f"model.layers.{layer}.{part}"):
            alpha = float(own)
            break
    return alpha / math.sqrt(rank) if config.get("use_rslora") else alpha / rank


def reordered(rows: np.ndarray, heads: int) -> np.ndarray:
    """Rows of q or k as llama.cpp's `llama` has them: of each head, the two halves interleaved."""
    out, rank = rows.shape
    return rows.reshape(heads, 2, out // heads // 2, rank).swapaxes(1, 2).reshape(out, rank)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
