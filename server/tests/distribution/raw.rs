//! HTTP/1.1 by hand, for tests in which the framing is the point.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(20);

/// One connection to the server.
pub(crate) struct Raw {
    stream: TcpStream,
    buffer: Vec<u8>,
    host: String,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct RawReply {
    pub(crate) status: u16,
    /// Names in lower case.
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl RawReply {
    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn count(&self, name: &str) -> usize {
        self.headers.iter().filter(|(n, _)| n == name).count()
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?} {}", String::from_utf8_lossy(&self.body));
        self
    }
}

impl Raw {
    /// Connects to `http://host:port`.
    pub(crate) async fn connect(base: &str) -> Self {
        let host = base.trim_start_matches("http://").to_owned();
        let stream = TcpStream::connect(&host).await.expect("the server accepts");
        stream.set_nodelay(true).expect("an option of the socket");
        Self { stream, buffer: Vec::new(), host }
    }

    /// Sends the head of a request; `headers` are whole lines.
    pub(crate) async fn head(&mut self, method: &str, path: &str, headers: &[&str]) {
        let lines: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
        let text = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n{lines}\r\n", self.host);
        self.send(text.as_bytes()).await;
    }

    /// Sends bytes.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("the server takes it");
    }

    /// Sends bytes; whether the server took them.
    pub(crate) async fn try_send(&mut self, bytes: &[u8]) -> bool {
        matches!(timeout(PATIENCE, self.stream.write_all(bytes)).await, Ok(Ok(())))
    }

    /// Whether anything comes within this time.
    pub(crate) async fn is_silent_for(&mut self, time: Duration) -> bool {
        self.buffer.is_empty() && timeout(time, self.fill()).await.is_err()
    }

    /// The next answer. `to` is the method of the request: what answers HEAD has no body.
    pub(crate) async fn reply(&mut self, to: &str) -> RawReply {
        timeout(PATIENCE, self.read(to)).await.expect("an answer in time")
    }

    /// One request without a body, and its answer.
    pub(crate) async fn ask(&mut self, method: &str, path: &str, headers: &[&str]) -> RawReply {
        self.head(method, path, headers).await;
        self.reply(method).await
    }

    /// Ends the connection at once.
    pub(crate) fn cut(self) {
        // Without lingering the peer sees a reset, as from a client that died.
        let _ = self.stream.set_zero_linger();
    }

    async fn fill(&mut self) -> usize {
        self.stream.read_buf(&mut self.buffer).await.unwrap_or(0)
    }

    async fn line(&mut self) -> String {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\r\n") {
                let line: Vec<u8> = self.buffer.drain(..end + 2).collect();
                return String::from_utf8_lossy(&line[..end]).into_owned();
            }
            assert_ne!(self.fill().await, 0, "the connection ended before the answer did: {:?}", String::from_utf8_lossy(&self.buffer));
        }
    }

    async fn bytes(&mut self, count: usize) -> Vec<u8> {
        while self.buffer.len() < count {
            assert_ne!(self.fill().await, 0, "the connection ended before the answer did");
        }
        self.buffer.drain(..count).collect()
    }

    async fn read(&mut self, to: &str) -> RawReply {
        let line = self.line().await;
        let status: u16 = line.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("no status line: {line:?}"));
        let mut headers = Vec::new();
        loop {
            let line = self.line().await;
            let Some((name, value)) = line.split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut reply = RawReply { status, headers, body: Vec::new() };
        if to == "HEAD" || status < 200 || status == 204 || status == 304 {
            return reply;
        }
        if let Some(length) = reply.find("content-length") {
            let length = length.parse().expect("a length");
            reply.body = self.bytes(length).await;
        } else if reply.find("transfer-encoding").is_some() {
            loop {
                let size = usize::from_str_radix(self.line().await.trim(), 16).expect("the size of a chunk");
                let piece = self.bytes(size + 2).await;
                reply.body.extend_from_slice(&piece[..size]);
                if size == 0 {
                    break;
                }
            }
        }
        reply
    }
}
