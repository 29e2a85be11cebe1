// The printable alphabet of byte-level BPE: one character for each of the 256 bytes (Radford et al. 2019, encoder.py).

/** Bytes that print stand for themselves; the other 68 move, in order, to U+0100 and up. */
export const byteToChar: readonly string[] = (() => {
  const chars: string[] = [];
  let moved = 0;
  for (let byte = 0; byte < 256; byte++) {
    const prints =
      (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
    chars.push(String.fromCharCode(prints ? byte : 0x100 + moved++));
  }
  return chars;
})();

/** GPT-2's pre-tokenisation. `\p{White_Space}` is what other implementations call `\s`. */
export function wordPattern(): RegExp {
  const s = "\\p{White_Space}";
  return new RegExp(
    `'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^${s}\\p{L}\\p{N}]+|${s}+(?!(?!${s})[\\s\\S])|${s}+`,
    "gu",
  );
}

const encoder = new TextEncoder();

export function toByteChars(text: string): string {
  let out = "";
  for (const byte of encoder.encode(text)) out += byteToChar[byte];
  return out;
}
