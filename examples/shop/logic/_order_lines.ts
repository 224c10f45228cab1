// The lines of an order as its events carry them: what others need to know, with the name by which the shop, and
// every system behind it, knows the article.

/** `rows` of order_items, and the slug of each product by its id. */
export function eventLines(rows, slugs) {
  return rows.map(({ product_id, name, quantity, unit_price, tax_rate, line_total }) => ({
    product_id,
    slug: slugs.get(product_id),
    name,
    quantity,
    unit_price,
    tax_rate,
    line_total,
  }));
}
