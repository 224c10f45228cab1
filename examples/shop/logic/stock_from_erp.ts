// The ERP leads the stock: every few minutes its figures come here. What was sold here and is not counted there for
// sure is taken off, or it could be sold twice: orders that have not arrived there, and those that arrived after the
// question was asked, which its answer may have missed.
// Whether an answer can be right at all (suddenly most articles sold out, or fewer than before) is said by `plausible` in
// `interfaces/erp.toml`; what only the shop can tell is looked at here: whether these are its articles.

export const kind = "consumer";
export const label = { en: "Stock from the ERP", de: "Bestand aus der Warenwirtschaft" };
export const about = {
  en: "Takes over the stock that the ERP reports, unless it cannot be right.",
  de: "Übernimmt den gemeldeten Bestand, außer er kann nicht stimmen.",
};
export const on = "erp.stock";

/** More open orders than these are not counted within the time that a function has. */
const MOST_OPEN = 1000;
const PAGE = 1000;

export default async function ({ db, step, note, reject }: Takt.Context, event: Takt.Event) {
  const told = new Map<string, number>(event.payload.products.map((p) => [p.slug, p.stock]));
  const ours = await all(db.products, {});

  await step({ en: "Answer checked", de: "Antwort geprüft" }, async () => {
    const known = ours.filter((p) => told.has(p.slug));
    if (known.length < ours.length / 2) {
      reject(422, {
        en: `This cannot be right: ${known.length} of ${ours.length} articles known. The stock stays as it was.`,
        de: `Das kann nicht stimmen: ${known.length} von ${ours.length} Artikeln bekannt. Der Bestand bleibt, wie er war.`,
      });
    }
    note({
      en: `${known.length} of ${ours.length} articles known`,
      de: `${known.length} von ${ours.length} Artikeln bekannt`,
    });
  });

  const underway = await step({ en: "Orders under way counted", de: "Bestellungen unterwegs gezählt" }, async () => {
    const counts = new Map<string, number>();
    const open = { status: { in: ["pending", "paid"] } };
    const waiting = { ...open, erp_number: null };
    // Better the stock of before than one that leaves orders out.
    const [tooMany] = await db.orders.find({ where: waiting, order: "id.asc", offset: MOST_OPEN, limit: 1 });
    if (tooMany) {
      reject(422, {
        en: `More than ${MOST_OPEN} orders wait for the ERP. The stock stays as it was until they have arrived there.`,
        de: `Mehr als ${MOST_OPEN} Bestellungen warten auf die Warenwirtschaft. Der Bestand bleibt, wie er war, bis sie dort sind.`,
      });
    }
    const meanwhile = { ...open, erp_at: { gte: event.payload.asked_at ?? event.at } };
    const found = [...(await all(db.orders, waiting)), ...(await all(db.orders, meanwhile))];
    const orders = [...new Set(found.map((order) => order.id))];
    for (let at = 0; at < orders.length; at += PAGE) {
      const lines = await all(db.order_items, { order_id: { in: orders.slice(at, at + PAGE) } });
      for (const line of lines) counts.set(line.product_id, (counts.get(line.product_id) ?? 0) + line.quantity);
    }
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

/** Every row that fits, page by page. */
async function all(table, where) {
  const rows = [];
  for (;;) {
    const after = rows.length > 0 ? { ...where, id: { gt: rows.at(-1).id } } : where;
    const page = await table.find({ where: after, order: "id.asc", limit: PAGE });
    rows.push(...page);
    if (page.length < PAGE) return rows;
  }
}
