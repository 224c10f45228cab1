// The one door to the server. Lives here: requests in the public dialects (/rest/v1, /auth/v1), and errors in plain words.
// Reading needs no key: a request without one is an anonymous visitor's.

import { language, t } from "./text.js";
import { accessToken, renewSession } from "./session.js";

/** What went wrong: `code` for programs, `message` for people if the server wrote it for them. */
export class ApiError extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status; // 0: the server was not reached
    this.code = code;
  }
}

/** Sends one request and returns { body, headers }. Throws ApiError for everything else. */
export async function send(method, path, { body, headers = {}, token } = {}) {
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: {
        accept: "application/json",
        "accept-language": language,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new ApiError(0, "network", "");
  }
  const text = await response.text().catch(() => "");
  let data = null;
  try {
    data = text ? JSON.parse(text) : null;
  } catch {
    if (response.ok) throw new ApiError(response.status, "answer", "");
  }
  if (!response.ok) {
    // /rest/v1 says { code, message }; /auth/v1 says { error_code, msg } or { code, message }.
    throw new ApiError(response.status, data?.error_code ?? data?.code ?? `HTTP ${response.status}`, data?.message ?? data?.msg ?? "");
  }
  return { body: data, headers: response.headers };
}

/** Like `send`, as whoever is signed in. A token that has just expired is renewed once. */
async function sendAsUser(method, path, options = {}) {
  const token = await accessToken();
  try {
    return await send(method, path, { ...options, token });
  } catch (error) {
    if (error.status !== 401 || !token || error.code === "42501") throw error;
    return await send(method, path, { ...options, token: await renewSession(token) });
  }
}

const url = (table, query) => `/rest/v1/${table}?${new URLSearchParams(query)}`;

/** Rows of a table: rows("products", { select: "id,slug", price: "gte.10" }) */
export async function rows(table, query = {}) {
  return (await sendAsUser("GET", url(table, query))).body;
}

/** Rows and how many there are in all: { rows, total } */
export async function rowsAndTotal(table, query) {
  const { body, headers } = await sendAsUser("GET", url(table, query), { headers: { prefer: "count=exact" } });
  const total = Number(headers.get("content-range")?.split("/")[1]);
  return { rows: body, total: Number.isFinite(total) ? total : body.length };
}

const returned = (extra = "") => ({ headers: { prefer: `return=representation${extra}` } });

export async function insert(table, row) {
  return (await sendAsUser("POST", url(table, {}), { body: row, ...returned() })).body[0];
}
export async function upsert(table, row) {
  return (await sendAsUser("POST", url(table, {}), { body: row, ...returned(",resolution=merge-duplicates") })).body[0];
}
export async function update(table, id, changes) {
  return (await sendAsUser("PATCH", url(table, { id: `eq.${id}` }), { body: changes, ...returned() })).body[0];
}
export async function remove(table, id) {
  await sendAsUser("DELETE", url(table, { id: `eq.${id}` }));
}

/** Calls a function of the shop. With `key`, a repeat gives the first answer instead of doing it twice. */
export async function call(name, input, key) {
  const headers = key ? { "idempotency-key": key } : {};
  return (await sendAsUser("POST", `/rest/v1/rpc/${name}`, { body: input, headers })).body;
}

const BY_CODE = {
  invalid_credentials: "error.credentials",
  user_already_exists: "error.taken",
  email_exists: "error.taken",
  weak_password: "error.weak",
  email_address_invalid: "error.email",
  validation_failed: "error.input",
  session: "error.session",
  PGRST301: "error.session",
  PGRST303: "error.session",
  42501: "error.refused",
  23514: "error.input",
  23502: "error.input",
  "22P02": "error.input",
};

/** One sentence for the visitor. What the shop's own rules refused, they have already put into words. */
export function explain(error) {
  if (!(error instanceof ApiError)) {
    console.error(error);
    return t("error.other", { code: "client" });
  }
  if (error.code === "REJECTED") return error.message;
  if (error.status === 0) return t("error.network");
  if (error.status === 429 || error.status === 503) return t("error.busy");
  return t(BY_CODE[error.code] ?? "error.other", { code: error.code });
}

/** True if sending the same thing again is sensible: nobody has refused it, it only did not arrive. */
export const worthRepeating = (error) => error instanceof ApiError && (error.status === 0 || error.status >= 500);
