//! Tokens of the token service, compared by what they say. Harbor grants all that the caller may do; a token that grants
//! what was asked for and allowed, and no more than Harbor's, is as good.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Value, json};

const ANY_PADDING: GeneralPurpose =
    GeneralPurpose::new(&URL_SAFE, GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent));

/// `{"header": …, "claims": …}` of a JWT, its signature unverified; `claims.lifetime` is `exp - iat` in seconds and each
/// list of actions is sorted. `None` if it is no JWT.
pub(super) fn decode(token: &str) -> Option<Value> {
    let mut parts = token.split('.');
    let mut part = || -> Option<Value> {
        let bytes = ANY_PADDING.decode(parts.next()?).ok()?;
        serde_json::from_slice(&bytes).ok().filter(Value::is_object)
    };
    let (header, mut claims) = (part()?, part()?);
    if let (Some(expiry), Some(issued)) = (claims["exp"].as_i64(), claims["iat"].as_i64()) {
        claims["lifetime"] = Value::from(expiry - issued);
    }
    for access in claims.get_mut("access").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(actions) = access.get_mut("actions").and_then(Value::as_array_mut) {
            actions.sort_by_key(Value::to_string);
        }
    }
    Some(json!({"header": header, "claims": claims}))
}

/// The recorded token as it must be compared with `got`: where `got` grants, for one resource, at least what `path`
/// (filled; its `scope` parameters) asked for and Harbor granted, and at most what Harbor granted, its actions are taken.
pub(super) fn least(want: &Value, got: &Value, path: &str) -> Value {
    let asked = asked_for(path);
    let theirs: BTreeMap<String, &Value> = access_of(got).map(|access| (resource(access), &access["actions"])).collect();
    let mut want = want.clone();
    let wanted = want.get_mut("claims").and_then(|claims| claims.get_mut("access")).and_then(Value::as_array_mut);
    for access in wanted.into_iter().flatten() {
        let name = resource(access);
        let Some(mine) = theirs.get(&name) else { continue };
        let (full, granted) = (names(&access["actions"]), names(mine));
        let needed: BTreeSet<String> = match asked.get(&name) {
            Some(asked) if asked.contains("*") => full.clone(),
            Some(asked) => full.intersection(asked).cloned().collect(),
            None => BTreeSet::new(),
        };
        if needed.is_subset(&granted) && granted.is_subset(&full) {
            access["actions"] = if mine.is_null() { json!([]) } else { (*mine).clone() };
        }
    }
    want
}

fn access_of(token: &Value) -> impl Iterator<Item = &Value> {
    token["claims"]["access"].as_array().into_iter().flatten()
}

/// `type:name`, as a scope writes it.
fn resource(access: &Value) -> String {
    let part = |key: &str| access[key].as_str().unwrap_or_default().to_owned();
    format!("{}:{}", part("type"), part("name"))
}

fn names(actions: &Value) -> BTreeSet<String> {
    actions.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Resource → actions of all `scope` parameters of a path; one parameter may hold several, separated by spaces.
fn asked_for(path: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut asked: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let query = path.split_once('?').map_or("", |(_, query)| query);
    for (_, scopes) in url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "scope") {
        for scope in scopes.split_whitespace() {
            let (name, actions) = scope.rsplit_once(':').unwrap_or(("", scope));
            asked.entry(name.to_owned()).or_default().extend(actions.split(',').map(str::to_owned));
        }
    }
    asked
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn token(header: &Value, claims: &Value) -> String {
        [header.to_string(), claims.to_string(), "signature".to_owned()].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".")
    }

    fn granting(actions: &[&str]) -> Value {
        json!({"header": {}, "claims": {"access": [{"type": "repository", "name": "north/app", "actions": actions}]}})
    }

    #[test]
    fn tokens_are_taken_apart() {
        let claims = json!({"iat": 100, "exp": 1900, "sub": "dana", "access": [{"type": "repository", "actions": ["push", "pull"]}]});
        let decoded = decode(&token(&json!({"alg": "RS256"}), &claims)).expect("a token");
        assert_eq!(decoded["header"], json!({"alg": "RS256"}));
        assert_eq!(decoded["claims"]["lifetime"], 1800);
        assert_eq!(decoded["claims"]["access"][0]["actions"], json!(["pull", "push"]));
        for wrong in ["", "a.b.c", "e30", "e30.W10.x", "!.e30.x"] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
        assert!(decode("e30=.e30=.x").is_some(), "padding does no harm");
    }

    #[test]
    fn what_was_asked_and_allowed_is_enough() {
        let full = ["delete", "pull", "push"];
        let path = "/service/token?service=s&scope=repository:north/app:";
        let cases: [(&str, &[&str], bool); 9] = [
            ("pull", &["pull"], true),
            ("pull", &["pull", "push"], true),
            ("pull", &full, true),
            ("pull,push", &["pull"], false),
            ("pull", &[], false),
            ("pull", &["pull", "scanner-pull"], false),
            ("*", &full, true),
            ("*", &["pull", "push"], false),
            ("scanner-pull", &[], true),
        ];
        for (asked, granted, passes) in cases {
            let got = granting(granted);
            let want = least(&granting(&full), &got, &format!("{path}{asked}"));
            assert_eq!(want == got, passes, "asked {asked}, granted {granted:?}");
        }
        let several = "/service/token?scope=repository:x:pull+repository:north/app:push&scope=repository:north/app:pull";
        assert_ne!(least(&granting(&full), &granting(&["pull"]), several), granting(&["pull"]));
        assert_eq!(least(&granting(&full), &granting(&["pull", "push"]), several), granting(&["pull", "push"]));
        let none = json!({"header": {}, "claims": {"access": []}});
        assert_eq!(least(&granting(&full), &none, path), granting(&full), "a missing entry stays a difference");
    }
}
