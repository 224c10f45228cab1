// The translator between the shop and the payment service (Stripe's interface). Lives here: which payments succeeded
// there, so that both sides can be compared. Not here: when that is done (`interfaces/payment.toml`), and what follows
// from a payment (`payment_received.ts`, the same whether the message came or was missed).

export const kind = "mapping";
export const label = { en: "Payment service", de: "Zahlungsdienst" };
export const about = {
  en: "Lists the payments that succeeded, to compare them with the orders.",
  de: "Listet die gelungenen Zahlungen auf, um sie mit den Bestellungen abzugleichen.",
};

const PAGE = 100;

/** Every payment for an order of ours that succeeded: its order, its amount, and the message that should have come. */
export function payments({ payload: { from, to } }: Takt.Event<{ from: string; to: string }>, { call, Decimal }: Takt.Talk) {
  const found = [];
  let after: string | undefined;
  for (;;) {
    const { body } = call("GET", "/v1/payment_intents", {
      query: {
        "created[gte]": seconds(from),
        "created[lte]": seconds(to),
        limit: PAGE,
        ...(after ? { starting_after: after } : {}),
      },
    });
    for (const payment of body.data) {
      // Payments for other things than orders are none of our business.
      if (payment.status !== "succeeded" || !payment.metadata?.order) continue;
      const amount = new Decimal(String(payment.amount_received)).div(100, 2).toString();
      found.push({
        key: payment.metadata.order,
        at: payment.created,
        // The shop sells in euros: another currency never agrees.
        total: payment.currency === "eur" ? amount : `${amount} ${payment.currency}`,
        message: { id: `reconciled_${payment.id}`, type: "payment_intent.succeeded", data: { object: payment } },
      });
    }
    if (!body.has_more) return found;
    after = body.data.at(-1).id;
  }
}

function seconds(moment) {
  return Math.floor(Date.parse(moment) / 1000);
}
