//! `interfaces/*.toml`: what a connection must say, and how slips are told.

use std::time::Duration;

use takt_model::{
    Breaker, ConnectionAuth, MissingHere, MissingThere, OnDead, OnUnknown, OperationKind, Project,
    ProjectFiles, Protocol, Retry, Rhythm, Severity,
};

const GOOD: &str = r#"
id = "erp"
purpose = { en = "Paid orders go to the ERP." }
partner = { name = "Tryton", contact = "edv@example.com", avv = "own server", country = "DE" }
owner = "Warehouse"
leads = { erp = ["stock"], shop = ["order"] }
outage = { en = "Orders wait.", max = "8h" }
data = [{ fields = ["email"], purpose = "delivery", basis = "contract", keep = "10y", country = "DE" }]
guard = { timeout = "15s", rate = "4/s", concurrency = 2, breaker = "3 of 5, half-open 10s..5m" }
[connect]
protocol = "rest"
base = "https://erp.example/rest/"
auth = { kind = "apikey", header = "Authorization", prefix = "bearer ", secret = "erp_key" }
headers = { "X-Context" = "company=1" }
[[op]]
name = "create_sale"
kind = "deliver"
on = ["order.placed", "order.paid"]
lane = "order.id"
request = "POST /sales/$order.number"
map = "logic/erp.ts#toSale"
on_unknown = "ask"
ok_also = [409]
retry = { schedule = ["1s", "1m"], give_up = "1d", then = "skip" }
"#;

fn read(text: &str) -> (Project, Vec<String>) {
    let files = ProjectFiles::from([
        ("takt.toml", "name = \"Test\"\nlanguages = [\"en\"]\n"),
        ("interfaces/erp.toml", text),
    ]);
    let (project, problems) = Project::parse(&files, &[]);
    let told = problems.iter().filter(|p| p.severity == Severity::Error).map(ToString::to_string).collect();
    (project, told)
}

#[test]
fn a_connection_is_read_whole() {
    let (project, problems) = read(GOOD);
    assert_eq!(problems, Vec::<String>::new());
    let erp = project.connection("erp").unwrap();
    assert_eq!((erp.owner.as_str(), erp.partner.name.as_str()), ("Warehouse", "Tryton"));
    assert_eq!(erp.outage.max.as_deref(), Some("8h"));
    assert_eq!(
        (erp.guard.timeout, erp.guard.per_second, erp.guard.concurrency),
        (Duration::from_secs(15), 4, 2)
    );
    let (pause, pause_max) = (Duration::from_secs(10), Duration::from_secs(300));
    assert_eq!(erp.guard.breaker, Breaker { failures: 3, of: 5, pause, pause_max });
    assert_eq!(
        (erp.connect.protocol, erp.connect.address.as_str()),
        (Protocol::Rest, "https://erp.example/rest")
    );
    assert!(!erp.connect.allow_private);
    assert!(matches!(&erp.connect.auth, ConnectionAuth::ApiKey { secret, .. } if secret == "erp_key"));
    let OperationKind::Deliver(deliver) = &erp.operations[0].kind else { panic!("{:?}", erp.operations) };
    assert_eq!(deliver.on, ["order.placed", "order.paid"]);
    assert_eq!((deliver.lane.as_deref(), deliver.on_unknown), (Some("order.id"), OnUnknown::Ask));
    assert_eq!(deliver.ok_also, [409]);
    let schedule = vec![Duration::from_secs(1), Duration::from_secs(60)];
    let retry = Retry { schedule, give_up: Duration::from_secs(86_400), on_dead: OnDead::Skip };
    assert_eq!(deliver.retry, retry);
}

#[test]
fn nothing_goes_without_purpose_owner_data_and_outage() {
    for key in ["purpose", "owner", "data", "outage", "partner"] {
        let without: String =
            GOOD.lines().filter(|l| !l.starts_with(key)).map(|l| format!("{l}\n")).collect();
        let (_, problems) = read(&without);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].contains(&format!("must say its `{key}`")), "{problems:?}");
    }
}

#[test]
fn slips_are_told_with_their_line() {
    for (from, to, told) in [
        (
            "\"rest\"",
            "\"rset\"",
            "interfaces/erp.toml:11: error: unknown protocol `rset`; did you mean `rest`?",
        ),
        ("4/s", "4 per second", "`4 per second` is no rate; write `4/s`"),
        ("3 of 5,", "6 of 5,", "is no breaker"),
        ("POST /sales", "SEND /sales", "is no request; write `POST /orders`"),
        ("logic/erp.ts#toSale", "toSale", "`toSale` names no function"),
        ("\"ask\"", "\"asks\"", "did you mean `ask`?"),
        ("\"deliver\"", "\"delivr\"", "did you mean `deliver`?"),
        ("lane =", "lain =", "unknown key `lain`"),
        ("id = \"erp\"", "id = \"shop\"", "the file is called `erp.toml`, but says `shop`"),
        ("https://erp", "erp", "is no web address"),
        ("purpose = \"delivery\", ", "", "personal data needs a `purpose` and a legal `basis`"),
        ("\"skip\"", "\"stop\"", "unknown end of a retry `stop`"),
        ("\"1m\"]", "\"1x\"]", "this is no schedule"),
        ("secret = \"erp_key\"", "", "`auth` has no `secret`"),
    ] {
        assert!(GOOD.contains(from), "{from}");
        let (_, problems) = read(&GOOD.replacen(from, to, 1));
        assert!(problems.iter().any(|p| p.contains(told)), "{from} -> {to}: {problems:?}");
    }
}

#[test]
fn nothing_sets_itself_off() {
    for (on, fine) in
        [("\"erp.create_sale\"", false), ("\"*\"", false), ("\"erp.*\"", false), ("\"order.*\"", true)]
    {
        let text = GOOD
            .replacen("on = [\"order.placed\", \"order.paid\"]", &format!("on = {on}"), 1)
            .replacen("request = \"POST /sales/$order.number\"", "run = \"logic/erp.ts#send\"", 1);
        let (_, problems) = read(&text);
        assert_eq!(problems.iter().all(|p| !p.contains("set it off again")), fine, "{on}: {problems:?}");
    }
}

#[test]
fn what_does_not_fit_together_is_told() {
    let incoming = GOOD.replacen("\"rest\"", "\"webhook-in\"", 1);
    let (_, problems) = read(&incoming);
    assert!(problems.iter().any(|p| p.contains("webhooks that come in deliver nothing")), "{problems:?}");
    let mail =
        GOOD.replacen("\"rest\"", "\"smtp\"", 1).replacen("https://erp.example/rest/", "mail.example:587", 1);
    let (_, problems) = read(&mail);
    assert!(problems.iter().any(|p| p.contains("mail needs a sender")), "{problems:?}");
    let open = GOOD.replacen("\"rest\"", "\"webhook-in\"", 1);
    let open: String = open
        .lines()
        .filter(|l| !l.starts_with("auth") && !l.starts_with("base"))
        .map(|l| format!("{l}\n"))
        .collect();
    let (_, problems) = read(&open);
    assert!(problems.iter().any(|p| p.contains("anybody could send")), "{problems:?}");
}

#[test]
fn a_call_over_json_rpc_needs_no_request() {
    let rpc = GOOD.replacen("\"rest\"", "\"jsonrpc\"", 1);
    let without = rpc.replacen("request = \"POST /sales/$order.number\"\n", "", 1);
    assert_ne!(rpc, without);
    for text in [&rpc, &without] {
        let (_, problems) = read(text);
        assert!(problems.is_empty(), "{problems:?}");
    }
    let (_, problems) = read(&without.replacen("\"jsonrpc\"", "\"rest\"", 1));
    assert!(problems.iter().any(|p| p.contains("either its `request`")), "{problems:?}");
}

#[test]
fn looking_up_what_arrived_needs_a_function_that_looks() {
    const LOOKS: &str = "on_unknown = \"lookup\"\nlookup = \"logic/erp.ts#isThere\"";
    let with = |said: &str| GOOD.replacen("on_unknown = \"ask\"", said, 1);
    let (project, problems) = read(&with(LOOKS));
    assert!(problems.is_empty(), "{problems:?}");
    let OperationKind::Deliver(deliver) = &project.connections[0].operations[0].kind else { panic!() };
    assert_eq!(deliver.on_unknown, OnUnknown::LookUp);
    assert_eq!(deliver.look_up.as_ref().map(|l| l.export.as_str()), Some("isThere"));
    for said in ["on_unknown = \"lookup\"", "on_unknown = \"ask\"\nlookup = \"logic/erp.ts#isThere\""] {
        let (_, problems) = read(&with(said));
        assert!(problems.iter().any(|p| p.contains("belong together")), "{said}: {problems:?}");
    }
}

#[test]
fn the_partner_has_a_name_in_each_language_or_one() {
    let (project, problems) = read(GOOD);
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(project.connections[0].partner.names.get("de"), Some("Tryton"));
    let both = GOOD.replacen("name = \"Tryton\"", "name = { en = \"ERP\", de = \"Warenwirtschaft\" }", 1);
    assert_ne!(both, GOOD);
    let (project, problems) = read(&both);
    assert!(problems.is_empty(), "{problems:?}");
    let partner = &project.connections[0].partner;
    assert_eq!((partner.names.get("de"), partner.names.get("en")), (Some("Warenwirtschaft"), Some("ERP")));
}

const ORDERS: &str = r#"
label = { en = "Orders" }
[fields]
id = { type = "uuid", primary_key = true }
number = { type = "text", unique = true }
email = { type = "text", unique = true, personal = "contact" }
total = { type = "decimal(12,2)" }
created_at = { type = "timestamp" }
"#;

const RECONCILE: &str = r#"
[[op]]
name = "sale"
kind = "deliver"
on = "order.placed"
request = "POST /sales"
[reconcile]
every = "1h"
window = "3d"
grace = "10m"
theirs = "logic/erp.ts#sales"
ours = { table = "orders", key = "number", at = "created_at", expected = "total > 0", same = ["total"] }
missing_there = "offer"
send = "sale"
"#;

fn read_with_orders(text: &str) -> (Project, Vec<String>) {
    let files = ProjectFiles::from([
        ("takt.toml", "name = \"Test\"\nlanguages = [\"en\"]\n"),
        ("schema/orders.toml", ORDERS),
        ("interfaces/erp.toml", text),
    ]);
    let (project, problems) = Project::parse(&files, &[]);
    let told = problems.iter().filter(|p| p.severity == Severity::Error).map(ToString::to_string).collect();
    (project, told)
}

#[test]
fn what_is_compared_is_read_whole() {
    let (project, problems) = read_with_orders(&format!("{GOOD}{RECONCILE}"));
    assert_eq!(problems, Vec::<String>::new());
    let reconcile = project.connection("erp").unwrap().reconcile.as_ref().unwrap();
    assert_eq!(
        (reconcile.rhythm.clone(), reconcile.window, reconcile.grace),
        (Rhythm::Every(Duration::from_secs(3600)), Duration::from_secs(3 * 86_400), Duration::from_secs(600))
    );
    assert_eq!(reconcile.missing_there, MissingThere::Offer("sale".to_owned()));
    assert_eq!(reconcile.missing_here, MissingHere::Report);
    assert_eq!(reconcile.ours.expected_text.as_deref(), Some("total > 0"));
    let table = project.table("orders").unwrap();
    assert_eq!(table.get(reconcile.ours.key).name, "number");
    assert_eq!(reconcile.ours.same.len(), 1);
}

#[test]
fn slips_in_what_is_compared_are_told() {
    for (good, bad, told) in [
        ("every = \"1h\"", "", "a comparison needs `every` or a `schedule`"),
        ("every = \"1h\"", "every = \"1h\"\nschedule = \"30 3 * * *\"", "`every` or a `schedule`, not both"),
        (
            "every = \"1h\"",
            "every = \"1h\"\ntime_zone = \"Europe/Berlin\"",
            "a time zone without a `schedule`",
        ),
        ("every = \"1h\"", "schedule = \"30 25 * * *\"", "the hour \"25\" is none"),
        ("every = \"1h\"", "schedule = \"30 3 * * *\"\ntime_zone = \"Europe/Berln\"", "unknown time zone"),
        ("every = \"1h\"", "schedule = \"30 3 * * 1\"", "twice as long as the longest pause"),
        ("every = \"1h\"", "schedule = \"30 3 30 2 *\"", "never comes"),
        ("every = \"1h\"", "schedule = \"30 3 * * *\"\ntime_zone = \"Europe/Berlin\"", ""),
        ("every = \"1h\"", "every = \"10s\"", "`every` must be a minute (`1m`) or more; write"),
        ("window = \"3d\"", "window = \"90m\"", "`window` must be at least twice as long as `every`"),
        ("window = \"3d\"", "window = \"31d\"", "at most 30 days"),
        ("grace = \"10m\"", "grace = \"3d\"", "`grace` must be shorter than `window`"),
        ("logic/erp.ts#sales", "sales", "names no function"),
        ("table = \"orders\"", "table = \"order\"", "there is no table `order`"),
        ("key = \"number\"", "key = \"numbr\"", "has no field `numbr`"),
        ("key = \"number\"", "key = \"total\"", "`total` is not unique"),
        ("key = \"number\"", "key = \"email\"", ""),
        ("at = \"created_at\"", "at = \"total\"", "`total` is no timestamp"),
        ("expected = \"total > 0\"", "expected = \"totl > 0\"", "totl"),
        ("same = [\"total\"]", "same = [\"sum\"]", "has no field `sum`"),
        ("missing_there = \"offer\"", "missing_there = \"ofer\"", "unknown answer `ofer`"),
        ("same = [\"total\"]", "states = { gone = { when = \"totl = 0\" } }", "totl"),
        (
            "same = [\"total\"]",
            "states = { gone = { label = \"Gone\" } }",
            "nothing says when a row is `gone`",
        ),
        ("same = [\"total\"]", "states = { total = { when = \"total = 0\" } }", "needs a name of its own"),
        ("same = [\"total\"]", "states = { at = { when = \"total = 0\" } }", "needs a name of its own"),
        ("same = [\"total\"]", "states = { gone = \"total = 0\" }", "`gone` must be a table"),
        ("same = [\"total\"]", "states = { gone = { wen = \"total = 0\" } }", "unknown key `wen`"),
        ("same = [\"total\"]", "states = { gone = { when = \"total = 0\", label = \"Gone\" } }", ""),
        ("send = \"sale\"", "", "nothing says which operation sends"),
        ("send = \"sale\"", "send = \"sales\"", "there is no operation `sales` that delivers"),
        ("missing_there = \"offer\"", "missing_here = \"receive\"", "no operation receives"),
        ("grace = ", "graze = \"1m\"\ngrace = ", "unknown key `graze`"),
    ] {
        let (_, problems) = read_with_orders(&format!("{GOOD}{}", RECONCILE.replacen(good, bad, 1)));
        match told {
            // `data` of this connection declares it.
            "" => assert_eq!(problems, Vec::<String>::new(), "{bad}"),
            told => assert!(problems.iter().any(|p| p.contains(told)), "{bad}: {problems:?}"),
        }
    }
    let undeclared = format!("{GOOD}{RECONCILE}").replace("fields = [\"email\"]", "fields = [\"total\"]");
    let (_, problems) = read_with_orders(&undeclared.replacen("key = \"number\"", "key = \"email\"", 1));
    assert!(problems.iter().any(|p| p.contains("`email` is personal and would leave")), "{problems:?}");
}

#[test]
fn how_long_an_outage_can_be_borne_must_be_readable() {
    for (said, problem) in [
        ("8h", None),
        ("2d", None),
        ("soon", Some("`outage.max`: `soon` is no duration")),
        ("8 hours", Some("`outage.max`: `8 hours` is no duration")),
        ("0h", Some("`outage.max`: `0h` is no duration")),
    ] {
        let (_, problems) = read(&GOOD.replace("max = \"8h\"", &format!("max = \"{said}\"")));
        match problem {
            None => assert_eq!(problems, Vec::<String>::new(), "{said}"),
            Some(problem) => assert!(problems.len() == 1 && problems[0].contains(problem), "{problems:?}"),
        }
    }
}

#[test]
fn how_it_is_asked_whether_it_is_well_must_change_nothing() {
    let health = |said: &str| read(&GOOD.replacen("[connect]", &format!("health = {said}\n[connect]"), 1));
    let (project, problems) = health("{ request = \"GET /ping\" }");
    assert_eq!(problems, Vec::<String>::new());
    let probe = project.connection("erp").unwrap().health.as_ref().unwrap();
    assert_eq!((probe.request.path.as_str(), probe.every), ("/ping", Duration::from_secs(300)));
    for (said, problem) in [
        ("{ every = \"5m\" }", "`health` does not say what to ask"),
        ("{ request = \"POST /ping\" }", "must change nothing"),
        ("{ request = \"GET /orders/$order.id\" }", "knows no event"),
        ("{ request = \"GET /ping\", every = \"1s\" }", "ten seconds"),
        ("{ request = \"GET /ping\", evry = \"5m\" }", "unknown key `evry`"),
    ] {
        let (_, problems) = health(said);
        assert!(problems.len() == 1 && problems[0].contains(problem), "{said}: {problems:?}");
    }
}

#[test]
fn the_version_of_the_other_side_can_be_named_with_its_end() {
    let api = |said: &str| read(&GOOD.replacen("[connect]", &format!("[connect]\napi = {said}"), 1));
    let (project, problems) = api("{ version = \"8.2\", end = \"2027-09-30\" }");
    assert_eq!(problems, Vec::<String>::new());
    let api_of = project.connection("erp").unwrap().connect.api.as_ref().unwrap();
    assert_eq!((api_of.version.as_str(), api_of.end.unwrap().to_string().as_str()), ("8.2", "2027-09-30"));
    for (said, problem) in [
        ("{ end = \"2027-09-30\" }", "does not say its `version`"),
        ("{ version = \"8.2\", end = \"soon\" }", "`soon` is no day"),
    ] {
        let (_, problems) = api(said);
        assert!(problems.len() == 1 && problems[0].contains(problem), "{said}: {problems:?}");
    }
}

#[test]
fn without_a_schedule_each_language_has_its_own() {
    let (head, operation) = GOOD.split_once("[[op]]").unwrap();
    let operation = operation.lines().filter(|l| !l.starts_with("retry") && !l.starts_with("request"));
    let operation = operation.collect::<Vec<_>>().join("\n");
    for (protocol, usual) in [("rest", Retry::api()), ("webhook-out", Retry::webhook())] {
        let request = if protocol == "rest" { "request = \"POST /sales\"\n" } else { "" };
        let head = head.replace("protocol = \"rest\"", &format!("protocol = \"{protocol}\""));
        let (project, problems) = read(&format!("{head}[[op]]\n{request}{operation}"));
        assert_eq!(problems, Vec::<String>::new(), "{protocol}");
        let OperationKind::Deliver(deliver) = &project.connection("erp").unwrap().operations[0].kind else {
            panic!()
        };
        assert_eq!(deliver.retry, usual, "{protocol}");
    }
}
