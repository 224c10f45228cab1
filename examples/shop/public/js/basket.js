// The basket. Lives here: which product and how many, kept in this browser until it is bought.
// Prices are never kept: they are read anew wherever the basket is shown, and the server alone decides when buying.

const STORE = "basket";
const MOST = 99;
const listeners = new Set();

function read() {
  try {
    const lines = JSON.parse(localStorage.getItem(STORE));
    return Array.isArray(lines) ? lines.filter((line) => line.product_id && line.quantity >= 1) : [];
  } catch {
    return [];
  }
}

function write(lines) {
  localStorage.setItem(STORE, JSON.stringify(lines));
  listeners.forEach((listener) => listener());
}

window.addEventListener("storage", (event) => {
  if (event.key === STORE) listeners.forEach((listener) => listener());
});

export const onBasket = (listener) => listeners.add(listener);

/** [{ product_id, quantity }] in the order in which they were added */
export const lines = () => read();
export const count = () => read().reduce((sum, line) => sum + line.quantity, 0);
export const quantityOf = (product_id) => read().find((line) => line.product_id === product_id)?.quantity ?? 0;

/** Adds to the basket, but never beyond `stock`. Returns how many could be added. */
export function add(product_id, quantity, stock) {
  const have = quantityOf(product_id);
  const wanted = Math.min(have + quantity, stock, MOST);
  if (wanted > have) set(product_id, wanted);
  return Math.max(wanted - have, 0);
}

/** Sets the quantity of one product; 0 removes it. */
export function set(product_id, quantity) {
  const all = read();
  const line = all.find((l) => l.product_id === product_id);
  if (line) line.quantity = Math.min(quantity, MOST);
  else all.push({ product_id, quantity: Math.min(quantity, MOST) });
  write(all.filter((l) => l.quantity >= 1));
}

export const clear = () => write([]);

/**
 * The key under which the server remembers this purchase. The same basket and address get the same key again, also
 * after a reload, so that pressing "Buy now" twice buys once; anything else in the basket is another purchase.
 */
export function purchaseKey(request) {
  const body = JSON.stringify(request);
  const kept = JSON.parse(sessionStorage.getItem("purchase") ?? "null");
  if (kept?.body === body) return kept.key;
  const key = randomKey();
  sessionStorage.setItem("purchase", JSON.stringify({ body, key }));
  return key;
}

/** crypto.randomUUID exists on secure origins only; a trial in the local network has none. */
function randomKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** After an answer, good or bad, the next purchase is a new one. */
export const forgetPurchase = () => sessionStorage.removeItem("purchase");
