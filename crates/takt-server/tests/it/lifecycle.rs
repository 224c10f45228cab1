//! Start, seeds, history, reload, stop.

use std::{
    fs,
    io::Write,
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    time::{Duration, Instant},
};

use takt_model::Severity;
use takt_server::{CheckReport, Server, StartError, StartOptions, check};
use tempfile::TempDir;

use crate::support::{Answer, Running, options, project, write};

fn refused(options: &StartOptions) -> StartError {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    match Server::start(options, runtime.handle()) {
        Ok(_) => panic!("it started"),
        Err(error) => error,
    }
}

#[test]
fn seeds_are_loaded_once_and_never_over_data() {
    let server = Running::start();
    assert_eq!(server.summary.seeded_rows, 3);
    let service = [("apikey", server.secret.clone())];
    let service = [(service[0].0, service[0].1.as_str())];
    assert_eq!(server.raw("DELETE", "/rest/v1/colours?id=gt.1", &service, b"").status, 204);
    let (dir, clean) = server.stop();
    assert!(clean);
    let options = options(dir.path(), &[]);
    let again = Running::serve(dir, &options);
    assert_eq!(again.summary.seeded_rows, 0);
    assert_eq!(again.get("/rest/v1/colours?select=name").text(), r#"[{"name":"red"}]"#);
}

#[test]
fn nobody_else_reads_the_files_of_the_data_folder() {
    let server = Running::start();
    let folder = server.dir.as_ref().unwrap().path().join("data");
    for name in ["takt.db", "takt.db-wal", "takt.lock", "alive", "master.key"] {
        let mode = fs::metadata(folder.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{name}");
    }
}

/// Without warnings, a line each.
fn errors(report: &CheckReport) -> String {
    let errors = report.problems.iter().filter(|p| p.severity == Severity::Error);
    errors.map(|p| format!("{p}\n")).collect()
}

#[test]
fn wrong_rows_of_seeds_are_told_together_by_check_and_before_a_database_is_made() {
    let told = |dir: &TempDir| {
        let checked = check(dir.path(), &[]).unwrap();
        let StartError::Project(refused) = refused(&options(dir.path(), &[])) else {
            panic!("not the project")
        };
        assert_eq!(refused.to_string(), checked.to_string(), "serve and check say the same");
        assert!(!dir.path().join("data/takt.db").exists());
        errors(&checked)
    };
    let dir = project();
    let colours = |text: &str| write(dir.path(), "seeds/colours.csv", text);
    colours("id,name\n1,red\ntwo,green\n3\n4,\n5,\"\"\n6,\"open\n");
    write(dir.path(), "seeds/notes.csv", "id,text\nnone,hello\n");
    assert_eq!(
        told(&dir),
        "\
seeds/colours.csv:3: error: id: invalid input syntax for type integer: \"two\"
seeds/colours.csv:4: error: 1 value for 2 fields
seeds/colours.csv:5: error: name: the field is required and has no default, and nothing stands here
seeds/colours.csv:7: error: a quote is opened and never closed
seeds/notes.csv:2: error: id: invalid input syntax for type uuid: \"none\"
"
    );

    // What only a database judges: uniqueness, references, checks; hooks are not called.
    colours("id,name\n1,red\n2,red\n1,blue\n4,green\n");
    write(
        dir.path(),
        "seeds/notes.csv",
        &"owner,text\nID,fine\nID,\"\"\nID,ruled out\n".replace("ID", "0199a001-0000-7000-8000-000000000001"),
    );
    assert_eq!(
        told(&dir),
        "\
seeds/colours.csv:3: error: duplicate key value violates unique constraint \"colours_name_key\"
seeds/colours.csv:4: error: duplicate key value violates unique constraint \"colours_pkey\"
seeds/notes.csv:3: error: new row for relation \"notes\" violates check constraint \"notes_text_check\"
"
    );

    colours("id,name\n1,red\n");
    write(dir.path(), "seeds/notes.csv", "owner,text\n");
    let opts = options(dir.path(), &[]);
    assert_eq!(Running::serve(dir, &opts).summary.seeded_rows, 1);
}

#[test]
fn seeds_may_point_to_later_rows_of_their_own_table() {
    let dir = project();
    let table = "[fields.id]\ntype = \"integer\"\nprimary_key = true\n[fields.above]\ntype = \"integer\"\nreferences = \"rooms.id\"\n";
    write(dir.path(), "schema/rooms.toml", table);
    write(dir.path(), "seeds/rooms.csv", "id,above\n1,2\n2,\n3,9\n");
    assert_eq!(
        errors(&check(dir.path(), &[]).unwrap()),
        "seeds/rooms.csv:4: error: insert or update on table \"rooms\" violates foreign key constraint \"rooms_above_fkey\"\n"
    );
}

#[test]
fn of_a_file_full_of_wrong_rows_the_first_hundred_are_told() {
    let dir = project();
    let rows: String = (0..150).map(|n| format!("x{n},red\n")).collect();
    write(dir.path(), "seeds/colours.csv", &format!("id,name\n{rows}"));
    let told = errors(&check(dir.path(), &[]).unwrap());
    let told: Vec<_> = told.lines().collect();
    assert_eq!(told.len(), 101);
    assert_eq!(told[100], "seeds/colours.csv:102: error: from here on 50 more problems in this file");
}

#[test]
fn every_changed_start_is_recorded_and_requests_are_counted() {
    let server = Running::start();
    assert!(server.summary.release_recorded);
    server.get("/");
    server.get("/rest/v1/nothing");
    assert_eq!(server.app.counters().succeeded, 2);
    let (dir, _) = server.stop();

    let opts = options(dir.path(), &[]);
    let same = Running::serve(dir, &opts);
    assert!(!same.summary.release_recorded, "nothing changed");
    let minutes = same.app.engine.minutes_since(0).unwrap();
    assert_eq!(minutes.iter().map(|m| m.succeeded).sum::<u64>(), 2);
    let (dir, _) = same.stop();

    write(dir.path(), "public/index.html", "<!doctype html><title>Changed</title>");
    let opts = options(dir.path(), &[]);
    let changed = Running::serve(dir, &opts);
    assert!(changed.summary.release_recorded);
    let releases = changed.app.releases(10).unwrap();
    assert_eq!(releases.len(), 2);
    assert_ne!(releases[0].project, releases[1].project);
    assert_eq!(releases[0].schema, releases[1].schema);
    assert!(releases[0].not_serving_seconds.is_some_and(|s| (0..60).contains(&s)), "{releases:?}");
}

#[test]
fn what_can_be_refused_is_refused_before_the_database_is_touched() {
    let dir = project();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut opts = options(dir.path(), &[]);
    opts.layers[0].values[0].1 = address.clone();
    let error = refused(&opts).to_string();
    let port = address.rsplit(':').next().unwrap();
    assert_eq!(
        error,
        format!("Port {port} of 127.0.0.1 is in use by another program. `--listen` takes another address.")
    );
    assert!(!dir.path().join("data/takt.db").exists());

    opts.layers[0].values[0].1 = "nowhere".to_owned();
    assert_eq!(
        refused(&opts).to_string(),
        "A flag is wrong: `server.listen` must be an address and port like \"127.0.0.1:8000\", not `nowhere`."
    );

    write(dir.path(), "schema/notes.toml", "[fields.id]\ntype = \"txet\"\nprimary_key = true\n");
    let StartError::Project(report) = refused(&options(dir.path(), &[])) else { panic!("not the project") };
    assert!(report.to_string().contains("schema/notes.toml:2"), "{report}");
    assert!(!dir.path().join("data/takt.db").exists());

    assert!(matches!(refused(&options(&dir.path().join("nowhere"), &[])), StartError::Read(_)));
}

#[test]
fn a_master_key_that_is_lost_is_missed_and_not_replaced() {
    let (dir, _) = Running::start().stop();
    let key = dir.path().join("data/master.key");
    let kept = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    let error = refused(&options(dir.path(), &[])).to_string();
    assert!(error.contains("master.key is missing") && error.contains("TAKT_MASTER_KEY"), "{error}");
    assert!(!key.exists(), "no other key takes its place");
    fs::write(&key, kept).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let opts = options(dir.path(), &[]);
    Running::serve(dir, &opts);
}

#[test]
fn a_data_folder_is_private_and_served_by_one_process() {
    let server = Running::start();
    let folder = server.dir.as_ref().unwrap().path();
    let mode = |path: &str| fs::metadata(folder.join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("data"), mode("data/takt.sock")), (0o700, 0o600));
    let error = refused(&options(folder, &[])).to_string();
    assert!(error.starts_with(&format!("Another takt (process {}) serves", std::process::id())), "{error}");
    let (dir, _) = server.stop();
    assert!(!dir.path().join("data/takt.sock").exists());
    fs::set_permissions(dir.path().join("data"), fs::Permissions::from_mode(0o755)).unwrap();
    assert!(matches!(refused(&options(dir.path(), &[])), StartError::DataDir(_)));
}

#[test]
fn requests_under_way_end_before_the_server_does() {
    let server = Running::start();
    let mut slow = TcpStream::connect(server.address).unwrap();
    let body = r#"{"id":77,"name":"late"}"#;
    let head = format!(
        "POST /rest/v1/colours HTTP/1.1\r\nhost: x\r\napikey: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        server.secret,
        body.len()
    );
    slow.write_all(head.as_bytes()).unwrap();
    slow.write_all(&body.as_bytes()[..5]).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    server.ask_to_stop();
    std::thread::sleep(Duration::from_millis(200));
    assert!(TcpStream::connect(server.address).is_err(), "no new connections");
    slow.write_all(&body.as_bytes()[5..]).unwrap();
    assert_eq!(Answer::read(slow).status, 201);
    let started = Instant::now();
    let (_dir, clean) = server.stop();
    assert!(clean && started.elapsed() < Duration::from_secs(10));
}

#[test]
fn with_dev_a_change_is_served_and_a_broken_one_is_not() {
    let server = Running::dev();
    let dir = server.dir.as_ref().unwrap().path().to_owned();
    let wait_for = |what: &dyn Fn() -> bool| {
        let started = Instant::now();
        while !what() {
            assert!(started.elapsed() < Duration::from_secs(20), "it never came");
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    let colours = fs::read_to_string(dir.join("schema/colours.toml")).unwrap();
    write(&dir, "schema/colours.toml", &colours.replace("using = \"true\"", "using = \"id > 1\""));
    wait_for(&|| server.get("/rest/v1/colours").json().as_array().unwrap().len() == 2);

    write(&dir, "schema/colours.toml", &colours.replace("using = \"true\"", "using = \"di > 1\""));
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(
        server.get("/rest/v1/colours").json().as_array().unwrap().len(),
        2,
        "the old one is served on"
    );

    write(&dir, "schema/colours.toml", &colours);
    wait_for(&|| server.get("/rest/v1/colours").json().as_array().unwrap().len() == 3);
}
