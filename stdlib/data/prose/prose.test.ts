import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { transformWith } from "../../testing.ts";
import { prefix, sentences } from "./index.ts";
import { sentencesOf } from "./sentences.ts";

describe("sentences", () => {
  test.each<[string, string, string[]]>([
    ["two sentences", "It rained. We went home.", ["It rained.", "We went home."]],
    ["hard-wrapped lines are joined", "It\nrained  all\n day.", ["It rained all day."]],
    [
      "a hyphen at a line's end joins without a space",
      "The whale-\nship sailed.",
      ["The whale-ship sailed."],
    ],
    [
      "titles",
      "Mr. Smith met Capt. Ahab at St. Paul. He ran.",
      ["Mr. Smith met Capt. Ahab at St. Paul.", "He ran."],
    ],
    ["initials", "John Q. Adams spoke. I heard.", ["John Q. Adams spoke.", "I heard."]],
    [
      "an abbreviation of letters",
      "The U.S. Senate met in the U.S. The House did not.",
      ["The U.S. Senate met in the U.S.", "The House did not."],
    ],
    [
      "one that can end a sentence",
      "Gold, silver, etc. The rest sank.",
      ["Gold, silver, etc.", "The rest sank."],
    ],
    [
      "a number after No.",
      "See No. 5 of the list. No. He did not.",
      ["See No. 5 of the list.", "He did not."],
    ],
    ["decimals", "It cost $3.50 today. Fine.", ["It cost $3.50 today.", "Fine."]],
    [
      "a quotation goes on after its mark",
      '"Stop!" he cried. "Why?" Nobody knew.',
      ['"Stop!" he cried.', '"Why?"', "Nobody knew."],
    ],
    [
      "curly quotes and brackets",
      "“Lower away!” (He meant it.) Then rest.",
      ["“Lower away!”", "(He meant it.)", "Then rest."],
    ],
    ["an ellipsis", "He paused… Then he ran... and fell.", ["He paused…", "Then he ran... and fell."]],
    [
      "a numbered heading stays with its sentence",
      "3. The third point is this.",
      ["3. The third point is this."],
    ],
    [
      "headings and capitals are left out",
      "CHAPTER ONE.\n\nLoomings\n\nCall me Ishmael.",
      ["Call me Ishmael."],
    ],
    ["an unfinished line is left out", "The facts are these:\n\nIt rained.", ["It rained."]],
    ["nothing", " \n\n ", []],
  ])("%s", (_, text, expected) => {
    // "No." alone has no verb but is a sentence to this splitter; it is not what the case is about.
    expect(sentencesOf(text).filter((s) => s !== "No.")).toEqual(expected);
  });

  test("are kept from min_words to max_words, both included", async () => {
    const rows = [{ text: "One. One two. One two three. One two three four." }];
    expect(await transformWith(sentences, rows, { min_words: 2, max_words: 3 })).toEqual([
      { text: "One two." },
      { text: "One two three." },
    ]);
    await expect(transformWith(sentences, rows, { min_words: 5, max_words: 3 })).rejects.toThrow(
      "max_words must be >= min_words, which is 5",
    );
  });

  test("a row without text is named", async () => {
    await expect(transformWith(sentences, [{ text: "a." }, { body: "b" }])).rejects.toThrow(
      "row 2 has no column text; it has body; a text is wanted",
    );
  });
});

describe("prefix", () => {
  test("prompt and completion together are the text, and the prompt has min to max words", async () => {
    const word = fc.stringMatching(/^[a-z,.]{1,6}$/);
    const text = fc.array(word, { minLength: 3, maxLength: 30 }).map((words) => words.join(" "));
    await fc.assert(
      fc.asyncProperty(text, fc.nat(99), async (text, seed) => {
        const [row] = await transformWith(prefix, [{ text }], { min_words: 2, max_words: 8, seed });
        const { prompt, completion } = row as { prompt: string; completion: string };
        expect(prompt + completion).toBe(text);
        expect(completion).toMatch(/^ \S/);
        expect(prompt.split(" ").length).toBeGreaterThanOrEqual(2);
        expect(prompt.split(" ").length).toBeLessThanOrEqual(8);
      }),
      { numRuns: 50 },
    );
  });

  test("a text too short to leave a word is left out", async () => {
    const rows = [{ text: "only two" }, { text: "now there are" }];
    // Two words: a prompt of 2 would leave none. Three: the prompt has 2, the completion 1.
    expect(await transformWith(prefix, rows)).toEqual([{ prompt: "now there", completion: " are" }]);
  });

  test("a row's cut does not depend on the other rows, but on the seed", async () => {
    const texts = Array.from({ length: 20 }, (_, i) => ({ text: `a b c d e f g h i j ${i}` }));
    const all = await transformWith(prefix, texts);
    const last = await transformWith(prefix, texts.slice(10));
    expect(last).toEqual(all.slice(10));
    expect(await transformWith(prefix, texts, { seed: 1 })).not.toEqual(all);
  });
});
