// Mistakes that researchers make, each in an otherwise sound pipeline: written down before the messages about them were.

/** What somebody would write in an afternoon. */
export const sound = `/// Helpful answers, by preference.
pipeline helpful

param beta: float(> 0) = 0.1
param steps: int(1..100_000) = 1_000

dataset corpus    = text("corpus.txt")
dataset questions = jsonl("questions.jsonl")
dataset training  = questions |> split(part: train, held_out: 10%)
dataset heldout   = questions |> split(part: held_out, held_out: 10%)
dataset demos     = training |> filter(words(answer) > 2) |> select(prompt: question, completion: answer)
dataset prompts   = training |> select(prompt: question)
dataset tests     = heldout |> select(prompt: question)

stage bpe   = tokenizer(corpus) { vocab_size: 8_000 }
model tiny  = decoder(bpe) { layers: 4, hidden_size: 192, heads: 6 }
model cheer = lexicon("words.json")

template ask {
  input: """
    Question: {{ prompt }}
    Answer:
    """
  target: "{{ completion }}"
}

stage base   = pretrain(tiny, corpus) { steps: steps, schedule: cosine }
stage writer = sft(base, demos) {
  template: ask
  epochs: 2
  learning_rate: 2e-5
  warmup: 10%
  batch_size: 32
}
stage answers = generate(writer, prompts) { samples: 4, temperature: 1.0, max_new_tokens: 64 }
stage scored  = judge(answers, by: cheer)
stage pairs   = binarize(scored) { pairs: best_vs_random }
stage aligned = dpo(writer, pairs) { beta: beta, epochs: 1, learning_rate: 5e-7, loss: sigmoid }
stage result  = compare(aligned, writer, tests, judge: cheer) { samples: 2, max_new_tokens: 64 }

expect result.win_rate > 55% "the aligned model must be preferred"
publish aligned to "out/aligned" { card: true }

profile laptop {
  param steps = 100
  stage aligned { batch_size: 8 }
}
`;

export interface Mistake {
  readonly what: string;
  /** What stands in the sound pipeline … */
  readonly right: string;
  /** … and what was written instead; the cause is between « and ». */
  readonly wrong: string;
  /** The first fix repairs it; otherwise the message says in these words what to write, and writing that does. */
  readonly repair: "fix" | RegExp;
  readonly set?: Readonly<Record<string, string>>;
  readonly profile?: string;
}

const m = (what: string, right: string, wrong: string, repair: Mistake["repair"]): Mistake => ({
  what,
  right,
  wrong,
  repair,
});

export const mistakes: readonly Mistake[] = [
  // A name with a typo, of each kind there is.
  m("a column in select", "prompt: question, completion", "prompt: «qestion», completion", "fix"),
  m("a column in filter", "words(answer)", "words(«anwser»)", "fix"),
  m("a variable of a template", "Question: {{ prompt }}", "Question: {{ «promt» }}", "fix"),
  m("a parameter", "learning_rate: 2e-5", "«learning_rat»: 2e-5", "fix"),
  m("a choice", "schedule: cosine", "schedule: «cosin»", "fix"),
  m("a metric in expect", "result.win_rate", "result.«winrate»", "fix"),
  m("a stage in publish", "publish aligned", "publish «alligned»", "fix"),
  m("a stage in a profile", "  stage aligned", "  stage «algined»", "fix"),
  m("a parameter in a profile", "{ batch_size: 8 }", "{ «batchsize»: 8 }", "fix"),
  m("a param where it is read", "beta: beta", "beta: «bta»", "fix"),
  m("a dataset", "sft(base, demos)", "sft(base, «demo»)", "fix"),
  m("an operation, as the British write it", "tokenizer(corpus)", "«tokeniser»(corpus)", "fix"),
  m("a template where it is used", "template: ask", "template: «aks»", "fix"),
  m("a kind of declaration", "stage pairs ", "«stge» pairs ", "fix"),
  m("the type of a param", "int(1..", "«itn»(1..", "fix"),
  m("a function", "words(answer)", "«word»(answer)", "fix"),

  // Rows of the wrong type, at each stage.
  m("ratings given to dpo", "dpo(writer, pairs)", "dpo(writer, «scored»)", "fix"),
  m("a chat given to dpo", "dpo(writer, pairs)", 'dpo(writer, «jsonl("chats.jsonl")»)', /chosen.*rejected/),
  m(
    "answers given to binarize before anyone judged them",
    "binarize(scored)",
    "binarize(«answers»)",
    /judge\(answers/,
  ),
  m(
    "rows without a prompt given to generate",
    "generate(writer, prompts)",
    "generate(writer, «training»)",
    /select\(prompt: /,
  ),
  m("questions given to a tokenizer", "tokenizer(corpus)", "tokenizer(«questions»)", /select\(text: /),
  m("arguments in the wrong order", "sft(base, demos)", "sft(«demos», base)", "fix"),
  m(
    "a cast to a row these rows are not",
    'jsonl("questions.jsonl")',
    'jsonl("questions.jsonl") as «Preference»',
    /select\(/,
  ),
  m("a language model where a judge is wanted", "by: cheer", "by: «writer»", /reward\(|lexicon/),
  m(
    "a stage where a dataset is wanted",
    "compare(aligned, writer, tests",
    "compare(aligned, writer, «base»",
    /tests/,
  ),

  // Signs too few, too many, or of another language.
  m("a brace too few", "  batch_size: 32\n}", "  batch_size: «32»", "fix"),
  m("a brace too many", "{ card: true }", "{ card: true } «}»", "fix"),
  m("a comma too few", "samples: 4, temperature: 1.0", "samples: 4 «temperature: 1.0»", "fix"),
  m("a quote too few", 'text("corpus.txt")', 'text(«"»corpus.txt)', /close it with `"`/),
  m("single quotes", 'text("corpus.txt")', "text(«'corpus.txt'»)", "fix"),
  m("no quotes", 'to "out/aligned"', "to «out/aligned»", "fix"),
  m("= for :", "epochs: 2", "epochs «=» 2", "fix"),
  m(": for =", "model cheer = lexicon", "model cheer «:» lexicon", "fix"),
  m("a parenthesis too few", "sft(base, demos)", "sft(base, «demos»", "fix"),
  m("a comment of Python", "\nparam beta", "\n«#» the pull\nparam beta", "fix"),
  m("no kind before a declaration", "stage scored ", "«scored» ", "fix"),
  m("| for |>", "training |> select(prompt", "training «|» select(prompt", "fix"),
  m("True for true", "card: true", "card: «True»", "fix"),

  // Values.
  m("2e5 for 2e-5", "learning_rate: 2e-5", "learning_rate: «2e5»", "fix"),
  m("TRL's name of a parameter", "epochs: 2", "«num_train_epochs»: 2", "fix"),
  m("axolotl's batches in pieces", "batch_size: 32", "«gradient_accumulation_steps»: 8", /micro_batch_size/),
  m("10 for 10%", "warmup: 10%", "warmup: «10»", "fix"),
  m(
    "a percentage above 100",
    "part: train, held_out: 10%",
    "part: train, held_out: «110%»",
    /< 1|below 100%/,
  ),
  m("bytes for a count", "batch_size: 32", "batch_size: «32MB»", "fix"),
  m("a text for a number", "epochs: 2", 'epochs: «"2"»', "fix"),
  m("half a sample", "samples: 2", "samples: «2.5»", /whole number/),
  m(
    "a param outside of its own bounds",
    "int(1..100_000) = 1_000",
    "int(1..100_000) = «0»",
    /1 to 100000|1 to 100_000/,
  ),
  m("a unit that could be two", "vocab_size: 8_000", "vocab_size: «8k»", "fix"),
  m("a file that is not there", 'text("corpus.txt")', 'text(«"corpsu.txt"»)', "fix"),
  m(
    "a required parameter left out",
    "split(part: train, held_out: 10%)",
    "«split»(held_out: 10%)",
    /part: …|part: train/,
  ),
  m(
    "an input left out",
    "compare(aligned, writer, tests, judge: cheer)",
    "«compare»(aligned, writer, tests)",
    /judge/,
  ),
  m("a choice of another parameter", "pairs: best_vs_random", "pairs: «random»", /best_vs_random/),

  // Jinja.
  m("a filter that Jinja does not have", "Question: {{ prompt }}", "Question: {{ prompt | «trimm» }}", "fix"),
  m("a brace too few in a template", "Question: {{ prompt }}", "Question: «{{» prompt }", /}}/),
  m(
    "an if without end",
    'target: "{{ completion }}"',
    'target: "«{% if completion %}»{{ completion }}"',
    /endif/,
  ),

  // The pipeline as a whole.
  m("a name for two things", "stage pairs ", "stage «scored» ", /another name/),
  m(
    "a dataset that nothing reads",
    "stage bpe ",
    'dataset «spare» = text("corpus.txt")\nstage bpe ',
    /remove/,
  ),
  m(
    "a stage that needs what is made of it",
    "generate(writer, prompts)",
    "generate(«aligned», prompts)",
    /something else/,
  ),
  m(
    "the rows for measuring, in training",
    "dataset demos     = training",
    "dataset demos     = «heldout»",
    /part: train|other part/,
  ),
  m("the rows of training, for measuring", "writer, tests", "writer, «prompts»", /held_out/),
  m("a model compared with itself", "compare(aligned, writer", "compare(aligned, «aligned»", /started from/),
  m("a model that judges itself", "judge: cheer)", "judge: «assistant(writer)»)", /another model judge/),
  m(
    "a reference that cuts text into other tokens",
    "dpo(writer, pairs)",
    "dpo(writer, pairs, reference: «decoder(tokenizer(corpus))»)",
    /one tokenizer/,
  ),
  m(
    "a reward model that reads other tokens than the policy",
    "expect result",
    "stage rm = reward(decoder(tokenizer(corpus)), pairs)\nstage ppo_policy = ppo(writer, «rm», prompts)\n\nexpect result",
    /one tokenizer/,
  ),
  m(
    "a parameter that this loss does not read",
    "loss: sigmoid",
    "loss: hinge, «label_smoothing»: 10%",
    /sigmoid or robust/,
  ),
  m(
    "one folder for two things",
    "{ card: true }",
    '{ card: true }\npublish writer to «"out/aligned"»',
    /folder of its own/,
  ),
  m("an expectation that says a number", "result.win_rate > 55%", "«result.win_rate»", /> /),
  m("an expectation that can never hold", "result.win_rate > 55%", "«result.win_rate > 55»", /55%/),
  { ...m("a profile that does not exist", "", "", /`laptop`/), profile: "labtop" },
  { ...m("a param that does not exist, on the command line", "", "", /`beta`/), set: { bta: "0.2" } },
];
