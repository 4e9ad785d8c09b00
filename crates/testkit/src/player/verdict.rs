//! Whether an answer is the recorded one. Status first: where it differs, nothing else is worth comparing.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::conversation::{Answer, Step};
use super::exchange::Reply;
use super::matching::{Matcher, is_ignored};
use super::values::{Values, hex};
use super::{Finding, Kind, jwt};

/// Compares `reply` with the answer that `step` records.
pub(super) fn judge(step: &Step, want: &Answer, reply: &Reply, values: &Values) -> Vec<Finding> {
    let mut out = Vec::new();
    if want.status == 500 && (400..600).contains(&reply.status) {
        // Harbor stumbled: any refusal is right, the same stumble too.
        if reply.status != 500 {
            out.push(Finding::new(Kind::Soft, "status", "500", reply.status.to_string()));
        }
        return out;
    }
    if want.status != reply.status {
        let got = format!("{} {:?}", reply.status, reply.beginning());
        out.push(Finding::new(Kind::Hard, "status", want.status.to_string(), got));
        return out;
    }
    headers(step, want, reply, values, &mut out);
    if let Some(recorded) = &want.jwt {
        token(step, recorded, reply, values, &mut out);
    }
    if let Some(recorded) = &want.redirect {
        let got = reply.header("Location").map_or(Value::Null, |location| take_apart(&location));
        Matcher { values, unordered: false }.compare(recorded, &got, "redirect", &mut out);
    }
    body(step, want, reply, values, &mut out);
    out
}

fn headers(step: &Step, want: &Answer, reply: &Reply, values: &Values, out: &mut Vec<Finding>) {
    let matcher = Matcher { values, unordered: false };
    for (name, recorded) in want.headers.0.iter().filter(|(name, _)| !step.ignore.contains(name)) {
        let place = format!("header {name}");
        match reply.header(name) {
            None => {
                let kind = if recorded.is_empty() { Kind::Soft } else { Kind::Hard };
                out.push(Finding::new(kind, &place, format!("{recorded:?}"), "(missing)"));
            }
            // A charset more or less changes nothing for a client.
            Some(got) if name == "Content-Type" && media_type(recorded) == media_type(&got) => {}
            Some(got) => matcher.compare(&Value::from(recorded.as_str()), &Value::from(got), &place, out),
        }
    }
    for name in want.present.iter().filter(|name| reply.header(name).is_none()) {
        let kind = if name == "Etag" { Kind::Soft } else { Kind::Hard };
        out.push(Finding::new(kind, &format!("header {name}"), "(there)", "(missing)"));
    }
}

fn media_type(header: &str) -> &str {
    header.split(';').next().unwrap_or_default().trim()
}

fn token(step: &Step, recorded: &Value, reply: &Reply, values: &Values, out: &mut Vec<Finding>) {
    let mut place = reply.json.as_ref();
    for part in step.jwt.as_deref().unwrap_or_default().split('.') {
        place = place.and_then(Value::as_object).and_then(|object| object.get(part));
    }
    let Some(got) = place.and_then(Value::as_str).and_then(jwt::decode) else {
        let found = place.unwrap_or(&Value::Null).to_string();
        return out.push(Finding::new(Kind::Hard, "jwt", "a token", found));
    };
    // The request was sent, so its path could be filled.
    let path = values.fill(step.path.as_deref().unwrap_or_default()).unwrap_or_default();
    Matcher { values, unordered: true }.compare(&jwt::least(recorded, &got, &path), &got, "jwt", out);
}

/// `{"to": …, "query": {…}}` of a Location, as the order of its parameters is free.
fn take_apart(location: &str) -> Value {
    let (to, query) = location.split_once('?').unwrap_or((location, ""));
    let query: BTreeMap<String, String> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    json!({"to": to, "query": query})
}

fn body(step: &Step, want: &Answer, reply: &Reply, values: &Values, out: &mut Vec<Finding>) {
    if let Some(recorded) = &want.json {
        let Some(got) = &reply.json else {
            return out.push(Finding::new(Kind::Hard, "body", "JSON", format!("{:?}", reply.beginning())));
        };
        let mut found = Vec::new();
        Matcher { values, unordered: step.unordered }.compare(recorded, got, "body", &mut found);
        for mut finding in found {
            if is_detail(&finding.place) {
                finding.kind = Kind::Message;
            }
            if !is_ignored(&finding.place, &step.ignore) {
                out.push(finding);
            }
        }
    } else if let Some(recorded) = &want.text {
        let got = reply.text();
        if values.anonymous(&got).trim() != recorded.trim() {
            out.push(Finding::new(Kind::Message, "body", format!("{recorded:?}"), format!("{:?}", reply.beginning())));
        }
    } else if let Some(recorded) = &want.sha256
        && *recorded != hex(&Sha256::digest(&reply.body))
    {
        out.push(Finding::new(Kind::Hard, "body bytes", recorded.clone(), format!("{} bytes", reply.body.len())));
    }
}

/// Whether a place is inside `errors[n].detail`, which is wording too.
fn is_detail(place: &str) -> bool {
    place.match_indices("errors[").any(|(start, head)| {
        let rest = &place[start + head.len()..];
        let digits = rest.chars().take_while(char::is_ascii_digit).count();
        digits > 0 && rest[digits..].starts_with("].detail")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_taken_apart() {
        let cases = [
            ("/x", json!({"to": "/x", "query": {}})),
            ("http://h/a?b=1&a=x+y%2F&b=2&c", json!({"to": "http://h/a", "query": {"a": "x y/", "b": "2", "c": ""}})),
        ];
        for (location, expected) in cases {
            assert_eq!(take_apart(location), expected);
        }
    }

    #[test]
    fn details_are_wording() {
        for place in ["body.errors[0].detail", "body.errors[12].detail[0].Action"] {
            assert!(is_detail(place), "{place}");
        }
        for place in ["body.errors[0].code", "body.detail", "body.errors.detail", "body.errors[].detail"] {
            assert!(!is_detail(place), "{place}");
        }
    }
}
