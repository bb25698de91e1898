/** Answers rows with onnxruntime-web, one thread: asks this folder's server for the next request until there is none. */

import { loadModel } from "./mintage-model.mjs";
import { answer } from "./wire.mjs";

const tell = (value) => fetch("answer", { method: "POST", body: JSON.stringify(value) });
fetch("alive").catch(() => undefined); // the server notices when this connection ends: the page has crashed

try {
  const ort = await import("./ort/ort.wasm.bundle.min.mjs");
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "fatal";
  const [graph, signature] = await Promise.all([fetch("model.onnx"), fetch("signature.json")]);
  const options = { executionProviders: ["wasm"], logSeverityLevel: 4 };
  const model = await loadModel(ort, await graph.arrayBuffer(), await signature.json(), options);
  await tell({ ready: ort.env.versions.web });
  for (let next = await fetch("next"); next.status === 200; next = await fetch("next")) {
    await tell(await answer(model, await next.json()));
  }
} catch (error) {
  await tell({ error: String(error?.message ?? error) });
}
