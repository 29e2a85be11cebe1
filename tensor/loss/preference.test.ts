// Preference losses against hand arithmetic, against the constants executed from other trainers' sources, and against finite differences.

import { describe, expect, test } from "vitest";
import { referenceBackend } from "../backends/reference/index.ts";
import { grad } from "../ir/autodiff.ts";
import { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/graph.ts";
import { type DpoKind, type DpoOptions, dpo, dpoKinds } from "./dpo.ts";
import { kto } from "./kto.ts";
import { plackettLuce } from "./ranking.ts";
import { orpo, simpo, unlikelihood } from "./reference-free.ts";

type Lists = Readonly<Record<string, readonly number[]>>;

/** Evaluates a graph of constants [n] in float64. */
async function evaluate<T extends Lists>(
  lists: T,
  build: (b: Builder, values: { readonly [K in keyof T]: Value }) => Record<string, Value>,
): Promise<Record<string, number[]>> {
  const b = new Builder();
  const values = Object.fromEntries(
    Object.entries(lists).map(([name, list]) => [name, b.constant([...list], [list.length])]),
  ) as { readonly [K in keyof T]: Value };
  const out = await (await referenceBackend("f64").compile(b.finish(build(b, values)))).run({});
  return Object.fromEntries(Object.entries(out).map(([name, data]) => [name, [...data]]));
}

const close = (got: readonly number[] | undefined, wanted: readonly number[], digits = 9) => {
  expect(got).toHaveLength(wanted.length);
  for (const [i, w] of wanted.entries()) expect(got![i]).toBeCloseTo(w, digits);
};

// Δ = (πc-refc) - (πr-refr) = [(-10+11) - (-12+11.5), (-8+9) - (-5.5+7)] = [1.5, -0.5]
const pairs = {
  chosen: [-10, -8],
  rejected: [-12, -5.5],
  refChosen: [-11, -9],
  refRejected: [-11.5, -7],
};
/** The same per token, for answers of 4 and 2 tokens chosen, 3 and 4 rejected. */
const perToken = {
  chosen: [-10 / 4, -8 / 2],
  rejected: [-12 / 3, -5.5 / 4],
  refChosen: [-11 / 4, -9 / 2],
  refRejected: [-11.5 / 3, -7 / 4],
};
const losses = async (options: Omit<DpoOptions, "beta">, of: typeof pairs = pairs) =>
  (await evaluate(of, (b, p) => ({ losses: dpo(b, p, { beta: 0.1, ...options }).losses }))).losses!;
const mean = (xs: readonly number[]) => xs.reduce((s, x) => s + x, 0) / xs.length;

describe("DPO family at β = 0.1, Δ = [1.5, -0.5]", () => {
  test("sigmoid is -log σ(βΔ)", async () => {
    // -log σ(0.15) = log(1 + e^-0.15) = 0.6209570478; -log σ(-0.05) = 0.7184596480
    close(await losses({}), [0.6209570478, 0.718459648]);
    expect(mean(await losses({}))).toBeCloseTo(0.6697083479, 9);
  });

  test("label smoothing 0.1 is cDPO", async () => {
    // -log σ(-x) = -log σ(x) + x, so the mean rises by 0.1 · mean(βΔ) = 0.1 · 0.05 = 0.005
    expect(mean(await losses({ label_smoothing: 0.1 }))).toBeCloseTo(0.6747083479, 9);
  });

  test.each<[string, Omit<DpoOptions, "beta">, readonly number[]]>([
    [
      "robust divides the debiased loss by 1 - 2ε",
      { kind: "robust", label_smoothing: 0.1 },
      [0.6022070478, 0.724709648],
    ],
    ["hinge is max(0, 1 - βΔ)", { kind: "hinge" }, [0.85, 1.05]],
    // (1.5 - 5)² = 12.25, (-0.5 - 5)² = 30.25, mean 21.25
    ["ipo is (Δ - 1/(2β))²", { kind: "ipo" }, [12.25, 30.25]],
    ["exo_pair has ε = 0.001 unless given", { kind: "exo_pair" }, [2.5055165555, 2.8478595644]],
    ["nca_pair", { kind: "nca_pair" }, [1.3508248141, 1.402073514]],
    ["bco_pair, before there is a running mean", { kind: "bco_pair" }, [1.3128563081, 1.4153537079]],
    // (1 - 5)² + (-0.5 + 5)² = 16 + 20.25; (1 - 5)² + (1.5 + 5)² = 16 + 42.25
    ["sppo_hard", { kind: "sppo_hard" }, [36.25, 58.25]],
    // πc-πr = [2, -2.5] sorts to [-2.5, 2]; refc-refr = [0.5, -2] to [-2, 0.5]: differences [-0.5, 1.5]
    ["aot sorts within the batch", { kind: "aot" }, [0.718459648, 0.6209570478]],
    // c = [1, 1], r = [-0.5, 1.5]: differences [1.5, -0.5]
    ["aot_unpaired sorts each side", { kind: "aot_unpaired" }, [0.6209570478, 0.718459648]],
    ["apo_zero", { kind: "apo_zero" }, [0.962523416, 1.0124506579]],
    ["apo_down", { kind: "apo_down" }, [0.9875493421, 1.037476584]],
    ["discopop at τ = 0.05", { kind: "discopop" }, [0.8493375793, 0.807966432]],
  ])("%s", async (_, options, wanted) => close(await losses(options), wanted));

  test("means per token instead of sums: ipo as TRL has it, and sigmoid_norm", async () => {
    close(await losses({ kind: "ipo" }, perToken), [21.0069444444, 23.765625]);
    close(await losses({}, perToken), [0.6725308454, 0.6869167117]);
  });

  test("rewards are β(log π - log π_ref); accuracy counts chosen > rejected", async () => {
    const out = await evaluate(pairs, (b, p) => ({ ...dpo(b, p, { beta: 0.1 }) }));
    close(out.chosenRewards, [0.1, 0.1]);
    close(out.rejectedRewards, [-0.05, 0.15]);
    close(out.margins, [0.15, -0.05]);
    expect(out.accuracies).toEqual([1, 0]);
  });

  test("with policy = reference the loss is ln 2, rewards and accuracy are 0", async () => {
    const out = await evaluate(pairs, (b, { chosen, rejected }) => ({
      ...dpo(b, { chosen, rejected, refChosen: chosen, refRejected: rejected }, { beta: 0.5 }),
    }));
    close(out.losses, [Math.LN2, Math.LN2], 10);
    expect([...out.chosenRewards!, ...out.margins!, ...out.accuracies!]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test("the gradient of sigmoid in Δ is -β σ(-βΔ)", async () => {
    const { g } = await evaluate(pairs, (b, p) => ({
      g: grad(b, b.sum(dpo(b, p, { beta: 0.1 }).losses), [p.chosen])[0]!,
    }));
    close(g, [-0.1 / (1 + Math.exp(0.15)), -0.1 / (1 + Math.exp(-0.05))]);
  });

  test("bco_pair holds rewards against the shift it is given", async () => {
    // The mean of 0.1, 0.1, -0.05 and 0.15 is 0.075: -log σ(0.025) - log σ(0.125), -log σ(0.025) - log σ(-0.075)
    const { losses } = await evaluate(pairs, (b, p) => ({
      losses: dpo(b, p, { kind: "bco_pair", beta: 0.1, shift: b.scalar(0.075) }).losses,
    }));
    const cost = (x: number) => Math.log1p(Math.exp(-x));
    close(losses, [cost(0.025) + cost(0.125), cost(0.025) + cost(-0.075)]);
  });

  test("empty places of a batch stay behind what aot sorts", async () => {
    const padded = Object.fromEntries(
      Object.entries(pairs).map(([name, list]) => [name, [...list, 0]]),
    ) as unknown as typeof pairs;
    for (const kind of ["aot", "aot_unpaired"] as const) {
      const { losses: three } = await evaluate({ ...padded, weight: [1, 1, 0] }, (b, { weight, ...p }) => ({
        losses: dpo(b, p as never, { kind, beta: 0.1, weight: weight! }).losses,
      }));
      close(three!.slice(0, 2), await losses({ kind }));
    }
  });

  test("a beta of 0, a smoothing of 0.5 and a smoothing without effect are refused", async () => {
    await expect(losses({ label_smoothing: 0.5 })).rejects.toThrow("label_smoothing is 0.5");
    await expect(losses({ kind: "ipo", label_smoothing: 0.1 })).rejects.toThrow(
      "label_smoothing has no effect on ipo",
    );
    await expect(evaluate(pairs, (b, p) => ({ ...dpo(b, p, { beta: 0 }) }))).rejects.toThrow("beta is 0");
  });
});

describe("gradients are those of finite differences", () => {
  // Away from ties and from the hinge's corner.
  const lists = {
    chosen: [-10, -8, -9],
    rejected: [-12, -5.5, -7.2],
    refChosen: [-11, -9.2, -9.4],
    refRejected: [-11.5, -7, -8.1],
  };
  const means = { chosen: [-1, -0.4, -2.2], rejected: [-1.5, -0.3, -1.1] };
  type Build = (b: Builder, p: Record<string, Value>) => Value;

  async function check(of: Lists, build: Build): Promise<number> {
    const names = ["chosen", "rejected"];
    const at = async (moved: Lists) => {
      const out = await evaluate(moved, (b, p) => {
        const total = b.sum(build(b, p as Record<string, Value>));
        const gradients = grad(
          b,
          total,
          names.map((name) => p[name]!),
        );
        return { total, ...Object.fromEntries(names.map((name, i) => [name, gradients[i]!])) };
      });
      return out;
    };
    const here = await at(of);
    let worst = 0;
    for (const name of names) {
      for (const i of of[name]!.keys()) {
        const step = (by: number) => at({ ...of, [name]: of[name]!.map((x, k) => (k === i ? x + by : x)) });
        const slope = ((await step(1e-5)).total![0]! - (await step(-1e-5)).total![0]!) / 2e-5;
        worst = Math.max(worst, Math.abs(slope - here[name]![i]!));
      }
    }
    return worst;
  }

  test.each(dpoKinds.map((kind) => [kind] as [DpoKind]))("%s", async (kind) => {
    const worst = await check(lists, (b, p) => dpo(b, p as never, { kind, beta: 0.1 }).losses);
    expect(worst).toBeLessThan(1e-7);
  });

  test.each<[string, Build]>([
    ["orpo", (b, p) => orpo(b, p as never, { beta: 0.1 })],
    ["simpo", (b, p) => simpo(b, p as never, { beta: 2, gamma: 0.5 })],
    ["unlikelihood", (b, p) => unlikelihood(b, p as never, { alpha: 0.5 })],
  ])("%s", async (_, build) => expect(await check(means, build)).toBeLessThan(1e-7));
});

describe("without a reference, mean log-probs -1 and -1.5", () => {
  const one = { chosen: [-1], rejected: [-1.5] };

  test("ORPO at β = 0.1 adds the log odds ratio 0.7061926866 to the likelihood of chosen", async () => {
    // log odds(e^-1) = -1 - log(1 - e^-1) = -0.5413, log odds(e^-1.5) = -1.2475; 1 - 0.1 log σ(0.7062)
    const { loss } = await evaluate(one, (b, p) => ({ loss: orpo(b, p, { beta: 0.1 }) }));
    close(loss, [1.0401135488]);
    expect(1 + 0.1 * Math.log1p(Math.exp(-0.7061926866))).toBeCloseTo(loss![0]!, 9);
  });

  test("ORPO of an answer that is certain is finite", async () => {
    const { loss } = await evaluate({ chosen: [0], rejected: [0] }, (b, p) => ({
      loss: orpo(b, p, { beta: 0.1 }),
    }));
    expect(loss![0]).toBeCloseTo(0.1 * Math.LN2, 9);
  });

  test("SimPO: -log σ(β · 0.5 - γ)", async () => {
    for (const [beta, wanted] of [
      [2, 0.4740769842],
      [0.1, 0.943248946],
    ] as const) {
      const { loss } = await evaluate(one, (b, p) => ({ loss: simpo(b, p, { beta, gamma: 0.5 }) }));
      close(loss, [wanted]);
    }
  });

  test("unlikelihood: 1 - 0.5 · 1.5 at α = 0.5", async () => {
    const { loss } = await evaluate(one, (b, p) => ({ loss: unlikelihood(b, p, { alpha: 0.5 }) }));
    close(loss, [0.25]);
  });
});

describe("KTO at β = 0.1, KL 0.3", () => {
  const of = async (ratio: number, desirable: number, kl = 0.3) =>
    evaluate({ ratio: [ratio], desirable: [desirable] }, (b, p) => ({
      ...kto(b, p.ratio, { beta: 0.1, kl: b.scalar(kl), desirable: p.desirable }),
      gradient: grad(
        b,
        b.sum(kto(b, p.ratio, { beta: 0.1, kl: b.scalar(kl), desirable: p.desirable }).losses),
        [p.ratio],
      )[0]!,
    }));

  test("a desirable answer with ρ = 1, an undesirable one with ρ = -0.5", async () => {
    close((await of(1, 1)).losses, [0.4825071423]);
    close((await of(-0.5, 0)).losses, [0.4800106598]);
  });

  test("the policy that is the reference has ½ whatever the label", async () => {
    for (const desirable of [0, 1]) close((await of(0, desirable, 0)).losses, [0.5]);
  });

  test("the gradient in ρ is -β σ(1-σ) at β(ρ - KL), with the sign of the label", async () => {
    const s = 1 / (1 + Math.exp(-0.07));
    close((await of(1, 1)).gradient, [-0.1 * s * (1 - s)]);
    close((await of(1, 0)).gradient, [0.1 * s * (1 - s)]);
  });
});

test("Plackett-Luce on implicit rewards of two answers is DPO", async () => {
  const out = await evaluate(pairs, (b, p) => {
    const { losses, chosenRewards, rejectedRewards } = dpo(b, p, { beta: 0.1 });
    const column = (x: Value) => b.reshape(x, [2, 1]);
    const rewards = b.concat([column(chosenRewards), column(rejectedRewards)], 1);
    return {
      losses,
      ranked: plackettLuce(b, { rewards, better: b.constant([0, 1, 0, 0, 0, 1, 0, 0], [2, 2, 2]) }),
    };
  });
  close(out.ranked, out.losses!);
});
