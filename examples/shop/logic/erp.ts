// The translator between the shop and the ERP (Tryton's REST interface). Lives here: which calls make a sale of an
// order, and what stock looks like there. Not here: when it is tried again (`interfaces/erp.toml`), and what the shop
// does with the answers (`sale_in_erp.ts`, `stock_from_erp.ts`).
// Tryton knows no idempotency keys: each creation is preceded by a look whether it is there already, and finished
// steps are kept, so that a second attempt goes on where the first one stopped.

export const kind = "mapping";
export const label = { en: "ERP", de: "Warenwirtschaft" };
export const about = {
  en: "Makes a sale of each order and reads the stock.",
  de: "Macht aus jeder Bestellung einen Verkauf und liest die Bestände.",
};

// Where things are in this Tryton. A fresh one made by tests/partners has these ids; yours are in its own lists.
const COMPANY = 1;
const CURRENCY = 1;
const WAREHOUSE = 5;
const PAYMENT_TERM = 10;
const UNIT = 1;
const COUNTRIES = { DE: 1, AT: 2 };

const SALE = "/model/sale.sale";
const PARTY = "/model/party.party";
const PRODUCT = "/model/product.product";

/** An order becomes a confirmed sale; gives back its number there. */
export async function sendOrder(event: Takt.Event, { call, step, refuse }: Takt.Talk) {
  const { order, items } = event.payload;
  const products = await step("products", () => productIds(items, call, refuse));
  const party = await step("party", () => partyOf(order, call));
  const sale = await step("sale", () => saleOf(order, items, products, party, call));
  const number = await confirmed(sale, call);
  return { order_id: order.id, erp_id: sale, erp_number: number };
}

/** What may still be sold, by article. */
export async function stock(event: Takt.Event, { call }: Takt.Talk) {
  // Without a place in the context Tryton answers 0 for everything, and calls that a success; `plausible` in
  // interfaces/erp.toml would refuse it.
  const context = base64(JSON.stringify({ company: COMPANY, locations: [WAREHOUSE] }));
  const { body } = call("GET", PRODUCT, {
    query: { f: ["code", "forecast_quantity"] },
    headers: { "X-Tryton-Context": context },
  });
  // When the question was asked: what was sold since may be in the answer or not (`stock_from_erp.ts`).
  return { asked_at: event.at, products: body.map((p) => ({ slug: p.code, stock: Math.max(0, Math.floor(p.forecast_quantity)) })) };
}

/** Of these orders, the ones that are there, to compare both sides. */
export function sales({ payload: { keys } }: Takt.Event<{ keys: string[] }>, { call }: Takt.Talk) {
  const AT_ONCE = 50;
  const found = [];
  for (let at = 0; at < keys.length; at += AT_ONCE) {
    const numbers = keys.slice(at, at + AT_ONCE);
    found.push(...find(SALE, [["reference", "in", numbers]], ["reference", "untaxed_amount", "state"], call));
  }
  return found.map((sale) => ({
    key: sale.reference,
    total: decimal(sale.untaxed_amount),
    cancelled: sale.state === "cancelled",
  }));
}

/** A decimal comes as a number or as Tryton's tagged object. */
function decimal(value) {
  return String(value?.decimal ?? value);
}

/** Ids of the articles there, by slug. */
function productIds(items, call, refuse) {
  const slugs = items.map((item) => item.slug);
  const found = find(PRODUCT, [["code", "in", slugs]], ["code"], call);
  const ids = Object.fromEntries(found.map((p) => [p.code, p.id]));
  const missing = slugs.filter((slug) => ids[slug] === undefined);
  // Only somebody who adds the article there can help.
  if (missing.length > 0) refuse(`the ERP does not know the article ${missing.join(", ")}`);
  return ids;
}

/** The customer there, under the number of the account here. The address of this order is added if it is new. */
function partyOf(order, call) {
  const code = order.customer_id;
  const [known] = find(PARTY, [["code", "=", code]], ["addresses.street", "addresses.postal_code"], call);
  if (!known) {
    const made = create(PARTY, ["addresses"], {
      name: order.ship_name,
      code,
      addresses: [["create", [addressOf(order)]]],
      contact_mechanisms: [["create", [{ type: "email", value: order.email }]]],
    }, call, "party_create");
    return { id: made.id, address: made.addresses[0] };
  }
  const same = known.addresses.find(
    (a) => a.street === order.ship_street && a.postal_code === order.ship_postal_code,
  );
  if (same) return { id: known.id, address: same.id };
  const { body } = call("PUT", `${PARTY}/${known.id}`, {
    query: { f: "addresses" },
    body: { addresses: [["create", [addressOf(order)]]] },
  });
  return { id: known.id, address: body.addresses.at(-1) };
}

function addressOf(order) {
  return {
    party_name: order.ship_name,
    street: order.ship_street,
    postal_code: order.ship_postal_code,
    city: order.ship_city,
    country: COUNTRIES[order.ship_country] ?? null,
  };
}

/** The sale under our order number: the one that is there, or a new one. */
function saleOf(order, items, products, party, call) {
  const [known] = find(SALE, [["reference", "=", order.number]], ["state"], call);
  if (known) return known.id;
  const lines = items.map((item) => ({
    product: products[item.slug],
    quantity: item.quantity,
    unit: UNIT,
    unit_price: { __class__: "Decimal", decimal: Number(item.unit_price).toFixed(2) },
  }));
  return create(SALE, ["state"], {
    company: COMPANY,
    currency: CURRENCY,
    warehouse: WAREHOUSE,
    payment_term: PAYMENT_TERM,
    party: party.id,
    invoice_address: party.address,
    shipment_address: party.address,
    reference: order.number,
    lines: [["create", lines]],
  }, call, "sale_create").id;
}

/** Takes the sale through its states, from wherever it stands. Each step is refused there when it was done before. */
function confirmed(sale, call) {
  let { state, number } = read(sale, call);
  if (state === "draft") {
    act(sale, "quote", call);
    ({ state, number } = read(sale, call));
  }
  if (state === "quotation") {
    act(sale, "confirm", call);
    ({ state, number } = read(sale, call));
  }
  // A server that died while it confirmed leaves the sale so, without shipment and invoice, for ever.
  if (state === "confirmed") {
    act(sale, "process", call);
    ({ state, number } = read(sale, call));
  }
  if (state !== "processing" && state !== "done") throw new Error(`the sale stands in state "${state}"`);
  return number;
}

function read(sale, call) {
  return call("GET", `${SALE}/${sale}`, { query: { f: ["state", "number"] }, as: "sale_state" }).body;
}

function act(sale, what, call) {
  call("POST", `${SALE}/${sale}/${what}`, { body: {} });
}

function find(model, domain, fields, call) {
  return call("GET", model, { query: { d: base64(JSON.stringify(domain)), f: fields } }).body;
}

/** `as` is the name of the call in the contract (`interfaces/erp.toml`). */
function create(model, fields, values, call, as) {
  return call("POST", model, { query: { f: fields }, body: values, as }).body;
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Base64 with the alphabet for addresses and with padding, of a text of plain ASCII (JSON escapes the rest). */
function base64(text) {
  const ascii = text.replace(/[\u0080-\uffff]/g, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
  let out = "";
  for (let at = 0; at < ascii.length; at += 3) {
    const [a, b, c] = [0, 1, 2].map((next) => ascii.charCodeAt(at + next));
    out += ALPHABET[a >> 2] + ALPHABET[((a & 3) << 4) | (b >> 4)];
    out += at + 1 < ascii.length ? ALPHABET[((b & 15) << 2) | (c >> 6)] : "=";
    out += at + 2 < ascii.length ? ALPHABET[c & 63] : "=";
  }
  return out;
}
