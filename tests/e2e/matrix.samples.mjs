// One row and one change for each table of the shop, for the policy matrix.

/** A row of each table; the arguments are what must be unique or must exist. */
export const samples = (texts) => ({
  categories: (tag) => ({ slug: `category-${tag}`, ...texts("name") }),
  products: (tag, category_id) => ({
    sku: tag, slug: `product-${tag}`, category_id, ...texts("name"), price: 4.5, tax_rate: 7, cost_price: 1, stock: 3,
  }),
  customers: (id) => ({ id, name: "Own" }),
  addresses: (customer_id) => ({
    customer_id, name: "Own", street: "Weg 1", postal_code: "12345", city: "Ort", country: "DE",
  }),
  orders: (customer_id) => ({
    customer_id, total: 9, tax_total: 1, ship_name: "Own", ship_street: "Weg 1", ship_postal_code: "12345",
    ship_city: "Ort", ship_country: "DE",
  }),
  order_changes: (order_id) => ({ order_id, before: "pending", after: "paid" }),
  order_items: (order_id, product_id) => ({
    order_id, product_id, name: "Tea", quantity: 1, unit_price: 4.5, tax_rate: 7, line_total: 4.5,
  }),
  pages: (tag) => ({ slug: `page-${tag}`, ...texts("title") }),
  newsletter_contacts: (tag) => ({ email: `contact-${tag}@example.com`, consent_text: "yes" }),
});

/** What the cell `update` changes; a new value for the row above. */
export const changes = {
  addresses: { city: "Anderswo" },
  categories: { name_de: "anders" },
  customers: { name: "Anders" },
  newsletter_contacts: { source: "elsewhere" },
  order_changes: { after: "shipped" },
  order_items: { quantity: 2 },
  orders: { status: "shipped" },
  pages: { title_de: "anders" },
  products: { stock: 99 },
};
