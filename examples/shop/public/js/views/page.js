// Pages of text from the table `pages`: a blank line parts paragraphs, "## " begins a heading, "- " a list entry.

import { rows } from "../api.js";
import { h } from "../dom.js";
import { own, t } from "../text.js";

export async function contentPage([slug]) {
  const [page] = await rows("pages", { slug: `eq.${slug}` });
  const title = page ? own(page, "title") : t("page.none");
  const content = h("article", { class: "prose" }, h("h1", null, title), page ? blocks(own(page, "body")) : h("p", null, h("a", { href: "#/" }, t("page.back"))));
  return { title, content };
}

function blocks(text) {
  return text.split(/\n\s*\n/).map((block) => {
    if (block.startsWith("## ")) return h("h2", null, block.slice(3));
    if (block.startsWith("- ")) return h("ul", null, block.split("\n").map((entry) => h("li", null, entry.replace(/^- /, ""))));
    return h("p", null, block);
  });
}
