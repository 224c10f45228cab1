// A payment has come in: its order is paid. Lives here: which order, and whether the amount is right. Not here: whether
// the message is genuine (`interfaces/payment.toml`), that it counts once, however often it is sent, and what others
// hear of it (`order_changed.ts`).
// What does not fit changes nothing and waits as a dead letter, so that a person looks at it.

export const kind = "consumer";
export const label = { en: "Payment received", de: "Zahlung eingegangen" };
export const about = {
  en: "Sets the order to paid if order, amount and currency fit.",
  de: "Setzt die Bestellung auf bezahlt, wenn Bestellung, Betrag und Währung stimmen.",
};
export const on = "payment.payment_intent.succeeded";

export default async function ({ db, step, reject, Decimal }: Takt.Context, event: Takt.Event) {
  const payment = event.payload.data.object;
  const number = payment.metadata?.order;

  const order = await step({ en: "Order found", de: "Bestellung gefunden" }, async () => {
    const [found] = number ? await db.orders.find({ where: { number }, limit: 1 }) : [];
    // The message may be faster than our own row: thrown, not refused, so that it is tried again.
    if (!found) throw new Error(`there is no order ${number}`);
    return found;
  });

  await step({ en: "Amount compared", de: "Betrag verglichen" }, async () => {
    const cents = new Decimal(String(payment.amount_received)).div(100, 2);
    if (!cents.eq(order.total) || payment.currency !== "eur") {
      reject(422, {
        en: `Paid were ${cents} ${payment.currency}, the order costs ${order.total} eur.`,
        de: `Bezahlt wurden ${cents} ${payment.currency}, die Bestellung kostet ${order.total} eur.`,
      });
    }
  });

  await step({ en: "Order paid", de: "Bestellung bezahlt" }, async () => {
    const [paid] = await db.orders.update({ id: order.id, status: "pending" }, { status: "paid" });
    // Shipped on invoice before, or set to paid by staff: the money is there, nothing else changes.
    if (!paid && order.status === "cancelled") {
      reject(409, {
        en: `The order ${order.number} was cancelled, and paid all the same: the money must go back.`,
        de: `Die Bestellung ${order.number} ist storniert und wurde trotzdem bezahlt: Das Geld muss zurück.`,
      });
    }
  });
}
