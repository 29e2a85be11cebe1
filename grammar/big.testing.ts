// A pipeline of any length, as a program might write it: every kind of declaration, each chapter after the one before.

/** About 52 lines: data, a template, training, preferences, a comparison. */
function chapter(n: number): string {
  const base = n === 0 ? "tiny" : `tuned_${n - 1}`;
  return `
/// Chapter ${n}: goes on from what the one before has made.
dataset prose_${n} = book
  |> sentences(min_words: ${4 + (n % 4)}, max_words: 40)
  |> shuffle(seed: ${n})
dataset training_${n} = prose_${n} |> split(part: train, held_out: 5%)
dataset heldout_${n}  = prose_${n} |> split(part: held_out, held_out: 5%)
dataset long_${n} = training_${n} |> filter(words(text) > ${n % 9} and not contains(text, "CHAPTER ${n}"))

// Prompts are the first words.
dataset demos_${n}   = long_${n} |> prefix(min_words: 2, max_words: 8, seed: seed) |> take(4_000)
dataset prompts_${n} = training_${n} |> prefix(min_words: 2, max_words: 8) |> skip(4_000) |> take(1_000)
dataset tests_${n}   = heldout_${n} |> prefix(min_words: 2, max_words: 8) |> take(300)

template ask_${n} {
  input: """
    {# the words of chapter ${n} #}
    Question: {{ prompt }}
    {% if completion %}Answer:{% endif %}
    """
  target: "{{ completion }}"
}

stage writer_${n} = sft(${base}, demos_${n}) {
  template: ask_${n}
  epochs: 1
  batch_size: 32
  learning_rate: rate * ${(n % 5) + 1}
  schedule: cosine
  warmup: 5%
  seed: seed
}

stage samples_${n} = generate(writer_${n}, prompts_${n}) { samples: 4, temperature: 1.0, max_new_tokens: 24 }
stage scored_${n}  = judge(samples_${n}, by: cheer)
stage pairs_${n}   = binarize(scored_${n}) { pairs: all }

stage tuned_${n} = dpo(writer_${n}, pairs_${n}) {
  beta: beta
  epochs: 1
  batch_size: 64
  learning_rate: rate / 10
}

stage result_${n} = compare(tuned_${n}, writer_${n}, tests_${n}, judge: cheer) { samples: 2, seed: seed }
expect result_${n}.win_rate > 50% and tuned_${n}.accuracy > 0.5 "chapter ${n} must be better"
publish tuned_${n} to "out/chapter_${n}" { card: true }
`;
}

export function bigPipeline(lines: number): string {
  let text = `/// Many chapters of one book.
pipeline chapters
param beta: float(> 0) = 0.1
param rate: float(> 0) = 5e-4
param seed: int(>= 0) = 1

dataset book = text("book.txt")
stage bpe = tokenizer(book) { vocab_size: 512 }
model tiny = decoder(bpe) { layers: 2, hidden_size: 64, heads: 4 }
model cheer = lexicon("npm:words")
`;
  const end = `
profile laptop {
  param beta = 0.5
  stage writer_0 { epochs: 2 }
}
`;
  const count = (t: string) => t.split("\n").length - 1;
  let written = count(text) + count(end);
  const each = count(chapter(0));
  for (let n = 0; written + each <= lines; n++, written += each) text += chapter(n);
  for (; written < lines; written++) text += `// line ${written}\n`;
  return text + end;
}
