//! Processes of the command, and a small project for them.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// Runs `takt` and waits for its end.
pub(crate) fn takt(words: &[&str]) -> Output {
    command(words).output().unwrap()
}

/// Exit code, standard output, standard error.
pub(crate) fn ended(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

fn command(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_takt"));
    command.args(words).env("LC_ALL", "C");
    command
}

/// A fresh project made by `takt new`.
pub(crate) fn project() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("book");
    let made = takt(&["new", text(&folder)]);
    assert!(made.status.success(), "{:?}", ended(&made));
    (dir, folder)
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

pub(crate) fn write(folder: &Path, path: &str, text: &str) {
    fs::write(folder.join(path), text).unwrap();
}

/// A served project.
pub(crate) struct Serving {
    process: Child,
    /// `127.0.0.1:port`
    pub(crate) address: String,
    /// What it printed until it listened.
    pub(crate) greeting: String,
    output: BufReader<std::process::ChildStdout>,
}

impl Serving {
    /// Serves `folder` on a free port.
    pub(crate) fn start(folder: &Path, more: &[&str]) -> Self {
        let words = [&["serve", text(folder), "--listen", "127.0.0.1:0"], more].concat();
        let mut process = command(&words).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut greeting = String::new();
        let address = loop {
            let from = greeting.len();
            assert!(output.read_line(&mut greeting).unwrap() > 0, "it ended: {greeting}");
            if let Some((_, rest)) = greeting[from..].split_once("http://") {
                break rest.chars().take_while(|c| c.is_ascii_digit() || ".:".contains(*c)).collect();
            }
        };
        Self { process, address, greeting, output }
    }

    /// An HTTP answer as text.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        );
        stream.write_all((head + body).as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.process.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits for the end; gives exit code and all output.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let started = Instant::now();
        let status = loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                break status;
            }
            assert!(started.elapsed() < Duration::from_secs(15), "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        };
        let mut all = std::mem::take(&mut self.greeting);
        self.output.read_to_string(&mut all).unwrap();
        (status.code(), all)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
