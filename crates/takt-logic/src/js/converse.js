// The means of a function that delivers an event in several calls: `call`, `step`, `refuse`.
// Evaluated once per delivery with `means`, texts in and texts out.
(function (means) {
  "use strict";
  // The name under which a call stands in the contract: its own, or that of the step around it.
  let current;
  const call = (method, path, { query, headers, body, accept, as = current } = {}) => {
    const request = { method, path, query, headers, body, accept, as };
    return JSON.parse(means.call(means.json(request)));
  };
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
  return { call, step, refuse };
})
