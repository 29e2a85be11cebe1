// The few forms of HTML that a report is made of.

/** `train[nli]` → `train-nli-`; for anchors within the page. */
export function anchor(node: string): string {
  return `node-${node.replace(/[^A-Za-z0-9_-]/g, "-")}`;
}

export function table(head: readonly string[], rows: readonly (readonly string[])[], kind = ""): string {
  const row = (cells: readonly string[], tag: "th" | "td") =>
    `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join("")}</tr>`;
  const top = head.some(Boolean) ? `<thead>${row(head, "th")}</thead>` : "";
  return `<div class="scroll"><table class="${kind}">${top}<tbody>${rows.map((cells) => row(cells, "td")).join("\n")}</tbody></table></div>`;
}
