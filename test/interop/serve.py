# What Python's openai package gets from a server of Align's: the same requests as serve.test.ts.
import json
import sys
from concurrent.futures import ThreadPoolExecutor

import openai

client = openai.OpenAI(base_url=sys.argv[1], api_key=sys.argv[2], max_retries=0)
wrong = openai.OpenAI(base_url=sys.argv[1], api_key="wrong", max_retries=0)
model = client.models.list().data[0].id
asked = dict(model=model, messages=[{"role": "user", "content": "Hello"}], max_tokens=12, seed=1)


def refusal(ask):
    try:
        ask()
    except openai.APIStatusError as error:
        return [type(error).__name__, error.status_code, error.code]


whole = client.chat.completions.create(**asked, logprobs=True, top_logprobs=2)
stream = list(client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True}))
with ThreadPoolExecutor(8) as pool:
    together = list(pool.map(lambda _: client.chat.completions.create(**asked), range(8)))
completion = client.completions.create(model=model, prompt="Hello", max_tokens=4, seed=1, logprobs=1,
                                       extra_body={"min_p": 0.1, "repetition_penalty": 1.1, "top_k": 20})
print(json.dumps({
    "model": model,
    "whole": whole.choices[0].message.content,
    "tokens": len(whole.choices[0].logprobs.content),
    "streamed": "".join(c.choices[0].delta.content or "" for c in stream if c.choices),
    "usage": [whole.usage.model_dump(include={"prompt_tokens", "completion_tokens", "total_tokens"}),
              stream[-1].usage.model_dump(include={"prompt_tokens", "completion_tokens", "total_tokens"})],
    "together": sorted({answer.choices[0].message.content for answer in together}),
    "completion": len(completion.choices[0].logprobs.tokens),
    "refusals": [
        refusal(lambda: client.chat.completions.create(**{**asked, "model": "gpt-4"})),
        refusal(lambda: client.chat.completions.create(**{**asked, "temperature": 9})),
        refusal(lambda: client.chat.completions.create(**{**asked, "max_tokens": 100_000})),
        refusal(lambda: wrong.models.list()),
    ],
}))
