// Who is signed in. Lives here: signing up, in and out, and renewing the access token before it expires.
// The session is kept in localStorage and shared by all open tabs.

import { ApiError, send } from "./api.js";

const STORE = "session";
const RENEW_BEFORE_S = 60;

let session = read();
const listeners = new Set();

function read() {
  try {
    return JSON.parse(localStorage.getItem(STORE));
  } catch {
    return null;
  }
}

function keep(next) {
  session = next;
  if (next) localStorage.setItem(STORE, JSON.stringify(next));
  else localStorage.removeItem(STORE);
  listeners.forEach((listener) => listener());
}

window.addEventListener("storage", (event) => {
  if (event.key !== STORE) return;
  session = read();
  listeners.forEach((listener) => listener());
});

/** { id, email } or null */
export const user = () => session?.user ?? null;
export const onSession = (listener) => listeners.add(listener);

function fromAnswer({ access_token, refresh_token, expires_in, user }) {
  return {
    access_token,
    refresh_token,
    expires_at: Math.floor(Date.now() / 1000) + expires_in, // by our own clock, which may differ from the server's
    user: { id: user.id, email: user.email },
  };
}

/** Resolves to true if the new account is signed in at once, to false if its address has to be confirmed first. */
export async function signUp(email, password, name) {
  const { body } = await send("POST", "/auth/v1/signup", { body: { email, password, data: { name } } });
  if (!body.access_token) return false;
  keep(fromAnswer(body));
  return true;
}

export async function signIn(email, password) {
  const { body } = await send("POST", "/auth/v1/token?grant_type=password", { body: { email, password } });
  keep(fromAnswer(body));
}

export async function signOut() {
  const token = session?.access_token;
  keep(null);
  // Here we are signed out whatever the server says; it only has to end its part of the session too.
  await send("POST", "/auth/v1/logout?scope=local", { token }).catch(() => {});
}

/** The token to send, renewed if it is about to expire; null for visitors. */
export async function accessToken() {
  if (!session) return null;
  if (session.expires_at - Date.now() / 1000 > RENEW_BEFORE_S) return session.access_token;
  return renewSession(session.access_token);
}

let renewing = null;

/** Exchanges the refresh token, once for all who wait for it. Throws ApiError "session" if the session is over. */
export function renewSession(usedToken) {
  renewing ??= inOneTab(() => renew(usedToken)).finally(() => (renewing = null));
  return renewing;
}

const inOneTab = (work) => (navigator.locks ? navigator.locks.request("session", work) : work());

async function renew(usedToken) {
  session = read(); // another tab may have been faster
  if (!session) throw new ApiError(401, "session", "");
  if (session.access_token !== usedToken) return session.access_token;
  try {
    const { body } = await send("POST", "/auth/v1/token?grant_type=refresh_token", { body: { refresh_token: session.refresh_token } });
    keep(fromAnswer(body));
    return session.access_token;
  } catch (error) {
    if (error.status === 0 || error.status === 429 || error.status >= 500) throw error; // an outage ends nobody's session
    keep(null);
    throw new ApiError(401, "session", "");
  }
}
