//! A running server on a fresh folder, and a client that shows answers as they came over the wire.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    sync::Arc,
    time::Duration,
};

use takt_model::{Origin, SettingsLayer};
use takt_server::{AdminRequest, App, Server, StartOptions, execute};
use tempfile::TempDir;
use tokio::{runtime::Runtime, sync::Notify};

/// The project of these tests: notes that belong to accounts, a public list, two functions, a page.
const PROJECT: &[(&str, &str)] = &[
    ("takt.toml", "name = \"Notes\"\nlanguages = [\"de\", \"en\"]\nroles = [\"staff\"]\n"),
    (
        "schema/notes.toml",
        r#"
        [fields.id]
        type = "uuid"
        primary_key = true
        default = "uuid_v7()"
        [fields.owner]
        type = "uuid"
        default = "auth.uid()"
        [fields.text]
        type = "text"
        max = 200
        required = true
        check = "length(text) > 0"
        [[policies]]
        name = "people handle their own notes"
        to = ["authenticated"]
        allow = ["select", "insert", "update", "delete"]
        using = "owner = auth.uid()"
        check = "owner = auth.uid()"
        "#,
    ),
    (
        "schema/colours.toml",
        r#"
        [fields.id]
        type = "integer"
        primary_key = true
        [fields.name]
        type = "text"
        required = true
        unique = true
        [[policies]]
        name = "everyone sees colours"
        to = ["anon", "authenticated"]
        allow = ["select"]
        using = "true"
        "#,
    ),
    ("seeds/colours.csv", "id,name\n1,red\n2,\"green, dark\"\n3,blue\n"),
    (
        "logic/note.ts",
        r#"
        export const label = { en: "Note", de: "Notiz" };
        export const access = ["authenticated"];
        export const input = { text: { type: "text", max: 100 } };
        export default async function ({ db, step, reject }, { text }) {
          if (text === "no") reject(409, { en: "Not that.", de: "Das nicht." }, { why: 7 });
          if (text === "throw") throw new Error("inner secret");
          const note = await step({ en: "Written", de: "Geschrieben" }, async () => db.notes.insert({ text }));
          return { text: note.text };
        }
        "#,
    ),
    (
        "logic/note_rule.ts",
        r#"
        export const kind = "hook";
        export const on = { table: "notes", verbs: ["insert", "update"] };
        export default async function ({ reject, later }, { after }) {
          if (after.text === "ruled out") reject(422, { en: "Not by our rules.", de: "Nicht nach unseren Regeln." });
          if (after.text === "copy me") later("copy", { owner: after.owner });
        }
        "#,
    ),
    (
        "logic/copy.ts",
        r#"
        export const kind = "job";
        export const input = { owner: "uuid" };
        export default async function ({ db }, { owner }) {
          await db.notes.insert({ owner, text: "copied" });
        }
        "#,
    ),
    ("public/index.html", "<!doctype html><title>Notes</title>"),
    ("public/404.html", "<!doctype html><title>Nothing here</title>"),
    (
        "public/app.css",
        "body { color: black }\n/* padding padding padding padding padding padding padding padding padding padding padding padding padding padding padding padding padding padding padding padding padding padding padding padding padding padding padding padding padding padding padding padding padding padding padding */",
    ),
    ("public/app.4f2a77c1.js", "export const one = 1;"),
    ("public/deep/index.html", "<!doctype html><title>Deep</title>"),
    ("public/.secret", "hidden"),
];

/// A folder with the project of these tests.
pub(crate) fn project() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in PROJECT {
        write(dir.path(), path, text);
    }
    dir
}

/// Writes a file of the project.
pub(crate) fn write(dir: &Path, path: &str, text: &str) {
    let path = dir.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Options that serve `dir` on a free port with these settings.
pub(crate) fn options(dir: &Path, settings: &[(&str, &str)]) -> StartOptions {
    let free_port = ("server.listen".to_owned(), "127.0.0.1:0".to_owned());
    let said = settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    StartOptions {
        project_dir: dir.to_owned(),
        data_dir: Some(dir.join("data")),
        layers: vec![SettingsLayer {
            origin: Origin::Flag,
            values: std::iter::once(free_port).chain(said).collect(),
        }],
        dev: false,
    }
}

/// A server that ends when this is dropped.
pub(crate) struct Running {
    pub(crate) dir: Option<TempDir>,
    pub(crate) address: SocketAddr,
    pub(crate) app: Arc<App>,
    pub(crate) summary: takt_server::Summary,
    pub(crate) publishable: String,
    pub(crate) secret: String,
    runtime: Option<Runtime>,
    stop: Arc<Notify>,
    ended: Option<tokio::task::JoinHandle<bool>>,
}

impl Running {
    /// Serves the project of these tests.
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// With settings.
    pub(crate) fn with(settings: &[(&str, &str)]) -> Self {
        let dir = project();
        let options = options(dir.path(), settings);
        Self::serve(dir, &options)
    }

    /// With `--dev`.
    pub(crate) fn dev() -> Self {
        let dir = project();
        let options = StartOptions { dev: true, ..options(dir.path(), &[]) };
        Self::serve(dir, &options)
    }

    /// Serves `dir`.
    pub(crate) fn serve(dir: TempDir, options: &StartOptions) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let server = Server::start(options, runtime.handle()).unwrap();
        let (summary, app) = (server.summary().clone(), Arc::clone(server.app()));
        let keys = runtime.block_on(execute(&app, AdminRequest::Keys)).unwrap();
        let stop = Arc::new(Notify::new());
        let stopped = Arc::clone(&stop);
        let until = async move { stopped.notified().await };
        let ended = runtime.spawn(server.run_until(until, std::future::pending()));
        Self {
            dir: Some(dir),
            address: summary.listen,
            app,
            summary,
            publishable: keys["publishable_key"].as_str().unwrap().to_owned(),
            secret: keys["secret_key"].as_str().unwrap().to_owned(),
            runtime: Some(runtime),
            stop,
            ended: Some(ended),
        }
    }

    /// Stops in order; gives the folder back, and whether every request could end.
    pub(crate) fn stop(mut self) -> (TempDir, bool) {
        let clean = self.end();
        (self.dir.take().unwrap(), clean)
    }

    /// Asks it to stop, without waiting.
    pub(crate) fn ask_to_stop(&self) {
        self.stop.notify_one();
    }

    fn end(&mut self) -> bool {
        self.stop.notify_one();
        let (Some(runtime), Some(ended)) = (self.runtime.take(), self.ended.take()) else { return true };
        let clean = runtime.block_on(ended).unwrap();
        runtime.shutdown_timeout(Duration::from_secs(5));
        clean
    }

    /// A request with the publishable key.
    pub(crate) fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let with_key: Vec<_> =
            [("apikey", self.publishable.as_str())].into_iter().chain(headers.iter().copied()).collect();
        self.raw(method, path, &with_key, body.as_bytes())
    }

    /// A GET with the publishable key.
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], "")
    }

    /// A request with exactly these headers.
    pub(crate) fn raw(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", self.address);
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            head.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        // A server that refuses a body may close before it has all of it.
        let _ = stream.write_all(body);
        Answer::read(stream)
    }

    /// Signs an account up and gives its access token.
    pub(crate) fn token(&self, email: &str) -> String {
        let body = format!(r#"{{"email":"{email}","password":"correct horse"}}"#);
        let answer = self.ask("POST", "/auth/v1/signup", &[], &body);
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// A request as an account.
    pub(crate) fn ask_as(
        &self,
        token: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let bearer = format!("Bearer {token}");
        let all: Vec<_> =
            [("authorization", bearer.as_str())].into_iter().chain(headers.iter().copied()).collect();
        self.ask(method, path, &all, body)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Reads until the server closes.
    pub(crate) fn read(mut stream: TcpStream) -> Self {
        let mut bytes = Vec::new();
        // A reset after the answer (a body that was refused) leaves what was read before.
        let _ = stream.read_to_end(&mut bytes);
        let end =
            bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or_else(|| panic!("no answer: {bytes:?}"));
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<(String, String)> =
            lines.map(|l| l.split_once(": ").unwrap()).map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        let mut answer = Self { status, headers, body: bytes[end + 4..].to_vec() };
        if answer.header("transfer-encoding").is_some() {
            answer.body = unchunked(&answer.body);
        }
        answer
    }

    /// A header; several of a name are joined by `, `.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let values: Vec<_> =
            self.headers.iter().filter(|(k, _)| k == name).map(|(_, v)| v.as_str()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    /// Status, these headers, and the body, for snapshots.
    pub(crate) fn shown(&self, names: &[&str]) -> String {
        let mut text = format!("{}\n", self.status);
        for name in names {
            if let Some(value) = self.header(name) {
                text.push_str(&format!("{name}: {value}\n"));
            }
        }
        text + &self.text()
    }
}

fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    loop {
        let end = bytes.windows(2).position(|w| w == b"\r\n").unwrap();
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).unwrap(), 16).unwrap();
        if size == 0 {
            return whole;
        }
        whole.extend_from_slice(&bytes[end + 2..end + 2 + size]);
        bytes = &bytes[end + 4 + size..];
    }
}
