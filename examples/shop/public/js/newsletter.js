// The newsletter form in the footer. The answer is the same for new and for known addresses.

import { call, explain } from "./api.js";
import { field, h, onSubmit, problemLine } from "./dom.js";
import { language, t } from "./text.js";

export function newsletterForm() {
  const line = problemLine();
  const done = h("p", { role: "status", "data-testid": "newsletter-done" });
  const form = h("form", { class: "newsletter", "data-testid": "newsletter-form" },
    h("h2", null, t("news.title")),
    h("div", { class: "newsletter-row" },
      field({ label: t("form.email"), name: "email", test: "newsletter-email", type: "email", autocomplete: "email", required: true, maxlength: 254 }),
      h("button", { class: "button light", "data-testid": "newsletter-submit" }, t("news.action"))),
    h("label", { class: "check" },
      h("input", { type: "checkbox", name: "consent", required: true, "data-testid": "newsletter-consent" }),
      h("span", null, t("news.consent"))),
    line, done);
  return onSubmit(form, line, explain, async ({ email }) => {
    done.textContent = "";
    await call("subscribe", { email, language });
    form.reset();
    done.textContent = t("news.done");
  });
}
