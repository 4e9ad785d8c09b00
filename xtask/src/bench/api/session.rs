//! What callers send so that they are recognised: a browser's cookie, a password, or a registry token.

use super::Caller;
use super::marks::Operation;
use crate::bench::subject::Subject;
use crate::http::{Client, Reply};
use crate::instance::{ADMIN, PASSWORD};
use crate::token;
use anyhow::{Context as _, Result, ensure};
use std::collections::BTreeMap;

/// Name and value of the header for an operation. `/v2/` is asked with a token, as clients do after their first request.
pub fn header(subject: &Subject, caller: Caller, operation: &Operation) -> Result<(&'static str, String)> {
    let basic = subject.basic().context("a server with accounts")?;
    Ok(match (operation.name, caller) {
        ("get-v2", _) => {
            let token = token::authorization(&subject.address, Some(basic), "bench0000/r000", "pull")?;
            ("Authorization", token.context("a server that issues tokens")?)
        }
        (_, Caller::Basic) => ("Authorization", basic),
        (_, Caller::Session) => ("Cookie", sign_in(subject)?),
    })
}

/// Signs in as a browser does: two reads for a session and its token against forged requests, then the form.
fn sign_in(subject: &Subject) -> Result<String> {
    let mut client = Client::new(&subject.address, None);
    let mut jar = BTreeMap::new();
    let mut token = String::new();
    let form = format!("principal={ADMIN}&password={PASSWORD}");
    for (method, path, body) in
        [("GET", "/api/v2.0/systeminfo", ""), ("GET", "/api/v2.0/systeminfo", ""), ("POST", "/c/login", form.as_str())]
    {
        let cookies = cookies(&jar);
        let headers =
            [("Cookie", cookies.as_str()), ("X-Harbor-CSRF-Token", token.as_str()), ("Content-Type", "application/x-www-form-urlencoded")];
        let reply = client.send(method, path, &headers, body.as_bytes())?;
        ensure!(reply.status == 200, "{method} {path} answered {}", reply.status);
        if let Some(fresh) = reply.header("x-harbor-csrf-token") {
            token = fresh.to_owned();
        }
        keep(&mut jar, &reply);
    }
    ensure!(jar.contains_key("sid"), "signing in gave no session");
    Ok(cookies(&jar))
}

fn keep(jar: &mut BTreeMap<String, String>, reply: &Reply) {
    for line in reply.headers("set-cookie") {
        let pair = line.split(';').next().and_then(|pair| pair.split_once('='));
        if let Some((name, value)) = pair {
            jar.insert(name.to_owned(), value.to_owned());
        }
    }
}

fn cookies(jar: &BTreeMap<String, String>) -> String {
    jar.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
}
