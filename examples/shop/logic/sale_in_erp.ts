// The ERP has taken an order: its number there stands with the order from now on, and the order's goods are counted
// there (see `stock_from_erp.ts`).

export const kind = "consumer";
export const label = { en: "Order taken by the ERP", de: "Bestellung in der Warenwirtschaft" };
export const about = {
  en: "Notes the ERP's number with the order.",
  de: "Vermerkt die Nummer der Warenwirtschaft an der Bestellung.",
};
export const on = "erp.sale";

export default async function ({ db, now }: Takt.Context, event: Takt.Event) {
  const { order_id, erp_number } = event.payload;
  await db.orders.update({ id: order_id }, { erp_number: String(erp_number), erp_at: now });
}
