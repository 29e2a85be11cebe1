// The door of the standard library: every operation there is, by name.
import { availableParallelism } from "node:os";
import type { Operation, Rates, RowData } from "../engine/index.ts";
import type { Json, Row } from "../grammar/index.ts";
import type { Device } from "../tensor/index.ts";
import { api, assistant } from "./assistant/index.ts";
import { bestOf } from "./best-of/index.ts";
import { binarize } from "./binarize/index.ts";
import { classify } from "./classify/index.ts";
import { compare } from "./compare/index.ts";
import { curate } from "./curate/index.ts";
import { peekRow as peekPath, sources, transforms } from "./data/index.ts";
import { decoder } from "./decoder/index.ts";
import { dpo } from "./dpo/index.ts";
import { dpoRanking } from "./dpo-ranking/index.ts";
import { alsoByOtherNames } from "./elsewhere.ts";
import { encoderDecoder } from "./encoder-decoder/index.ts";
import { evaluate } from "./evaluate/index.ts";
import { exec } from "./exec/index.ts";
import { frontier } from "./frontier/index.ts";
import type { Conversation, ReplyOptions } from "./generate/conversation.ts";
import { generate } from "./generate/index.ts";
import { gguf } from "./gguf/index.ts";
import { grpo } from "./grpo/index.ts";
import { cachedRows } from "./hf/cached-rows.ts";
import { hf, hfRows } from "./hf/index.ts";
import { judge } from "./judge/index.ts";
import { kto, unpair } from "./kto/index.ts";
import { agreement, screenLabelers, simulateLabelers } from "./labelers/index.ts";
import { lexicon, script } from "./lexicon/index.ts";
import { local } from "./local/index.ts";
import { proportional, weighted } from "./mixture/index.ts";
import { mtBench } from "./mt-bench/index.ts";
import { ppo } from "./ppo/index.ts";
import { pretrain } from "./pretrain/index.ts";
import { classification, lmEval, promptsource, render } from "./prompts/index.ts";
import { report } from "./report/index.ts";
import { preferenceAccuracy, reward } from "./reward/index.ts";
import { rloo } from "./rloo/index.ts";
import type { ServeOptions, Serving } from "./serve/server.ts";
import { sft } from "./sft/index.ts";
import type { RenderedRow } from "./template/index.ts";
import { tokenizer } from "./tokenizer/index.ts";
import type { BackendReport } from "./training/backend.ts";
import { judgeReport, winRate } from "./win-rate/index.ts";
import { worldJudge, worldLists, worldPool, worldProse, worldTasks } from "./world/index.ts";

export const library: ReadonlyMap<string, Operation> = new Map(
  [
    ...sources,
    worldProse,
    worldLists,
    worldTasks,
    worldPool,
    ...transforms,
    classification,
    render,
    promptsource,
    lmEval,
    decoder,
    encoderDecoder,
    local,
    gguf,
    hf,
    hfRows,
    lexicon,
    script,
    worldJudge,
    api,
    assistant,
    tokenizer,
    proportional,
    weighted,
    pretrain,
    sft,
    generate,
    judge,
    binarize,
    dpo,
    dpoRanking,
    unpair,
    kto,
    simulateLabelers,
    screenLabelers,
    agreement,
    reward,
    preferenceAccuracy,
    ppo,
    curate,
    classify,
    rloo,
    grpo,
    bestOf,
    evaluate,
    compare,
    winRate,
    mtBench,
    judgeReport,
    exec,
    report,
    frontier,
  ].map((operation) => [operation.id ?? operation.name, alsoByOtherNames(operation)]),
);

export { type Device, devices, isDevice, likelyDevices, machineStamp } from "../tensor/backends/devices.ts";
export { elsewhere, tools } from "./elsewhere.ts";
export type { Conversation, ReplyOptions } from "./generate/conversation.ts";
export type { ServeOptions, Serving } from "./serve/server.ts";
export { standardModules } from "./std/index.ts";
export type { BackendReport } from "./training/backend.ts";
export { numerics } from "./training/numerics.ts";

/** The columns that a path or an address of the hub's has, as far as they are on this machine. */
export function peekRow(path: string, from: string, env: NodeJS.ProcessEnv = {}): Row | undefined {
  const cached = cachedRows.read(path, env);
  return cached ? cached.row : peekPath(path, from);
}

/** How a template puts rows into words; what reads Jinja is loaded only now. */
export async function rowRenderer(texts: Json): Promise<(row: RowData) => RenderedRow> {
  return (await import("./template/index.ts")).renderRow(texts);
}

/** Writes the rows of a dataset artifact as a Parquet file. */
export async function writeParquet(dir: string, file: string): Promise<void> {
  await (await import("./data/write-parquet.ts")).writeParquet(dir, file);
}

/** Opens a model folder to talk to; what computes is loaded only now. */
export async function openChat(dir: string, device: Device, options: ReplyOptions): Promise<Conversation> {
  const [{ openConversation }, { openBackend }] = await Promise.all([
    import("./generate/conversation.ts"),
    import("./training/backend.ts"),
  ]);
  return openConversation(dir, await openBackend({ threads: availableParallelism(), device }), options);
}

/** Serves a model over HTTP; `batch_size` answers are decoded together. */
export async function openServer(
  dir: string,
  device: Device,
  batch_size: number,
  options: Omit<ServeOptions, "fingerprint">,
): Promise<Serving> {
  const [{ openAnswerer }, { serve }, { openBackend }] = await Promise.all([
    import("./generate/answerer.ts"),
    import("./serve/server.ts"),
    import("./training/backend.ts"),
  ]);
  const backend = await openBackend({ threads: availableParallelism(), device });
  const answerer = await openAnswerer(dir, backend, batch_size);
  const serving = await serve(answerer, { ...options, fingerprint: backend.fingerprint });
  return {
    url: serving.url,
    async stop(graceMs) {
      await serving.stop(graceMs);
      await answerer.dispose();
    },
  };
}

/** What a device of this machine does per second; loads its runtime into this process. */
export async function measureRates(device: Device): Promise<Rates> {
  return (await import("./training/backend.ts")).ratesOf(device, availableParallelism());
}

/** Tries one device out; loads its runtime into this process, which may not survive it. */
export async function tryDevice(device: Device): Promise<BackendReport> {
  return (await import("./training/backend.ts")).tryBackend(device, availableParallelism());
}
