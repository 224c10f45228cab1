// Building pages. Lives here: one function that makes elements, and the few pieces that several pages share.
// Text always becomes text nodes, never markup, so nothing from the database can turn into code.

/** h("a", { class: "button", href: "#/", onclick }, "Home") */
export function h(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "value" || key === "checked") element[key] = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A labelled input. `test` names it for the browser tests. */
export function field({ label, name, test, hint, ...attributes }) {
  const id = `f-${name}-${test ?? "x"}`;
  const hintId = hint ? `${id}-hint` : null;
  return h("div", { class: "field" },
    h("label", { for: id }, label),
    h("input", { id, name, "data-testid": test, "aria-describedby": hintId, ...attributes }),
    hint && h("p", { class: "hint", id: hintId }, hint));
}

export function select({ label, name, test, options, value, ...attributes }) {
  const id = `f-${name}-${test ?? "x"}`;
  return h("div", { class: "field" },
    h("label", { for: id }, label),
    h("select", { id, name, "data-testid": test, ...attributes },
      options.map(([key, text]) => h("option", { value: key, selected: key === value }, text))));
}

/** The place where a form says what went wrong; empty until then. */
export function problemLine() {
  return h("p", { class: "problem", role: "alert", "data-testid": "form-problem" });
}

/**
 * Runs `work` when the form is sent: blocks double clicks, shows what went wrong in `line`.
 * `explain` turns an error into words.
 */
export function onSubmit(form, line, explain, work) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button[type=submit], button:not([type])");
    if (button.disabled) return;
    button.disabled = true;
    line.textContent = "";
    try {
      await work(Object.fromEntries(new FormData(form)));
    } catch (error) {
      line.textContent = explain(error);
    } finally {
      button.disabled = false;
    }
  });
  return form;
}

let hideTimer;

/** Says something in passing, also to screen readers. */
export function tell(text) {
  const line = document.getElementById("status");
  line.textContent = text;
  line.classList.add("shown");
  clearTimeout(hideTimer);
  hideTimer = setTimeout(() => line.classList.remove("shown"), 4000);
}
