//! Backups of a running server: asked for through its socket, one at a time, tried by opening the copy as a start does.

use std::{fs, path::Path, time::Duration};

use serde_json::Value as Json;
use takt_server::{
    AdminRequest, BackupRequest, RestoreRequest, StartOptions, ask, check, execute, open, restore,
};

use crate::support::{Running, options, project};

fn run() -> BackupRequest {
    BackupRequest::Run { wait: false, language: "en".to_owned() }
}

fn drill() -> BackupRequest {
    BackupRequest::Drill { snapshot: None, key: None, wait: false, language: "en".to_owned() }
}

/// Has something done and waits for it.
fn done(data: &Path, request: BackupRequest) -> Result<Json, String> {
    let begun = ask(data, &AdminRequest::Backup(request)).map_err(|e| e.to_string())?.unwrap();
    let work = begun["work"].as_u64().unwrap();
    loop {
        let asked = ask(data, &AdminRequest::Backup(BackupRequest::Result { work }));
        match asked.map_err(|e| e.to_string())?.unwrap() {
            answer if answer["running"] == true => std::thread::sleep(Duration::from_millis(20)),
            answer => return Ok(answer),
        }
    }
}

#[test]
fn a_running_server_makes_tries_and_lists_them() {
    let server = Running::start();
    let dir = server.dir.as_ref().unwrap().path().to_owned();
    let data = dir.join("data");
    let made = done(&data, run()).unwrap();
    assert_eq!(made["backup"]["fault"], Json::Null);
    let text = made["text"].as_str().unwrap();
    assert!(text.contains("Half a backup") && text.contains("Only this machine can open it"), "{text}");
    let tried = done(&data, drill()).unwrap();
    assert_eq!(tried["drill"]["fault"], Json::Null, "{tried}");
    let colours =
        tried["drill"]["tables"].as_array().unwrap().iter().find(|t| t["name"] == "colours").unwrap();
    assert_eq!((&colours["rows"], &colours["is_projects"]), (&Json::from(3), &Json::from(true)));
    assert!(tried["text"].as_str().unwrap().starts_with("The backup of "));
    let listed = AdminRequest::Backup(BackupRequest::Snapshots { language: "de".to_owned() });
    let listed = ask(&data, &listed).unwrap().unwrap();
    assert_eq!(listed["snapshots"].as_array().unwrap().len(), 1);
    assert!(dir.join("data-backups/config").is_file() && !data.join("scratch").exists());
}

#[test]
fn one_at_a_time() {
    let server = Running::start();
    let data = server.dir.as_ref().unwrap().path().join("data");
    let begun = ask(&data, &AdminRequest::Backup(run())).unwrap().unwrap();
    let second = ask(&data, &AdminRequest::Backup(drill())).unwrap_err();
    assert_eq!(second.to_string(), "A backup or a trial restore is under way; try again when it is done.");
    let work = begun["work"].as_u64().unwrap();
    let unknown = ask(&data, &AdminRequest::Backup(BackupRequest::Result { work: work + 1 })).unwrap_err();
    assert_eq!(unknown.to_string(), "There is no such backup or trial restore.");
    while ask(&data, &AdminRequest::Backup(BackupRequest::Result { work })).unwrap().unwrap()["running"]
        == true
    {
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_copy_that_does_not_open_does_not_pass() {
    let server = Running::start();
    let dir = server.dir.as_ref().unwrap().path().to_owned();
    // Served as it was; what is backed up would not start again.
    fs::write(dir.join("schema/broken.toml"), "this is no table").unwrap();
    done(&dir.join("data"), run()).unwrap();
    let tried = done(&dir.join("data"), drill()).unwrap();
    let fault = tried["drill"]["fault"].as_str().unwrap();
    assert!(fault.contains("schema/broken.toml") && fault.contains("is not served"), "{fault}");
}

#[test]
fn a_copy_with_another_master_key_does_not_pass() {
    let server = Running::start();
    let dir = server.dir.as_ref().unwrap().path().to_owned();
    let key = dir.join("data/master.key");
    fs::write(&key, "0000000000000000000000000000000000000000000000000000000000000001\n").unwrap();
    done(&dir.join("data"), run()).unwrap();
    let tried = done(&dir.join("data"), drill()).unwrap();
    assert!(tried["drill"]["fault"].is_string(), "what is sealed in it cannot be read: {tried}");
}

#[test]
fn an_owners_key_is_in_the_audit_and_its_text_is_not() {
    let server = Running::start();
    let data = server.dir.as_ref().unwrap().path().join("data");
    let request = AdminRequest::Backup(BackupRequest::OwnerKey { language: "en".to_owned() });
    let by = AdminRequest::By { by: "anna".to_owned(), reason: None, request: Box::new(request) };
    let key = ask(&data, &by).unwrap().unwrap()["key"].as_str().unwrap().to_owned();
    let audit = AdminRequest::AuditList {
        acts: vec![],
        subject: None,
        since: None,
        limit: 10,
        language: "de".to_owned(),
    };
    let audit = ask(&data, &audit).unwrap().unwrap();
    let text = audit["text"].as_str().unwrap();
    assert!(text.contains("neuen Schlüssel zur Sicherung ausgegeben") && text.contains("anna"), "{text}");
    assert!(!audit.to_string().contains(&key[..5]));
    let shown = format!(
        "{:?}",
        BackupRequest::Drill {
            snapshot: None,
            key: Some(key.clone()),
            wait: false,
            language: "en".to_owned()
        }
    );
    assert_eq!(shown, "Drill");
}

#[test]
fn without_a_server_too_and_a_marked_folder_is_not_served() {
    let dir = project();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let opened = open(&options(dir.path(), &[])).unwrap();
    let made = runtime.block_on(execute(
        opened.app(),
        AdminRequest::Backup(BackupRequest::Run { wait: true, language: "de".to_owned() }),
    ));
    assert!(made.unwrap()["text"].as_str().unwrap().starts_with("Gesichert in "));
    opened.close();
    drop(opened_again_is_refused(dir.path()));
    let restored = restore(&RestoreRequest {
        project: options(dir.path(), &[]),
        repository: None,
        key: None,
        snapshot: None,
        to: None,
        language: "en".to_owned(),
    });
    assert!(restored.unwrap()["text"].as_str().unwrap().starts_with("Restored to "));
    open(&options(dir.path(), &[])).unwrap().close();
}

/// As after a power cut while a backup took the place of the data.
fn opened_again_is_refused(dir: &Path) -> StartOptions {
    fs::write(dir.join("data/restore.unfinished"), "").unwrap();
    let options = options(dir, &[]);
    let refused = open(&options).map(takt_server::Opened::close).unwrap_err().to_string();
    assert!(refused.contains("was interrupted"), "{refused}");
    options
}

#[test]
fn a_schedule_that_says_nothing_and_a_place_for_all_to_see_are_problems() {
    let dir = project();
    let toml = fs::read_to_string(dir.path().join("takt.toml")).unwrap();
    let backup = "[backup]\nschedule = \"at night\"\nrepository = \"public/backups\"\n";
    fs::write(dir.path().join("takt.toml"), format!("{toml}{backup}")).unwrap();
    let report = check(dir.path(), &[]).unwrap().to_string();
    assert!(report.contains("`backup.schedule` is no schedule"), "{report}");
    assert!(report.contains("which everybody can read"), "{report}");
}
