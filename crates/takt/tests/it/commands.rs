//! The other commands, with and without a running server.

use serde_json::Value as Json;

use crate::support::{Serving, ended, project, takt, text, write};

fn json(words: &[&str]) -> Json {
    let (code, output, error) = ended(&takt(words));
    serde_json::from_str(&output).unwrap_or_else(|e| panic!("{e}: {code} {output} {error}"))
}

#[test]
fn both_templates_make_a_project_without_problems() {
    let dir = tempfile::tempdir().unwrap();
    for template in ["empty", "shop"] {
        let folder = dir.path().join(template);
        let made = json(&["new", text(&folder), "--template", template, "--json"]);
        assert!(made["files"].as_u64().is_some_and(|n| n > 5), "{made}");
        let (code, output, error) = ended(&takt(&["check", text(&folder)]));
        assert_eq!(code, 0, "{template}: {output}{error}");
        assert!(output.trim_end().ends_with("no problems."), "{output}");
        assert!(folder.join(".gitignore").exists());
    }
    let (code, _, error) = ended(&takt(&["new", text(&dir.path().join("empty"))]));
    assert_eq!(code, 1);
    assert!(error.contains("exists and is not empty; nothing was written"), "{error}");
}

#[test]
fn check_reports_every_problem_with_its_place_and_ends_with_3() {
    let (_dir, folder) = project();
    let schema = "label = { en = \"M\" }\n[fields.id]\ntype = \"uuid\"\nprimary_key = true\n[fields.text]\ntype = \"txet\"\n\
                  [[policies]]\nname = \"p\"\nto = [\"anon\"]\nallow = [\"select\"]\nusing = \"nothing = 1\"\n";
    write(&folder, "schema/messages.toml", schema);
    let (code, output, _) = ended(&takt(&["check", text(&folder)]));
    assert_eq!(code, 3);
    assert!(output.contains("schema/messages.toml:6: error: unknown type `txet`"), "{output}");
    assert!(output.contains("did you mean `text`?"), "{output}");
    assert!(output.contains("schema/messages.toml:11: error:"), "{output}");

    let report = json(&["check", text(&folder), "--json"]);
    assert!(report["errors"].as_u64().is_some_and(|n| n >= 2), "{report}");
    let place = |at: &Json| (at["file"].clone(), at["line"].is_number());
    let places: Vec<_> = report["problems"].as_array().unwrap().iter().map(place).collect();
    assert!(places.contains(&("schema/messages.toml".into(), true)), "{report}");
    // The function of the template writes a field that this schema does not have any more.
    assert!(places.contains(&("logic/leave_message.ts".into(), true)), "{report}");

    let (code, _, error) = ended(&takt(&["check", text(&folder.join("nowhere"))]));
    assert_eq!((code, error.contains("does not exist")), (1, true));
}

#[test]
fn wrong_usage_ends_with_2() {
    for words in [&["sevre"][..], &["new"], &["serve", "--nonsense"], &["story"], &["account"]] {
        assert_eq!(ended(&takt(words)).0, 2, "{words:?}");
    }
    let (code, output, _) = ended(&takt(&["serve", "--help"]));
    assert_eq!(code, 0);
    assert!(output.contains("Examples:"), "{output}");
}

#[test]
fn keys_and_accounts_are_the_same_with_and_without_a_server() {
    let (_dir, folder) = project();
    let project = ["--project", text(&folder), "--json"];
    let with = |words: &[&str]| json(&[words, &project].concat());
    let before = with(&["keys"]);
    let made = with(&["account", "add", "anna@example.com"]);
    assert_eq!(made["password"].as_str().map(str::len), Some(20));

    let server = Serving::start(&folder, &[]);
    let during = with(&["keys"]);
    assert_eq!(before["secret_key"], during["secret_key"]);
    assert_eq!(during["url"], format!("http://{}", server.address));
    let listed = with(&["account", "list"]);
    assert_eq!(listed[0]["email"], "anna@example.com");

    let (code, output, _) =
        ended(&takt(&["account", "role", "anna@example.com", "--add", "king", "--project", text(&folder)]));
    assert_eq!((code, output.as_str()), (1, ""));
    let failed = with(&["account", "role", "nobody@example.com"]);
    assert_eq!(failed["error"], "There is no account nobody@example.com.");
}

#[test]
fn the_newest_story_is_told_in_both_languages() {
    let (_dir, folder) = project();
    let project = ["--project", text(&folder)];
    let tell = |words: &[&str]| ended(&takt(&[&["story"], words, &project].concat()));
    assert_eq!(tell(&["--last"]), (1, String::new(), "There is no story yet.\n".to_owned()));
    let server = Serving::start(&folder, &[]);
    server.ask("POST", "/rest/v1/rpc/leave_message", r#"{"name":"Anna","message":"Hello"}"#);
    let (code, german, _) = tell(&["--last", "--lang", "de"]);
    assert_eq!(code, 0);
    assert!(german.contains("Nachricht geschrieben"), "{german}");
    let (_, english, _) = tell(&["--last", "--function", "leave_message", "--lang", "en"]);
    assert!(english.contains("Message written"), "{english}");
    assert!(!english.contains("Anna"), "personal values stay out of stories: {english}");
}

#[test]
fn settings_say_where_they_come_from() {
    let (_dir, folder) = project();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_takt"))
        .args(["settings", "--json", "--project", text(&folder)])
        .env("TAKT_LIMITS_MAX_ROWS", "50")
        .output()
        .unwrap();
    let settings: Json = serde_json::from_slice(&output.stdout).unwrap();
    let find = |key: &str| settings.as_array().unwrap().iter().find(|s| s["key"] == key).cloned().unwrap();
    assert_eq!(
        (find("name")["value"].as_str(), find("name")["origin"].as_str()),
        (Some("book"), Some("project"))
    );
    assert_eq!(find("limits.max_rows")["origin"], "environment");
    assert_eq!(find("limits.max_rows")["value"], "50");
    assert_eq!(find("server.listen")["origin"], "default");
}

#[test]
fn types_writes_declarations_that_change_nothing_else() {
    let (_dir, folder) = project();
    let written = json(&["types", text(&folder), "--json"]);
    assert!(written["file"].as_str().is_some_and(|f| f.ends_with("logic/takt.d.ts")), "{written}");
    let declared = std::fs::read_to_string(folder.join("logic/takt.d.ts")).unwrap();
    assert!(declared.contains("messages: Table<Rows.Messages, New.Messages, "), "{declared}");
    let (code, output, _) = ended(&takt(&["check", text(&folder)]));
    assert_eq!(code, 0, "{output}");
}
