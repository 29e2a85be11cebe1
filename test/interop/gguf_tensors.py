"""Whether the tensors that Align reads from a GGUF file are those of the Python package gguf, bit by bit.

python gguf_tensors.py FILE.gguf FOLDER: FOLDER is what Align made of FILE. Prints one JSON line. Only the Llama family, whose
rows of q and k are stored in another order.
"""
import json
import sys

import numpy as np
from gguf import GGUFReader
from gguf.quants import dequantize
from safetensors import safe_open

names = {
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
ends = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight", "output.weight": "lm_head.weight"}


def hf_name(name):
    if name in ends:
        return ends[name]
    _, layer, part, kind = name.split(".")
    return f"model.layers.{layer}.{names[part]}.{kind}"


def halves(weights, heads):
    return weights.reshape(heads, weights.shape[0] // heads // 2, 2, *weights.shape[1:]).swapaxes(2, 1).reshape(weights.shape)


file, folder = sys.argv[1:]
reader = GGUFReader(file)
heads = reader.get_field("llama.attention.head_count").contents()
groups = reader.get_field("llama.attention.head_count_kv").contents()
read = safe_open(f"{folder}/model.safetensors", "np")
left, different, types = set(read.keys()), [], {}
for tensor in reader.tensors:
    if tensor.name == "rope_freqs.weight":  # a setting of config.json
        continue
    shape = [int(size) for size in tensor.shape[::-1]]
    weights = dequantize(tensor.data, tensor.tensor_type).astype(np.float32).reshape(shape)
    if ".attn_q." in tensor.name or ".attn_k." in tensor.name:
        weights = halves(weights, heads if ".attn_q." in tensor.name else groups)
    name = hf_name(tensor.name)
    ours = read.get_tensor(name)
    left.discard(name)
    types[tensor.tensor_type.name] = types.get(tensor.tensor_type.name, 0) + 1
    if ours.shape != weights.shape or not np.array_equal(ours.view(np.uint32), weights.view(np.uint32)):
        different.append(tensor.name)
print(json.dumps({"types": types, "different": different, "left": sorted(left)}))
