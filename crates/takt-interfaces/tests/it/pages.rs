//! Lists of very many deliveries, as people page through them.

use takt_engine::{EngineError, EngineTx};
use takt_interfaces::{Delivery, DeliveryFilter, DeliveryState, InterfacesError};
use takt_model::{Principal, Uuid, Value};
use takt_plan::{Insert, Missing, Plan};

use crate::house::{DELIVER, House};

/// So many that no list of them is sorted unnoticed.
const MANY: u64 = 14_000;

/// Rows as a dispatch writes them, ids in their order.
async fn written(house: &House, rows: u64, what: fn(u64) -> (&'static str, &'static str)) {
    let emit = |tx: &EngineTx| -> Result<Uuid, InterfacesError> {
        tx.emit("nobody.wants_it", None, "{}")?;
        let plan =
            tx.on("takt.outbox_events")?.read(&["id"], None, &[], Some(1)).map_err(EngineError::from)?;
        let (found, _) = tx.rows(&Principal::system("test"), plan)?;
        let Some(Value::Uuid(id)) = found.value(0, "id") else { panic!("no event") };
        Ok(*id)
    };
    let event = house.engine.transact(emit).await.unwrap();
    for begin in (0..rows).step_by(1_000) {
        let batch = move |tx: &EngineTx| -> Result<(), InterfacesError> {
            let on = tx.on("takt.deliveries")?;
            let names = [
                "id",
                "event",
                "name",
                "connection",
                "operation",
                "state",
                "attempts",
                "next_at",
                "created_at",
                "claimed",
                "in_lane",
            ];
            let fields = names.iter().map(|name| on.field(name)).collect::<Result<_, _>>().unwrap();
            let row = |n: u64| {
                let (connection, state) = what(n);
                let text = |text: &str| Some(Value::Text(text.to_owned()));
                let id = Uuid::from_u128(u128::from(n + 1) << 80);
                vec![
                    Some(Value::Uuid(id)),
                    Some(Value::Uuid(event)),
                    text("order.placed"),
                    text(connection),
                    Some(Value::Text(format!("order{n}"))),
                    text(state),
                    Some(Value::Integer(1)),
                    Some(Value::Timestamp(tx.now())),
                    Some(Value::Timestamp(tx.now())),
                    Some(Value::Boolean(false)),
                    Some(Value::Boolean(false)),
                ]
            };
            let rows = (begin..(begin + 1_000).min(rows)).map(row).collect();
            let (missing, conflict, returning) = (Missing::Default, None, None);
            let plan =
                Plan::Insert(Insert { table: on.table.id, fields, rows, missing, conflict, returning });
            tx.rows(&Principal::system("test"), plan)?;
            Ok(())
        };
        house.engine.transact(batch).await.unwrap();
    }
}

/// Old dead letters of one connection, then what arrived at another among a few that wait.
fn mixed(n: u64) -> (&'static str, &'static str) {
    match n {
        0..6_000 => ("erp", "dead"),
        n if n % 700 == 0 => ("erp", "waiting"),
        n if n % 2 == 0 => ("erp", "delivered"),
        _ => ("crm", "delivered"),
    }
}

fn ids(found: &[Delivery]) -> Vec<Uuid> {
    found.iter().map(|d| d.id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_a_list_has_the_newest_that_fit_whether_few_or_very_many_do() {
    let house = House::with(DELIVER).await;
    written(&house, MANY, mixed).await;
    let connection = |name: &str| Some(name.to_owned());
    for (what, connection, state, before) in [
        ("dense", connection("erp"), Some(DeliveryState::Delivered), None),
        ("behind many others", connection("erp"), Some(DeliveryState::Dead), None),
        ("few", connection("erp"), Some(DeliveryState::Waiting), None),
        ("none", connection("crm"), Some(DeliveryState::Dead), None),
        ("of one connection", connection("crm"), None, None),
        ("in one state", None, Some(DeliveryState::Delivered), None),
        ("the next page", connection("erp"), Some(DeliveryState::Delivered), Some(9_000)),
        ("the last page", connection("erp"), Some(DeliveryState::Dead), Some(40)),
        ("all", None, None, None),
    ] {
        let before_id = before.map(|n: u64| Uuid::from_u128(u128::from(n + 1) << 80));
        let filter = DeliveryFilter {
            connection: connection.clone(),
            state,
            before: before_id,
            ..DeliveryFilter::default()
        };
        let found = house.interfaces.deliveries(&filter, 200).unwrap();
        let fits = |n: &u64| {
            let (c, s) = mixed(*n);
            connection.as_deref().is_none_or(|wanted| wanted == c)
                && state.is_none_or(|wanted| wanted.name() == s)
        };
        let expected: Vec<Uuid> = (0..before.unwrap_or(MANY))
            .rev()
            .filter(fits)
            .take(200)
            .map(|n| Uuid::from_u128(u128::from(n + 1) << 80))
            .collect();
        assert_eq!(ids(&found), expected, "{what}");
    }
}
