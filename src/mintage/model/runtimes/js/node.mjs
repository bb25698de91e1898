/** Answers rows with onnxruntime-node, whose folder is the argument: a line of JSON for each line of standard input. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { loadModel } from "./mintage-model.mjs";
import { answer } from "./wire.mjs";

const OPTIONS = {
  executionProviders: ["cpu"],
  executionMode: "sequential",
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  logSeverityLevel: 4,
};
const tell = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

try {
  const ort = createRequire(import.meta.url)(process.argv[2]);
  const here = (name) => readFileSync(new URL(name, import.meta.url));
  const model = await loadModel(ort, here("model.onnx"), JSON.parse(here("signature.json")), OPTIONS);
  tell({ ready: ort.env.versions.node });
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    tell(await answer(model, JSON.parse(line)));
  }
} catch (error) {
  tell({ error: String(error?.message ?? error) });
  process.exitCode = 1;
}
