// Where the links in the newsletter's first mail lead. Opening one changes nothing: programs that look through mails
// open every link. The button confirms, or leaves.

import { call, explain } from "../api.js";
import { h, problemLine } from "../dom.js";
import { t } from "../text.js";

export async function newsletterPage([token]) {
  const leave = h("p", null, h("a", { href: `#/newsletter/${token}/leave`, "data-testid": "newsletter-leave-link" }, t("news.leave.link")));
  return page({
    ask: "ask", button: "confirm", test: "newsletter-confirm", after: (name) => (name === "unknown" ? [] : [leave]),
    act: async () => {
      const { before } = await call("confirm_newsletter", { token });
      return before ? "before" : "confirmed";
    },
  });
}

export async function leavePage([token]) {
  return page({
    ask: "leave", button: "leave.confirm", test: "newsletter-leave", after: () => [], unknown: "leave.unknown",
    act: async () => {
      await call("leave_newsletter", { token });
      return "left";
    },
  });
}

/** A question with a button; `act` gives the name of the outcome. */
function page({ ask, button: label, test, after, act, unknown = "unknown" }) {
  const outcome = h("div", { class: "sheet thanks", "data-testid": "newsletter" });
  const show = (name, ...more) => {
    outcome.replaceChildren(
      h("img", { src: "/img/categories/herbal.svg", alt: "", width: 160, height: 160 }),
      h("h1", null, t(`news.${name}`)),
      h("p", null, t(`news.${name}.text`)),
      ...more);
  };
  const line = problemLine();
  const button = h("button", { type: "button", class: "button", "data-testid": test, onclick: async () => {
    button.disabled = true;
    line.textContent = "";
    try {
      const name = await known(act, unknown);
      outcome.setAttribute("data-testid", "newsletter-outcome");
      outcome.setAttribute("data-outcome", name);
      show(name, ...after(name), h("p", { class: "form-end" }, h("a", { class: "button", href: "#/" }, t("page.back"))));
    } catch (error) {
      line.textContent = explain(error);
      button.disabled = false;
    }
  } }, t(`news.${label}`));
  show(ask, line, h("p", { class: "form-end" }, button));
  return { title: t(`news.${ask}`), content: outcome };
}

/** The outcome of `act`, or `unknown` for a link that nobody knows. */
async function known(act, unknown) {
  try {
    return await act();
  } catch (error) {
    if (error.status === 404 || error.status === 400) return unknown; // 400: not even shaped like one
    throw error;
  }
}
