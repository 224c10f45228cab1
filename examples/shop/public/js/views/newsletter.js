// Where the link in the newsletter's first mail leads. Opening it changes nothing: programs that look through mails
// open every link. The button confirms.

import { call, explain } from "../api.js";
import { h, problemLine } from "../dom.js";
import { t } from "../text.js";

export async function newsletterPage([token]) {
  const outcome = h("div", { class: "sheet thanks", "data-testid": "newsletter" });
  const show = (name, ...more) => {
    outcome.replaceChildren(
      h("img", { src: "/img/categories/herbal.svg", alt: "", width: 160, height: 160 }),
      h("h1", null, t(`news.${name}`)),
      h("p", null, t(`news.${name}.text`)),
      ...more);
  };
  const line = problemLine();
  const button = h("button", { type: "button", class: "button", "data-testid": "newsletter-confirm", onclick: async () => {
    button.disabled = true;
    line.textContent = "";
    try {
      const name = await confirm(token);
      outcome.setAttribute("data-testid", "newsletter-outcome");
      outcome.setAttribute("data-outcome", name);
      show(name, h("p", { class: "form-end" }, h("a", { class: "button", href: "#/" }, t("page.back"))));
    } catch (error) {
      line.textContent = explain(error);
      button.disabled = false;
    }
  } }, t("news.confirm"));
  show("ask", line, h("p", { class: "form-end" }, button));
  return { title: t("news.ask"), content: outcome };
}

/** confirmed, before (it was already), or unknown. */
async function confirm(token) {
  try {
    const { before } = await call("confirm_newsletter", { token });
    return before ? "before" : "confirmed";
  } catch (error) {
    if (error.status === 404 || error.status === 400) return "unknown"; // 400: not even shaped like one
    throw error;
  }
}
