// Chooses rows by their place, or puts them in another order.
import { join } from "node:path";
import { type RowData, type Rows, readRows, type TransformRun } from "../../../engine/index.ts";
import { stream } from "../../../tensor/index.ts";
import { Records } from "../records.ts";

interface Count {
  readonly n: number;
}
interface Seeded {
  readonly seed: number;
}

export const take: TransformRun<Count> = {
  async *transform(rows, { params }): Rows {
    if (params.n === 0) return;
    let taken = 0;
    for await (const row of rows) {
      yield row;
      if (++taken === params.n) return;
    }
  },
};

export const skip: TransformRun<Count> = {
  async *transform(rows, { params }): Rows {
    let seen = 0;
    for await (const row of rows) if (++seen > params.n) yield row;
  },
};

/** Algorithm R (Vitter 1985): only n rows are held. */
export const sample: TransformRun<Count & Seeded> = {
  async *transform(rows, { params }): Rows {
    const random = stream(params.seed).split("sample");
    const kept: { row: RowData; place: number }[] = [];
    let place = 0;
    for await (const row of rows) {
      if (kept.length < params.n) kept.push({ row, place });
      else {
        const at = random.int(place + 1);
        if (at < params.n) kept[at] = { row, place };
      }
      place++;
    }
    kept.sort((a, b) => a.place - b.place);
    for (const { row } of kept) yield row;
  },
};

/** A dataset may shuffle twice. */
let shuffles = 0;

/** Only the order is held when the rows are too many for memory: they wait in a file. */
export const shuffle: TransformRun<Seeded> = {
  async *transform(rows, { params, scratch }): Rows {
    const lines = new Records({ path: scratch && join(scratch, `shuffle-${shuffles++}`) });
    try {
      for await (const row of rows) lines.add(Buffer.from(JSON.stringify(row)));
      for (const at of stream(params.seed).split("shuffle").permutation(lines.count))
        yield JSON.parse(Buffer.from(lines.at(at)).toString()) as RowData;
    } finally {
      lines.close();
    }
  },
};

export const concat: TransformRun = {
  async *transform(rows, { inputs }): Rows {
    yield* rows;
    for (const other of inputs.others ?? []) yield* readRows(other.dir);
  },
};
