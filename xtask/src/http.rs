//! A small HTTP/1.1 client for plain loopback connections: one connection, kept alive, bodies in memory.
//! For the kill journey and the bench, which must see every answer themselves; everything over TLS goes through curl.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// The longest answer that is read, in bytes.
const BODY_LIMIT: u64 = 64 << 20;

/// An answer.
pub struct Reply {
    /// Status code.
    pub status: u16,
    headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Reply {
    /// The first header of this name; the name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All headers of this name; the name in lower case.
    pub fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A client of one server.
pub struct Client {
    address: String,
    authorization: Option<String>,
    stream: Option<BufReader<TcpStream>>,
}

impl Client {
    /// A client of `host:port` that sends this `Authorization` header with every request.
    pub fn new(address: &str, authorization: Option<String>) -> Self {
        Self { address: address.to_owned(), authorization, stream: None }
    }

    /// Sends a request and reads the answer. After an error the next request takes a new connection.
    pub fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<Reply> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => self.connect()?,
        };
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.address);
        if let Some(value) = &self.authorization {
            head += &format!("Authorization: {value}\r\n");
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("Content-Length: {}\r\n\r\n", body.len());
        stream.get_mut().write_all(head.as_bytes())?;
        stream.get_mut().write_all(body)?;
        let reply = read_reply(&mut stream, method)?;
        if !reply.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close")) {
            self.stream = Some(stream);
        }
        Ok(reply)
    }

    fn connect(&self) -> io::Result<BufReader<TcpStream>> {
        let stream = TcpStream::connect(&self.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        stream.set_write_timeout(Some(Duration::from_secs(30)))?;
        Ok(BufReader::with_capacity(1 << 16, stream))
    }
}

/// `Basic` credentials as an `Authorization` header value.
pub fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", base64(format!("{user}:{password}").as_bytes()))
}

/// Path and query of a `Location`, which may be absolute or relative to the server.
pub fn path_of(location: &str) -> &str {
    match location.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |start| &rest[start..]),
        None => location,
    }
}

fn read_reply(stream: &mut BufReader<TcpStream>, method: &str) -> io::Result<Reply> {
    loop {
        let reply = read_head(stream)?;
        // 1xx answers come before the real one.
        if reply.status >= 200 {
            return read_body(stream, reply, method);
        }
    }
}

fn read_head(stream: &mut BufReader<TcpStream>) -> io::Result<Reply> {
    let line = read_line(stream)?;
    let status = line.split(' ').nth(1).and_then(|word| word.parse().ok());
    let status = status.ok_or_else(|| bad(&format!("not a status line: {line:?}")))?;
    let mut headers = Vec::new();
    loop {
        let line = read_line(stream)?;
        if line.is_empty() {
            return Ok(Reply { status, headers, body: Vec::new() });
        }
        let (name, value) = line.split_once(':').ok_or_else(|| bad("a header without a colon"))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

fn read_body(stream: &mut BufReader<TcpStream>, mut reply: Reply, method: &str) -> io::Result<Reply> {
    if method == "HEAD" || reply.status == 204 || reply.status == 304 {
        return Ok(reply);
    }
    if reply.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
        loop {
            let size = u64::from_str_radix(read_line(stream)?.trim(), 16).map_err(|_| bad("a bad chunk size"))?;
            read_exactly(stream, size, &mut reply.body)?;
            read_line(stream)?;
            if size == 0 {
                return Ok(reply);
            }
        }
    }
    if let Some(length) = reply.header("content-length").and_then(|value| value.parse().ok()) {
        read_exactly(stream, length, &mut reply.body)?;
    }
    Ok(reply)
}

fn read_exactly(stream: &mut BufReader<TcpStream>, count: u64, body: &mut Vec<u8>) -> io::Result<()> {
    if count + body.len() as u64 > BODY_LIMIT {
        return Err(bad("an answer over the limit"));
    }
    if stream.take(count).read_to_end(body)? as u64 != count {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

fn read_line(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    if stream.take(1 << 16).read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    line.truncate(line.trim_end_matches(['\r', '\n']).len());
    Ok(line)
}

fn bad(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let word = group.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let letter = ALPHABET[(word >> (18 - 6 * place) & 63) as usize];
            text.push(if place > group.len() { '=' } else { letter.into() });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn credentials_are_spelled_in_base64() {
        assert_eq!(basic("admin", "x"), "Basic YWRtaW46eA==");
        assert_eq!(base64(b"abc"), "YWJj");
        assert_eq!(base64(b"ab"), "YWI=");
    }

    #[test]
    fn a_location_loses_its_host() {
        assert_eq!(path_of("http://127.0.0.1:1/v2/a?b=c"), "/v2/a?b=c");
        assert_eq!(path_of("/v2/a"), "/v2/a");
    }

    #[test]
    fn chunked_and_measured_answers_are_read_on_one_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut seen = [0; 4096];
            for answer in [
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
                "HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno",
            ] {
                let count = stream.read(&mut seen).unwrap();
                assert!(seen[..count].starts_with(b"GET /p HTTP/1.1\r\n"));
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        let mut client = Client::new(&address, None);
        let first = client.send("GET", "/p", &[], b"").unwrap();
        let second = client.send("GET", "/p", &[], b"").unwrap();
        assert_eq!((first.status, first.body.as_slice()), (200, &b"abc"[..]));
        assert_eq!((second.status, second.body.as_slice()), (404, &b"no"[..]));
        server.join().unwrap();
    }
}
