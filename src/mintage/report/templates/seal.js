"use strict";
(async () => {
  const banner = document.getElementById("seal");
  const store = document.getElementById("seal-data");
  const blank = /[ \t\n\r\f]/g;
  const bytesOf = (text) => new TextEncoder().encode(text);
  const decoded = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
  const hex = (buffer) => [...new Uint8Array(buffer)].map((one) => one.toString(16).padStart(2, "0")).join("");
  const sha256 = async (bytes) => hex(await crypto.subtle.digest("SHA-256", bytes));

  function show(tone, mark, text) {
    for (const name of banner.getAttributeNames()) if (name !== "id") banner.removeAttribute(name);
    banner.setAttribute("role", tone === "bad" ? "alert" : "status");
    banner.className = tone;
    banner.textContent = mark + " " + text;
    if (tone === "bad") {
      document.documentElement.className = "changed";
      document.title = "CHANGED: " + document.title;
    }
  }

  // What a reader sees: each element with its attributes, each text without its white space, in the order of the page.
  function* parts(node) {
    if (node.nodeType === 3) yield node.data.replace(/[\x01-\x03]/g, "?").replace(blank, "");
    if (node.nodeType !== 1) return;
    yield "\x01" + node.localName.toLowerCase();
    if (node === banner || node === store) return;
    const pairs = [...node.attributes].map((one) => [one.name.toLowerCase(), one.value]);
    pairs.sort((one, other) => (one[0] < other[0] ? -1 : 1));
    for (const [name, value] of pairs) yield "\x02" + name + "\x03" + value.replace(/[\x01-\x03]/g, "?");
    yield "\x02";
    for (const child of node.childNodes) yield* parts(child);
  }

  // ECDSA signatures are DER in the bundle, r and s side by side for the browser.
  function flat(der) {
    const out = new Uint8Array(64);
    let at = 2;
    for (const end of [32, 64]) {
      const length = der[at + 1];
      const number = der.slice(at + 2, at + 2 + length);
      const kept = number.slice(Math.max(0, number.length - 32));
      out.set(kept, end - kept.length);
      at += 2 + length;
    }
    return out;
  }

  async function opened(bundle, key) {
    const envelope = JSON.parse(bundle).dsseEnvelope;
    const payload = decoded(envelope.payload);
    const head = bytesOf(`DSSEv1 ${bytesOf(envelope.payloadType).length} ${envelope.payloadType} ${payload.length} `);
    const signed = new Uint8Array(head.length + payload.length);
    signed.set(head);
    signed.set(payload, head.length);
    const way = { name: "ECDSA", hash: "SHA-256" };
    if (!(await crypto.subtle.verify(way, key, flat(decoded(envelope.signatures[0].sig)), signed))) {
      throw new Error("a signature does not fit what is signed");
    }
    return JSON.parse(new TextDecoder().decode(payload));
  }

  if (!globalThis.crypto || !crypto.subtle) {
    show("attention", "!", "This browser cannot check the page here: open it as a file, or over https.");
    return;
  }
  try {
    const data = JSON.parse(store.textContent);
    const spki = decoded(data.key);
    const key = await crypto.subtle.importKey("spki", spki, { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]);
    await opened(data.certificate, key);
    const page = await opened(data.page, key);
    const found = await sha256(bytesOf([...parts(document.documentElement)].join("")));
    if (page.predicateType !== "https://mintage.dev/page/v1") throw new Error("what is signed is no page");
    if (page.subject[0].digest.sha256 !== found) throw new Error("the page is not the one that was signed");
    if (page.predicate.certificate !== "sha256:" + (await sha256(bytesOf(data.certificate)))) {
      throw new Error("the certificate is not the one that the page was signed with");
    }
    const name = await sha256(spki);
    show("good", "✓", `Unchanged since it was signed. The key is sha256:${name}: compare it with trust.yaml, ` +
      "for anybody can sign a page with a key of their own. mintage verify proves what stands behind it.");
  } catch (error) {
    show("bad", "✕", `This page was changed after it was signed: ${error.message}. Do not use it.`);
  }
})();
