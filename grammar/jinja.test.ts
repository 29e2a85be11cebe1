import { expect, test } from "vitest";
import { scanTemplate } from "./jinja.ts";

const names = (text: string) => scanTemplate(text).variables.map((v) => v.name);

test("finds what is printed, tested and looped over", () => {
  expect(names("{{ a }} {{ b.c | upper }} {% if d is defined and e == 'f' %}{{ g[h] }}{% endif %}")).toEqual([
    "a",
    "b",
    "d",
    "e",
    "g",
    "h",
  ]);
});

test("names that the template makes itself are not read from the row", () => {
  expect(names("{% for m in messages %}{{ m.role }}{{ loop.index }}{% endfor %}")).toEqual(["messages"]);
  expect(names("{% set x = y %}{{ x }}{{ bos_token }}")).toEqual(["y"]);
  expect(names("{% for k, v in d.items() %}{{ k }}{{ v }}{% endfor %}")).toEqual(["d"]);
});

test("names in strings, comments, raw blocks, filters and keyword arguments are not read", () => {
  expect(names(`{{ "a }} b" }}{# {{ c }} #}{% raw %}{{ d }}{% endraw %}{{ e | join(sep=f) }}`)).toEqual([
    "e",
    "f",
  ]);
});

test("says where a variable stands", () => {
  expect(scanTemplate("Q: {{ prompt }}").variables).toEqual([{ name: "prompt", start: 6 }]);
});

test("says what no Jinja could read", () => {
  expect(scanTemplate("a {{ b").problem).toMatchObject({
    message: "`{{` is never closed with `}}`",
    start: 2,
  });
  expect(scanTemplate("{% if a %}").problem?.message).toBe("`{% if %}` is never closed with `{% endif %}`");
  expect(scanTemplate("{% endif %}").problem?.message).toBe("`{% endif %}` closes nothing");
  expect(scanTemplate("{% iff a %}").problem?.message).toBe("`iff` is not a Jinja statement");
  expect(scanTemplate("{{ }}").problem?.message).toBe("`{{ }}` reads nothing");
});
