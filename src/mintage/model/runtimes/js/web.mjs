/** Answers rows with onnxruntime-web, one thread: asks this folder's server for the next request until there is none. */

import * as ort from "./ort/ort.wasm.bundle.min.mjs";
import { loadModel } from "./mintage-model.mjs";
import { answer } from "./wire.mjs";

const tell = (value) => fetch("answer", { method: "POST", body: JSON.stringify(value) });
const fail = (error) => tell({ error: String(error?.message ?? error) });
addEventListener("error", (event) => fail(event.error ?? event.message));
addEventListener("unhandledrejection", (event) => fail(event.reason));

try {
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "fatal";
  const [graph, signature] = await Promise.all([fetch("model.onnx"), fetch("signature.json")]);
  const options = { executionProviders: ["wasm"], logSeverityLevel: 4 };
  const model = await loadModel(ort, await graph.arrayBuffer(), await signature.json(), options);
  await tell({ ready: ort.env.versions.web });
  for (;;) {
    const next = await fetch("next");
    if (next.status !== 200) break;
    await tell(await answer(model, await next.json()));
  }
} catch (error) {
  await fail(error);
}
