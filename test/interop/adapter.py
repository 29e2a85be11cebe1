"""What peft says of an adapter that Align wrote, and an adapter of its own: prints one JSON line.

python adapter.py BASE ADAPTER REQUEST OUT: the answer has the logits of every position of REQUEST's text under the base with
the adapter, and the layers that the adapter is on. OUT/adapter is another adapter of these layers, as peft writes it (rank-stabilised, B not
zero), and OUT/merged the model that the base and it make.
"""
import json
import sys
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

base, adapter, request, out = sys.argv[1], sys.argv[2], json.load(open(sys.argv[3])), Path(sys.argv[4])
torch.set_num_threads(2)
torch.manual_seed(7)


def load():
    return AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).eval()


tokenizer = AutoTokenizer.from_pretrained(base)
ids = torch.tensor([tokenizer(request["text"], add_special_tokens=False)["input_ids"]])
tuned = PeftModel.from_pretrained(load(), adapter).eval()
with torch.no_grad():
    logits = tuned(ids).logits
targets = sorted(tuned.peft_config["default"].target_modules)

other = get_peft_model(
    load(), LoraConfig(r=3, lora_alpha=6, use_rslora=True, target_modules=targets, init_lora_weights=False)
)
other.save_pretrained(out / "adapter")
merged = other.merge_and_unload()
merged.save_pretrained(out / "merged")
tokenizer.save_pretrained(out / "merged")
print(json.dumps({"logits": logits.flatten().tolist(), "targets": targets}))
