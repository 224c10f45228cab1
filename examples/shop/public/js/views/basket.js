// The basket, with prices and stock as they are now. Lives here: the page, and the totals that the checkout shows too.

import { rows } from "../api.js";
import * as basket from "../basket.js";
import { h, tell } from "../dom.js";
import { money, own, t } from "../text.js";
import { CARD_FIELDS } from "./catalogue.js";

/** The lines of the basket joined with their products: [{ product | null, product_id, quantity, problem }] */
export async function basketLines() {
  const lines = basket.lines();
  if (!lines.length) return [];
  const products = await rows("products", { select: CARD_FIELDS, id: `in.(${lines.map((line) => line.product_id)})` });
  return lines.map((line) => {
    const product = products.find((p) => p.id === line.product_id) ?? null;
    let problem = "";
    if (!product) problem = t("basket.gone");
    else if (product.stock === 0) problem = t("product.sold-out");
    else if (product.stock < line.quantity) problem = t("basket.too-many", { n: product.stock });
    return { ...line, product, problem };
  });
}

// Counted in cents, because adding up 0.10 and 0.20 as JavaScript numbers does not give 0.30.
const cents = (amount) => Math.round(amount * 100);
export const lineTotal = ({ product, quantity }) => (cents(product.price) * quantity) / 100;

export function totals(lines) {
  const grossByRate = new Map();
  for (const { product, quantity } of lines.filter((line) => line.product)) {
    grossByRate.set(product.tax_rate, (grossByRate.get(product.tax_rate) ?? 0) + cents(product.price) * quantity);
  }
  let gross = 0;
  let tax = 0;
  for (const [rate, amount] of grossByRate) {
    gross += amount;
    tax += Math.round((amount * rate) / (100 + rate));
  }
  return { gross: gross / 100, tax: tax / 100 };
}

export function totalsList(lines) {
  const { gross, tax } = totals(lines);
  return h("dl", { class: "totals" },
    h("div", null, h("dt", null, t("basket.shipping")), h("dd", null, t("basket.shipping.free"))),
    h("div", { class: "sum" }, h("dt", null, t("basket.total")), h("dd", { "data-testid": "basket-total" }, money(gross))),
    h("div", { class: "quiet" }, h("dt", null, t("basket.tax")), h("dd", null, money(tax))));
}

export async function basketPage() {
  const content = h("div", { class: "narrow" });
  const render = async () => content.replaceChildren(...page(await basketLines(), render));
  await render();
  return { title: t("basket.title"), content };
}

function page(lines, render) {
  const heading = h("h1", null, t("basket.title"));
  if (!lines.length) {
    return [heading, h("div", { class: "lost" }, h("img", { src: "/img/categories/cups-accessories.svg", alt: "", width: 180, height: 180 }),
      h("p", { class: "lead" }, t("basket.empty")), h("p", null, h("a", { class: "button", href: "#/shop" }, t("basket.empty.action"))))];
  }
  const blocked = lines.some((line) => line.problem);
  return [
    heading,
    h("ul", { class: "lines" }, lines.map((line) => row(line, render))),
    totalsList(lines),
    blocked
      ? h("p", { class: "problem", role: "alert" }, t("basket.fix"))
      : h("p", { class: "end" }, h("a", { class: "button", href: "#/checkout", "data-testid": "checkout-link" }, t("basket.checkout"))),
  ];
}

function row(line, render) {
  const { product, product_id, quantity, problem } = line;
  const name = product ? own(product, "name") : "";
  const change = async (event) => {
    const wanted = Math.floor(Number(event.target.value));
    if (!(wanted >= 1)) return void (event.target.value = quantity);
    basket.set(product_id, Math.min(wanted, product.stock));
    if (wanted > product.stock) tell(t("product.most", { n: product.stock }));
    await render();
    document.getElementById(`quantity-${product_id}`)?.focus();
  };
  const take = async () => {
    basket.set(product_id, 0);
    await render();
    document.querySelector("main h1").focus();
  };
  return h("li", { class: "line", "data-testid": "basket-line" },
    product ? h("img", { src: product.image, alt: "", width: 84, height: 84 }) : h("span"),
    h("div", { class: "line-name" },
      product && h("a", { href: `#/product/${product.slug}` }, name),
      product && h("p", { class: "quiet" }, money(product.price)),
      problem && h("p", { class: "problem" }, problem)),
    h("div", { class: "line-tools" },
      product && product.stock > 0 && h("input", { id: `quantity-${product_id}`, type: "number", min: 1, max: Math.min(product.stock, 99), value: quantity, inputmode: "numeric", "aria-label": t("basket.quantity.of", { name }), "data-testid": "line-quantity", onchange: change }),
      h("button", { type: "button", class: "link", "aria-label": t("basket.remove.of", { name }), "data-testid": "remove-line", onclick: take }, t("basket.remove"))),
    h("b", { class: "line-total" }, product ? money(lineTotal(line)) : ""));
}
