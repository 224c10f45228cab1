// An order's status has moved on: who did it and when goes into its history, and a payment is announced. Whoever moves
// it (staff over the interface or the console, a payment that came in, another program), both are written in the same
// transaction, once.

export const kind = "hook";
export const label = { en: "Order's history", de: "Verlauf der Bestellung" };
export const about = {
  en: "Notes who moved an order on and when, and announces that it is paid.",
  de: "Vermerkt, wer eine Bestellung wann weitergestellt hat, und meldet weiter, dass sie bezahlt ist.",
};
export const on = { table: "orders", verbs: ["update"] };
export const runs_as = "service"; // nobody writes the history by hand

export default async function ({ db, emit, user }: Takt.Context, { before, after }: Takt.Written<Takt.Rows.Orders>) {
  if (after.status === before.status) return;
  await db.order_changes.insert({
    order_id: after.id,
    before: before.status,
    after: after.status,
    by_account: user?.id ?? null,
    by: user?.email ?? null,
  });
  if (after.status === "paid") emit("order.paid", { key: after.id, order: after });
}
