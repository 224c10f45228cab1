//! Starts a server, finds its address, reads its CPU time and memory from /proc.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::Failure;

/// A started server; ended when dropped.
pub(crate) struct Running {
    child: Child,
    /// `127.0.0.1:port`
    pub(crate) address: String,
    /// From process start to the first answer.
    pub(crate) ready_after: Duration,
    pub(crate) folder: TempDir,
}

impl Running {
    /// The binary on a shop, with a new database. The first backup would fall into the second minute of a run.
    pub(crate) fn shop(project: &Path) -> Result<Self, Failure> {
        let folder = TempDir::new()?;
        let data = folder.path().join("data");
        let binary = beside("takt")?;
        let start = || {
            let mut command = Command::new(&binary);
            command.arg("serve").arg(project).args(["--listen", "127.0.0.1:0"]);
            command.arg("--data-dir").arg(&data).args(["--log", "json"]);
            command.env("TAKT_BACKUP_SCHEDULE", "");
            command
        };
        // Made once, so that the start that is measured finds a database.
        let first = Self::start(start(), TempDir::new()?, "/")?;
        drop(first);
        Self::start(start(), folder, "/")
    }

    /// The binary on a project, with further environment.
    pub(crate) fn project(folder: &Path, environment: &[(&str, &str)]) -> Result<Self, Failure> {
        let mut command = Command::new(beside("takt")?);
        command.arg("serve").arg(folder).args(["--listen", "127.0.0.1:0", "--log", "json"]);
        // All of the load comes from one address.
        command.envs([("TAKT_BACKUP_SCHEDULE", ""), ("TAKT_LIMITS_REQUESTS_PER_ADDRESS", "0")]);
        command.envs(environment.iter().copied());
        Self::start(command, TempDir::new()?, "/health/live")
    }

    /// This program's other half.
    pub(crate) fn handwritten() -> Result<Self, Failure> {
        let folder = TempDir::new()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("handwritten").arg(folder.path());
        Self::start(command, folder, "/health")
    }

    fn start(mut command: Command, folder: TempDir, path: &str) -> Result<Self, Failure> {
        let begun = Instant::now();
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let out = child.stdout.take().ok_or("no output")?;
        let mut lines = BufReader::new(out);
        let mut address = None;
        let mut line = String::new();
        while address.is_none() && lines.read_line(&mut line)? > 0 {
            address = line.split_once("http://").map(|(_, rest)| {
                rest.trim().chars().take_while(|c| c.is_ascii_digit() || ".:".contains(*c)).collect()
            });
            line.clear();
        }
        let address: String = address.ok_or("the server ended before it said its address")?;
        // The rest of its output is the request log: read away, so that it never blocks.
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        let mut stream = TcpStream::connect(&address)?;
        write!(stream, "GET {path} HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n")?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer)?;
        Ok(Self { child, address, ready_after: begun.elapsed(), folder })
    }

    /// User and system time so far.
    pub(crate) fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        // Fields 14 and 15 of proc(5), in clock ticks of 10 ms.
        let ticks: u64 =
            after_name.split_whitespace().skip(11).take(2).filter_map(|t| t.parse::<u64>().ok()).sum();
        Duration::from_millis(ticks * 10)
    }

    /// Resident memory in megabytes.
    pub(crate) fn resident_megabytes(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|kb| kb.parse::<f64>().ok()).unwrap_or_default() / 1024.0
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // SIGTERM by the shell's kill, so that the data folder is left in order.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

/// A program of the same build as this one: whoever measures compares what was built the same way.
pub(crate) fn beside(name: &str) -> Result<PathBuf, Failure> {
    Ok(std::env::current_exe()?.with_file_name(name))
}

/// The Cargo profile of this build, by the folder that Cargo puts it into.
pub(crate) fn profile() -> Result<String, Failure> {
    let folder = std::env::current_exe()?.parent().and_then(Path::file_name).map(ToOwned::to_owned);
    Ok(folder.ok_or("the program stands in no folder")?.to_string_lossy().into_owned())
}

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_path_buf)
}

/// Writes a project's files, by path.
pub(crate) fn write_project<'f>(
    folder: &Path,
    files: impl IntoIterator<Item = (&'f str, String)>,
) -> Result<(), Failure> {
    for (name, text) in files {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
        std::fs::write(path, text)?;
    }
    Ok(())
}

/// A connection that sends `event` as a signed webhook to `address`; `guard` are its limits, `more` further lines of its
/// operation.
pub(crate) fn signed_webhook(address: &str, event: &str, guard: &str, more: &str) -> String {
    format!(
        r#"
purpose = {{ en = "Measures." }}
partner = {{ name = "A receiver" }}
owner = "Nobody"
outage = {{ en = "Nothing happens." }}
data = []
guard = {{ {guard} }}
[connect]
protocol = "webhook-out"
base = "http://{address}/"
allow_private = true
auth = {{ kind = "standard-webhooks", secrets = ["sink"] }}
[[op]]
name = "event"
kind = "deliver"
on = "{event}"
{more}
"#
    )
}
