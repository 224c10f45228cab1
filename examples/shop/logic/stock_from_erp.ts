// The ERP leads the stock: every few minutes its figures come here. What was sold here and has not arrived there yet is
// taken off, or it could be sold twice.
// Whether an answer can be right at all (suddenly most articles sold out, or fewer than before) is said by `plausible` in
// `interfaces/erp.toml`; what only the shop can tell is looked at here: whether these are its articles.

export const kind = "consumer";
export const label = { en: "Stock from the ERP", de: "Bestand aus der Warenwirtschaft" };
export const about = {
  en: "Takes over the stock that the ERP reports, unless it cannot be right.",
  de: "Übernimmt den gemeldeten Bestand, außer er kann nicht stimmen.",
};
export const on = "erp.stock";

export default async function ({ db, step, reject }, event) {
  const told = new Map(event.payload.products.map((p) => [p.slug, p.stock]));
  const ours = await db.products.find({ limit: 1000 });

  await step({ en: "Answer checked", de: "Antwort geprüft" }, async () => {
    const known = ours.filter((p) => told.has(p.slug));
    if (known.length < ours.length / 2) {
      reject(422, {
        en: `This cannot be right: ${known.length} of ${ours.length} articles known. The stock stays as it was.`,
        de: `Das kann nicht stimmen: ${known.length} von ${ours.length} Artikeln bekannt. Der Bestand bleibt, wie er war.`,
      });
    }
  });

  const underway = await step({ en: "Orders under way counted", de: "Bestellungen unterwegs gezählt" }, async () => {
    const orders = await db.orders.find({
      where: { erp_number: null, status: { in: ["pending", "paid"] } },
      limit: 1000,
    });
    const counts = new Map<string, number>();
    if (orders.length === 0) return counts;
    const lines = await db.order_items.find({ where: { order_id: { in: orders.map((o) => o.id) } }, limit: 1000 });
    for (const line of lines) counts.set(line.product_id, (counts.get(line.product_id) ?? 0) + line.quantity);
    return counts;
  });

  await step({ en: "Stock taken over", de: "Bestand übernommen" }, async () => {
    for (const product of ours) {
      const there = told.get(product.slug);
      if (there === undefined) continue;
      const stock = Math.max(0, there - (underway.get(product.id) ?? 0));
      if (stock !== product.stock) await db.products.update({ id: product.id }, { stock });
    }
  });
}
