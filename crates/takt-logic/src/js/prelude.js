// What every context has before a module of the project is read: exact decimals, our clock and chance, no code
// made from text. Evaluated once per context with `host`, the functions that Rust lends; gives the parts of the
// first argument of functions, and helpers for Rust.
(function (host) {
  "use strict";

  // ---- nothing that runs text as code, waits, or reads another clock -------------------------------------------
  const refuseText = function Function() {
    throw new EvalError("code made from text is not allowed here");
  };
  const kinds = [function () {}, async function () {}, function* () {}, async function* () {}];
  for (const example of kinds) {
    Object.defineProperty(Object.getPrototypeOf(example), "constructor", { value: refuseText });
  }
  Object.defineProperty(refuseText, "prototype", { value: Object.getPrototypeOf(kinds[0]) });
  const define = (name, value) =>
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
  define("Function", refuseText);
  for (const name of ["eval", "Atomics", "SharedArrayBuffer", "WeakRef", "FinalizationRegistry", "performance"]) {
    delete globalThis[name];
  }

  // Both keep what is assigned in the engine itself, where no seal reaches.
  delete Error.prepareStackTrace;
  delete Error.stackTraceLimit;

  const RealDate = Date;
  const TaktDate = function Date(...parts) {
    if (new.target === undefined) return new RealDate(host.now()).toString();
    return Reflect.construct(RealDate, parts.length === 0 ? [host.now()] : parts, new.target);
  };
  for (const name of ["parse", "UTC"]) {
    Object.defineProperty(TaktDate, name, { value: RealDate[name], writable: true, configurable: true });
  }
  Object.defineProperty(TaktDate, "now", { value: () => host.now(), writable: true, configurable: true });
  Object.defineProperty(TaktDate, "length", { value: 7 });
  Object.defineProperty(TaktDate, "prototype", { value: RealDate.prototype, writable: false });
  Object.defineProperty(RealDate.prototype, "constructor", { value: TaktDate, writable: true, configurable: true });
  define("Date", TaktDate);
  Object.defineProperty(Math, "random", { value: () => host.random(), writable: true, configurable: true });

  // These walk every index up to `length` without ever asking whether the time is over. Real arrays are bounded by
  // the memory limit; what only claims to be long is not.
  const LONGEST = 5_000_000;
  const tooLong = (value) => value !== null && typeof value === "object" && value.length > LONGEST;
  const patient = ["reverse", "join", "fill", "copyWithin", "splice", "unshift", "shift", "slice", "concat", "sort",
    "toSorted", "toReversed", "toSpliced", "with", "flat", "toLocaleString"];
  for (const name of patient) {
    const native = Array.prototype[name];
    if (native === undefined) continue;
    const bounded = {
      [name]() {
        if (this.length > LONGEST || tooLong(arguments[0])) throw new RangeError("the list is too long");
        return Reflect.apply(native, this, arguments);
      },
    }[name];
    Object.defineProperty(bounded, "length", { value: native.length });
    Object.defineProperty(Array.prototype, name, { value: bounded, writable: true, configurable: true, enumerable: false });
  }

  // ---- console: to the log of the server -----------------------------------------------------------------------
  const shown = (value) => {
    if (typeof value === "string") return value;
    if (value instanceof Error) return value.stack ? `${value}\n${value.stack}` : String(value);
    try {
      return host.json(value) ?? String(value);
    } catch {
      return Object.prototype.toString.call(value);
    }
  };
  const logger = (level) => (...values) => host.log(level, values.map(shown).join(" "));
  const console = { log: logger("debug"), debug: logger("debug"), info: logger("info"), warn: logger("warn"), error: logger("error") };
  define("console", console);

  // ---- Decimal: exact, unscaled BigInt and scale ---------------------------------------------------------------
  const POWERS = [];
  for (let i = 0, p = 1n; i <= 64; i++, p *= 10n) POWERS.push(p);
  const MOST_DIGITS = 64;
  const FORM = /^\s*([+-]?)(\d+)(?:\.(\d*))?\s*$/;

  const divide = (n, d) => {
    // Half away from zero, as invoices and PostgreSQL round.
    const negative = n < 0n !== d < 0n;
    const a = n < 0n ? -n : n;
    const b = d < 0n ? -d : d;
    const q = (2n * a + b) / (2n * b);
    return negative ? -q : q;
  };
  const digitsOf = (digits, least) => {
    if (!Number.isInteger(digits) || digits < least || digits > MOST_DIGITS) {
      throw new RangeError(`digits must be a whole number from ${least} to ${MOST_DIGITS}`);
    }
    return digits;
  };

  class Exact {
    // Either of the two may be missing until somebody asks: most decimals of the database are only passed on.
    #u;
    #s;
    #text;
    constructor(u, s, text) {
      this.#u = u;
      this.#s = s;
      this.#text = text;
    }
    get #n() {
      return (this.#u ??= BigInt(this.#text.replace(".", "")));
    }
    static is(value) {
      return typeof value === "object" && value !== null && #u in value;
    }
    static read(value) {
      switch (typeof value) {
        case "object":
          if (value !== null && #u in value) return value;
          break;
        case "bigint":
          return new Exact(value, 0);
        case "number":
          if (Number.isSafeInteger(value)) return new Exact(BigInt(value), 0);
          throw new TypeError(`a Decimal cannot be mixed with the number ${value}; write it as text: new Decimal("${value}")`);
        case "string":
          throw new TypeError(`a Decimal cannot be mixed with text; write new Decimal(${JSON.stringify(value.slice(0, 40))})`);
      }
      throw new TypeError(`a Decimal cannot be mixed with ${value === null ? "null" : typeof value}`);
    }
    static parse(text) {
      const parts = text.length <= 2 * MOST_DIGITS ? FORM.exec(text) : null;
      if (parts === null) throw new TypeError(`${JSON.stringify(text.slice(0, 40))} is no decimal number`);
      const fraction = parts[3] ?? "";
      if (fraction.length > MOST_DIGITS) throw new RangeError(`more than ${MOST_DIGITS} digits after the point`);
      const u = BigInt(parts[2] + fraction);
      return new Exact(parts[1] === "-" ? -u : u, fraction.length);
    }
    /** Both unscaled numbers at the greater of the two scales. */
    static #level(a, b) {
      if (a.#s === b.#s) return [a.#n, b.#n, a.#s];
      return a.#s < b.#s
        ? [a.#n * POWERS[b.#s - a.#s], b.#n, b.#s]
        : [a.#n, b.#n * POWERS[a.#s - b.#s], a.#s];
    }
    add(other) {
      const [a, b, s] = Exact.#level(this, Exact.read(other));
      return new Exact(a + b, s);
    }
    sub(other) {
      const [a, b, s] = Exact.#level(this, Exact.read(other));
      return new Exact(a - b, s);
    }
    mul(other) {
      const b = Exact.read(other);
      const s = this.#s + b.#s;
      if (s > MOST_DIGITS) throw new RangeError(`more than ${MOST_DIGITS} digits after the point; round() first`);
      return new Exact(this.#n * b.#n, s);
    }
    div(other, digits) {
      const b = Exact.read(other);
      if (digits === undefined) throw new TypeError("div needs the number of digits after the point: a.div(b, 2)");
      if (b.#n === 0n) throw new RangeError("division by zero");
      const up = digitsOf(digits, 0) + b.#s - this.#s;
      return up >= 0
        ? new Exact(divide(this.#n * 10n ** BigInt(up), b.#n), digits)
        : new Exact(divide(this.#n, b.#n * 10n ** BigInt(-up)), digits);
    }
    round(digits = 0) {
      digitsOf(digits, 0);
      return digits >= this.#s
        ? new Exact(this.#n * POWERS[digits - this.#s], digits)
        : new Exact(divide(this.#n, POWERS[this.#s - digits]), digits);
    }
    neg() {
      return new Exact(-this.#n, this.#s);
    }
    abs() {
      return this.#n < 0n ? new Exact(-this.#n, this.#s) : this;
    }
    cmp(other) {
      const [a, b] = Exact.#level(this, Exact.read(other));
      return a < b ? -1 : a > b ? 1 : 0;
    }
    eq(other) {
      return this.cmp(other) === 0;
    }
    neq(other) {
      return this.cmp(other) !== 0;
    }
    lt(other) {
      return this.cmp(other) < 0;
    }
    lte(other) {
      return this.cmp(other) <= 0;
    }
    gt(other) {
      return this.cmp(other) > 0;
    }
    gte(other) {
      return this.cmp(other) >= 0;
    }
    isZero() {
      return this.#n === 0n;
    }
    toString() {
      return (this.#text ??= this.#written());
    }
    #written() {
      if (this.#s === 0) return this.#n.toString();
      const negative = this.#n < 0n;
      const digits = (negative ? -this.#n : this.#n).toString().padStart(this.#s + 1, "0");
      return `${negative ? "-" : ""}${digits.slice(0, -this.#s)}.${digits.slice(-this.#s)}`;
    }
    toFixed(digits) {
      return this.round(digits ?? 0).toString();
    }
    toNumber() {
      return Number(this.toString());
    }
    toJSON() {
      return JSON.rawJSON(this.toString());
    }
    valueOf() {
      throw new TypeError("a Decimal is no number: write a.add(b), a.sub(b), a.mul(b), a.cmp(b) instead of + - * <");
    }
  }
  const Decimal = function Decimal(value) {
    return typeof value === "string" ? Exact.parse(value) : Exact.read(value);
  };
  Object.defineProperty(Decimal, "prototype", { value: Exact.prototype, writable: false });
  Object.defineProperty(Exact.prototype, "constructor", { value: Decimal });

  // ---- errors --------------------------------------------------------------------------------------------------
  class DatabaseError extends Error {
    constructor(message, code, details, hint) {
      super(message);
      this.code = code;
      if (details !== undefined) this.details = details;
      if (hint !== undefined) this.hint = hint;
    }
  }
  Object.defineProperty(DatabaseError.prototype, "name", { value: "DatabaseError" });
  class Refusal extends Error {}
  Object.defineProperty(Refusal.prototype, "name", { value: "Refusal" });

  // ---- the parts of the first argument -------------------------------------------------------------------------
  const isThenable = (value) => value !== null && typeof value === "object" && typeof value.then === "function";
  const step = (label, work) => {
    if (typeof work !== "function") throw new TypeError("step(label, work): work must be a function");
    const number = host.step_begin(label);
    let result;
    try {
      result = work();
    } catch (error) {
      host.step_end(number, false);
      throw error;
    }
    if (!isThenable(result)) {
      host.step_end(number, true);
      return result;
    }
    return result.then(
      (value) => {
        host.step_end(number, true);
        return value;
      },
      (error) => {
        host.step_end(number, false);
        throw error;
      },
    );
  };
  const note = (words) => host.note(words);
  const emit = (name, event) => {
    const { key, ...payload } = event ?? {};
    host.emit(name, key, payload);
  };
  const reject = (status, message, details) => {
    throw new Refusal(host.reject(status, message, details));
  };
  const later = (name, input, options) => host.later(name, input, options);
  const uuid = () => host.uuid();
  const log = (...values) => console.log(...values);
  const unknown = (known) =>
    new Proxy(Object.create(null), {
      get(_, name) {
        // `await db` and printing ask for these; they mean no table.
        if (typeof name === "symbol" || name === "then" || name === "toJSON") return undefined;
        throw new TypeError(host.unknown_table(String(name)));
      },
      has: () => false,
    });

  return {
    decimal: (s, text) => new Exact(undefined, s, text),
    decimal_text: (value) => (Exact.is(value) ? Exact.prototype.toString.call(value) : undefined),
    decimal_proto: Exact.prototype,
    database_error: (message, code, details, hint) => new DatabaseError(message, code, details, hint),
    hex: (bytes) => bytes.toHex(),
    db: (tables) => Object.setPrototypeOf(tables, unknown(Object.keys(tables))),
    argument: (db) => (user, now) => ({ db, user, step, note, emit, later, reject, now, uuid, Decimal, log }),
    parts: [Decimal, DatabaseError, Refusal, step, note, emit, later, reject, uuid, log, console],
    Decimal,
  };
})
