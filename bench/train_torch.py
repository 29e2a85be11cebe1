"""The peer of `npm run bench -- train`: the same model and step in eager PyTorch.

Reads one JSON case on stdin, prints one JSON line per timed step: {"ms": ..., "loss": ...}.
Three arms: "lean" is a hand-written Llama on F.scaled_dot_product_attention, "bf16" the same under
autocast to bf16 with fp32 weights, "transformers" is LlamaForCausalLM as TRL runs it. AdamW is torch's fused one where it exists, else foreach.
"""
import json
import sys
import time

import torch
import torch.nn.functional as F


class Block(torch.nn.Module):
    def __init__(self, d, h, f, eps):
        super().__init__()
        self.h, self.n1, self.n2 = h, torch.nn.RMSNorm(d, eps), torch.nn.RMSNorm(d, eps)
        self.q, self.k, self.v, self.o = (torch.nn.Linear(d, d, bias=False) for _ in range(4))
        self.gate, self.up = (torch.nn.Linear(d, f, bias=False) for _ in range(2))
        self.down = torch.nn.Linear(f, d, bias=False)

    def forward(self, x, cos, sin):
        b, t, d = x.shape
        y = self.n1(x)
        q, k, v = (w(y).view(b, t, self.h, d // self.h).transpose(1, 2) for w in (self.q, self.k, self.v))
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.o(y.transpose(1, 2).reshape(b, t, d))
        y = self.n2(x)
        return x + self.down(F.silu(self.gate(y)) * self.up(y))


def rotate(x, cos, sin):
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat((-b, a), -1) * sin


class Lean(torch.nn.Module):
    def __init__(self, c):
        super().__init__()
        d = c["hidden_size"]
        self.embed = torch.nn.Embedding(c["vocab_size"], d)
        self.blocks = torch.nn.ModuleList(
            Block(d, c["heads"], c["intermediate_size"], 1e-5) for _ in range(c["layers"])
        )
        self.norm = torch.nn.RMSNorm(d, 1e-5)
        half = d // c["heads"] // 2
        freq = 10000.0 ** (-torch.arange(half) / half)
        angle = torch.arange(c["length"])[:, None] * freq
        self.register_buffer("cos", torch.cat((angle, angle), -1).cos())
        self.register_buffer("sin", torch.cat((angle, angle), -1).sin())
        for p in self.parameters():
            if p.dim() > 1:
                torch.nn.init.normal_(p, std=0.02)

    def forward(self, ids):
        x = self.embed(ids)
        t = ids.shape[1]
        for block in self.blocks:
            x = block(x, self.cos[:t], self.sin[:t])
        return F.linear(self.norm(x), self.embed.weight)


def transformers_model(c):
    from transformers import LlamaConfig, LlamaForCausalLM

    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=c["vocab_size"],
            hidden_size=c["hidden_size"],
            intermediate_size=c["intermediate_size"],
            num_hidden_layers=c["layers"],
            num_attention_heads=c["heads"],
            num_key_value_heads=c["heads"],
            max_position_embeddings=c["length"],
            tie_word_embeddings=True,
        )
    )
    return lambda ids: model(input_ids=ids).logits, model


def main():
    case = json.loads(sys.stdin.readline())
    torch.set_num_threads(case["threads"])
    torch.manual_seed(0)
    if case["arm"] == "transformers":
        forward, model = transformers_model(case)
    else:
        model = Lean(case)
        forward = model
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1, fused=True)
    ids = torch.randint(0, case["vocab_size"], (case["batch"], case["length"]))
    for _ in range(case["warmup"] + case["steps"]):
        start = time.perf_counter()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=case["arm"] == "bf16"):
            logits = forward(ids)[:, :-1]
            loss = F.cross_entropy(logits.reshape(-1, case["vocab_size"]), ids[:, 1:].reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        print(json.dumps({"ms": (time.perf_counter() - start) * 1000, "loss": loss.item()}), flush=True)


main()
