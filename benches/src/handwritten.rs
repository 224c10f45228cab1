//! The hand-written limit: axum + rusqlite, prepared statements, one reader connection per runtime thread, one
//! writer thread with group commit and a savepoint per request, JSON written straight into a buffer.

use std::{cell::RefCell, path::Path, sync::mpsc, thread};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path as UrlPath, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use rusqlite::{Connection, OpenFlags, Row, config::DbConfig, params, types::ValueRef};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::Failure;

type Work = Box<dyn FnOnce(&Connection) -> rusqlite::Result<Value> + Send>;
type Job = (Work, oneshot::Sender<Result<Value, StatusCode>>);

#[derive(Clone)]
struct App {
    writer: mpsc::SyncSender<Job>,
    file: std::sync::Arc<str>,
}

const SCHEMA: &str = "
create table if not exists categories (id blob primary key, slug text not null, name_de text not null) strict;
create table if not exists products (id blob primary key, sku text not null unique, slug text not null unique,
  category_id blob not null references categories(id), name_de text, name_en text, description_de text,
  price integer not null, tax_rate integer not null, stock integer not null check (stock >= 0), image text,
  active integer not null default 1, created_at integer not null) strict;
create index if not exists products_category on products (category_id, active, price);
create index if not exists products_price on products (active, price);
create table if not exists addresses (id blob primary key, customer_id blob not null, name text not null,
  street text not null, postal_code text not null, city text not null, country text not null,
  created_at integer not null) strict;
create index if not exists addresses_customer on addresses (customer_id);
create table if not exists counters (name text primary key, value integer not null) strict;
create table if not exists orders (id blob primary key, number text not null unique, customer_id blob not null,
  status text not null, total integer not null, tax_total integer not null, ship_name text, ship_street text,
  created_at integer not null) strict;
create index if not exists orders_customer on orders (customer_id, created_at);
create table if not exists order_items (id blob primary key, order_id blob not null references orders(id),
  product_id blob not null references products(id), name text, quantity integer, unit_price integer,
  line_total integer) strict;
create index if not exists order_items_order on order_items (order_id);
create table if not exists outbox (id blob primary key, name text, payload text, at integer) strict;
insert or ignore into counters values ('orders', 0);
";

/// Serves until it is ended.
pub(crate) async fn serve(folder: &Path) -> Result<(), Failure> {
    let file = folder.join("hand.db").display().to_string();
    let writer = open(&file)?;
    writer.execute_batch(SCHEMA)?;
    let (sender, jobs) = mpsc::sync_channel(1024);
    thread::spawn(move || write_loop(&writer, &jobs));
    let app = App { writer: sender, file: file.into() };
    let router = Router::new()
        .route("/health", get(|| async { "ok" }))
        .route("/product/{id}", get(product))
        .route("/list/{category}", get(list))
        .route("/embed/{category}", get(embed))
        .route("/address", post(address))
        .route("/checkout", post(checkout))
        .route("/fill", post(fill))
        .layer(DefaultBodyLimit::disable())
        .with_state(app);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    print(&format!("http://{}", listener.local_addr()?));
    axum::serve(listener, router).await?;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "tells its address to the measuring program")]
fn print(line: &str) {
    println!("{line}");
}

fn open(file: &str) -> rusqlite::Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags_and_vfs(file, flags, c"unix-excl")?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.execute_batch(
        "pragma journal_mode=wal; pragma synchronous=full; pragma foreign_keys=on; pragma mmap_size=268435456;",
    )?;
    connection.set_prepared_statement_cache_capacity(256);
    Ok(connection)
}

fn write_loop(connection: &Connection, jobs: &mpsc::Receiver<Job>) {
    while let Ok(first) = jobs.recv() {
        let group: Vec<Job> = std::iter::once(first).chain(jobs.try_iter().take(511)).collect();
        let run = |sql: &str| connection.prepare_cached(sql).and_then(|mut s| s.execute([]));
        let mut answers = Vec::with_capacity(group.len());
        let mut fine = run("begin immediate").is_ok();
        for (work, answer) in group {
            let _ = run("savepoint job");
            let done = work(connection);
            let _ = run(if done.is_ok() { "release job" } else { "rollback to job" });
            answers.push((done.map_err(|_| StatusCode::CONFLICT), answer));
        }
        fine &= run("commit").is_ok();
        for (done, answer) in answers {
            let _ = answer.send(if fine { done } else { Err(StatusCode::INTERNAL_SERVER_ERROR) });
        }
    }
}

thread_local! {
    static READER: RefCell<Option<Connection>> = const { RefCell::new(None) };
}

/// Runs a read on this thread's own connection and writes the rows as a JSON array.
fn read(app: &App, sql: &str, key: Uuid, with_category: bool) -> Result<Response, StatusCode> {
    READER.with_borrow_mut(|slot| {
        if slot.is_none() {
            *slot = open(&app.file).ok();
        }
        let connection = slot.as_ref().ok_or(StatusCode::INTERNAL_SERVER_ERROR)?;
        rows(connection, sql, key, with_category).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
    })
}

fn rows(connection: &Connection, sql: &str, key: Uuid, with_category: bool) -> rusqlite::Result<Response> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![key.as_bytes()])?;
    let mut out = Vec::with_capacity(8192);
    out.push(b'[');
    while let Some(row) = rows.next()? {
        if out.len() > 1 {
            out.push(b',');
        }
        write_product(&mut out, row, with_category)?;
    }
    out.push(b']');
    Ok(([(header::CONTENT_TYPE, "application/json")], out).into_response())
}

fn write_product(out: &mut Vec<u8>, row: &Row<'_>, with_category: bool) -> rusqlite::Result<()> {
    use std::io::Write;
    let id: [u8; 16] = row.get(0)?;
    let _ = write!(out, "{{\"id\":\"{}\"", Uuid::from_bytes(id));
    for (at, name) in ["slug", "name_de", "name_en", "description_de"].iter().enumerate() {
        text(out, name, row.get_ref(at + 1)?);
    }
    for (at, name) in [(5, "price"), (6, "tax_rate")] {
        let units: i64 = row.get(at)?;
        let _ = write!(out, ",\"{name}\":{}.{:02}", units / 100, units % 100);
    }
    let (stock, created): (i64, i64) = (row.get(7)?, row.get(9)?);
    let _ = write!(out, ",\"stock\":{stock}");
    text(out, "image", row.get_ref(8)?);
    let _ = write!(out, ",\"created_at\":{created}");
    if with_category {
        out.extend_from_slice(b",\"categories\":{\"a\":0");
        text(out, "slug", row.get_ref(10)?);
        text(out, "name_de", row.get_ref(11)?);
        out.push(b'}');
    }
    out.push(b'}');
    Ok(())
}

fn text(out: &mut Vec<u8>, name: &str, value: ValueRef<'_>) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    match value {
        ValueRef::Text(bytes) => {
            out.push(b'"');
            for byte in bytes {
                match byte {
                    b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
                    0..0x20 => out.push(b' '),
                    _ => out.push(*byte),
                }
            }
            out.push(b'"');
        }
        _ => out.extend_from_slice(b"null"),
    }
}

const COLUMNS: &str = "p.id, p.slug, p.name_de, p.name_en, p.description_de, p.price, p.tax_rate, p.stock, p.image, p.created_at";

async fn product(State(app): State<App>, UrlPath(id): UrlPath<String>) -> Result<Response, StatusCode> {
    thread_local!(static SQL: String = format!("select {COLUMNS} from products p where p.id = ?1 and p.active = 1"));
    let id = Uuid::parse_str(&id).map_err(|_| StatusCode::BAD_REQUEST)?;
    SQL.with(|sql| read(&app, sql, id, false))
}

async fn list(State(app): State<App>, UrlPath(id): UrlPath<String>) -> Result<Response, StatusCode> {
    thread_local!(static SQL: String = format!(
        "select {COLUMNS} from products p where p.category_id = ?1 and p.active = 1 order by p.price, p.id limit 20"));
    let id = Uuid::parse_str(&id).map_err(|_| StatusCode::BAD_REQUEST)?;
    SQL.with(|sql| read(&app, sql, id, false))
}

async fn embed(State(app): State<App>, UrlPath(id): UrlPath<String>) -> Result<Response, StatusCode> {
    thread_local!(static SQL: String = format!(
        "select {COLUMNS}, c.slug, c.name_de from products p left join categories c on c.id = p.category_id \
         where p.category_id = ?1 and p.active = 1 order by p.price, p.id limit 20"));
    let id = Uuid::parse_str(&id).map_err(|_| StatusCode::BAD_REQUEST)?;
    SQL.with(|sql| read(&app, sql, id, true))
}

async fn write(app: &App, work: Work) -> Result<Json<Value>, StatusCode> {
    let (sender, answer) = oneshot::channel();
    app.writer.try_send((work, sender)).map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    answer.await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?.map(Json)
}

fn uuid(value: &Value) -> Result<Uuid, StatusCode> {
    value.as_str().and_then(|t| Uuid::parse_str(t).ok()).ok_or(StatusCode::BAD_REQUEST)
}

fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(0)
}

async fn address(State(app): State<App>, body: Bytes) -> Result<(StatusCode, ()), StatusCode> {
    let body: Value = serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    let customer = uuid(&body["customer_id"])?;
    let work: Work = Box::new(move |c| {
        let text = |name: &str| body[name].as_str().unwrap_or_default();
        c.prepare_cached("insert into addresses values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?.execute(
            params![
                Uuid::now_v7().as_bytes(),
                customer.as_bytes(),
                text("name"),
                text("street"),
                text("postal_code"),
                text("city"),
                text("country"),
                now()
            ],
        )?;
        Ok(Value::Null)
    });
    let _ = write(&app, work).await?;
    Ok((StatusCode::CREATED, ()))
}

async fn checkout(State(app): State<App>, body: Bytes) -> Result<Json<Value>, StatusCode> {
    let body: Value = serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    let customer = uuid(&body["customer_id"])?;
    let ship_to = uuid(&body["address_id"])?;
    let mut items = Vec::new();
    for item in body["items"].as_array().ok_or(StatusCode::BAD_REQUEST)? {
        items.push((uuid(&item["product_id"])?, item["quantity"].as_i64().unwrap_or(1)));
    }
    write(&app, Box::new(move |c| buy(c, customer, ship_to, &items))).await
}

fn buy(c: &Connection, customer: Uuid, ship_to: Uuid, items: &[(Uuid, i64)]) -> rusqlite::Result<Value> {
    let (name, street): (String, String) = c
        .prepare_cached("select name, street from addresses where id = ?1 and customer_id = ?2")?
        .query_row(params![ship_to.as_bytes(), customer.as_bytes()], |r| Ok((r.get(0)?, r.get(1)?)))?;
    let mut lines = Vec::new();
    let mut total = 0;
    for (product, quantity) in items {
        let (name, price): (String, i64) = c
            .prepare_cached("update products set stock = stock - ?2 where id = ?1 and stock >= ?2 returning name_de, price")?
            .query_row(params![product.as_bytes(), quantity], |r| Ok((r.get(0)?, r.get(1)?)))?;
        total += price * quantity;
        lines.push((product, name, price, quantity));
    }
    let number: i64 = c
        .prepare_cached("update counters set value = value + 1 where name = 'orders' returning value")?
        .query_row([], |r| r.get(0))?;
    let (id, number, at) = (Uuid::now_v7(), format!("B-2026-{number:05}"), now());
    c.prepare_cached("insert into orders values (?1, ?2, ?3, 'pending', ?4, ?5, ?6, ?7, ?8)")?.execute(
        params![id.as_bytes(), number, customer.as_bytes(), total, total * 7 / 107, name, street, at],
    )?;
    for (product, name, price, quantity) in lines {
        c.prepare_cached("insert into order_items values (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?.execute(params![
            Uuid::now_v7().as_bytes(),
            id.as_bytes(),
            product.as_bytes(),
            name,
            quantity,
            price,
            price * quantity
        ])?;
    }
    let payload = json!({"order": id.to_string(), "number": number}).to_string();
    c.prepare_cached("insert into outbox values (?1, 'order.placed', ?2, ?3)")?.execute(params![
        Uuid::now_v7().as_bytes(),
        payload,
        at
    ])?;
    Ok(json!({"order_id": id.to_string(), "number": number}))
}

async fn fill(State(app): State<App>, body: Bytes) -> Result<Json<Value>, StatusCode> {
    let body: Value = serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    write(&app, Box::new(move |c| fill_tables(c, &body))).await
}

fn fill_tables(c: &Connection, body: &Value) -> rusqlite::Result<Value> {
    let id = |value: &Value| Uuid::parse_str(value.as_str().unwrap_or_default()).unwrap_or_default();
    let list = |name: &str| body[name].as_array().cloned().unwrap_or_default();
    for category in list("categories") {
        c.execute("insert into categories values (?1, 'slug', 'Kategorie')", [id(&category).as_bytes()])?;
    }
    for p in list("products") {
        let text = |name: &str| p[name].as_str().unwrap_or_default();
        let price = (p["price"].as_f64().unwrap_or(1.0) * 100.0).round();
        c.execute(
            "insert into products values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 700, 1000000, ?9, 1, ?10)",
            params![
                id(&p["id"]).as_bytes(),
                text("sku"),
                text("slug"),
                id(&p["category_id"]).as_bytes(),
                text("name_de"),
                text("name_en"),
                text("description_de"),
                price as i64,
                text("image"),
                now()
            ],
        )?;
    }
    c.execute(
        "insert into addresses values (?1, ?2, 'Bench', 'Weg 1', '12345', 'Ort', 'DE', ?3)",
        params![id(&body["address"]).as_bytes(), id(&body["customer"]).as_bytes(), now()],
    )?;
    Ok(json!("filled"))
}
