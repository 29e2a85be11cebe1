import { expect, test } from "vitest";
import { dot } from "./dot.ts";
import { mermaid } from "./mermaid.ts";
import type { Picture } from "./picture.ts";
import { svg } from "./svg.ts";

const picture: Picture = {
  title: "two",
  boxes: [
    { id: "data", kind: "dataset", work: "jsonl → take", cached: true },
    { id: "base", kind: "model", work: "decoder", cached: false },
    { id: "end", kind: "stage", work: 'sft "x" & <y>', cached: false },
  ],
  arrows: [
    { from: "base", to: "end", input: "model" },
    { from: "data", to: "end", input: "data" },
  ],
};

test("mermaid shows kinds as shapes, cached boxes in green, inputs on the arrows", () => {
  expect(mermaid(picture)).toBe(`flowchart TD
  n_data[("<b>data</b><br/>jsonl → take")]:::cached
  n_base("<b>base</b><br/>decoder")
  n_end["<b>end</b><br/>sft &quot;x&quot; &amp; &lt;y>"]
  n_base -->|model| n_end
  n_data -->|data| n_end
  classDef cached fill:#e6f4ea,stroke:#34a853,color:#137333
`);
});

test("dot quotes what it must", () => {
  expect(dot(picture)).toContain('"end" [label="end\\nsft \\"x\\" & <y>", shape=box];');
  expect(dot(picture)).toContain('"data" -> "end" [label="data"];');
});

test("svg has every box and arrow once, and escapes its text", () => {
  const text = svg(picture);
  expect(text.match(/<rect /g)).toHaveLength(3);
  expect(text.match(/<path d="M\d/g)).toHaveLength(2);
  expect(text).toContain("sft &quot;x&quot; &amp; &lt;y&gt;");
  expect(text).toContain('class="dataset cached"');
});

test("members of a family are drawn together", () => {
  const member = (id: string) => ({ id, kind: "stage", work: "dpo", cached: false, family: "d" }) as const;
  const family: Picture = { title: "f", boxes: [member("d[0.1]"), member("d[1]")], arrows: [] };
  expect(mermaid(family)).toContain(`  subgraph f_n_d["d"]
    n_d_91_0_1_93_["<b>d[0.1]</b><br/>dpo"]
    n_d_91_1_93_["<b>d[1]</b><br/>dpo"]
  end
`);
  expect(dot(family)).toContain('subgraph "cluster_d" {\n    label="d";');
});
