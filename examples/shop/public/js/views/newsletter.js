// Where the link in the newsletter's first mail leads: following it is the confirmation.

import { call } from "../api.js";
import { h } from "../dom.js";
import { t } from "../text.js";

export async function newsletterPage([token]) {
  const outcome = await confirm(token);
  const content = h("div", { class: "sheet thanks", "data-testid": "newsletter-outcome", "data-outcome": outcome },
    h("img", { src: "/img/categories/herbal.svg", alt: "", width: 160, height: 160 }),
    h("h1", null, t(`news.${outcome}`)),
    h("p", null, t(`news.${outcome}.text`)),
    h("p", { class: "form-end" }, h("a", { class: "button", href: "#/" }, t("page.back"))));
  return { title: t(`news.${outcome}`), content };
}

/** confirmed, before (it was already), or unknown. Whatever else happens is the shop's usual page for mishaps. */
async function confirm(token) {
  try {
    const { before } = await call("confirm_newsletter", { token });
    return before ? "before" : "confirmed";
  } catch (error) {
    if (error.status === 404 || error.status === 400) return "unknown"; // 400: not even shaped like one
    throw error;
  }
}
