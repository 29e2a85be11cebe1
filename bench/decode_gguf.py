"""Writes a GGUF file of a Llama with random weights and made-up words, for `npm run bench -- decode --llama`.

Reads {"config", "file", "type"} on stdin; the type is f32, q8_0 or q4_0.
"""
import json
import sys

import gguf
import numpy as np

case = json.loads(sys.stdin.readline())
c, kind = case["config"], gguf.GGMLQuantizationType[case["type"].upper()]
d, f = c["hidden_size"], c["intermediate_size"]
kv = d // c["num_attention_heads"] * c["num_key_value_heads"]
rng = np.random.default_rng(0)
w = gguf.GGUFWriter(case["file"], "llama")
w.add_context_length(c["max_position_embeddings"])
w.add_embedding_length(d)
w.add_block_count(c["num_hidden_layers"])
w.add_feed_forward_length(f)
w.add_head_count(c["num_attention_heads"])
w.add_head_count_kv(c["num_key_value_heads"])
w.add_layer_norm_rms_eps(c["rms_norm_eps"])
w.add_rope_dimension_count(d // c["num_attention_heads"])
w.add_vocab_size(c["vocab_size"])
special, octets = [b"<unk>", b"<s>", b"</s>"], [b"<0x%02X>" % i for i in range(256)]
words = special + octets + [b"w%d" % i for i in range(c["vocab_size"] - 259)]
types = gguf.TokenType
w.add_tokenizer_model("llama")
w.add_token_list(words)
w.add_token_scores([0.0] * len(words))
w.add_token_types(
    [types.UNKNOWN, types.CONTROL, types.CONTROL] + [types.BYTE] * 256 + [types.NORMAL] * (len(words) - 259)
)
w.add_bos_token_id(1)
w.add_eos_token_id(2)


def matrix(name, *shape):
    data = rng.standard_normal(shape, dtype=np.float32) * 0.02
    w.add_tensor(name, gguf.quantize(data, kind), raw_dtype=kind)


def ones(name):
    w.add_tensor(name, np.ones(d, dtype=np.float32))


matrix("token_embd.weight", c["vocab_size"], d)
for i in range(c["num_hidden_layers"]):
    ones(f"blk.{i}.attn_norm.weight")
    matrix(f"blk.{i}.attn_q.weight", d, d)
    matrix(f"blk.{i}.attn_k.weight", kv, d)
    matrix(f"blk.{i}.attn_v.weight", kv, d)
    matrix(f"blk.{i}.attn_output.weight", d, d)
    ones(f"blk.{i}.ffn_norm.weight")
    matrix(f"blk.{i}.ffn_gate.weight", f, d)
    matrix(f"blk.{i}.ffn_up.weight", f, d)
    matrix(f"blk.{i}.ffn_down.weight", d, f)
ones("output_norm.weight")
w.write_header_to_file()
w.write_kv_data_to_file()
w.write_tensors_to_file()
w.close()
