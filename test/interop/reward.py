"""What transformers says of a reward model's folder: prints one JSON line.

python reward.py FOLDER REQUEST: REQUEST is a JSON file {sequences: [[id, ...], ...]}; the answer has the score of each.
"""
import json
import sys

import torch
from transformers import AutoModelForSequenceClassification

folder, request = sys.argv[1], json.load(open(sys.argv[2]))
torch.set_num_threads(2)
model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
with torch.no_grad():
    scores = [model(torch.tensor([ids])).logits[0, 0].item() for ids in request["sequences"]]
print(json.dumps({"scores": scores, "labels": model.config.num_labels, "bias": model.config.score_bias}))
