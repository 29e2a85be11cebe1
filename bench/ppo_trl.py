"""The peer of `npm run bench -- ppo`: TRL's PPOTrainer itself, on the CPU in fp32, its phases timed from outside.

Needs `trl<=1.12` (later ones have no PPO) and datasets. Reads one JSON case on stdin, prints a list of
{"rollout", "scoring", "update"} in seconds, one for each iteration. Rollout is TRL's batch_generation; scoring is from there to
the first forward pass of an update; update is from there to the log of the iteration.
"""
import json
import os
import sys
import tempfile
import time

os.environ["TRL_EXPERIMENTAL_SILENCE"] = "1"

import torch
from datasets import Dataset
from transformers import AutoTokenizer, LlamaForCausalLM, LlamaForSequenceClassification
from trl.experimental.ppo import PPOConfig, PPOTrainer, ppo_trainer

out, sys.stdout = sys.stdout, sys.stderr  # TRL talks
case = json.loads(sys.stdin.readline())
torch.set_num_threads(case["threads"])
folder = case["folder"]
tokenizer = AutoTokenizer.from_pretrained(folder)
tokenizer.pad_token = tokenizer.eos_token


def load(kind, **more):
    return kind.from_pretrained(folder, dtype=torch.float32, **more)


policy, reference = load(LlamaForCausalLM), load(LlamaForCausalLM)
reward, value = (load(LlamaForSequenceClassification, num_labels=1) for _ in range(2))
prompts = Dataset.from_dict({"input_ids": case["prompts"]})
trainer = PPOTrainer(
    args=PPOConfig(
        output_dir=tempfile.mkdtemp(), report_to=[], use_cpu=True, bf16=False, gradient_checkpointing=False,
        per_device_train_batch_size=case["minibatch"], gradient_accumulation_steps=1,
        num_mini_batches=case["batch"] // case["minibatch"], num_ppo_epochs=case["epochs"],
        local_rollout_forward_batch_size=case["batch"], total_episodes=case["batch"] * case["iterations"],
        response_length=case["tokens"], temperature=1.0, num_sample_generations=0, save_strategy="no", disable_tqdm=True,
    ),
    processing_class=tokenizer, model=policy, ref_model=reference, reward_model=reward, value_model=value,
    train_dataset=prompts, eval_dataset=prompts,
)

iterations, marks = [], {}
generation, forward = ppo_trainer.batch_generation, ppo_trainer.forward


def timed_generation(*args):
    marks["begin"] = time.perf_counter()
    result = generation(*args)
    marks["drawn"] = time.perf_counter()
    return result


def timed_forward(model, *args):
    if model is trainer.model:
        marks.setdefault("scored", time.perf_counter())
    return forward(model, *args)


def log(_):
    now = time.perf_counter()
    iterations.append(
        {
            "rollout": marks["drawn"] - marks["begin"],
            "scoring": marks["scored"] - marks["drawn"],
            "update": now - marks["scored"],
        }
    )
    marks.clear()


ppo_trainer.batch_generation, ppo_trainer.forward, trainer.log = timed_generation, timed_forward, log
trainer.train()
print(json.dumps(iterations), file=out)
