// Makes a context that may serve many calls: everything that two calls could both reach is frozen. Gives `false`
// when something was met that cannot be frozen; the context then serves one call only.
(function (roots) {
  "use strict";
  const ownKeys = Reflect.ownKeys;
  const describe = Object.getOwnPropertyDescriptor;
  const protoOf = Object.getPrototypeOf;

  // A frozen prototype would forbid `error.name = "X"` on objects that inherit from it, which programs do all
  // the time. So the usual suspects become accessors that put the value on the object itself.
  const enable = (proto, names) => {
    for (const name of names) {
      const found = describe(proto, name);
      if (found === undefined || !("value" in found) || !found.configurable) continue;
      const value = found.value;
      Object.defineProperty(proto, name, {
        get() {
          return value;
        },
        set(next) {
          if (this === proto) throw new TypeError(`${String(name)} of a built-in cannot be changed`);
          Object.defineProperty(this, name, { value: next, writable: true, enumerable: true, configurable: true });
        },
        enumerable: found.enumerable,
        configurable: false,
      });
      roots.push(value);
    }
  };
  const errors = [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, AggregateError, InternalError];
  for (const error of errors) enable(error.prototype, ["name", "message", "constructor", "toString"]);
  enable(Object.prototype, ownKeys(Object.prototype));
  enable(Function.prototype, ["toString", "constructor"]);
  enable(Promise.prototype, ["constructor"]);

  // Intrinsics that no name leads to.
  const iterators = [
    [][Symbol.iterator](),
    new Map()[Symbol.iterator](),
    new Set()[Symbol.iterator](),
    ""[Symbol.iterator](),
    "".matchAll(/x/g),
    [].values().map((x) => x),
    Iterator.from({ next() {} }),
    (function* () {})(),
    (async function* () {})(),
  ];
  for (const iterator of iterators) roots.push(protoOf(iterator), protoOf(protoOf(iterator)));
  roots.push(protoOf(function* () {}), protoOf(async function* () {}), protoOf(async function () {}), protoOf(Int8Array), globalThis);

  const keepState = [Map, Set, WeakMap, WeakSet, Date, Promise, ArrayBuffer];
  const generator = protoOf(function* () {}).prototype;
  // The `prototype` of a generator function inherits directly from the intrinsic; a running generator does not.
  const isGenerator = (value) => generator.isPrototypeOf(value) && protoOf(value) !== generator;
  const isOpen = (value) =>
    keepState.some((kind) => value instanceof kind) || ArrayBuffer.isView(value) || isGenerator(value);

  let sealed = true;
  const seen = new Set();
  const queue = [...roots];
  while (queue.length > 0) {
    const value = queue.pop();
    if (value === null || (typeof value !== "object" && typeof value !== "function") || seen.has(value)) continue;
    seen.add(value);
    if (isOpen(value)) sealed = false;
    Object.freeze(value);
    queue.push(protoOf(value));
    for (const key of ownKeys(value)) {
      const found = describe(value, key);
      if (found === undefined) continue;
      if ("value" in found) queue.push(found.value);
      else queue.push(found.get, found.set);
    }
  }
  return sealed;
})
