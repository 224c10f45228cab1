// The means of a function that delivers an event in several calls: `call`, `step`, `refuse`.
// Evaluated once per delivery with `means`, texts in and texts out.
(function (means) {
  "use strict";
  const call = (method, path, { query, headers, body, accept } = {}) => {
    const request = { method, path, query, headers, body, accept };
    return JSON.parse(means.call(means.json(request)));
  };
  // What a step gave is kept with the delivery: a later attempt goes on behind it.
  const step = async (name, work) => {
    const kept = means.kept(name);
    if (kept !== undefined && kept !== null) return JSON.parse(kept);
    const result = await work();
    means.keep(name, means.json(result === undefined ? null : result));
    return result;
  };
  const refuse = (message) => {
    means.refuse();
    throw new Error(message);
  };
  return { call, step, refuse };
})
