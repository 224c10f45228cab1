// Buying. Lives here: the checkout page with "Buy now", and the page that says thank you.

import { call, explain, rows, worthRepeating } from "../api.js";
import { clear, forgetPurchase, purchaseKey } from "../basket.js";
import { h, problemLine } from "../dom.js";
import { money, own, t } from "../text.js";
import { addressBook } from "./addresses.js";
import { basketLines, lineTotal, totalsList } from "./basket.js";

// What the storefront offers. Online payment (`online`) needs the form of your payment service on this page.
const WAYS_TO_PAY = ["invoice", "prepayment"];

export async function checkoutPage() {
  const lines = await basketLines();
  if (!lines.length || lines.some((line) => line.problem)) {
    location.replace("#/basket");
    return { title: t("basket.title"), content: h("div") };
  }
  let address = null;
  let way = WAYS_TO_PAY[0];
  const line = problemLine();
  const buy = h("button", { type: "button", class: "button wide buy", "data-testid": "buy-now", onclick: () => purchase() }, t("checkout.buy"));
  const book = await addressBook({ onChoose: (chosen) => {
    address = chosen;
    buy.disabled = !chosen;
    line.textContent = chosen ? "" : t("checkout.address-first");
  } });

  async function purchase() {
    const request = { items: lines.map(({ product_id, quantity }) => ({ product_id, quantity })), address_id: address.id, payment_method: way };
    buy.disabled = true;
    buy.textContent = t("checkout.buying");
    line.textContent = "";
    try {
      const order = await call("checkout", request, purchaseKey(request));
      forgetPurchase();
      clear();
      location.hash = `/thanks/${order.order_id}`;
    } catch (error) {
      // Not arrived: the same key again, so that it cannot become two orders. Refused: the next try is a new purchase.
      if (!worthRepeating(error) && error.code !== "session") forgetPurchase();
      if (error.code === "session") return void (location.hash = "/sign-in?next=/checkout&expired=1");
      line.textContent = error.status === 0 ? t("checkout.retry") : explain(error);
      if (error.code === "REJECTED" && error.status === 409) {
        line.append(" ", h("a", { href: "#/basket" }, t("checkout.change")));
      }
      buy.disabled = false;
      buy.textContent = t("checkout.buy");
    }
  }

  const content = h("div", null,
    h("h1", null, t("checkout.title")),
    h("div", { class: "checkout" },
      h("div", null,
        h("section", { class: "panel" }, h("h2", null, t("checkout.where")), book),
        h("section", { class: "panel" }, h("h2", null, t("checkout.payment")), waysToPay(way, (chosen) => (way = chosen)))),
      h("aside", { class: "panel summary" },
        h("h2", null, t("checkout.summary")),
        h("ul", { class: "brief" }, lines.map((l) => h("li", null,
          h("span", null, `${l.quantity} × ${own(l.product, "name")}`), h("span", null, money(lineTotal(l)))))),
        h("p", null, h("a", { href: "#/basket" }, t("checkout.change"))),
        totalsList(lines),
        line,
        buy,
        h("p", { class: "quiet" }, t("checkout.terms"), " ", h("a", { href: "#/page/shipping" }, t("checkout.terms.link")), "."))));
  return { title: t("checkout.title"), content };
}

function waysToPay(first, choose) {
  return h("ul", { class: "ways" }, WAYS_TO_PAY.map((way) => h("li", null,
    h("label", null,
      h("input", { type: "radio", name: "payment", value: way, checked: way === first, "data-testid": "payment-choice", onchange: () => choose(way) }),
      h("span", null, t(`payment.${way}`), " ", h("small", { class: "quiet" }, t(`payment.${way}.text`)))))));
}

export async function thanksPage([id]) {
  const [order] = await rows("orders", { select: "*,order_items(*)", id: `eq.${id}` });
  if (!order) {
    location.replace("#/orders");
    return { title: t("orders.title"), content: h("div") };
  }
  const content = h("div", { class: "sheet thanks" },
    h("img", { src: "/img/categories/black.svg", alt: "", width: 160, height: 160 }),
    h("h1", null, t("thanks.title")),
    h("p", { class: "quiet" }, t("thanks.number")),
    h("p", { class: "order-number", "data-testid": "order-number" }, order.number),
    h("p", { "data-testid": "thanks-text" }, order.payment_method === "prepayment"
      ? t("thanks.prepayment", { total: money(order.total), number: order.number })
      : t("thanks.text")),
    h("ul", { class: "brief" }, order.order_items.map((item) => h("li", null, h("span", null, `${item.quantity} × ${item.name}`), h("span", null, money(item.line_total)))),
      h("li", { class: "sum" }, h("b", null, t("basket.total")), h("b", null, money(order.total)))),
    h("p", { class: "form-end" },
      h("a", { class: "button", href: "#/orders" }, t("thanks.orders")),
      h("a", { class: "button plain", href: "#/" }, t("thanks.on"))));
  return { title: t("thanks.title"), content };
}
