/**
 * A model in a browser or in Node: checks rows by the model's signature, runs the graph, names the answers.
 *
 *     import * as ort from "onnxruntime-web/wasm";
 *     const model = await loadModel(ort, "model.onnx", await (await fetch("signature.json")).json());
 *     const [late] = await model.predict([{ origin: "JFK", dep_delay: 3.5 }]);
 *     late.probabilities[1];
 *
 * `ort` is onnxruntime-web or onnxruntime-node. What does not fit the signature is an InputError with the same code
 * as in Python; what is merely unusual is answered, and named in `unusual`. No other dependency, no build step.
 */

const EXACT = 2 ** 53;
const BATCH = 10_000;
// Runtimes in JavaScript end a text at a NUL. No category begins with U+E000, so this is one that no graph has seen.
const WITH_NUL = "\ue000nul";

/** What a caller sent does not fit: `code` is input.missing, .unknown, .type, .shape, .null or .range. */
export class InputError extends Error {
  constructor(code, message, { input = null, row = null, expected = null, found = null } = {}) {
    const parts = [message];
    if (expected !== null) parts.push(`expected ${expected}`);
    if (found !== null) parts.push(`found ${found}`);
    if (row !== null) parts.push(`row ${row}`);
    super(parts.join("; "));
    this.name = "InputError";
    Object.assign(this, { code, input, row, expected, found });
  }
}

/** Load a graph: its bytes, or an address (a path in Node). `options` go to the session of `ort`. */
export async function loadModel(ort, bytesOrUrl, signature, options = {}) {
  if (signature?.kind !== "signature") throw new TypeError("the third argument is the parsed signature.json");
  for (const item of signature.inputs) {
    if ((item.categories ?? []).some((value) => String(value).includes("\0"))) {
      throw new TypeError(`input ${item.name} has a category with a NUL character: ${ort.env.versions.common} cannot hold it`);
    }
  }
  const session = await ort.InferenceSession.create(source(bytesOrUrl), options);
  return new Model(ort, session, signature);
}

function source(bytesOrUrl) {
  if (bytesOrUrl instanceof ArrayBuffer) return new Uint8Array(bytesOrUrl);
  if (!(bytesOrUrl instanceof URL)) return bytesOrUrl;
  if (bytesOrUrl.protocol !== "file:") return bytesOrUrl.href;
  return globalThis.process.getBuiltinModule("node:url").fileURLToPath(bytesOrUrl);
}

/** A loaded model; `signature` says what it takes and gives. */
export class Model {
  #ort;
  #names;
  #checks;

  constructor(ort, session, signature) {
    this.#ort = ort;
    this.session = session;
    this.signature = signature;
    this.#names = signature.inputs.map((item) => item.name);
    this.#checks = signature.inputs.map((item) => (item.datatype === "BYTES" ? textCheck : numberCheck)(item, signature));
  }

  /** Predict an array of rows, or an object of columns; gives one answer a row. Throws InputError. */
  async predict(rowsOrColumns) {
    const { columns, rows, unusual } = this.check(rowsOrColumns);
    const answers = [];
    for (let start = 0; start < rows; start += BATCH) {
      const end = Math.min(start + BATCH, rows);
      const part = Object.fromEntries(this.#names.map((name) => [name, columns[name].slice(start, end)]));
      answers.push(...named(await this.run(part), end - start, this.signature));
    }
    answers.forEach((answer, row) => (answer.unusual = unusual[row]));
    return answers;
  }

  /** Check rows or columns alone; gives { columns, rows, unusual }: by row the inputs whose value is unusual. */
  check(rowsOrColumns) {
    const given = Array.isArray(rowsOrColumns) ? this.#turned(rowsOrColumns) : this.#listed(rowsOrColumns);
    const rows = given.length ? given[0].length : 0;
    const unusual = Array.from({ length: rows }, () => []);
    const columns = Object.create(null);
    this.#names.forEach((name, place) => {
      const check = this.#checks[place];
      const values = given[place];
      const column = check.text ? new Array(rows) : new Float64Array(rows);
      for (let row = 0; row < rows; row += 1) column[row] = check.value(values[row], row, unusual[row]);
      columns[name] = column;
    });
    return { columns, rows, unusual };
  }

  /** Run columns that need no check: Float64Array with NaN for missing, arrays of text or null. Gives raw tensors. */
  run(columns) {
    return this.session.run(this.feeds(columns));
  }

  /** The tensors that the graph takes. */
  feeds(columns) {
    const { Tensor } = this.#ort;
    const missing = this.signature.missing_text;
    const taken = new Set(this.session.inputNames);
    const feeds = {};
    for (const { name, datatype } of this.signature.inputs) {
      if (!taken.has(name)) continue;
      const column = columns[name];
      const shape = [column.length, 1];
      if (datatype === "BYTES") {
        const texts = Array.from(column, (text) => (text === null ? missing : text.includes("\0") ? WITH_NUL : text));
        feeds[name] = new Tensor("string", texts, shape);
      } else {
        feeds[name] = new Tensor("float64", column, shape);
      }
    }
    return feeds;
  }

  /** Free the memory of the graph. */
  release() {
    return this.session.release();
  }

  #turned(rows) {
    rows.forEach((row, place) => {
      if (typeof row !== "object" || row === null) {
        throw new InputError("input.shape", "a row is not an object", { row: place, expected: "{input: value, ...}" });
      }
      this.#names_must_be(row, place);
    });
    return this.#names.map((name) => rows.map((row) => row[name]));
  }

  #listed(columns) {
    if (typeof columns !== "object" || columns === null) {
      throw new InputError("input.shape", "neither rows nor columns", { expected: "an array of rows, or {input: values}" });
    }
    this.#names_must_be(columns, null);
    const rows = columns[this.#names[0]]?.length;
    return this.#names.map((name) => {
      const column = columns[name];
      if (!Array.isArray(column) && !ArrayBuffer.isView(column)) {
        throw new InputError("input.shape", `input ${name} is not a column`, { input: name, expected: "an array" });
      }
      if (column.length !== rows) {
        const parts = { input: name, expected: String(rows), found: String(column.length) };
        throw new InputError("input.shape", `input ${name} has another length`, parts);
      }
      return column;
    });
  }

  #names_must_be(given, row) {
    const absent = this.#names.filter((name) => !Object.hasOwn(given, name) || given[name] === undefined);
    if (absent.length) {
      const parts = { input: absent[0], row, expected: this.#names.join(", "), found: `no ${absent.join(", ")}` };
      throw new InputError("input.missing", "an input is missing", parts);
    }
    const extra = Object.keys(given).filter((name) => !this.#names.includes(name));
    if (extra.length) {
      const parts = { input: extra[0], row, expected: this.#names.join(", "), found: extra.join(", ").slice(0, 200) };
      throw new InputError("input.unknown", "an input is not known", parts);
    }
  }
}

function numberCheck(item) {
  const { name, nullable, integer, closed } = item;
  const known = item.categories && new Set(item.categories.map(Number));
  const [low, high] = item.range ?? [null, null];
  const [smallest, largest] = item.limits ?? [-Infinity, Infinity];
  const value = (given, row, unusual) => {
    const number = given === null ? NaN : typeof given === "bigint" ? exact(given, name, row) : given;
    if (typeof number !== "number") throw wrongType(name, row, "a number", given);
    if (Number.isNaN(number)) {
      if (!nullable) throw new InputError("input.null", `input ${name} must not be null`, { input: name, row });
      return number;
    }
    if (!Number.isFinite(number)) throw outside(name, row, "a finite number", number, "input.infinite");
    if (number < smallest || number > largest) throw outside(name, row, `from ${smallest} to ${largest}`, number);
    if (integer && !Number.isInteger(number)) throw wrongType(name, row, "an integer", number);
    const odd = (low !== null && number < low) || (high !== null && number > high) || (known && !known.has(number));
    if (odd && closed) {
      const expected = known ? `one of ${few(known)}` : "a value in the declared range";
      throw outside(name, row, expected, number, "input.category");
    }
    if (odd) unusual.push(name);
    return number;
  };
  return { text: false, value };
}

function textCheck(item, signature) {
  const { name, nullable, closed } = item;
  const known = item.categories && new Set(item.categories.map(String));
  const value = (text, row, unusual) => {
    if (text === null || text === signature.missing_text) {
      if (!nullable) throw new InputError("input.null", `input ${name} must not be null`, { input: name, row });
      return null;
    }
    if (typeof text !== "string") throw wrongType(name, row, "text", text);
    if (/\p{Surrogate}/u.test(text)) throw wrongType(name, row, "text that is valid Unicode", JSON.stringify(text));
    if (known && !known.has(text)) {
      if (closed) {
        throw outside(name, row, `one of ${few(known)}`, JSON.stringify(text.slice(0, 80)), "input.category");
      }
      unusual.push(name);
    }
    return text;
  };
  return { text: true, value };
}

function exact(integer, name, row) {
  if (integer > EXACT || integer < -EXACT) throw wrongType(name, row, "integers up to 2^53", integer);
  return Number(integer);
}

function wrongType(input, row, expected, given) {
  const found = typeof given === "number" || typeof given === "string" ? String(given).slice(0, 80) : typeof given;
  return new InputError("input.type", `input ${input} has another type`, { input, row, expected, found });
}

function outside(input, row, expected, found, code = "input.range") {
  return new InputError(code, `input ${input} has a value that the model refuses`, {
    input,
    row,
    expected,
    found: String(found),
  });
}

function few(known) {
  return [...known].slice(0, 12).join(", ");
}

/** The tensors' rows as objects; with several targets, by target. */
function named(tensors, rows, signature) {
  const targets = [signature.target].flat();
  const readers = targets.map((target, place) => reader(tensors, signature, targets.length > 1 ? `.${target}` : "", place));
  return Array.from({ length: rows }, (_, row) => {
    if (targets.length === 1) return readers[0](row);
    return { targets: Object.fromEntries(targets.map((target, place) => [target, readers[place](row)])) };
  });
}

function reader(tensors, signature, suffix, place) {
  if (signature.task === "regression") {
    const { data, dims } = tensors.value;
    return (row) => ({ value: data[row * dims[1] + place] });
  }
  const { data, dims } = tensors[`probabilities${suffix}`];
  const labels = tensors[`label${suffix}`].data;
  const { classes } = signature.outputs.find((output) => output.name === `label${suffix}`);
  return (row) => {
    const label = Number(labels[row]);
    const probabilities = Array.from(data.subarray(row * dims[1], (row + 1) * dims[1]));
    return { probabilities, label, class: classes[label] };
  };
}
