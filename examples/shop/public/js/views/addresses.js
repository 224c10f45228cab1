// The address book. Lives here: the list with add, change and delete, on the account page and, for choosing, at checkout.

import { explain, insert, remove, rows, update } from "../api.js";
import { field, h, onSubmit, problemLine, select, tell } from "../dom.js";
import { t } from "../text.js";
import { user } from "../session.js";

const COUNTRIES = ["DE", "AT"];

/** `onChoose` makes it a choice: it is called with the chosen address, or null. */
export async function addressBook({ onChoose } = {}) {
  const box = h("div", { class: "address-book" });
  let chosen = null;

  async function load(preferred = chosen) {
    // Staff may see more addresses than their own, so we ask for ours in so many words.
    const all = await rows("addresses", { customer_id: `eq.${user().id}`, order: "created_at.desc" });
    chosen = all.some((a) => a.id === preferred) ? preferred : (all[0]?.id ?? null);
    draw(all);
    onChoose?.(all.find((a) => a.id === chosen) ?? null);
  }

  function draw(all) {
    const adding = h("button", { type: "button", class: "button plain", "data-testid": "address-add", onclick: () => edit(adding, null) }, t("address.add"));
    box.replaceChildren(
      h("ul", { class: "addresses" }, all.map((address) => item(address, all))),
      ...(all.length ? [adding] : [h("p", { class: "quiet" }, t("address.none")), addressForm(null, load)]));
  }

  function item(address, all) {
    const words = lines(address);
    const tools = h("p", { class: "address-tools" },
      h("button", { type: "button", class: "link", "data-testid": "address-edit", "aria-label": t("address.edit.of", address), onclick: () => edit(entry, address) }, t("address.edit")),
      !onChoose && h("button", { type: "button", class: "link", "data-testid": "address-delete", "aria-label": t("address.delete.of", address), onclick: () => drop(address) }, t("address.delete")));
    const choose = () => {
      chosen = address.id;
      onChoose(address);
      box.querySelectorAll(".address").forEach((element) => element.classList.toggle("chosen", element === entry));
    };
    const entry = h("li", { class: `address${onChoose && address.id === chosen ? " chosen" : ""}`, "data-testid": "address-row" },
      onChoose
        ? h("label", null, h("input", { type: "radio", name: "address", value: address.id, checked: address.id === chosen, "data-testid": "address-choice", onchange: choose }), h("span", null, words))
        : h("div", null, words),
      tools);
    return entry;
  }

  function edit(place, address) {
    const form = addressForm(address, load, () => load());
    place.replaceWith(h("div", { class: "panel inner" }, h("h3", null, t(address ? "address.change" : "address.new")), form));
    form.querySelector("input").focus();
  }

  async function drop(address) {
    try {
      await remove("addresses", address.id);
      tell(t("address.deleted"));
      await load();
    } catch (error) {
      tell(explain(error));
    }
  }

  await load();
  return box;
}

const lines = (a) => [a.name, a.street, `${a.postal_code} ${a.city}`, t(`country.${a.country}`)].map((text, i) => h(i ? "span" : "b", null, text));

function addressForm(address, saved, cancelled) {
  const line = problemLine();
  const text = (name, attributes) =>
    field({ label: t(`address.${name}`), name, test: `address-${name.replace("_", "-")}`, value: address?.[name] ?? "", required: true, ...attributes });
  const form = h("form", { class: "form", "data-testid": "address-form" },
    text("name", { autocomplete: "name", maxlength: 160 }),
    text("street", { autocomplete: "street-address", maxlength: 160 }),
    h("div", { class: "form-row" },
      text("postal_code", { autocomplete: "postal-code", maxlength: 5, minlength: 4, pattern: "[0-9]{4,5}", inputmode: "numeric" }),
      text("city", { autocomplete: "address-level2", maxlength: 120 })),
    select({ label: t("address.country"), name: "country", test: "address-country", options: COUNTRIES.map((code) => [code, t(`country.${code}`)]), value: address?.country ?? "DE", autocomplete: "country" }),
    line,
    h("p", { class: "form-end" },
      h("button", { class: "button", "data-testid": "address-save" }, t("address.save")),
      cancelled && h("button", { type: "button", class: "button plain", onclick: cancelled }, t("cancel"))));
  return onSubmit(form, line, explain, async (values) => {
    const kept = address ? await update("addresses", address.id, values) : await insert("addresses", { customer_id: user().id, ...values });
    await saved(kept?.id);
  });
}
