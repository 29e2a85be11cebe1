// Which of the templates a row is put into words by, the same for every way of writing templates.
import { stream } from "../../tensor/index.ts";

export type Pick = "all" | "one" | "cycle";

/** Positions among `count` templates; `number` counts rows from 0, `example` names the row. */
export function picked(
  pick: Pick,
  count: number,
  { seed, example, number }: { readonly seed: number; readonly example: string; readonly number: number },
): number[] {
  switch (pick) {
    case "all":
      return Array.from({ length: count }, (_, i) => i);
    case "one":
      return [stream(seed).split("template").split(example).int(count)];
    case "cycle":
      return [number % count];
  }
}
