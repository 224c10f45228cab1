// Looking around. Lives here: the front page, the lists (everything, one shelf, search), and the card of a product.

import { explain, rows, rowsAndTotal } from "../api.js";
import { add } from "../basket.js";
import { h, tell } from "../dom.js";
import { amount, basePrice, language, money, own, t } from "../text.js";

export const CARD_FIELDS = "id,slug,name_de,name_en,price,tax_rate,stock,weight_g,volume_ml,image";
const PER_PAGE = 24;

let shelves = null;

/** The categories, read once. */
export async function categories() {
  shelves ??= await rows("categories", { select: "id,slug,name_de,name_en,description_de,description_en,image", order: "position" });
  return shelves;
}

export async function homePage() {
  const [all, favourites] = await Promise.all([
    categories(),
    rows("products", { select: CARD_FIELDS, featured: "is.true", order: "price.asc", limit: 8 }),
  ]);
  const content = h("div", null,
    h("section", { class: "hero" },
      h("div", { class: "hero-text" },
        h("h1", null, t("hero.title")),
        h("p", null, t("hero.text")),
        h("a", { class: "button", href: "#/shop" }, t("hero.action"))),
      h("img", { src: "/img/hero.svg", alt: "", width: 1600, height: 620 })),
    h("ul", { class: "promises" }, [1, 2, 3].map((n) =>
      h("li", null, h("b", null, t(`home.promise.${n}`)), h("span", null, t(`home.promise.${n}.text`))))),
    h("section", null,
      h("h2", null, t("home.shelves")),
      h("ul", { class: "shelf-grid" }, all.map((category) =>
        h("li", null, h("a", { href: `#/shop/${category.slug}`, "data-testid": "category-link" },
          h("img", { src: category.image, alt: "", width: 120, height: 120, loading: "lazy" }),
          h("span", null, own(category, "name"))))))),
    h("section", null, h("h2", null, t("home.favourites")), grid(favourites)));
  return { title: t("hero.title"), content };
}

/** Everything, one shelf (#/shop/green), or what a search found (#/shop?q=mint). */
export async function listPage([slug], query) {
  const q = query.get("q") ?? "";
  const sort = query.get("sort") ?? "shop";
  const all = await categories();
  const category = slug && all.find((c) => c.slug === slug);
  if (slug && !category) return { title: t("page.none"), content: nothing(t("page.none")) };

  const filters = { select: CARD_FIELDS, order: orders()[sort] ?? orders().shop, limit: PER_PAGE };
  if (category) filters.category_id = `eq.${category.id}`;
  const words = searchWords(q);
  if (words.length) filters.and = `(${words.map((word) => `or(${searched().map((f) => `${f}.ilike.*${word}*`)})`)})`;

  const title = q ? t("list.found", { q }) : category ? own(category, "name") : t("list.all");
  const first = q && !words.length ? { rows: [], total: 0 } : await rowsAndTotal("products", filters);
  const content = h("div", null,
    h("header", { class: "list-head" },
      h("div", null,
        h("h1", null, title),
        category && h("p", { class: "lead" }, own(category, "description")),
        h("p", { class: "quiet", role: "status", "data-testid": "result-count" }, t(first.total === 1 ? "list.count.one" : "list.count", { n: first.total }))),
      first.total > 1 && sortBox(sort, slug, q)),
    first.total === 0 ? nothing(t("list.none"), t("list.none.hint")) : growingGrid(first, filters));
  return { title, content };
}

const orders = () => ({
  shop: "featured.desc,sku.asc",
  name: `name_${language}.asc`,
  cheap: "price.asc,sku.asc",
  dear: "price.desc,sku.asc",
  new: "created_at.desc,sku.asc",
});
const searched = () => [`name_${language}`, `description_${language}`];

/** Up to three words of letters and digits; anything else would have a meaning in the address of the request. */
const searchWords = (q) => (q.match(/[\p{L}\p{N}]+/gu) ?? []).slice(0, 3);

function sortBox(sort, slug, q) {
  const onchange = (event) => {
    const query = new URLSearchParams({ ...(q ? { q } : {}), sort: event.target.value });
    location.hash = `/shop${slug ? `/${slug}` : ""}?${query}`;
  };
  return h("label", { class: "sort" }, h("span", null, t("list.sort")),
    h("select", { "data-testid": "sort-select", onchange },
      Object.keys(orders()).map((key) => h("option", { value: key, selected: key === sort }, t(`sort.${key}`)))));
}

function growingGrid(first, filters) {
  const list = grid(first.rows);
  let shown = first.rows.length;
  if (shown >= first.total) return list;
  const more = h("button", { type: "button", class: "button plain", "data-testid": "more", onclick: async () => {
    more.disabled = true;
    try {
      const next = await rows("products", { ...filters, offset: shown });
      list.append(...next.map((product) => card(product)));
      list.children[shown]?.querySelector("a").focus();
      shown += next.length;
      if (shown >= first.total || !next.length) more.remove();
    } catch (error) {
      tell(explain(error));
    } finally {
      more.disabled = false;
    }
  } }, t("list.more"));
  return h("div", null, list, h("p", { class: "center" }, more));
}

const nothing = (text, hint) => h("div", { class: "lost" }, h("p", { class: "lead" }, text), hint && h("p", null, hint),
  h("p", null, h("a", { class: "button plain", href: "#/shop" }, t("hero.action"))));

export const grid = (products, options) => h("ul", { class: "cards" }, products.map((product) => card(product, options)));

/** A product in a list; `quick` adds a button that puts one into the basket. */
export function card(product, { quick = true } = {}) {
  const name = own(product, "name");
  return h("li", { class: "card", "data-testid": "product-card", "data-slug": product.slug },
    h("a", { href: `#/product/${product.slug}` },
      h("img", { src: product.image, alt: "", width: 400, height: 400, loading: "lazy" }),
      h("span", { class: "name" }, name)),
    h("p", { class: "quiet" }, [amount(product), basePrice(product)].filter(Boolean).join(" · ") || " "),
    h("div", { class: "card-foot" },
      h("b", { class: "price" }, money(product.price)),
      product.stock === 0
        ? h("span", { class: "tag" }, t("product.sold-out"))
        : quick && h("button", { type: "button", class: "round", "data-testid": "add-to-basket", "aria-label": t("product.add.of", { name }), title: t("product.add"), onclick: () => addAndTell(product, 1) }, "+")),
    h("p", { class: "tax" }, t("product.tax", { rate: Number(product.tax_rate) })));
}

export function addAndTell(product, quantity) {
  const added = add(product.id, quantity, product.stock);
  tell(added < quantity ? t("product.most", { n: product.stock }) : t("product.added", { name: own(product, "name") }));
}
