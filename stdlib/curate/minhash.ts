// Near duplicates by MinHash (Broder 1997): signatures that agree as often as sets of word pieces overlap.

const permutations = 128;
/** Rows that agree in all of a band are compared: at a Jaccard of 0.8, 1 − (1 − 0.8^4)^32 > 0.9999 of the pairs. */
const bands = 32;
const perBand = permutations / bands;
const pieceWords = 5;

/** Remembers texts, and says whether a new one is nearly one of them. */
export function nearDuplicates(threshold: number): (text: string) => boolean {
  const kept: Uint32Array[] = [];
  const buckets = Array.from({ length: bands }, () => new Map<string, number[]>());
  return (text) => {
    const signature = signatureOf(pieces(text));
    const keys = buckets.map((_, band) => signature.subarray(band * perBand, (band + 1) * perBand).join());
    const candidates = new Set(keys.flatMap((key, band) => buckets[band]!.get(key) ?? []));
    for (const candidate of candidates) if (similarity(signature, kept[candidate]!) >= threshold) return true;
    for (const [band, key] of keys.entries()) {
      const bucket = buckets[band]!.get(key);
      if (bucket) bucket.push(kept.length);
      else buckets[band]!.set(key, [kept.length]);
    }
    kept.push(signature);
    return false;
  };
}

/** Every run of five words; case and marks do not count. A shorter text is one piece. */
function pieces(text: string): Set<string> {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const found = new Set<string>();
  for (let i = 0; i + pieceWords <= words.length; i++) found.add(words.slice(i, i + pieceWords).join(" "));
  if (found.size === 0) found.add(words.join(" "));
  return found;
}

/** The least hash of any piece, for each of the hash functions. */
function signatureOf(set: ReadonlySet<string>): Uint32Array {
  const least = new Uint32Array(permutations).fill(0xffffffff);
  for (const piece of set) {
    const hash = fnv1a(piece);
    for (let i = 0; i < permutations; i++) {
      const value = mixed(hash ^ Math.imul(i + 1, 0x9e3779b9));
      if (value < least[i]!) least[i] = value;
    }
  }
  return least;
}

/** An estimate of the Jaccard similarity, with a standard error of at most 1 / (2 √128) = 0.044. */
function similarity(a: Uint32Array, b: Uint32Array): number {
  let equal = 0;
  for (let i = 0; i < permutations; i++) if (a[i] === b[i]) equal++;
  return equal / permutations;
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}

/** murmur3's finaliser. */
function mixed(x: number): number {
  let h = x;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
