// The shop as a whole. Lives here: which address shows which page, and what surrounds every page (header, footer).
// A page is a function (params, query) -> { title, content }; it may ask the server and may throw.

import { rows, explain } from "./api.js";
import { count, onBasket } from "./basket.js";
import { h } from "./dom.js";
import { newsletterForm } from "./newsletter.js";
import { onSession, user } from "./session.js";
import { language, own, setLanguage, t } from "./text.js";
import { accountPage, signInPage, signUpPage } from "./views/account.js";
import { basketPage } from "./views/basket.js";
import { categories, homePage, listPage } from "./views/catalogue.js";
import { checkoutPage, thanksPage } from "./views/checkout.js";
import { leavePage, newsletterPage } from "./views/newsletter.js";
import { ordersPage } from "./views/orders.js";
import { contentPage } from "./views/page.js";
import { productPage } from "./views/product.js";

const ROUTES = [
  [/^\/$/, homePage],
  [/^\/shop$/, listPage],
  [/^\/shop\/([\w-]+)$/, listPage],
  [/^\/product\/([\w-]+)$/, productPage],
  [/^\/basket$/, basketPage],
  [/^\/checkout$/, checkoutPage, "members"],
  [/^\/thanks\/([\w-]+)$/, thanksPage, "members"],
  [/^\/orders$/, ordersPage, "members"],
  [/^\/account$/, accountPage, "members"],
  [/^\/sign-in$/, signInPage],
  [/^\/sign-up$/, signUpPage],
  [/^\/page\/([\w-]+)$/, contentPage],
  [/^\/newsletter\/([\w-]+)$/, newsletterPage],
  [/^\/newsletter\/([\w-]+)\/leave$/, leavePage],
];

const main = document.getElementById("main");
let visit = 0; // counts navigations, so that a slow answer never overwrites a later page

async function show({ keepPlace = false } = {}) {
  const mine = ++visit;
  const [path, search = ""] = (location.hash.slice(1) || "/").split("?");
  const query = new URLSearchParams(search);
  const [route, params] = find(path);

  if (route?.[2] === "members" && !user()) {
    location.replace(`#/sign-in?next=${encodeURIComponent(path)}`);
    return;
  }
  markCurrent(path);
  main.setAttribute("aria-busy", "true");
  let page;
  try {
    page = route ? await route[1](params, query) : notFound();
  } catch (error) {
    if (error.code === "session") {
      location.replace(`#/sign-in?next=${encodeURIComponent(path)}&expired=1`);
      return;
    }
    page = failed(error);
  }
  if (mine !== visit) return;
  main.removeAttribute("aria-busy");
  main.replaceChildren(page.content);
  document.title = path === "/" ? "Blatt & Kanne" : `${page.title} – Blatt & Kanne`;
  document.getElementById("search-input").value = path === "/shop" ? (query.get("q") ?? "") : "";
  if (!keepPlace) {
    window.scrollTo(0, 0);
    if (mine > 1) focusHeading();
  }
}

function find(path) {
  for (const route of ROUTES) {
    const match = path.match(route[0]);
    if (match) return [route, match.slice(1)];
  }
  return [null, []];
}

/** So that screen readers read the new page, and the tab key continues inside it. */
function focusHeading() {
  const heading = main.querySelector("h1");
  heading?.setAttribute("tabindex", "-1");
  heading?.focus({ preventScroll: true });
}

function notFound() {
  return {
    title: t("page.none"),
    content: h("div", { class: "lost" }, h("h1", null, t("page.none")), h("p", null, h("a", { class: "button", href: "#/" }, t("page.back")))),
  };
}

function failed(error) {
  return {
    title: t("error.title"),
    content: h("div", { class: "lost", role: "alert" },
      h("h1", null, t("error.title")),
      h("p", null, explain(error)),
      h("p", null, h("button", { type: "button", class: "button", onclick: () => show() }, t("again")))),
  };
}

// --- header and footer

function words() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = t(element.dataset.text);
  for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", t(element.dataset.label));
  for (const element of document.querySelectorAll("[data-placeholder]")) element.placeholder = t(element.dataset.placeholder);
  const other = document.getElementById("language-switch");
  other.textContent = language === "de" ? "EN" : "DE";
  other.setAttribute("aria-label", t("language.other"));
  other.lang = language === "de" ? "en" : "de";
  document.getElementById("newsletter").replaceChildren(newsletterForm());
  showUser();
  showCount();
  showShelves();
  showPages();
}

function showUser() {
  const link = document.getElementById("account-link");
  link.href = user() ? "#/account" : "#/sign-in";
  document.getElementById("account-text").textContent = t(user() ? "nav.account" : "nav.sign-in");
  document.getElementById("orders-link").hidden = !user();
}

function showCount() {
  const n = count();
  const badge = document.getElementById("basket-count");
  badge.textContent = n;
  badge.classList.toggle("none", n === 0);
  document.getElementById("basket-link").setAttribute("aria-label", t("nav.basket.count", { n }));
}

// Header and footer are no reason to fail: without them the page itself will say what is wrong.
async function showShelves() {
  const all = await categories().catch(() => []);
  document.getElementById("shelves").replaceChildren(
    h("a", { href: "#/shop" }, t("nav.all")),
    ...all.map((category) => h("a", { href: `#/shop/${category.slug}`, "data-testid": "category-link" }, own(category, "name"))));
  markCurrent((location.hash.slice(1) || "/").split("?")[0]);
}

let pages = null;
async function showPages() {
  pages ??= await rows("pages", { select: "slug,title_de,title_en", order: "position" }).catch(() => null);
  document.getElementById("footer-pages").replaceChildren(
    ...(pages ?? []).map((page) => h("a", { href: `#/page/${page.slug}`, "data-testid": "page-link" }, own(page, "title"))));
}

function markCurrent(path) {
  for (const link of document.querySelectorAll(".shelves a, .tools a")) {
    if (link.getAttribute("href") === `#${path}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const shelf = document.querySelector(".shelves [aria-current]");
  if (shelf) shelf.parentElement.scrollLeft = shelf.offsetLeft - 40; // on a phone the row is longer than the screen
}

document.getElementById("language-switch").addEventListener("click", () => {
  setLanguage(language === "de" ? "en" : "de");
  words();
  show({ keepPlace: true });
});
document.getElementById("search").addEventListener("submit", (event) => {
  event.preventDefault();
  const q = new FormData(event.target).get("q").trim();
  location.hash = q ? `/shop?q=${encodeURIComponent(q)}` : "/shop";
});
// The address behind the # belongs to the routes, so the skip link moves the focus by hand.
document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
window.addEventListener("hashchange", () => show());
onBasket(showCount);
onSession(showUser);

words();
show();
