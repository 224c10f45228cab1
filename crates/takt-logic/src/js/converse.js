// The means of a function that delivers an event in several calls: `call`, `step`, `refuse`, and the class of what
// `call` throws. Evaluated once per delivery with `means`, texts in and texts out.
(function (means) {
  "use strict";
  // What a call threw: no answer, or one that is no success. The database has no part in it.
  class CallError extends Error {}
  Object.defineProperty(CallError.prototype, "name", { value: "CallError" });
  // The name under which a call stands in the contract: its own, or that of the step around it.
  let current;
  const ask = (request) => {
    const { answer, error } = means.call(means.json(request));
    if (error !== undefined) throw new CallError(error);
    return JSON.parse(answer);
  };
  const rest = (method, path, { query, headers, body, accept, as = current } = {}) =>
    ask({ method, path, query, headers, body, accept, as });
  // JSON-RPC: the envelope is made outside, and what comes back is the result alone.
  const rpc = (method, params, { headers, as = current } = {}) => ask({ method, params, headers, as }).body;
  const call = means.is_rpc ? rpc : rest;
  // What a step gave is kept with the delivery: a later attempt goes on behind it.
  const step = async (name, work) => {
    const kept = means.kept(name);
    if (kept !== undefined && kept !== null) return JSON.parse(kept);
    const around = current;
    current = name;
    let result;
    try {
      result = await work();
    } finally {
      current = around;
    }
    means.keep(name, means.json(result === undefined ? null : result));
    return result;
  };
  const refuse = (message) => {
    means.refuse();
    throw new Error(message);
  };
  return { call, step, refuse, CallError };
})
