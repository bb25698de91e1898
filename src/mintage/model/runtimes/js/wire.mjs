/** What Python asks and what it is told, as JSON: texts as they are, numbers as the base64 of their bytes. */

const WARM = 20;

/** Answer { rows, timed, numbers: {name: base64}, texts: {name: [text or null]} } with a loaded model. */
export async function answer(model, request) {
  try {
    const columns = { ...request.texts };
    for (const [name, text] of Object.entries(request.numbers)) columns[name] = new Float64Array(bytesOf(text).buffer);
    const outputs = {};
    for (const [name, { type, dims, data }] of Object.entries(await model.run(columns))) {
      outputs[name] = { type, dims, data: base64Of(data) };
    }
    return { outputs, times: await time(model, columns, Math.min(request.rows, request.timed), request.timed) };
  } catch (error) {
    return { error: String(error?.message ?? error) };
  }
}

/** Microseconds of predictions of one row each, the call into the runtime alone. */
async function time(model, columns, rows, count) {
  const feeds = [];
  for (let row = 0; row < rows; row += 1) {
    const one = Object.entries(columns).map(([name, column]) => [name, column.slice(row, row + 1)]);
    feeds.push(model.feeds(Object.fromEntries(one)));
  }
  for (let run = 0; rows && run < WARM; run += 1) await model.session.run(feeds[run % rows]);
  const times = [];
  for (let run = 0; rows && run < count; run += 1) {
    const start = performance.now();
    await model.session.run(feeds[run % rows]);
    times.push((performance.now() - start) * 1000);
  }
  return times;
}

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let place = 0; place < text.length; place += 1) bytes[place] = text.charCodeAt(place);
  return bytes;
}

function base64Of(array) {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  const parts = [];
  for (let start = 0; start < bytes.length; start += 0x4000) {
    parts.push(String.fromCharCode(...bytes.subarray(start, start + 0x4000)));
  }
  return btoa(parts.join(""));
}
