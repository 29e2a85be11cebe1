// Runs a session whose results land in the caller's arrays alone: onnxruntime's binding makes a copy of each output besides.
//
// The binding (1.20 to 1.30) turns every output into a fresh JavaScript array after the run, also those that it was given
// arrays for: three times the weights per training step, made, filled and thrown away. It turns them in the order of the
// model, and stops at one that it cannot turn. A list of tensors is such a one; as the first output it ends the
// conversion when everything has been computed and nothing been copied.

import { encodeModel, type OnnxModel } from "./encode.ts";
import { type OrtTensor, type Runtime, type Session, viewOf } from "./runtime.ts";

const END = "end";

/** The model with the output that ends the conversion. */
export const withEnd = (model: OnnxModel): OnnxModel => ({
  nodes: [...model.nodes, { op: "SequenceConstruct", inputs: ["zero"], outputs: [END] }],
  inputs: model.inputs,
  outputs: [{ name: END, shape: [], dtype: "f32", list: true }, ...model.outputs],
  initializers: [...model.initializers, { name: "zero", shape: [], data: Float32Array.of(0) }],
});

/** Results are in the tensors of `outputs`. */
export async function runInPlace(
  session: Session,
  feeds: Readonly<Record<string, OrtTensor>>,
  outputs: Readonly<Record<string, OrtTensor>>,
): Promise<void> {
  try {
    await session.run(feeds, { [END]: null, ...outputs });
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith("Non tensor type"))) throw error;
  }
}

/** Whether this runtime's binding behaves so. Any that does not is simply used as it is documented. */
export async function worksInPlace(
  ort: Runtime,
  open: (model: Uint8Array) => Promise<Session>,
): Promise<boolean> {
  const model: OnnxModel = {
    nodes: [{ op: "Neg", inputs: ["x"], outputs: ["y"] }],
    inputs: [{ name: "x", shape: [1], dtype: "f32" }],
    outputs: [{ name: "y", shape: [1], dtype: "f32" }],
    initializers: [],
  };
  try {
    const session = await open(encodeModel(withEnd(model)));
    const [x, y] = [Float32Array.of(-3), new Float32Array(1)];
    await runInPlace(session, { x: viewOf(ort, x, [1]) }, { y: viewOf(ort, y, [1]) });
    await session.release();
    return y[0] === 3;
  } catch {
    return false;
  }
}
