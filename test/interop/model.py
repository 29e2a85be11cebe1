"""What transformers says about a model folder: prints one JSON line.

python model.py FOLDER REQUEST: REQUEST is a JSON file {text, messages, tokens}; the answer has the ids of the text, the
logits of the text's last position, greedy tokens after it, and the rendered conversation.
"""
import json
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder, request = sys.argv[1], json.load(open(sys.argv[2]))
torch.set_num_threads(2)
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
ids = tokenizer(request["text"], add_special_tokens=False)["input_ids"]
with torch.no_grad():
    logits = model(torch.tensor([ids])).logits[0]
    greedy, cache, step = [], None, torch.tensor([ids])
    for _ in range(request["tokens"]):
        out = model(step, past_key_values=cache, use_cache=True)
        cache, token = out.past_key_values, int(out.logits[0, -1].argmax())
        greedy.append(token)
        step = torch.tensor([[token]])
chat = None
if tokenizer.chat_template:
    chat = tokenizer.apply_chat_template(request["messages"], tokenize=False, add_generation_prompt=True)
print(json.dumps({"ids": ids, "logits": logits.flatten().tolist(), "greedy": greedy, "chat": chat}))
