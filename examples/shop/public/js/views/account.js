// The account. Lives here: signing in and up, and the page with profile and addresses.

import { explain, rows, upsert } from "../api.js";
import { field, h, onSubmit, problemLine, select, tell } from "../dom.js";
import { signIn, signOut, signUp, user } from "../session.js";
import { language, t } from "../text.js";
import { addressBook } from "./addresses.js";

/** Where to go after signing in: only ever a page of this shop. */
const nextPage = (query) => (/^\/[\w/-]*$/.test(query.get("next") ?? "") ? query.get("next") : "/account");
const withNext = (path, query) => (query.get("next") ? `${path}?next=${encodeURIComponent(query.get("next"))}` : path);

export function signInPage(_, query) {
  const line = problemLine();
  if (query.get("expired")) line.textContent = t("error.session");
  const form = h("form", { class: "sheet", "data-testid": "signin-form" },
    h("h1", null, t("sign-in.title")),
    line,
    field({ label: t("form.email"), name: "email", test: "signin-email", type: "email", autocomplete: "username", required: true }),
    field({ label: t("form.password"), name: "password", test: "signin-password", type: "password", autocomplete: "current-password", required: true }),
    h("button", { class: "button wide", "data-testid": "signin-submit" }, t("sign-in.action")),
    h("p", { class: "quiet" }, t("sign-in.new"), " ", h("a", { href: withNext("#/sign-up", query), "data-testid": "signup-link" }, t("sign-in.new.action"))));
  onSubmit(form, line, explain, async ({ email, password }) => {
    await signIn(email.trim(), password);
    location.hash = nextPage(query);
  });
  return { title: t("sign-in.action"), content: form };
}

export function signUpPage(_, query) {
  const line = problemLine();
  const form = h("form", { class: "sheet", "data-testid": "signup-form" },
    h("h1", null, t("sign-up.title")),
    line,
    field({ label: t("account.name"), name: "name", test: "signup-name", autocomplete: "name", required: true, maxlength: 160 }),
    field({ label: t("form.email"), name: "email", test: "signup-email", type: "email", autocomplete: "username", required: true, maxlength: 254 }),
    field({ label: t("form.password"), name: "password", test: "signup-password", type: "password", autocomplete: "new-password", required: true, minlength: 8, hint: t("form.password.hint") }),
    h("button", { class: "button wide", "data-testid": "signup-submit" }, t("sign-up.action")),
    h("p", { class: "quiet" }, t("sign-up.privacy"), " ", h("a", { href: "#/page/privacy" }, language === "de" ? "Datenschutz" : "Data protection"), "."),
    h("p", { class: "quiet" }, t("sign-up.known"), " ", h("a", { href: withNext("#/sign-in", query), "data-testid": "signin-link" }, t("sign-up.known.action"))));
  onSubmit(form, line, explain, async ({ name, email, password }) => {
    if (!(await signUp(email.trim(), password, name.trim()))) {
      form.replaceChildren(h("h1", null, t("sign-up.title")), h("p", { role: "status" }, t("sign-up.confirm")));
      return;
    }
    // The account exists now. Should the profile not arrive, the account page asks for it again.
    await upsert("customers", { id: user().id, name: name.trim(), language }).catch(() => {});
    tell(t("sign-up.welcome", { name: name.trim() }));
    location.hash = nextPage(query);
  });
  return { title: t("sign-up.title"), content: form };
}

export async function accountPage() {
  const [[profile], book] = await Promise.all([rows("customers", { id: `eq.${user().id}` }), addressBook()]);
  const leave = async () => {
    await signOut();
    tell(t("account.signed-out"));
    location.hash = "/";
  };
  const content = h("div", { class: "narrow" },
    h("h1", null, t("account.title")),
    h("p", { class: "account-line" },
      h("span", { class: "quiet", "data-testid": "account-email" }, t("account.hello", { email: user().email })),
      h("button", { type: "button", class: "button plain", "data-testid": "signout", onclick: leave }, t("account.sign-out"))),
    h("p", null, h("a", { href: "#/orders" }, t("account.orders"))),
    h("section", { class: "panel" }, h("h2", null, t("account.profile")), profileForm(profile)),
    h("section", { class: "panel" }, h("h2", null, t("address.title")), book));
  return { title: t("account.title"), content };
}

function profileForm(profile) {
  const line = problemLine();
  const form = h("form", { class: "form", "data-testid": "profile-form" },
    field({ label: t("account.name"), name: "name", test: "profile-name", value: profile?.name ?? "", autocomplete: "name", required: true, maxlength: 160 }),
    field({ label: t("account.phone"), name: "phone", test: "profile-phone", type: "tel", value: profile?.phone ?? "", autocomplete: "tel", maxlength: 40 }),
    select({ label: t("account.language"), name: "language", test: "profile-language", options: [["de", "Deutsch"], ["en", "English"]], value: profile?.language ?? language }),
    line,
    h("button", { class: "button", "data-testid": "profile-save" }, language === "de" ? "Speichern" : "Save"));
  return onSubmit(form, line, explain, async ({ name, phone, language }) => {
    await upsert("customers", { id: user().id, name: name.trim(), phone: phone.trim() || null, language });
    tell(t("account.saved"));
  });
}
