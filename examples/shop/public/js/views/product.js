// One product: picture, words, price, stock, and the button that puts it into the basket.

import { rows } from "../api.js";
import { h } from "../dom.js";
import { amount, basePrice, money, own, t } from "../text.js";
import { addAndTell, CARD_FIELDS, grid } from "./catalogue.js";

const FEW = 5;

export async function productPage([slug]) {
  const [product] = await rows("products", { select: "*,categories(slug,name_de,name_en)", slug: `eq.${slug}` });
  if (!product) {
    return {
      title: t("product.gone"),
      content: h("div", { class: "lost" }, h("h1", null, t("product.gone")), h("p", null, h("a", { class: "button", href: "#/shop" }, t("hero.action")))),
    };
  }
  const others = await rows("products", {
    select: CARD_FIELDS, category_id: `eq.${product.category_id}`, id: `neq.${product.id}`, order: "featured.desc,sku.asc", limit: 4,
  });
  const name = own(product, "name");
  const category = product.categories; // null if its shelf is closed
  const content = h("div", null,
    h("nav", { class: "crumbs", "aria-label": t("nav.shelves") },
      h("a", { href: "#/shop" }, t("nav.all")), category && [" / ", h("a", { href: `#/shop/${category.slug}` }, own(category, "name"))]),
    h("article", { class: "product" },
      h("img", { class: "picture", src: product.image, alt: name, width: 400, height: 400 }),
      h("div", { class: "product-text" },
        h("h1", null, name),
        h("p", { class: "price-line" }, h("b", { class: "price", "data-testid": "product-price" }, money(product.price)),
          h("span", { class: "quiet" }, [amount(product), basePrice(product)].filter(Boolean).join(" · "))),
        h("p", { class: "tax" }, t("product.tax", { rate: Number(product.tax_rate) })),
        h("p", { class: "description" }, own(product, "description")),
        stockLine(product.stock),
        product.stock > 0 && buyBox(product),
        facts(product))),
    others.length > 0 && h("section", null, h("h2", null, t("product.more")), grid(others, { quick: false })));
  return { title: name, content };
}

function stockLine(stock) {
  const [kind, text] =
    stock === 0 ? ["out", t("product.sold-out")] : stock <= FEW ? ["few", t("product.few", { n: stock })] : ["in", t("product.in-stock")];
  return h("p", { class: `stock ${kind}`, "data-testid": "stock" }, text);
}

function buyBox(product) {
  const quantity = h("input", { id: "quantity", type: "number", min: 1, max: Math.min(product.stock, 99), value: 1, inputmode: "numeric", required: true, "data-testid": "quantity" });
  const onsubmit = (event) => {
    event.preventDefault();
    addAndTell(product, Number(quantity.value));
  };
  return h("form", { class: "buy-box", onsubmit },
    h("label", { for: "quantity" }, t("product.quantity")), quantity,
    h("button", { class: "button", "data-testid": "add-to-basket" }, t("product.add")));
}

function facts(product) {
  const list = [
    ["product.origin", own(product, "origin")],
    [product.weight_g ? "product.content" : "product.capacity", amount(product)],
    ["product.water", product.brew_celsius && `${product.brew_celsius} °C`],
    ["product.time", product.brew_minutes && t("product.minutes", { n: product.brew_minutes })],
    ["product.sku", product.sku],
  ].filter(([, value]) => value);
  return h("dl", { class: "facts" }, list.map(([key, value]) => h("div", null, h("dt", null, t(key)), h("dd", null, value))));
}
