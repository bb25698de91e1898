/* The request, as curl and as Python: what is shown can be pasted. */

const url = () => `${location.origin}${facts.path}`;

/** A word for a POSIX shell. */
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

const curlOf = (row) => `curl -s -H 'content-type: application/json' \\\n  -d ${quoted(JSON.stringify(row))} \\\n  ${quoted(url())}`;

/** A value as Python writes it; its texts are those of JSON, but for what is beyond 16 bits. */
function python(value) {
  if (value === null) return "None";
  if (typeof value === "string") return JSON.stringify(value).replace(/\u007f/g, "\\x7f");
  return String(value);
}

function pythonOf(row) {
  const lines = Object.entries(row).map(([name, value]) => `    ${python(name)}: ${python(value)},`);
  return [
    "import json, urllib.request",
    "",
    "row = {",
    ...lines,
    "}",
    "request = urllib.request.Request(",
    `    ${python(url())},`,
    "    data=json.dumps(row).encode(),",
    '    headers={"content-type": "application/json"},',
    ")",
    "print(json.load(urllib.request.urlopen(request)))",
  ].join("\n");
}

function showCalls(row) {
  at("curl").textContent = curlOf(row);
  at("python").textContent = pythonOf(row);
}

/** Ask the gateway; gives the answer, or throws what it said. */
async function ask(body, signal = null) {
  const headers = { "content-type": "application/json" };
  let answer;
  try {
    answer = await fetch(facts.path, { method: "POST", headers, body: JSON.stringify(body), signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw { error: "the gateway does not answer; was `mintage serve` ended?" };
  }
  const value = await answer.json();
  if (!answer.ok) throw value;
  return value;
}
