"""The peer of `npm run bench -- data`: the same JSONL through datasets, tokenizers and TRL's packing, as its SFTTrainer does it.

python data_hf.py FILE TOKENIZER_FOLDER LENGTH CACHE_FOLDER: prints one JSON line, {"seconds": ..., "examples": ..., "rows": ...}; the
seconds are without imports.
"""
import json
import sys
import time

import datasets
from transformers import PreTrainedTokenizerFast
from trl import pack_dataset

path, folder, length, cache = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
datasets.disable_progress_bars()
tokenizer = PreTrainedTokenizerFast(tokenizer_file=f"{folder}/tokenizer.json")
eos = tokenizer.convert_tokens_to_ids(json.load(open(f"{folder}/tokenizer_config.json"))["eos_token"])


def encode(rows):
    prompts = tokenizer([f"Question: {q}\nAnswer:" for q in rows["question"]], add_special_tokens=False)["input_ids"]
    answers = tokenizer([f" {a}" for a in rows["answer"]], add_special_tokens=False)["input_ids"]
    return {
        "input_ids": [(p + a + [eos])[:length] for p, a in zip(prompts, answers)],
        "completion_mask": [([0] * len(p) + [1] * (len(a) + 1))[:length] for p, a in zip(prompts, answers)],
    }


started = time.time()
rows = datasets.load_dataset("json", data_files=path, split="train", cache_dir=cache)
examples = rows.map(encode, batched=True, remove_columns=rows.column_names)
packed = pack_dataset(examples, length, strategy="bfd")
print(json.dumps({"seconds": time.time() - started, "examples": len(examples), "rows": len(packed)}))
