// What is looked for in a completion: LIMA's exclusions and its cleaning of HTML. Pure.

/** Without code, in which `i` is a variable and `@` a decorator. */
function prose(text: string): string {
  return text.replace(/```[\s\S]*?(```|$)|`[^`\n]*`|<(code|pre)\b[\s\S]*?(<\/\2>|$)/gi, " ");
}

/** `I` and its forms as words; not `i.e.`. */
export function speaksOfItself(text: string): boolean {
  return /(?<![\w.])(?:i(?:['’](?:m|ve|d|ll))?|my|me|mine|myself)(?![\w'’]|\.\w)/i.test(prose(text));
}

/** Phrases that make sense only beside other answers. */
const pointers = [
  /\bas (?:already )?(?:mentioned|noted|stated|said|pointed out|explained|suggested)\b/i,
  /\b(?:other|another|previous|accepted|existing|top|earlier)(?:['’]s)? answers?\b/i,
  /\banswers? (?:above|below|by|from)\b/i,
  /\b(?:above|below) answers?\b/i,
  /\bstack ?(?:exchange|overflow)\b/i,
  /(?<![\w.])@[a-z]\w+/i,
];

export function pointsElsewhere(text: string): boolean {
  const plain = prose(text);
  return pointers.some((pointer) => pointer.test(plain));
}

/** At the end of a sentence, of a list item or of code. */
export function endsWhole(text: string): boolean {
  const end = text.trimEnd();
  return (
    /(?:[.!?…:)\]"'”’]|```|<\/(?:code|pre|li|ul|ol)>)$/.test(end) ||
    /(?:^|\n)\s*(?:[-*•]|\d+[.)])\s[^\n]*$/.test(end)
  );
}

/** Tags go, but those of code and lists; pictures and addresses go, the words of a link stay. */
export function withoutHtml(text: string): string {
  return text
    .replace(/<!--[\s\S]*?-->/g, "")
    .replace(/<img\b[^>]*>/gi, "")
    .replace(/<\/?(?!(?:code|pre|ul|ol|li)\b)[a-z][^>]*>/gi, "")
    .replace(/!\[[^\]]*\]\([^)]*\)/g, "")
    .replace(/\[([^\]]+)\]\([^)]*\)/g, "$1")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}
