/**
 * Runs all golden rows and compares with the answers of the library that trained the model.
 *
 *     npm install --ignore-scripts && node test.mjs
 *
 * In each of onnxruntime-web (WebAssembly, what a browser runs) and onnxruntime-node that is installed. Prints one line;
 * exit code 1 if a label differs or an error is beyond the tolerance, 2 if neither is installed.
 */

import { readFile } from "node:fs/promises";
import { loadModel } from "./mintage-model.mjs";

const RUNTIMES = ["onnxruntime-web", "onnxruntime-node"];
const read = (name) => readFile(new URL(name, import.meta.url));
const parse = async (name) => JSON.parse(await read(name));

/** A runtime, or null if it is not installed. */
async function load(name) {
  try {
    const found = await import(name);
    const ort = found.InferenceSession ? found : found.default;
    if (name === "onnxruntime-web") ort.env.wasm.numThreads = 1;
    return ort;
  } catch (error) {
    if (error.code === "ERR_MODULE_NOT_FOUND") return null;
    throw error;
  }
}

/** The largest error, and the rows that differ. An error is a share of values beyond 1. NaN differs. */
function compare(answers, golden) {
  let largest = 0;
  const different = [];
  answers.forEach((answer, row) => {
    const parts = answer.targets ? Object.values(answer.targets) : [answer];
    const values = parts.flatMap((part) => part.probabilities ?? [part.value]);
    const labels = parts.flatMap((part) => ("label" in part ? [part.label] : []));
    const errors = golden.values[row].map((value, at) => Math.abs(values[at] - value) / Math.max(1, Math.abs(value)));
    largest = Math.max(largest, ...errors);
    const same = golden.labels[row].every((label, at) => labels[at] === label);
    if (!same || !errors.every((error) => error <= golden.tolerance)) different.push(row);
  });
  return { largest, different };
}

const [signature, golden, graph] = [await parse("signature.json"), await parse("golden.json"), await read("model.onnx")];
const lines = [];
let failed = false;
for (const name of RUNTIMES) {
  const ort = await load(name);
  if (ort === null) continue;
  const version = `${name} ${ort.env.versions.common}`;
  try {
    const model = await loadModel(ort, new Uint8Array(graph), signature, { logSeverityLevel: 4 });
    const { largest, different } = compare(await model.predict(golden.columns), golden);
    const rows = `${golden.values.length} golden rows`;
    failed ||= different.length > 0;
    if (different.length) lines.push(`${different.length} of ${rows} differ, the first is ${different[0]} (${version})`);
    else lines.push(`${rows}, largest error ${largest.toExponential(1)} (${version})`);
  } catch (error) {
    failed = true;
    lines.push(`${error.message} (${version})`);
  }
}
if (lines.length) console.log(`${failed ? "FAILED" : "ok"}: ${lines.join("; ")}`);
else console.log("not tested: no onnxruntime here; run `npm install --ignore-scripts`");
process.exitCode = failed ? 1 : lines.length ? 0 : 2;
