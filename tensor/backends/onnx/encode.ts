// Writes an ONNX model as protobuf bytes: only the messages and fields that a lowered graph needs.

import type { DType } from "../../ir/graph.ts";
import type { Shape } from "../../shape.ts";

export type Attribute =
  | number
  | string
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly graph: OnnxModel };

export interface OnnxNode {
  readonly op: string;
  readonly domain?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** A bare number is a float attribute; integers are wrapped. */
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

export interface OnnxValueInfo {
  readonly name: string;
  /** Without one the value may have any. */
  readonly shape?: Shape;
  readonly dtype: DType | "i64";
  /** A list of such tensors. */
  readonly list?: boolean;
}

export interface OnnxInitializer {
  readonly name: string;
  readonly shape: Shape;
  readonly data: Float32Array | Int32Array | BigInt64Array | Uint8Array;
  /** Bytes are numbers, not truth values. */
  readonly numeric?: boolean;
}

export interface OnnxModel {
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
  readonly initializers: readonly OnnxInitializer[];
}

// TensorProto.DataType
const elementType: Record<DType | "i64", number> = { f32: 1, i32: 6, i64: 7, bool: 9 };

/** https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, ModelProto with opset 21 and com.microsoft 1. */
export function encodeModel(model: OnnxModel): Uint8Array {
  const opset = (domain: string, version: number) =>
    message((w) => {
      w.text(1, domain);
      w.int(2, version);
    });
  return message((w) => {
    w.int(1, 10); // ir_version
    w.bytes(7, encodeGraph(model));
    w.bytes(8, opset("", 21));
    w.bytes(8, opset("com.microsoft", 1));
  });
}

function encodeGraph({ nodes, inputs, outputs, initializers }: OnnxModel): Uint8Array {
  return message((w) => {
    for (const node of nodes) w.bytes(1, encodeNode(node));
    w.text(2, "align");
    for (const initializer of initializers) w.bytes(5, encodeTensor(initializer));
    for (const input of inputs) w.bytes(11, encodeValueInfo(input));
    for (const output of outputs) w.bytes(12, encodeValueInfo(output));
  });
}

function encodeNode(node: OnnxNode): Uint8Array {
  return message((w) => {
    for (const input of node.inputs) w.text(1, input);
    for (const output of node.outputs) w.text(2, output);
    w.text(3, node.outputs[0] ?? "");
    w.text(4, node.op);
    for (const [name, value] of Object.entries(node.attributes ?? {})) {
      w.bytes(5, encodeAttribute(name, value));
    }
    if (node.domain !== undefined) w.text(7, node.domain);
  });
}

// AttributeProto.AttributeType: FLOAT 1, INT 2, STRING 3, GRAPH 5, INTS 7
function encodeAttribute(name: string, value: Attribute): Uint8Array {
  return message((w) => {
    w.text(1, name);
    if (typeof value === "number") {
      w.float(2, value);
      w.int(20, 1);
    } else if (typeof value === "string") {
      w.text(4, value);
      w.int(20, 3);
    } else if ("int" in value) {
      w.int(3, value.int);
      w.int(20, 2);
    } else if ("graph" in value) {
      w.bytes(6, encodeGraph(value.graph));
      w.int(20, 5);
    } else {
      for (const n of value.ints) w.int(8, n);
      w.int(20, 7);
    }
  });
}

function encodeTensor({ name, shape, data, numeric = false }: OnnxInitializer): Uint8Array {
  const type =
    data instanceof Float32Array
      ? 1
      : data instanceof Int32Array
        ? 6
        : data instanceof Uint8Array
          ? numeric
            ? 2
            : 9
          : 7;
  return message((w) => {
    for (const d of shape) w.int(1, d);
    w.int(2, type);
    w.text(8, name);
    w.bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  });
}

function encodeValueInfo({ name, shape, dtype, list }: OnnxValueInfo): Uint8Array {
  const dims = message((w) => {
    for (const d of shape ?? [])
      w.bytes(
        1,
        message((dim) => dim.int(1, d)),
      );
  });
  const tensor = message((w) => {
    w.int(1, elementType[dtype]);
    if (shape) w.bytes(2, dims);
  });
  const type = message((w) => w.bytes(1, tensor));
  const whole = list
    ? message((w) =>
        w.bytes(
          4,
          message((sequence) => sequence.bytes(1, type)),
        ),
      )
    : type;
  return message((w) => {
    w.text(1, name);
    w.bytes(2, whole);
  });
}

interface Writer {
  int(field: number, value: number): void;
  float(field: number, value: number): void;
  text(field: number, value: string): void;
  bytes(field: number, value: Uint8Array): void;
}

const utf8 = new TextEncoder();

/** One length-delimited protobuf message body. */
function message(write: (w: Writer) => void): Uint8Array {
  const parts: Uint8Array[] = [];
  const head: number[] = [];
  const flush = () => {
    if (head.length > 0) parts.push(Uint8Array.from(head.splice(0)));
  };
  const varint = (value: number) => {
    let n = BigInt.asUintN(64, BigInt(value));
    while (n > 127n) {
      head.push(Number(n & 127n) | 128);
      n >>= 7n;
    }
    head.push(Number(n));
  };
  const writer: Writer = {
    int(field, value) {
      varint(field << 3);
      varint(value);
    },
    float(field, value) {
      varint((field << 3) | 5);
      head.push(...new Uint8Array(Float32Array.of(value).buffer));
    },
    text(field, value) {
      writer.bytes(field, utf8.encode(value));
    },
    bytes(field, value) {
      varint((field << 3) | 2);
      varint(value.length);
      flush();
      parts.push(value);
    },
  };
  write(writer);
  flush();
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
