/** A value of a row: a number or a text, null (or NaN) for missing. */
export type Value = number | bigint | string | null;
export type Row = Record<string, Value>;
export type Columns = Record<string, ArrayLike<Value>>;

/** An answer for one target. A classifier gives the first three, a regression `value`. */
export interface Answer {
  /** In the order of the classes. */
  probabilities?: number[];
  /** The place of the class. */
  label?: number;
  class?: string | number | boolean;
  value?: number;
}

/** The answer to one row. A model of several targets has `targets` alone, by name. */
export interface Prediction extends Answer {
  targets?: Record<string, Answer>;
  /** Inputs whose value was accepted although out of range or never seen in training. */
  unusual: string[];
}

export type InputErrorCode =
  | "input.missing"
  | "input.unknown"
  | "input.type"
  | "input.shape"
  | "input.null"
  | "input.range"
  | "input.infinite"
  | "input.category";

export class InputError extends Error {
  readonly code: InputErrorCode;
  readonly input: string | null;
  readonly row: number | null;
  readonly expected: string | null;
  readonly found: string | null;
}

/** The parsed signature.json. */
export interface Signature {
  kind: "signature";
  model: string;
  task: "binary" | "multiclass" | "regression";
  target: string | string[];
  inputs: ReadonlyArray<{ name: string; datatype: "FP64" | "BYTES"; nullable: boolean } & Record<string, unknown>>;
  outputs: ReadonlyArray<{ name: string; datatype: "FP64" | "INT64"; shape: number[]; classes?: unknown[] | null }>;
  missing_text: string;
  [other: string]: unknown;
}

export class Model {
  readonly signature: Signature;
  /** The session of onnxruntime. */
  readonly session: any;
  /** Answers in the order of the rows; throws InputError. */
  predict(rowsOrColumns: Row[] | Columns): Promise<Prediction[]>;
  /** Check alone; throws InputError. */
  check(rowsOrColumns: Row[] | Columns): {
    columns: Record<string, Float64Array | (string | null)[]>;
    rows: number;
    unusual: string[][];
  };
  /** Run columns that need no check; gives the raw tensors. */
  run(columns: Record<string, Float64Array | (string | null)[]>): Promise<Record<string, any>>;
  feeds(columns: Record<string, Float64Array | (string | null)[]>): Record<string, any>;
  release(): Promise<void>;
}

/** Load a graph with `ort`, which is onnxruntime-web or onnxruntime-node. */
export function loadModel(
  ort: any,
  bytesOrUrl: Uint8Array | ArrayBuffer | URL | string,
  signature: Signature,
  options?: Record<string, unknown>,
): Promise<Model>;
