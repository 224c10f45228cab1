//! What commands ask: through the socket of a running server, and without one.

use serde_json::Value as Json;
use takt_server::{AdminRequest, ask, execute, open};

use crate::support::{Running, options, project};

fn add(email: &str) -> AdminRequest {
    AdminRequest::AccountAdd { email: email.to_owned(), password: None, roles: vec!["staff".to_owned()] }
}

#[test]
fn a_running_server_answers_commands_through_its_socket() {
    let server = Running::start();
    let data = server.dir.as_ref().unwrap().path().join("data");
    let keys = ask(&data, &AdminRequest::Keys).unwrap().unwrap();
    assert_eq!(keys["publishable_key"], server.publishable.as_str());
    assert_eq!(keys["url"], format!("http://{}", server.address));

    let made = ask(&data, &add("anna@example.com")).unwrap().unwrap();
    assert_eq!(made["roles"], serde_json::json!(["staff"]));
    let password = made["password"].as_str().unwrap();
    let body = format!(r#"{{"email":"anna@example.com","password":"{password}"}}"#);
    let session = server.ask("POST", "/auth/v1/token?grant_type=password", &[], &body);
    assert_eq!(session.status, 200, "{}", session.text());

    let role = AdminRequest::AccountRole {
        email: "anna@example.com".to_owned(),
        add: vec![],
        remove: vec!["staff".to_owned()],
    };
    assert_eq!(ask(&data, &role).unwrap().unwrap()["roles"], serde_json::json!([]));
    let status = ask(&data, &AdminRequest::Status).unwrap().unwrap();
    assert_eq!((status["writable"].as_bool(), status["durable"].as_bool()), (Some(true), Some(true)));
}

#[test]
fn a_refusal_is_a_plain_sentence() {
    let server = Running::start();
    let data = server.dir.as_ref().unwrap().path().join("data");
    let say = |request: &AdminRequest| ask(&data, request).unwrap_err().to_string();
    let unknown = AdminRequest::AccountAdd {
        email: "a@example.com".to_owned(),
        password: None,
        roles: vec!["king".to_owned()],
    };
    assert_eq!(
        say(&unknown),
        "There is no role `king`; there are: staff; in the console: owner, developer, editor, auditor."
    );
    let last = AdminRequest::StoryLast { function: None, language: "en".to_owned(), depth: 3 };
    assert_eq!(say(&last), "There is no story yet.");
}

#[test]
fn the_console_has_roles_of_its_own_and_an_account_at_most_one_of_them() {
    let server = Running::start();
    let data = server.dir.as_ref().unwrap().path().join("data");
    ask(&data, &add("anna@example.com")).unwrap();
    let role = |add: &[&str], remove: &[&str]| {
        let owned = |list: &[&str]| list.iter().map(|r| (*r).to_owned()).collect();
        let (add, remove) = (owned(add), owned(remove));
        ask(&data, &AdminRequest::AccountRole { email: "anna@example.com".to_owned(), add, remove })
    };
    let has = |add: &[&str], remove: &[&str]| {
        let account = role(add, remove).unwrap().unwrap();
        (account["roles"].clone(), account["studio_role"].clone())
    };
    let staff = serde_json::json!(["staff"]);
    assert_eq!(has(&["editor"], &[]), (staff.clone(), Json::from("editor")));
    assert_eq!(has(&["developer"], &[]), (staff.clone(), Json::from("developer")));
    assert_eq!(has(&[], &["editor"]), (staff.clone(), Json::from("developer")), "it has no such role");
    assert_eq!(has(&["auditor"], &["staff"]), (serde_json::json!([]), Json::from("auditor")));
    assert_eq!(has(&["staff"], &["auditor"]), (staff, Json::Null));
    let both = role(&["owner", "editor"], &[]).unwrap_err().to_string();
    assert_eq!(both, "An account has one role in the console; name one of them.");
}

#[test]
fn the_audit_says_nothing_of_what_was_refused() {
    let server = Running::start();
    let data = server.dir.as_ref().unwrap().path().join("data");
    let (name, value) = ("erp_key".to_owned(), "s3cret".to_owned());
    let kept = AdminRequest::SecretSet { name: name.clone(), value: value.clone() };
    ask(&data, &kept).unwrap();
    for (refused, words) in [
        (AdminRequest::SecretSet { name: "nope".to_owned(), value: String::new() }, "1 to"),
        (AdminRequest::SecretSet { name: "No Name".to_owned(), value }, "lower-case letters"),
        (AdminRequest::SecretRemove { name: "erp_kye".to_owned() }, "Did you mean `erp_key`?"),
    ] {
        let told = ask(&data, &refused).unwrap_err().to_string();
        assert!(told.contains(words), "{told}");
    }
    ask(&data, &AdminRequest::SecretRemove { name }).unwrap();
    let list = AdminRequest::AuditList {
        acts: vec!["secret".to_owned()],
        subject: None,
        since: None,
        limit: 10,
        language: "en".to_owned(),
    };
    let rows = ask(&data, &list).unwrap().unwrap();
    let told: Vec<_> =
        rows["audit"].as_array().unwrap().iter().map(|r| format!("{} {}", r["act"], r["subject"])).collect();
    assert_eq!(told, [r#""secret.remove" "secret erp_key""#, r#""secret.set" "secret erp_key""#]);
}

#[test]
fn stories_are_told_in_two_languages() {
    let server = Running::start();
    let data = server.dir.as_ref().unwrap().path().join("data");
    let token = server.token("anna@example.com");
    let answer = server.ask_as(&token, "POST", "/rest/v1/rpc/note", &[], r#"{"text":"hello"}"#);
    let id = answer.header("takt-story").unwrap();
    let tell = |language: &str| {
        let story = AdminRequest::Story { id: id.clone(), language: language.to_owned(), depth: 3 };
        ask(&data, &story).unwrap().unwrap()["text"].as_str().unwrap().to_owned()
    };
    assert!(tell("de").contains("Geschrieben"), "{}", tell("de"));
    assert!(tell("en").contains("Written"), "{}", tell("en"));
}

#[test]
fn without_a_server_the_project_is_opened_for_one_question() {
    let dir = project();
    let options = options(dir.path(), &[]);
    assert_eq!(ask(&options.data_dir(), &AdminRequest::Keys), Ok(None));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let question = |request| {
        let opened = open(&options).unwrap();
        let answer = runtime.block_on(execute(opened.app(), request)).unwrap();
        opened.close();
        answer
    };
    let first = question(AdminRequest::Keys);
    assert_eq!(first, question(AdminRequest::Keys), "keys are made once");
    question(add("anna@example.com"));
    let accounts = question(AdminRequest::AccountList { limit: 10 });
    assert_eq!(accounts.as_array().map(Vec::len), Some(1));
    let settings = question(AdminRequest::Settings);
    let name = settings.as_array().unwrap().iter().find(|s| s["key"] == "name").map(|s| s["value"].clone());
    assert_eq!(name, Some(Json::from("Notes")));
}
