// "Buy now": turns a basket into an order. Lives here: the rules of a purchase, in the order in which they hold.
// Everything below is one transaction: either stock, order, lines and event are all written, or nothing is.
// The customer says what and how many; prices, tax and stock come only from our own tables.

import { eventLines } from "./_order_lines.ts";

export const label = { en: "Buy now", de: "Jetzt kaufen" };
export const about = {
  en: "Reserves the stock, writes the order with today's prices and announces it.",
  de: "Reserviert den Bestand, schreibt die Bestellung zu den Preisen von heute und meldet sie weiter.",
};
export const access = ["authenticated"];
export const runs_as = "service"; // stock and orders are not the customers' to write
export const input = {
  items: [{ product_id: "uuid", quantity: { type: "integer", check: "quantity >= 1" } }],
  address_id: "uuid",
  payment_method: { type: "enum", values: ["invoice", "prepayment", "online"], optional: true }, // invoice if nothing is said
};

const MOST_OF_ONE_PRODUCT = 99;
const MOST_LINES = 50;

export default async function ({ db, user, step, emit, reject, Decimal }: Takt.Context, { items, address_id, payment_method }) {
  const wanted = await step({ en: "Basket checked", de: "Warenkorb geprüft" }, async () => basket(items, reject));

  const address = await step({ en: "Address checked", de: "Adresse geprüft" }, async () => {
    const found = await db.addresses.get(address_id);
    // Somebody else's address is answered like one that does not exist: nobody learns that it does.
    if (!found || found.customer_id !== user.id) {
      reject(404, {
        en: "We could not find this delivery address. Please choose another one.",
        de: "Diese Lieferadresse haben wir nicht gefunden. Bitte wählen Sie eine andere.",
      });
    }
    return found;
  });

  const products = await step({ en: "Stock reserved", de: "Bestand reserviert" }, async () => {
    const reserved = [];
    for (const { product_id, quantity } of wanted) {
      const [product] = await db.products.update(
        { id: product_id, active: true, stock: { gte: quantity } },
        { stock: { sub: quantity } },
      );
      if (!product) refuse(await db.products.get(product_id), reject);
      reserved.push(product);
    }
    return reserved;
  });

  const profile = await db.customers.get(user.id);
  const language = profile ? profile.language : "de";

  const lines = wanted.map(({ product_id, quantity }, i) => {
    const product = products[i];
    return {
      product_id,
      name: language === "en" ? product.name_en : product.name_de,
      quantity,
      unit_price: product.price,
      tax_rate: product.tax_rate,
      line_total: product.price.mul(quantity),
    };
  });

  const { order, rows } = await step({ en: "Order written", de: "Bestellung geschrieben" }, async () => {
    const order = await db.orders.insert({
      customer_id: user.id,
      email: user.email,
      language,
      payment_method: payment_method ?? "invoice",
      total: lines.reduce((sum, line) => sum.add(line.line_total), new Decimal("0.00")),
      tax_total: includedTax(lines, Decimal),
      ship_name: address.name,
      ship_street: address.street,
      ship_postal_code: address.postal_code,
      ship_city: address.city,
      ship_country: address.country,
    });
    const rows = await db.order_items.insert(lines.map((line) => ({ order_id: order.id, ...line })));
    return { order, rows };
  });

  const slugs = new Map(products.map((product) => [product.id, product.slug]));
  emit("order.placed", { key: order.id, order, items: eventLines(rows, slugs) }); // leaves if and only if this commits

  return { order_id: order.id, number: order.number, total: order.total, status: order.status, items: lines };
}

/** One line per product, sorted by product: two baskets then never wait for each other crosswise. */
function basket(items, reject) {
  const quantities = new Map<string, number>();
  for (const { product_id, quantity } of items) {
    quantities.set(product_id, (quantities.get(product_id) ?? 0) + quantity);
  }
  if (quantities.size === 0) {
    reject(422, { en: "Your basket is empty.", de: "Ihr Warenkorb ist leer." });
  }
  if (quantities.size > MOST_LINES) {
    reject(422, {
      en: `Please order at most ${MOST_LINES} different products at once.`,
      de: `Bitte bestellen Sie höchstens ${MOST_LINES} verschiedene Artikel auf einmal.`,
    });
  }
  const wanted = [...quantities].map(([product_id, quantity]) => ({ product_id, quantity }));
  if (wanted.some((line) => line.quantity > MOST_OF_ONE_PRODUCT)) {
    reject(422, {
      en: `Please order at most ${MOST_OF_ONE_PRODUCT} of one product.`,
      de: `Bitte bestellen Sie höchstens ${MOST_OF_ONE_PRODUCT} Stück von einem Artikel.`,
    });
  }
  return wanted.sort((a, b) => (a.product_id < b.product_id ? -1 : 1));
}

/** Says why a product could not be reserved. Never returns. */
function refuse(product, reject) {
  if (!product || !product.active) {
    reject(409, {
      en: "A product in your basket is no longer for sale.",
      de: "Ein Artikel in Ihrem Warenkorb ist nicht mehr im Verkauf.",
    });
  }
  if (product.stock === 0) {
    reject(409, { en: `${product.name_en} is sold out.`, de: `${product.name_de} ist ausverkauft.` });
  }
  reject(409, {
    en: `Only ${product.stock} left of ${product.name_en}.`,
    de: `Von ${product.name_de} sind nur noch ${product.stock} da.`,
  });
}

/**
 * The tax contained in gross prices, rounded once per tax rate as on an invoice: gross * rate / (100 + rate).
 * Counted in whole cents and hundredths of a percent, so that the division is exact up to its one rounding.
 */
function includedTax(lines, Decimal) {
  const grossByRate = new Map<bigint, bigint>();
  for (const line of lines) {
    const rate = hundredths(line.tax_rate);
    grossByRate.set(rate, (grossByRate.get(rate) ?? 0n) + hundredths(line.line_total));
  }
  let cents = 0n;
  for (const [rate, gross] of grossByRate) {
    const divisor = 10000n + rate;
    cents += (2n * gross * rate + divisor) / (2n * divisor); // half up
  }
  const digits = cents.toString().padStart(3, "0");
  return new Decimal(`${digits.slice(0, -2)}.${digits.slice(-2)}`);
}

/** "12.90" or "12.9" -> 1290n */
function hundredths(decimal): bigint {
  const [whole, fraction = ""] = decimal.toString().split(".");
  return BigInt(whole + fraction.padEnd(2, "0").slice(0, 2));
}
