"""The peer of `npm run bench -- decode`: greedy generate() of transformers, fp32 on the CPU.

Reads one JSON case on stdin, prints the points in time, in milliseconds, at which each token was there.
"""
import json
import sys
import time

import torch
from transformers import LlamaConfig, LlamaForCausalLM, StoppingCriteria, StoppingCriteriaList


class Clock(StoppingCriteria):
    def __init__(self):
        self.at = []

    def __call__(self, ids, scores, **_):
        self.at.append(time.perf_counter() * 1000)
        return torch.zeros(ids.shape[0], dtype=torch.bool)


case = json.loads(sys.stdin.readline())
torch.set_num_threads(case["threads"])
model = LlamaForCausalLM(LlamaConfig(**case["config"])).eval()
ids = torch.randint(0, case["config"]["vocab_size"], (case["batch"], case["prompt"]))
clock = Clock()
with torch.no_grad():
    model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=case["tokens"],
        min_new_tokens=case["tokens"],
        do_sample=False,
        pad_token_id=0,
        stopping_criteria=StoppingCriteriaList([clock]),
    )
print(json.dumps(clock.at))
