// The onnxruntime backend: compiles lowered graphs into sessions of one execution provider.

import { TensorError } from "../../error.ts";
import type { Graph, HostArray } from "../../ir/graph.ts";
import { optimize } from "../../ir/passes/optimize.ts";
import type { Arrays, Backend, CompileOptions, FrozenInputs } from "../backend.ts";
import { signatureOf } from "../feeds.ts";
import { deviceMemory, identityModel } from "./device-memory.ts";
import { encodeModel, type OnnxModel } from "./encode.ts";
import { createExecutable } from "./executable.ts";
import { freeze } from "./freeze.ts";
import { withEnd, worksInPlace } from "./in-place.ts";
import { looped, loopSignature } from "./loop.ts";
import { isStep, stepLowerings } from "./lower-step.ts";
import { lowerWith } from "./lowering.ts";
import { inFileOrder } from "./order.ts";
import { type OnnxProvider, providers } from "./providers.ts";
import { loadRuntime, precision, type Runtime, type Session } from "./runtime.ts";
import { stackProjections } from "./stack.ts";

export interface OnnxOptions {
  /** Where the nodes run; default cpu. */
  readonly provider?: OnnxProvider;
  /** Threads inside one op; the result does not depend on it. */
  readonly threads?: number;
  /** Writes onnxruntime's profile of every session to files that start with this. */
  readonly profilePrefix?: string;
  /** Reuses memory between ops by a plan; off saves memory for big models (13.4 → 9.2 GB at 135 M parameters). */
  readonly memoryPattern?: boolean;
}

export async function onnxBackend(options: OnnxOptions = {}): Promise<Backend> {
  const provider = options.provider ?? "cpu";
  const { lowerings, resident, identity, prepare, help } = providers[provider];
  prepare();
  const ort = await loadRuntime();
  const open = (model: Uint8Array, more: SessionOptions = {}) =>
    ort.InferenceSession.create(model, { ...sessionOptions(provider, options), ...more });
  await tryOut(`onnx-${provider}`, () => open(identityModel), help);
  const version = ort.env.versions.node ?? ort.env.versions.common;
  const inPlace = provider === "cpu" && (await worksInPlace(ort, open));
  const memory = resident ? deviceMemory(ort, open) : undefined;
  return {
    name: `onnx-${provider}`,
    fingerprint: `onnx-${provider}/${version}/${precision}/${process.arch}${identity()}`,
    freezes: provider === "cpu",
    loops: true,
    async compile(source, { verbatim = false, state, frozen, loop, frugal = false, narrow = false } = {}) {
      const whole = verbatim ? source : optimize(source);
      const step = provider === "cpu" && isStep(whole);
      const table = step ? stepLowerings({ narrow, frozen: frozen !== undefined }) : lowerings;
      const lowered = lowerWith(table, whole);
      const fixed = frozen ? frozenModel(lowered, frozen) : lowered;
      const ordered = provider === "cpu" ? inFileOrder(fixed) : fixed;
      const graph = frozen ? without(whole, frozen.arrays) : whole;
      const once = signatureOf(graph);
      const signature = loop ? loopSignature(once, loop) : once;
      const model = loop ? looped(ordered, signature, loop) : ordered;
      const kept = keptOutputs(graph, memory && state);
      const places = Object.keys(graph.outputs).map((name) => [
        `out:${name}`,
        kept.includes(name) ? "gpu-buffer" : "cpu",
      ]);
      const session = await open(encodeModel(inPlace ? withEnd(model) : model), {
        ...(kept.length > 0 && { preferredOutputLocation: Object.fromEntries(places) }),
        ...(frugal && { enableCpuMemArena: false, enableMemPattern: false }),
      });
      return createExecutable(ort, session, signature, {
        memory,
        state,
        kept,
        inPlace,
        profiling: options.profilePrefix !== undefined,
      });
    },
    ...(memory && {
      reclaim: memory.reclaim,
      forget: (arrays: Iterable<HostArray>) => memory.residents.forget(arrays),
    }),
  };
}

function frozenModel(lowered: OnnxModel, { arrays, bits = 32 }: FrozenInputs): OnnxModel {
  const { model, weights } = stackProjections(lowered, named(arrays));
  return freeze(model, weights, bits);
}

const named = (arrays: Readonly<Arrays>): Arrays =>
  Object.fromEntries(Object.entries(arrays).map(([name, array]) => [`in:${name}`, array]));

const without = (graph: Graph, arrays: Readonly<Arrays>): Graph => ({
  ...graph,
  inputs: graph.inputs.filter(({ attrs }) => !(attrs.name in arrays)),
});

/** The outputs that stay on the device. An input passed through is not one: it would be freed under two names. */
function keptOutputs(graph: Graph, state: CompileOptions["state"]): string[] {
  if (!state) return [];
  return Object.entries(graph.outputs).flatMap(([name, v]) =>
    state(name) && v.dtype === "f32" && v.node.op !== "input" && v.node.op !== "constant" ? [name] : [],
  );
}

/** Opens the smallest session there is: a provider without its device fails here and not in the middle of a run. */
async function tryOut(name: string, open: () => Promise<Session>, help: string): Promise<void> {
  try {
    await (await open()).release();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TensorError(
      "backend",
      `${name} does not open: ${why.replace(/^.* was false\. /s, "").trim()}`,
      help,
    );
  }
}

type SessionOptions = NonNullable<Parameters<Runtime["InferenceSession"]["create"]>[1]>;

function sessionOptions(provider: OnnxProvider, options: OnnxOptions): SessionOptions {
  return {
    // Its default layout NHWC makes onnxruntime push transposes through other nodes, and some come out wrong (1.30.0).
    executionProviders: [provider === "webgpu" ? { name: provider, preferredLayout: "NCHW" } : provider],
    graphOptimizationLevel: "disabled", // our own passes did it; three times faster to build
    enableMemPattern: options.memoryPattern ?? true,
    ...(options.threads !== undefined && { intraOpNumThreads: options.threads }),
    ...(options.profilePrefix !== undefined && {
      enableProfiling: true,
      profileFilePrefix: options.profilePrefix,
    }),
    // Nodes without a kernel of the provider run on the CPU, which is no news.
    ...(provider !== "cpu" && { logSeverityLevel: 3 as const }),
    // A session's threads wait for its next op by spinning, onnxruntime's default for a millisecond and more: long enough to take
    // the cores from the session that runs next. Two trainers in turns took 75 ms a step so, and 44 with 50 µs; one alone is as fast.
    extra: { session: { set_denormal_as_zero: "1", intra_op: { spin_duration_us: "50" } } },
  };
}
