//! The same work for both servers: 10,000 products, one customer, and the five kinds of request.

use serde_json::{Value, json};

use crate::{
    Failure,
    load::{self, Requests, request},
    server::{Running, beside, root},
};

/// What is known after filling Takt.
pub(crate) struct Shop {
    /// One list of requests for each kind of work.
    pub(crate) requests: Vec<Requests>,
    pub(crate) products: Vec<String>,
    pub(crate) categories: Vec<String>,
    pub(crate) customer: String,
    pub(crate) address: String,
}

const PRODUCTS: usize = 10_000;
const COLUMNS: &str = "id,slug,name_de,name_en,description_de,price,tax_rate,stock,image,created_at";

/// Fills Takt through its own API.
pub(crate) async fn fill_takt(takt: &Running) -> Result<Shop, Failure> {
    let keys = std::process::Command::new(beside("takt")?)
        .args(["keys", "--json", "--project"])
        .arg(root().join("examples/shop"))
        .arg("--data-dir")
        .arg(takt.folder.path().join("data"))
        .output()?;
    let keys: Value = serde_json::from_slice(&keys.stdout)?;
    let secret = keys["secret_key"].as_str().ok_or("no secret key")?.to_owned();
    let publishable = keys["publishable_key"].as_str().ok_or("no publishable key")?.to_owned();
    let ask = async |method: &str, path: &str, key: &str, token: &str, body: Value| {
        let bearer = format!("Bearer {token}");
        let headers =
            [("apikey", key), ("authorization", bearer.as_str()), ("prefer", "return=representation")];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, text) = load::once(&takt.address, &request(method, path, &headers, &body)).await?;
        if status >= 300 {
            return Err(Failure::from(format!("{method} {path}: {status} {text}")));
        }
        Ok(serde_json::from_str::<Value>(&text).unwrap_or(Value::Null))
    };
    let ids = |rows: &Value| -> Vec<String> {
        rows.as_array().into_iter().flatten().filter_map(|r| r["id"].as_str().map(str::to_owned)).collect()
    };
    let categories = ids(&ask("GET", "/rest/v1/categories?select=id", &secret, &secret, Value::Null).await?);
    let mut products = Vec::new();
    for thousand in 0..PRODUCTS / 500 {
        let rows: Vec<Value> = (0..500).map(|n| product(thousand * 500 + n, &categories)).collect();
        let made = ask("POST", "/rest/v1/products?select=id", &secret, &secret, Value::Array(rows)).await?;
        products.extend(ids(&made));
    }
    let account = json!({"email": "bench@example.com", "password": "correct horse battery"});
    let session = ask("POST", "/auth/v1/signup", &publishable, &publishable, account).await?;
    let token = session["access_token"].as_str().ok_or("no session")?.to_owned();
    let customer = session["user"]["id"].as_str().ok_or("no user")?.to_owned();
    let made = ask("POST", "/rest/v1/addresses", &publishable, &token, address(&customer)).await?;
    let address_id = made[0]["id"].as_str().ok_or("no address")?.to_owned();

    let bearer = format!("Bearer {token}");
    let visitor = [("apikey", publishable.as_str())];
    let signed_in = [("apikey", publishable.as_str()), ("authorization", bearer.as_str())];
    let by_key = products
        .iter()
        .step_by(7)
        .map(|id| request("GET", &format!("/rest/v1/products?select={COLUMNS}&id=eq.{id}"), &visitor, ""))
        .collect();
    let list = |embed: &str| -> Requests {
        categories
            .iter()
            .map(|c| {
                let path = format!(
                    "/rest/v1/products?select={COLUMNS}{embed}&category_id=eq.{c}&active=is.true&order=price.asc&limit=20"
                );
                request("GET", &path, &visitor, "")
            })
            .collect()
    };
    let insert = vec![request("POST", "/rest/v1/addresses", &signed_in, &address(&customer).to_string())];
    let checkout = products
        .iter()
        .step_by(11)
        .map(|id| {
            let body = json!({"items": [{"product_id": id, "quantity": 1}], "address_id": address_id});
            request("POST", "/rest/v1/rpc/checkout", &signed_in, &body.to_string())
        })
        .collect();
    let requests = vec![by_key, list(""), list(",categories(slug,name_de)"), insert, checkout];
    Ok(Shop { requests, products, categories, customer, address: address_id })
}

/// Fills the hand-written program with the same rows and gives the same requests in its own paths.
pub(crate) async fn fill_handwritten(other: &Running, shop: &Shop) -> Result<Vec<Requests>, Failure> {
    let rows: Vec<Value> = shop
        .products
        .iter()
        .enumerate()
        .map(|(n, id)| {
            let mut row = product(n, &shop.categories);
            row["id"] = json!(id);
            row
        })
        .collect();
    let body = json!({
        "products": rows, "categories": shop.categories, "customer": shop.customer, "address": shop.address,
    });
    let (status, text) =
        load::once(&other.address, &request("POST", "/fill", &[], &body.to_string())).await?;
    if status != 200 {
        return Err(format!("fill: {status} {text}").into());
    }
    let by_key = shop.products.iter().step_by(7).map(|id| request("GET", &format!("/product/{id}"), &[], ""));
    let list = |kind: &str| -> Requests {
        shop.categories.iter().map(|c| request("GET", &format!("/{kind}/{c}"), &[], "")).collect()
    };
    let insert = vec![request("POST", "/address", &[], &address(&shop.customer).to_string())];
    let checkout = shop
        .products
        .iter()
        .step_by(11)
        .map(|id| {
            let body = json!({"items": [{"product_id": id, "quantity": 1}], "address_id": shop.address,
                "customer_id": shop.customer});
            request("POST", "/checkout", &[], &body.to_string())
        })
        .collect();
    Ok(vec![by_key.collect(), list("list"), list("embed"), insert, checkout])
}

fn product(n: usize, categories: &[String]) -> Value {
    let description = "Ein kräftiger Tee mit malzigem Duft, der sich mit Milch ebenso gut trinkt wie ohne. \
        Geerntet im Frühsommer, in kleinen Mengen verarbeitet und frisch verpackt.";
    json!({
        "sku": format!("B{n:05}"), "slug": format!("bench-{n:05}"), "category_id": categories[n % categories.len()],
        "name_de": format!("Tee Nummer {n}"), "name_en": format!("Tea number {n}"), "description_de": description,
        "description_en": "", "price": (n * 37 % 9000 + 100) as f64 / 100.0, "tax_rate": 7, "stock": 1_000_000,
        "image": format!("/img/{n}.svg"),
    })
}

fn address(customer: &str) -> Value {
    json!({"customer_id": customer, "name": "Bench", "street": "Weg 1", "postal_code": "12345", "city": "Ort",
        "country": "DE"})
}
