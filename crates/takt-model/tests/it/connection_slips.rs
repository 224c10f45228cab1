//! `interfaces/*.toml`: what says nothing, leads nowhere or cannot be meant is refused where it stands.
//! Not here: what a connection says when it is right, and slips of spelling (`connections.rs`).

use takt_model::{Project, ProjectFiles};

const GOOD: &str = r#"
purpose = { en = "Paid orders go to the ERP." }
partner = { name = "Tryton" }
owner = "Warehouse"
leads = { erp = ["stock"], shop = ["orders"] }
outage = { en = "Orders wait.", max = "8h" }
data = [{ fields = ["email"], purpose = "delivery", basis = "contract" }]
guard = { rate = "4/s" }
[connect]
protocol = "rest"
base = "https://erp.example/rest"
auth = { kind = "apikey", secret = "erp_key" }
[[op]]
name = "sale"
kind = "deliver"
on = "order.placed"
request = "POST /sales"
retry = { schedule = ["1m", "5m"], give_up = "1d" }
"#;

/// All that is told about the connection `interfaces/erp.toml`, warnings too.
fn told(text: &str) -> Vec<String> {
    let files = ProjectFiles::from([
        ("takt.toml", "name = \"Test\"\nlanguages = [\"en\", \"de\"]\n"),
        (
            "schema/orders.toml",
            "label = \"Orders\"\n[fields]\nid = { type = \"uuid\", primary_key = true }\n",
        ),
        ("interfaces/erp.toml", text),
    ]);
    let (_, problems) = Project::parse(&files, &[]);
    problems.iter().filter(|p| p.source.file == "interfaces/erp.toml").map(ToString::to_string).collect()
}

/// What is told when `from` is written as `to`.
fn told_of(from: &str, to: &str) -> Vec<String> {
    assert!(GOOD.contains(from), "{from}");
    told(&GOOD.replacen(from, to, 1))
}

fn assert_told(slips: &[(&str, &str, &str)]) {
    assert_eq!(told(GOOD), Vec::<String>::new());
    for (from, to, message) in slips {
        let told = told_of(from, to);
        assert!(told.iter().any(|p| p.contains(message)), "{from} -> {to}: {told:?}");
    }
}

#[test]
fn blanks_say_nothing() {
    const PURPOSE: &str = "purpose = { en = \"Paid orders go to the ERP.\" }";
    assert_told(&[
        (PURPOSE, "purpose = \" \"", "erp.toml:2: error: a connection must say its `purpose`"),
        (
            PURPOSE,
            "purpose = { de = \"\", en = \"\" }",
            "erp.toml:2: error: a connection must say its `purpose`",
        ),
        // A language that nobody here reads.
        (PURPOSE, "purpose = { fr = \"Les commandes.\" }", "error: a connection must say its `purpose`"),
        ("\"Warehouse\"", "\"  \"", "erp.toml:4: error: a connection must say its `owner`"),
        ("{ name = \"Tryton\" }", "{ name = \" \" }", "erp.toml:3: error: the partner has no `name`"),
        (
            "{ en = \"Orders wait.\", max = \"8h\" }",
            "{ en = \"\", de = \" \", max = \"8h\" }",
            "erp.toml:6: error: a connection must say its `outage`",
        ),
        ("purpose = \"delivery\"", "purpose = \" \"", "personal data needs a `purpose` and a legal `basis`"),
        ("basis = \"contract\"", "basis = \"\"", "personal data needs a `purpose` and a legal `basis`"),
    ]);
    assert_eq!(told_of(PURPOSE, "purpose = { de = \"Bestellungen.\" }"), Vec::<String>::new());
}

#[test]
fn addresses_lead_somewhere() {
    const BASE: &str = "\"https://erp.example/rest\"";
    assert_told(&[
        (BASE, "\"https://\"", "erp.toml:11: error: `https://` is no web address; write `base ="),
        (BASE, "\"https:///rest\"", "is no web address"),
        (BASE, "\"https://erp .example/rest\"", "is no web address"),
        (BASE, "\"https://erp.example/re st\"", "is no web address"),
        (BASE, "\"https://erp..example\"", "is no web address"),
        (BASE, "\"https://:8443/rest\"", "is no web address"),
        (BASE, "\"https://erp.example:99999/rest\"", "has no port between 1 and 65535"),
        (BASE, "\"https://erp.example:0/rest\"", "has no port between 1 and 65535"),
        (BASE, "\"https://erp.example:x/rest\"", "has no port between 1 and 65535"),
    ]);
    for fine in
        ["https://erp.example:8443", "https://[2a00::1]:8443/x?y=z", "https://bücher.example/", "https://erp"]
    {
        assert_eq!(told_of(BASE, &format!("\"{fine}\"")), Vec::<String>::new(), "{fine}");
    }
    let mail = GOOD.replacen("\"rest\"", "\"smtp\"\nfrom = \"a@b.example\"", 1).replacen(
        "request = \"POST /sales\"",
        "mail = { template = \"a\", to = \"b\" }",
        1,
    );
    for (base, is_fine) in [
        ("mail.example:587", true),
        ("[2a00::1]:25", true),
        ("mail.example", false),
        (":25", false),
        ("mail example:25", false),
        ("mail.example:70000", false),
        ("https://mail.example:25", false),
    ] {
        let told = told(&mail.replacen(BASE, &format!("\"{base}\""), 1));
        assert_eq!(told.is_empty(), is_fine, "{base}: {told:?}");
    }
}

#[test]
fn passwords_stand_in_no_file() {
    const BASE: &str = "\"https://erp.example/rest\"";
    const AUTH: &str = "{ kind = \"apikey\", secret = \"erp_key\" }";
    let value = "here stands the name of a secret, and this looks like its value";
    assert_told(&[
        (
            BASE,
            "\"https://ann:geheim@erp.example/rest\"",
            "erp.toml:11: error: `base` holds a user or a password; write",
        ),
        (BASE, "\"https://ann@erp.example\"", "`base` holds a user or a password"),
        (BASE, "\"ann:geheim@erp.example\"", "`base` is no web address"),
        ("\"erp_key\"", "\"sk_live_4eC39HqLyjWDarjtT1zdp7dc\"", value),
        ("\"erp_key\"", "\"whsec_geheim\"", value),
        ("\"erp_key\"", "\"two words\"", value),
        ("\"erp_key\"", "\"\"", value),
        (AUTH, "{ kind = \"stripe\", secrets = [\"good\", \"whsec_geheim\"] }", value),
        (
            AUTH,
            "{ kind = \"oauth2-cc\", token_url = \"https://a:geheim@b.example\", client_id = \"a\", secret = \"b\" }",
            "`token_url` holds a user or a password",
        ),
    ]);
    for base in
        ["https://ann:geheim@erp.example/rest", "ann:geheim@erp.example", "https://ann:ge/heim@erp.example"]
    {
        let told = told_of(BASE, &format!("\"{base}\"")).join("\n");
        assert!(!told.is_empty() && !told.contains("heim"), "{told}");
    }
    assert!(!told_of("\"erp_key\"", "\"whsec_geheim\"").join("\n").contains("geheim"));
}

#[test]
fn addresses_are_shown_without_what_may_be_confidential() {
    let files = ProjectFiles::from([("takt.toml", "name = \"Test\"\n"), ("interfaces/erp.toml", GOOD)]);
    let (project, _) = Project::parse(&files, &[]);
    let mut connect = project.connection("erp").unwrap().connect.clone();
    for (address, shown) in [
        ("https://erp.example/rest", "https://erp.example/rest"),
        ("https://ann:geheim@erp.example:8443/rest?key=1", "https://erp.example:8443/rest?…"),
        ("https://ann@erp.example", "https://erp.example"),
        ("https://erp.example/@home", "https://erp.example/@home"),
        ("ann:geheim@mail.example:587", "mail.example:587"),
        ("", ""),
    ] {
        address.clone_into(&mut connect.address);
        assert_eq!(connect.shown_address(), shown);
    }
}

#[test]
fn what_cannot_be_meant_is_refused() {
    assert_told(&[
        ("\"4/s\"", "\"0/s\"", "`0/s` is no rate; write `4/s`; without `rate` there is no limit"),
        ("give_up = \"1d\"", "give_up = \"30s\"", "`give_up` comes before the first pause is over"),
        ("[\"1m\", \"5m\"]", "[\"2d\"]", "`give_up` comes before the first pause is over"),
        ("retry =", "lane = \"\"\nretry =", "erp.toml:18: error: `lane` names a place in the event"),
        ("retry =", "ok_also = [500]\nretry =", "erp.toml:18: error: 500 says that nothing was done"),
        ("retry =", "ok_also = [409, 429]\nretry =", "429 says that nothing was done"),
        (
            "retry =",
            "mail = { template = \"a\", to = \"b\" }\nretry =",
            "`mail` is only for connections with",
        ),
    ]);
    let mail = GOOD.replacen("\"rest\"", "\"smtp\"\nfrom = \"a@b.example\"", 1).replacen(
        "https://erp.example/rest",
        "a.example:25",
        1,
    );
    let told = told(&mail.replacen("retry =", "mail = { template = \"a\", to = \"b\" }\nretry =", 1));
    assert!(told.len() == 1 && told[0].contains("a mail is written by its template"), "{told:?}");
}

#[test]
fn messages_are_remembered_as_long_as_senders_repeat_them() {
    let (head, _) = GOOD.split_once("[connect]").unwrap();
    for (keep, is_fine) in [("1s", false), ("3d", false), ("4d", true), ("45d", true)] {
        let told = told(&format!(
            "{head}[connect]\nprotocol = \"webhook-in\"\nauth = {{ kind = \"github\", secrets = [\"key\"] }}\n\
             [[op]]\nname = \"in\"\nkind = \"receive\"\nkeep = \"{keep}\"\n"
        ));
        assert_eq!(told.is_empty(), is_fine, "{keep}: {told:?}");
        assert!(
            is_fine || told[0].contains("erp.toml:15: error: senders repeat messages for days"),
            "{told:?}"
        );
    }
}

#[test]
fn slips_in_who_decides_about_what_are_told() {
    assert_told(&[
        (
            "erp = [\"stock\"]",
            "epr = [\"stock\"]",
            "erp.toml:5: warning: nobody is called `epr` here; did you mean `erp`?",
        ),
        (
            "shop = [\"orders\"]",
            "shop = [\"ordres\"]",
            "warning: no table and no field is called `ordres`; did you mean `orders`?",
        ),
        ("shop = [\"orders\"]", "shop = \"orders\"", "error: `leads.shop` must be a list of field names"),
    ]);
    // The other side has words of its own.
    assert_eq!(
        told_of("erp = [\"stock\"]", "idp = [\"groups\", \"payment state\", \"order\"]"),
        Vec::<String>::new()
    );
}
