// Text out of tokens as they are drawn: whole characters only, and nothing that may be the start of a stop text.

export interface TextStream {
  /** What may be shown now that this token has been drawn. */
  push(id: number): string;
  /** What is left when no more tokens come. */
  end(): string;
  /** A stop text has been completed; it and what follows are not shown. */
  readonly stopped: boolean;
}

export function textStream(decode: (ids: readonly number[]) => string, stop: readonly string[]): TextStream {
  // The last tokens told and those after them: what a token is in text depends on the one before.
  let ids: number[] = [];
  let told = 0;
  let held = "";
  let stopped = false;

  /** The text of the tokens that has not been given out, unless it ends within a character. */
  function fresh(): string {
    const text = decode(ids);
    const before = decode(ids.slice(0, told));
    if (text.length <= before.length || text.endsWith("\uFFFD")) return "";
    ids = ids.slice(told);
    told = ids.length;
    return text.slice(before.length);
  }

  function release(text: string, last: boolean): string {
    held += text;
    const found = stop.map((wanted) => held.indexOf(wanted)).filter((at) => at >= 0);
    stopped = found.length > 0;
    const until = stopped ? Math.min(...found) : last ? held.length : held.length - longestStart(held, stop);
    const shown = held.slice(0, until);
    held = stopped ? "" : held.slice(until);
    return shown;
  }

  return {
    push(id) {
      if (stopped) return "";
      ids.push(id);
      return release(fresh(), false);
    },
    end() {
      if (stopped) return "";
      const rest = decode(ids).slice(decode(ids.slice(0, told)).length);
      return release(rest, true);
    },
    get stopped() {
      return stopped;
    },
  };
}

/** Length of the longest end of `text` that one of the stops begins with. */
function longestStart(text: string, stop: readonly string[]): number {
  const lengths = stop.map((wanted) => {
    let length = Math.min(wanted.length - 1, text.length);
    while (length > 0 && !wanted.startsWith(text.slice(-length))) length--;
    return length;
  });
  return Math.max(0, ...lengths);
}
