// The Web's types as far as functions of kind "http" need them: Headers, Request, Response, URL, fetch.
// Evaluated once per call with `host`; gives helpers for Rust.
(function (host, Decimal) {
  "use strict";
  const define = (name, value) =>
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });

  class Headers {
    #list = [];
    constructor(init) {
      if (init === undefined || init === null) return;
      const pairs = init instanceof Headers || Array.isArray(init) ? [...init] : Object.entries(init);
      for (const [name, value] of pairs) this.append(name, value);
    }
    append(name, value) {
      this.#list.push([String(name).toLowerCase(), String(value)]);
    }
    set(name, value) {
      this.delete(name);
      this.append(name, value);
    }
    delete(name) {
      name = String(name).toLowerCase();
      this.#list = this.#list.filter(([n]) => n !== name);
    }
    get(name) {
      name = String(name).toLowerCase();
      const found = this.#list.filter(([n]) => n === name).map(([, v]) => v);
      return found.length === 0 ? null : found.join(", ");
    }
    has(name) {
      return this.get(name) !== null;
    }
    forEach(visit) {
      for (const [name, value] of this.#list) visit(value, name, this);
    }
    *entries() {
      yield* this.#list;
    }
    *keys() {
      for (const [name] of this.#list) yield name;
    }
    *values() {
      for (const [, value] of this.#list) yield value;
    }
    [Symbol.iterator]() {
      return this.entries();
    }
  }

  const decode = (text) => {
    try {
      return decodeURIComponent(text.replaceAll("+", " "));
    } catch {
      return text;
    }
  };
  const encode = (text) => encodeURIComponent(text).replaceAll("%20", "+");
  class URLSearchParams {
    #list = [];
    constructor(init = "") {
      if (typeof init === "string") {
        for (const part of init.replace(/^\?/, "").split("&")) {
          if (part === "") continue;
          const at = part.indexOf("=");
          this.#list.push(at < 0 ? [decode(part), ""] : [decode(part.slice(0, at)), decode(part.slice(at + 1))]);
        }
      } else {
        const pairs = typeof init[Symbol.iterator] === "function" ? [...init] : Object.entries(init);
        for (const [name, value] of pairs) this.append(name, value);
      }
    }
    append(name, value) {
      this.#list.push([String(name), String(value)]);
    }
    set(name, value) {
      this.delete(name);
      this.append(name, value);
    }
    delete(name) {
      this.#list = this.#list.filter(([n]) => n !== name);
    }
    get(name) {
      const found = this.#list.find(([n]) => n === name);
      return found === undefined ? null : found[1];
    }
    getAll(name) {
      return this.#list.filter(([n]) => n === name).map(([, v]) => v);
    }
    has(name) {
      return this.get(name) !== null;
    }
    *entries() {
      yield* this.#list;
    }
    [Symbol.iterator]() {
      return this.entries();
    }
    toString() {
      return this.#list.map(([n, v]) => `${encode(n)}=${encode(v)}`).join("&");
    }
  }

  const URL_FORM = /^([a-z][a-z0-9+.-]*:)\/\/([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?$/i;
  class URL {
    constructor(text, base) {
      text = String(text);
      if (!/^[a-z][a-z0-9+.-]*:/i.test(text) && base !== undefined) {
        const from = new URL(base);
        const folder = from.pathname.slice(0, from.pathname.lastIndexOf("/") + 1);
        text = text.startsWith("/") ? from.origin + text : from.origin + folder + text;
      }
      const parts = URL_FORM.exec(text);
      if (parts === null) throw new TypeError(`Invalid URL: ${text}`);
      const [, protocol, authority, path, query = "", hash = ""] = parts;
      this.protocol = protocol.toLowerCase();
      this.host = authority.slice(authority.lastIndexOf("@") + 1).toLowerCase();
      const port = /:(\d+)$/.exec(this.host);
      this.port = port === null ? "" : port[1];
      this.hostname = port === null ? this.host : this.host.slice(0, port.index);
      this.pathname = path === "" ? "/" : path;
      this.hash = hash;
      this.searchParams = new URLSearchParams(query);
      this.origin = `${this.protocol}//${this.host}`;
    }
    get search() {
      const query = this.searchParams.toString();
      return query === "" ? "" : `?${query}`;
    }
    get href() {
      return this.origin + this.pathname + this.search + this.hash;
    }
    toString() {
      return this.href;
    }
    toJSON() {
      return this.href;
    }
  }

  class TextEncoder {
    encode(text = "") {
      return host.utf8(String(text));
    }
  }
  class TextDecoder {
    decode(bytes) {
      return bytes === undefined ? "" : host.text(asBytes(bytes).toHex());
    }
  }
  const asBytes = (body) => {
    if (body instanceof Uint8Array) return body;
    if (body instanceof ArrayBuffer) return new Uint8Array(body);
    if (ArrayBuffer.isView(body)) return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
    return undefined;
  };

  /** A body is text, bytes or nothing; `text()` and friends may be asked as often as one likes. */
  class Body {
    #body;
    constructor(body) {
      this.#body = body;
    }
    static of(message) {
      return message.#body;
    }
    async text() {
      if (this.#body === null) return "";
      return typeof this.#body === "string" ? this.#body : host.text(this.#body.toHex());
    }
    async json() {
      return JSON.parse(await this.text());
    }
    async bytes() {
      if (this.#body === null) return new Uint8Array(0);
      return typeof this.#body === "string" ? host.utf8(this.#body) : this.#body;
    }
    async arrayBuffer() {
      const bytes = await this.bytes();
      return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    }
  }
  /** Text, bytes and their content type, of whatever was given as a body. */
  const bodyOf = (body, headers) => {
    if (body === undefined || body === null) return null;
    const bytes = asBytes(body);
    if (bytes !== undefined) return bytes;
    const type = (text) => {
      if (!headers.has("content-type")) headers.set("content-type", text);
    };
    if (body instanceof URLSearchParams) {
      type("application/x-www-form-urlencoded;charset=UTF-8");
      return body.toString();
    }
    if (typeof body !== "string") throw new TypeError("a body is text, bytes or URLSearchParams");
    type("text/plain;charset=UTF-8");
    return body;
  };

  class Request extends Body {
    constructor(input, init = {}) {
      const from = input instanceof Request ? input : undefined;
      const headers = new Headers(init.headers ?? from?.headers);
      super(init.body === undefined && from !== undefined ? Body.of(from) : bodyOf(init.body, headers));
      this.url = from === undefined ? String(input) : from.url;
      this.method = String(init.method ?? from?.method ?? "GET").toUpperCase();
      this.redirect = init.redirect ?? from?.redirect ?? "follow";
      this.headers = headers;
    }
  }
  class Response extends Body {
    constructor(body, init = {}) {
      const headers = new Headers(init.headers);
      super(bodyOf(body, headers));
      const status = init.status ?? 200;
      if (!Number.isInteger(status) || status < 200 || status > 599) throw new RangeError(`${status} is no status of a response`);
      this.status = status;
      this.statusText = init.statusText ?? "";
      this.headers = headers;
      this.url = init.url ?? "";
    }
    get ok() {
      return this.status >= 200 && this.status < 300;
    }
    static json(data, init = {}) {
      const headers = new Headers(init.headers);
      if (!headers.has("content-type")) headers.set("content-type", "application/json");
      return new Response(host.json(data) ?? "null", { ...init, headers });
    }
    static redirect(url, status = 302) {
      return new Response(null, { status, headers: { location: String(url) } });
    }
  }

  const fetch = async (input, init) => {
    const request = new Request(input, init);
    const body = Body.of(request);
    const text = typeof body === "string" ? body : null;
    const hex = body === null || typeof body === "string" ? null : body.toHex();
    const headers = [...request.headers].flat();
    const answer = host.fetch(request.method, request.url, headers, text, hex, request.redirect);
    const response = new Response(answer.body, { status: answer.status < 200 ? 200 : answer.status, url: answer.url });
    response.headers = new Headers();
    for (let i = 0; i + 1 < answer.headers.length; i += 2) response.headers.append(answer.headers[i], answer.headers[i + 1]);
    return response;
  };

  for (const [name, value] of Object.entries({ Headers, URLSearchParams, URL, TextEncoder, TextDecoder, Request, Response, fetch })) {
    define(name, value);
  }

  /** Whatever a function gave, as [status, [name, value, ...], text, hex]. */
  const finish = (answer) => {
    if (answer === undefined) return [204, [], null, null];
    let response = answer;
    if (!(answer instanceof Response)) {
      if (answer === null || typeof answer !== "object" || !("status" in answer || "body" in answer)) {
        throw new TypeError("an http function gives a Response, or { status, headers, body }");
      }
      const { status, headers, body } = answer;
      const plain = body !== null && typeof body === "object" && asBytes(body) === undefined && !(body instanceof URLSearchParams);
      response = plain ? Response.json(body, { status, headers }) : new Response(body, { status, headers });
    }
    const body = Body.of(response);
    const text = typeof body === "string" ? body : null;
    const hex = body === null || typeof body === "string" ? null : body.toHex();
    return [response.status, [...response.headers].flat(), text, hex];
  };
  return {
    finish,
    request: (method, url, headers, body) => {
      const all = new Headers();
      for (let i = 0; i + 1 < headers.length; i += 2) all.append(headers[i], headers[i + 1]);
      const request = new Request(url, { method });
      Object.defineProperty(request, "headers", { value: all });
      return body === null ? request : Object.assign(new Request(request, { body, method, headers: all }), { headers: all });
    },
    context: (user) => ({ user, call: async (name, input) => host.call(name, input ?? {}), Decimal, log: (...v) => console.log(...v) }),
  };
})
