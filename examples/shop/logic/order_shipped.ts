// A parcel leaves the house. Whoever moves the status to "shipped" (staff, the console, another program), the event
// is written in the same transaction, once: a shipped order has no way on.

import { eventLines } from "./_order_lines.ts";

export const kind = "hook";
export const label = { en: "Parcel announced", de: "Paket angekündigt" };
export const about = {
  en: "Announces an order that has become shipped, with its lines.",
  de: "Meldet eine Bestellung weiter, die versandt wurde, mit ihren Positionen.",
};
export const on = { table: "orders", verbs: ["update"] };
export const runs_as = "service"; // the event is the same, whatever the writer may see

export default async function ({ db, emit }: Takt.Context, { before, after }: Takt.Written<Takt.Rows.Orders>) {
  if (after.status !== "shipped" || before.status === "shipped") return;
  const rows = await db.order_items.find({ where: { order_id: after.id }, order: "product_id.asc" });
  const products = await db.products.find({ where: { id: { in: rows.map((row) => row.product_id) } } });
  const slugs = new Map(products.map((product) => [product.id, product.slug]));
  emit("order.shipped", { key: after.id, order: after, items: eventLines(rows, slugs) });
}
