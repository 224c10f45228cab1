// Taking an order back. Customers may while nothing has happened to it yet; staff also once it is paid.
// The goods return to the shelf in the same transaction.

import { eventLines } from "./_order_lines.ts";

export const label = { en: "Cancel order", de: "Bestellung stornieren" };
export const about = {
  en: "Cancels an order that has not left the house and puts its goods back on the shelf.",
  de: "Storniert eine Bestellung, die noch nicht unterwegs ist, und stellt die Ware zurück ins Regal.",
};
export const access = ["authenticated"];
export const runs_as = "service"; // neither status nor stock are the customers' to write
export const input = { order_id: "uuid" };

export default async function ({ db, user, step, emit, reject }: Takt.Context, { order_id }) {
  const staff = user.roles.includes("staff");

  await step({ en: "Order checked", de: "Bestellung geprüft" }, async () => {
    const order = await db.orders.get(order_id);
    if (!order || (order.customer_id !== user.id && !staff)) {
      reject(404, { en: "We could not find this order.", de: "Diese Bestellung haben wir nicht gefunden." });
    }
  });

  const order = await step({ en: "Order cancelled", de: "Bestellung storniert" }, async () => {
    const open = staff ? ["pending", "paid"] : ["pending"];
    // The condition travels with the write: whoever ships at the same moment wins or loses as a whole.
    const [cancelled] = await db.orders.update({ id: order_id, status: { in: open } }, { status: "cancelled" });
    if (!cancelled) {
      reject(409, {
        en: "This order can no longer be cancelled. Please write to us and we will find a way.",
        de: "Diese Bestellung lässt sich nicht mehr stornieren. Schreiben Sie uns, wir finden einen Weg.",
      });
    }
    return cancelled;
  });

  const items = await step({ en: "Stock returned", de: "Bestand zurückgegeben" }, async () => {
    const rows = await db.order_items.find({ where: { order_id }, order: "product_id.asc" });
    const slugs = new Map<string, string>();
    for (const row of rows) {
      const [product] = await db.products.update({ id: row.product_id }, { stock: { add: row.quantity } });
      slugs.set(product.id, product.slug);
    }
    return eventLines(rows, slugs);
  });

  emit("order.cancelled", { key: order.id, order, items });

  return { order_id: order.id, number: order.number, status: order.status };
}
