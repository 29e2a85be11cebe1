"""What transformers says about an encoder-decoder folder: prints one JSON line.

python seq2seq.py FOLDER REQUEST: REQUEST is a JSON file {source, target, tokens}; the answer has the ids of both texts, the
log-probability of every target token and of its end, and greedy tokens.
"""
import json
import sys

import torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

folder, request = sys.argv[1], json.load(open(sys.argv[2]))
torch.set_num_threads(2)
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForSeq2SeqLM.from_pretrained(folder, dtype=torch.float32).eval()
source, target = (tokenizer(request[name], add_special_tokens=False)["input_ids"] for name in ("source", "target"))
ids = torch.tensor([source + [tokenizer.eos_token_id]])
labels = torch.tensor([target + [tokenizer.eos_token_id]])
with torch.no_grad():
    logprobs = torch.log_softmax(model(input_ids=ids, labels=labels).logits[0], -1)
    picked = logprobs.gather(1, labels[0][:, None])[:, 0]
    greedy = model.generate(ids, max_new_tokens=request["tokens"], do_sample=False)[0, 1:]
print(json.dumps({"source": source, "target": target, "logprobs": picked.tolist(), "greedy": greedy.tolist()}))
