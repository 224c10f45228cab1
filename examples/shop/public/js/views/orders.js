// My orders: what was bought, where it is, and the way back as long as nothing has happened to it.

import { call, explain, rows } from "../api.js";
import { h, tell } from "../dom.js";
import { user } from "../session.js";
import { date, money, t } from "../text.js";

export async function ordersPage() {
  const content = h("div", { class: "narrow" });
  async function render() {
    // Staff may read every order; on this page they too want only their own.
    const orders = await rows("orders", { select: "*,order_items(*)", customer_id: `eq.${user().id}`, order: "created_at.desc", "order_items.order": "name.asc" });
    content.replaceChildren(
      h("h1", null, t("orders.title")),
      orders.length
        ? h("ul", { class: "orders" }, orders.map((order) => row(order, render)))
        : h("div", { class: "lost" }, h("p", { class: "lead" }, t("orders.none")), h("p", null, h("a", { class: "button", href: "#/shop" }, t("basket.empty.action")))));
  }
  await render();
  return { title: t("orders.title"), content };
}

function row(order, render) {
  return h("li", { class: "panel order", "data-testid": "order-row", "data-number": order.number },
    h("header", null,
      h("h2", null, order.number, " ", h("small", null, t("orders.from", { date: date(order.created_at) }))),
      h("span", { class: `tag ${order.status}`, "data-testid": "order-status" }, t(`status.${order.status}`))),
    h("ul", { class: "brief" }, order.order_items.map((item) =>
      h("li", { "data-testid": "order-item" }, h("span", null, `${item.quantity} × ${item.name}`), h("span", null, money(item.line_total)))),
      h("li", { class: "sum" }, h("b", null, t("basket.total")), h("b", null, money(order.total)))),
    h("footer", null,
      h("p", { class: "quiet", "data-testid": "order-payment" }, `${t("orders.payment")} ${t(`payment.${order.payment_method}`)}`),
      h("p", { class: "quiet" }, `${t("orders.to")} ${order.ship_name}, ${order.ship_street}, ${order.ship_postal_code} ${order.ship_city}`),
      order.status === "pending" && cancelBox(order, render)));
}

/** Asks once more before it cancels. */
function cancelBox(order, render) {
  const ask = h("button", { type: "button", class: "link", "data-testid": "cancel-order", "aria-label": t("orders.cancel.of", order), onclick: () => {
    box.replaceChildren(h("span", null, t("orders.cancel.sure")), " ", yes, " ", no);
    no.focus();
  } }, t("orders.cancel"));
  const yes = h("button", { type: "button", class: "button plain small", "data-testid": "cancel-confirm", onclick: cancel }, t("orders.cancel.yes"));
  const no = h("button", { type: "button", class: "button plain small", onclick: () => {
    box.replaceChildren(ask);
    ask.focus();
  } }, t("orders.cancel.no"));
  const box = h("p", { class: "cancel" }, ask);

  async function cancel() {
    yes.disabled = true;
    try {
      await call("cancel_order", { order_id: order.id });
      tell(t("orders.cancelled", order));
    } catch (error) {
      tell(explain(error));
    }
    await render().catch((error) => tell(explain(error)));
  }
  return box;
}
