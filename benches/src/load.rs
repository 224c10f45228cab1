//! The load generator: keep-alive connections, one request at a time on each, latencies kept.

use std::{
    fmt,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{Failure, server::Running};

/// A request as bytes; `{n}` is not replaced, so that generating costs nothing: a list is walked round and round.
pub(crate) type Requests = Vec<Vec<u8>>;

/// What one measurement gave.
pub(crate) struct Figures {
    pub(crate) per_second: f64,
    pub(crate) cpu_micros: f64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = |d: Duration| d.as_secs_f64() * 1e3;
        let (p50, p99) = (millis(self.p50), millis(self.p99));
        write!(f, "{:.0}/s, {:.1} us, {p50:.2}, {p99:.2}", self.per_second, self.cpu_micros)
    }
}

/// A request with a body (maybe empty).
pub(crate) fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: bench\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() || method != "GET" {
        text.push_str(&format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    text.push_str(body);
    text.into_bytes()
}

/// Asks `requests` round and round on `connections` connections for `time`.
pub(crate) async fn run(
    server: &Running,
    requests: &Requests,
    connections: usize,
    time: Duration,
) -> Result<Figures, Failure> {
    let (cpu, begun) = (server.cpu(), Instant::now());
    let tasks: Vec<_> = (0..connections)
        .map(|at| {
            let (address, requests) = (server.address.clone(), requests.clone());
            tokio::spawn(async move { connection(&address, &requests, at * 97, time).await })
        })
        .collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await??);
    }
    let (elapsed, cpu) = (begun.elapsed(), server.cpu().saturating_sub(cpu));
    latencies.sort_unstable();
    let at = |share: f64| {
        let index = (latencies.len() as f64 * share) as usize;
        latencies.get(index.min(latencies.len().saturating_sub(1))).copied().unwrap_or_default()
    };
    Ok(Figures {
        per_second: latencies.len() as f64 / elapsed.as_secs_f64(),
        cpu_micros: cpu.as_secs_f64() * 1e6 / latencies.len().max(1) as f64,
        p50: at(0.5),
        p99: at(0.99),
    })
}

async fn connection(
    address: &str,
    requests: &Requests,
    first: usize,
    time: Duration,
) -> Result<Vec<Duration>, Failure> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(64 * 1024);
    let mut latencies = Vec::new();
    let begun = Instant::now();
    for at in first.. {
        if begun.elapsed() >= time {
            break;
        }
        let request = &requests[at % requests.len()];
        let asked = Instant::now();
        stream.write_all(request).await?;
        let status = answer(&mut stream, &mut buffer).await?;
        latencies.push(asked.elapsed());
        if !(200..300).contains(&status) {
            let shown = String::from_utf8_lossy(&buffer).into_owned();
            return Err(format!("{status} for {}: {shown}", String::from_utf8_lossy(request)).into());
        }
    }
    Ok(latencies)
}

/// One request on a connection of its own; gives status and body.
pub(crate) async fn once(address: &str, request: &[u8]) -> Result<(u16, String), Failure> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request).await?;
    let mut buffer = Vec::new();
    let status = answer(&mut stream, &mut buffer).await?;
    let head = find(&buffer, b"\r\n\r\n").map_or(0, |at| at + 4);
    Ok((status, String::from_utf8_lossy(&buffer[head..]).into_owned()))
}

/// Reads one answer with Content-Length (or chunked to its end) into `buffer`.
async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<u16, Failure> {
    buffer.clear();
    loop {
        if stream.read_buf(buffer).await? == 0 {
            return Err("the server closed the connection".into());
        }
        let Some(head) = find(buffer, b"\r\n\r\n") else { continue };
        let text = std::str::from_utf8(&buffer[..head])?.to_ascii_lowercase();
        let status: u16 = text.get(9..12).and_then(|s| s.parse().ok()).ok_or("no status")?;
        if text.contains("transfer-encoding: chunked") {
            while !buffer.ends_with(b"0\r\n\r\n") {
                stream.read_buf(buffer).await?;
            }
            return Ok(status);
        }
        let length: usize = text
            .lines()
            .find_map(|l| l.strip_prefix("content-length:"))
            .and_then(|v| v.trim().parse().ok())
            .unwrap_or(0);
        while buffer.len() < head + 4 + length {
            if stream.read_buf(buffer).await? == 0 {
                return Err("the server closed the connection".into());
            }
        }
        return Ok(status);
    }
}

pub(crate) fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|w| w == needle)
}
