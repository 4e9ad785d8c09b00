//! A server made of a conversation's own answers, for the player's tests: it answers each request in turn with what was
//! recorded, the markers replaced by values that fit. Played against it, a conversation has no difference.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::conversation::{Answer, Push, Step};
use super::exchange::{Reply, split_url};
use super::{Conversation, Player, Target, save};

/// One request that is expected, and its answer.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    pub(super) step: String,
    method: String,
    target: String,
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

/// The recorded answers of one conversation, ready to be sent from a port.
pub(super) struct RecordedServer {
    listener: TcpListener,
    pub(super) target: Target,
    pub(super) exchanges: Vec<Exchange>,
}

impl RecordedServer {
    /// Builds all answers. Steps that wait do so no longer.
    pub(super) async fn new(conversation: &mut Conversation) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base_url = format!("http://{}", listener.local_addr().expect("an address"));
        let vars = conversation.script.needs.iter().map(|name| (name.clone(), base_url.clone())).collect();
        let target = Target { base_url, admin_password: "Harbor12345".to_owned(), vars };
        for step in &mut conversation.script.steps {
            step.sleep = step.sleep.map(|_| 0.0);
        }
        let player = Player::new(conversation, &target).expect("a player");
        let mut writer = Writer { player, count: 100, exchanges: Vec::new() };
        for (position, step) in conversation.script.steps.iter().enumerate() {
            writer.step(step, &step.label(position));
        }
        Self { listener, target, exchanges: writer.exchanges }
    }

    /// The answer of the step with this id.
    pub(super) fn answer(&mut self, step: &str) -> &mut Exchange {
        self.exchanges.iter_mut().find(|exchange| exchange.step == step).expect(step)
    }

    /// Serves the answers, each once and in order.
    pub(super) fn serve(self) -> tokio::task::JoinHandle<()> {
        tokio::spawn(async move {
            for exchange in self.exchanges {
                let (stream, _) = self.listener.accept().await.expect("a connection");
                exchange.answer(stream).await;
            }
        })
    }
}

impl Exchange {
    async fn answer(&self, stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        let (mut first, mut length) = (String::new(), 0);
        stream.read_line(&mut first).await.expect("a request line");
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await.expect("a header");
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
            if line.trim().is_empty() {
                break;
            }
        }
        stream.read_exact(&mut vec![0; length]).await.expect("a body");
        let expected = format!("{} {} HTTP/1.1", self.method, self.target);
        if first.trim() != expected {
            // 418 is in no recording, so this always shows.
            let body = format!("expected {expected}, got {first}");
            let answer = format!("HTTP/1.1 418 Other\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).await.expect("sent");
            return;
        }
        let mut head = format!("HTTP/1.1 {} Recorded\r\nConnection: close\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if ![204, 304].contains(&self.status) && self.method != "HEAD" {
            head.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes()).await.expect("sent");
        if self.method != "HEAD" {
            stream.write_all(&self.body).await.expect("sent");
        }
        stream.flush().await.expect("sent");
    }

    /// The body, changed as JSON.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut Value)) {
        let mut json = serde_json::from_slice(&self.body).expect("JSON");
        change(&mut json);
        self.body = json.to_string().into_bytes();
    }
}

/// Writes the answers; its values follow what a player of them will have saved.
struct Writer {
    player: Player,
    count: i64,
    exchanges: Vec<Exchange>,
}

impl Writer {
    fn step(&mut self, step: &Step, label: &str) {
        if let Some(push) = &step.push {
            return self.push(push, label);
        }
        let (Some(method), Some(path)) = (&step.method, &step.path) else { return };
        let target = self.player.values.fill(path).expect(path);
        if !step.callers.is_empty() {
            let answer = step.answer.clone().expect("an answer");
            for caller in &step.callers {
                let status = *answer.callers.get(caller).expect(caller);
                self.add(label, method, &target, status, Vec::new(), Vec::new());
            }
            return;
        }
        self.name_own_values(step);
        let answer = step.answer.clone().unwrap_or_else(|| Answer { status: 200, ..Answer::default() });
        let mut headers: Vec<_> = answer.headers.0.iter().map(|(name, value)| (name.clone(), self.text(value))).collect();
        for name in &answer.present {
            let value = format!("there-{}", self.next());
            headers.push((name.clone(), value));
        }
        if let Some(redirect) = &answer.redirect {
            headers.push(("Location".to_owned(), self.location(redirect)));
        }
        let mut json = answer.json.as_ref().map(|json| self.json(json));
        if let (Some(jwt), Some(place)) = (&answer.jwt, &step.jwt) {
            let token = self.token(jwt);
            put(json.get_or_insert(Value::Null), place, token);
        }
        self.satisfy(step, &mut headers, &mut json);
        let body = match (&json, &answer.text, &answer.sha256) {
            (Some(json), ..) => json.to_string().into_bytes(),
            (None, Some(text), _) => self.text(text).into_bytes(),
            (None, None, Some(digest)) => self.content_named(digest),
            (None, None, None) => Vec::new(),
        };
        let reply = Reply::new(answer.status, &headers, &body);
        save(&mut self.player.values, step, &reply).expect(label);
        self.add(label, method, &target, answer.status, headers, body);
    }

    fn add(&mut self, step: &str, method: &str, target: &str, status: u16, headers: Vec<(String, String)>, body: Vec<u8>) {
        let target = if target.starts_with("http") { split_url(target).expect(target).1 } else { target };
        let (step, method, target) = (step.to_owned(), method.to_owned(), target.to_owned());
        self.exchanges.push(Exchange { step, method, target, status, headers, body });
    }

    fn push(&mut self, push: &Push, label: &str) {
        let values = &self.player.values;
        let repository = values.fill(&push.repo).expect(label);
        let manifest: Value = serde_json::from_slice(values.content(&push.manifest).expect(label)).expect(label);
        let reference = push.tag.clone().unwrap_or(format!("${{sha256:{}}}", push.manifest));
        let reference = values.fill(&reference).expect(label);
        let blobs = self.player.blobs_of(&manifest);
        let scope: String = url::form_urlencoded::byte_serialize(format!("repository:{repository}:pull,push").as_bytes()).collect();
        let path = format!("/service/token?service=harbor-registry&scope={scope}");
        self.add(label, "GET", &path, 200, Vec::new(), br#"{"token": "t"}"#.to_vec());
        for (digest, _) in blobs {
            let uploads = format!("/v2/{repository}/blobs/uploads/");
            let place = vec![("Location".to_owned(), format!("http://elsewhere{uploads}u?_state=s"))];
            self.add(label, "POST", &uploads, 202, place, Vec::new());
            self.add(label, "PUT", &format!("{uploads}u?_state=s&digest={digest}"), 201, Vec::new(), Vec::new());
        }
        self.add(label, "PUT", &format!("/v2/{repository}/manifests/{reference}"), 201, Vec::new(), Vec::new());
    }

    fn next(&mut self) -> i64 {
        self.count += 1;
        self.count
    }

    /// A value for what a step saves and its own answer already names.
    fn name_own_values(&mut self, step: &Step) {
        for (name, source) in &step.save.0 {
            let fresh = self.value_for(name, source);
            self.player.values.vars.set(name.clone(), fresh);
        }
    }

    fn value_for(&mut self, name: &str, source: &str) -> Value {
        let count = self.next();
        if source.contains("{36}") {
            Value::from(format!("0f0e0d0c-0b0a-0908-0706-{count:012}"))
        } else if source.contains(r"(\d+)")
            || source.starts_with("body:")
                && !["name", "secret", "token", "digest", "pool", "job"].iter().any(|word| name.contains(word) || source.contains(word))
        {
            Value::from(count)
        } else {
            Value::from(format!("/value/of/{name}/{count}"))
        }
    }

    /// Puts into the answer what the step saves and waits for, where the recorded answer leaves it open.
    fn satisfy(&mut self, step: &Step, headers: &mut Vec<(String, String)>, json: &mut Option<Value>) {
        for (name, source) in &step.save.0 {
            let value = self.player.values.vars.get(name).expect(name).clone();
            let (kind, place) = source.split_once(':').expect(source);
            if kind == "body" {
                let open = step.answer.as_ref().and_then(|answer| answer.json.as_ref());
                let recorded = open.and_then(|json| super::values::find(json, place)).and_then(Value::as_str).unwrap_or("<any>");
                if recorded.starts_with('<') && step.jwt.as_deref() != Some(place) {
                    put(json.get_or_insert(Value::Null), place, value);
                }
                continue;
            }
            let (header, pattern) = place.split_once(':').unwrap_or((place, "(.*)"));
            let found = headers.iter_mut().find(|(known, _)| known == header);
            match found {
                Some((_, text)) if pattern != "(.*)" => {
                    let text_value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    let last = text.rfind('/').map_or(0, |slash| slash + 1);
                    text.replace_range(last.., &text_value);
                }
                Some(_) => {}
                None => headers.push((header.to_owned(), value.as_str().map_or_else(|| format!("/x/{value}"), str::to_owned))),
            }
        }
        if let Some(until) = &step.until {
            let found = json.as_ref().and_then(|json| super::values::find(json, &until.path)).cloned();
            if !until.values.contains(&found.unwrap_or(Value::Null)) {
                put(json.get_or_insert(Value::Null), &until.path, until.values[0].clone());
            }
        }
    }

    fn marker(&mut self, name: &str) -> Value {
        match name {
            "time" => Value::from("2026-01-02T03:04:05.678Z"),
            "int" => Value::from(self.next()),
            "epoch" => Value::from(1_700_000_000),
            "uuid" => Value::from("0f0e0d0c-0b0a-0908-0706-050403020100"),
            other => Value::from(format!("{other}-{}", self.next())),
        }
    }

    fn text(&mut self, recorded: &str) -> String {
        let mut text = self.player.values.fill(recorded).expect(recorded);
        for name in ["time", "int", "epoch", "uuid", "string", "opaque", "any"] {
            while text.contains(&format!("<{name}>")) {
                let value = self.marker(name);
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                text = text.replacen(&format!("<{name}>"), &value, 1);
            }
        }
        text
    }

    fn json(&mut self, recorded: &Value) -> Value {
        match recorded {
            Value::String(text) => {
                let name = text.strip_prefix('<').and_then(|text| text.strip_suffix('>'));
                match name {
                    Some(name @ ("time" | "int" | "epoch" | "uuid" | "string" | "opaque" | "any")) => self.marker(name),
                    _ => match self.player.values.whole(text) {
                        Some(value) => value.clone(),
                        None => Value::from(self.text(text)),
                    },
                }
            }
            Value::Array(items) => items.iter().map(|item| self.json(item)).collect(),
            Value::Object(map) => Value::Object(map.iter().map(|(key, value)| (key.clone(), self.json(value))).collect()),
            other => other.clone(),
        }
    }

    fn token(&mut self, recorded: &Value) -> Value {
        let mut claims = self.json(&recorded["claims"]);
        if let Some(lifetime) = claims.as_object_mut().and_then(|claims| claims.remove("lifetime")) {
            claims["iat"] = json!(1_700_000_000);
            claims["exp"] = json!(1_700_000_000 + lifetime.as_i64().expect("seconds"));
        }
        let header = self.json(&recorded["header"]);
        Value::from([header.to_string(), claims.to_string(), "signature".to_owned()].map(|part| URL_SAFE_NO_PAD.encode(part)).join("."))
    }

    fn location(&mut self, redirect: &Value) -> String {
        let to = self.text(redirect["to"].as_str().expect("a target"));
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in redirect["query"].as_object().expect("parameters") {
            query.append_pair(name, &self.text(value.as_str().expect("text")));
        }
        let query = query.finish();
        if query.is_empty() { to } else { format!("{to}?{query}") }
    }

    fn content_named(&self, hex: &str) -> Vec<u8> {
        let values = &self.player.values;
        let named: HashMap<_, _> =
            values.contents.0.iter().map(|(name, bytes)| (values.fill(&format!("${{hex:{name}}}")).expect(name), bytes)).collect();
        named[hex].clone()
    }
}

/// Sets the value at `path`, making lists and objects on the way.
fn put(json: &mut Value, path: &str, value: Value) {
    let mut place = json;
    for part in path.split('.') {
        place = match part.parse::<usize>() {
            Ok(position) => {
                if !place.is_array() {
                    *place = Value::Array(Vec::new());
                }
                let items = place.as_array_mut().expect("a list");
                while items.len() <= position {
                    items.push(Value::Null);
                }
                &mut items[position]
            }
            Err(_) => {
                if !place.is_object() {
                    *place = Value::Object(Map::new());
                }
                &mut place[part]
            }
        };
    }
    *place = value;
}

impl Reply {
    fn new(status: u16, headers: &[(String, String)], body: &[u8]) -> Self {
        let mut response = http::Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(name, value);
        }
        let (parts, ()) = response.body(()).expect("headers").into_parts();
        Self::from_parts(parts, body.to_vec().into())
    }
}
