//! What a function may be given.

use expect_test::expect;
use serde_json::json;

use crate::house::House;

const ORDER: &str = r#"
export const access = ["authenticated"];
export const input = {
  items: [{ id: "uuid", quantity: { type: "integer", check: "quantity >= 1 and quantity <= 99" } }],
  note: { type: "text", max: 5, optional: true },
  price: { type: "decimal(12,2)", optional: true },
  big: { type: "bigint", optional: true },
  day: { type: "date", optional: true },
  colour: { type: "enum", values: ["red", "green"], optional: true },
  tags: { type: ["text"], optional: true },
  address: { type: { city: "text", type: "text" }, optional: true },
  any: { type: "json", optional: true },
  from: { type: "integer", optional: true },
  until: { type: "integer", optional: true, check: "until > from" },
};
export default (_, input) => ({ ...input, kinds: Object.values(input).map((v) => (v?.toFixed && typeof v === "object" ? "Decimal" : Array.isArray(v) ? "list" : typeof v)) });
"#;

#[tokio::test]
async fn inputs_are_checked_and_typed_before_anything_runs() {
    let house = House::new(&[("logic/order.ts", ORDER)]);
    let id = "00000000-0000-0000-0000-000000000001";
    let items = json!([{ "id": id, "quantity": 2 }]);
    let many: Vec<_> = (0..1_001).map(|_| json!({ "id": id, "quantity": 1 })).collect();
    let mut told = String::new();
    for input in [
        json!({ "items": items }),
        json!({ "items": [], "note": "äöüß!", "price": "12.9", "big": 12, "day": "2026-11-23", "colour": "red", "tags": ["a"], "address": { "city": "X", "type": "home" }, "any": { "a": [1] } }),
        json!({ "items": [], "note": null, "from": 1, "until": 2 }),
        json!({ "items": [], "until": 2 }),
        json!({ "items": [], "from": 2, "until": 2 }),
        json!({}),
        json!(null),
        json!([]),
        json!({ "items": items, "itmes": 1 }),
        json!({ "items": [{ "id": id, "quantity": 1, "price": 0 }] }),
        json!({ "items": [{ "id": id, "quantity": 0 }] }),
        json!({ "items": [{ "id": id, "quantity": 100 }] }),
        json!({ "items": [{ "id": id, "quantity": "two" }] }),
        json!({ "items": [{ "id": id, "quantity": 1.5 }] }),
        json!({ "items": [{ "id": "x", "quantity": 1 }] }),
        json!({ "items": [{ "quantity": 1 }] }),
        json!({ "items": { "id": id } }),
        json!({ "items": [id] }),
        json!({ "items": many }),
        json!({ "items": [], "note": "too long" }),
        json!({ "items": [], "note": 5 }),
        json!({ "items": [], "price": 12.905 }),
        json!({ "items": [], "price": "99999999999.00" }),
        json!({ "items": [], "day": "2026-13-01" }),
        json!({ "items": [], "colour": "blue" }),
        json!({ "items": [], "tags": [null] }),
        json!({ "items": [], "note": "a\u{0}b" }),
    ] {
        let answer = house.told("order", input).await;
        told += &format!("{}\n", answer.chars().take(300).collect::<String>());
    }
    expect![[r#"
        200 {"items":[{"id":"00000000-0000-0000-0000-000000000001","quantity":2}],"kinds":["list"]}
        200 {"items":[],"note":"äöüß!","price":12.90,"big":12,"day":"2026-11-23","colour":"red","tags":["a"],"address":{"city":"X","type":"home"},"any":{"a":[1]},"kinds":["list","string","Decimal","bigint","string","string","list","object","object"]}
        200 {"items":[],"from":1,"until":2,"kinds":["list","number","number"]}
        200 {"items":[],"until":2,"kinds":["list","number"]}
        bad input 22023: input "until" does not satisfy until > from
        bad input 22023: input "items" is missing
        bad input 22023: the input of order is no object
        bad input 22023: the input of order is no object
        bad input 22023: order takes no input "itmes" (did you mean `items`?)
        bad input 22023: input "items[0].price" is not expected
        bad input 22023: input "items[0].quantity" does not satisfy quantity >= 1 and quantity <= 99
        bad input 22023: input "items[0].quantity" does not satisfy quantity >= 1 and quantity <= 99
        bad input 22P02: input "items[0].quantity": invalid input syntax for type integer: "two"
        bad input 22P02: input "items[0].quantity": invalid input syntax for type integer: "1.5"
        bad input 22P02: input "items[0].id": invalid input syntax for type uuid: "x"
        bad input 22023: input "items[0].id" is missing
        bad input 22023: input "items" is no list
        bad input 22023: input "items[0]" is no object
        bad input 22023: input "items" has more than 1000 entries
        bad input 22001: input "note": value too long: at most 5 characters
        bad input 22P02: input "note": invalid input syntax for type text: 5
        200 {"items":[],"price":12.91,"kinds":["list","Decimal"]}
        bad input 22003: input "price": numeric field overflow
        bad input 22008: input "day": date/time field value out of range: "2026-13-01"
        bad input 22P02: input "colour": invalid input value for enum colour: "blue"
        bad input 22P02: input "tags[0]": invalid input syntax for type text: null
        bad input 22P05: input "note": unsupported Unicode escape sequence
    "#]].assert_eq(&told);
}
