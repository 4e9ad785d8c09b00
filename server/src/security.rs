//! Who is calling and from where: the client's address, scheme and host, requests sent by other sites, headers of pages.
//! Used by the doors; `listen` says who the peer is.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

use axum::extract::{FromRef, FromRequestParts};
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, Uri, header, request::Parts};
use url::Url;

use crate::config::Network;

/// More hops than this are not followed.
const HOP_LIMIT: usize = 16;

/// The other end of the connection. `listen` puts it into every request's extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerInfo {
    /// Address and port of the peer, which may be a proxy.
    pub addr: SocketAddr,
    /// Whether the connection itself is TLS.
    pub tls: bool,
}

/// What is known about a client, after trusted proxies were believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientFacts {
    /// The client's address.
    pub ip: IpAddr,
    /// `http` or `https`, as the client sees it.
    pub scheme: &'static str,
    /// Host, and port where it was given, as the client wrote them.
    pub host: String,
}

impl ClientFacts {
    /// `https://registry.example.com`, as the client sees the server; no slash at the end.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("{}://{}", self.scheme, self.host)
    }
}

/// How requests are traced back to clients. Cheap to clone; part of the doors' state.
#[derive(Debug, Clone)]
pub struct Origins {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    trusted: Vec<Network>,
    external: Option<String>,
    fallback_host: String,
}

impl Origins {
    /// From the settings `trusted_proxies`, `external_url` and `listen`; the last is the host of a request that names none (HTTP/1.0).
    #[must_use]
    pub fn new(trusted: Vec<Network>, external: Option<&Url>, listen: SocketAddr) -> Self {
        let external = external.map(|url| url.origin().ascii_serialization());
        Self { inner: Arc::new(Inner { trusted, external, fallback_host: listen.to_string() }) }
    }

    /// The address for links that leave the server: `external_url`, else what the client used. No slash at the end.
    #[must_use]
    pub fn external_base(&self, client: &ClientFacts) -> String {
        self.inner.external.clone().unwrap_or_else(|| client.base_url())
    }

    /// Facts about the client of a request.
    #[must_use]
    pub fn facts(&self, extensions: &Extensions, uri: &Uri, headers: &HeaderMap) -> ClientFacts {
        let peer = extensions.get::<PeerInfo>().copied().unwrap_or(PeerInfo { addr: (Ipv4Addr::UNSPECIFIED, 0).into(), tls: false });
        let own_host = uri.authority().map(http::uri::Authority::as_str).or_else(|| text(headers, &header::HOST)).filter(|h| is_host(h));
        let mut facts = ClientFacts {
            ip: peer.addr.ip().to_canonical(),
            scheme: if peer.tls { "https" } else { "http" },
            host: own_host.unwrap_or(&self.inner.fallback_host).to_owned(),
        };
        if self.is_trusted(facts.ip) {
            self.believe(&mut facts, headers);
        }
        facts
    }

    fn is_trusted(&self, ip: IpAddr) -> bool {
        self.inner.trusted.iter().any(|network| network.contains(ip))
    }

    /// `X-Forwarded-*` where there is any, else `Forwarded` (RFC 7239): a proxy sets one kind and passes the other on as the client sent it.
    fn believe(&self, facts: &mut ClientFacts, headers: &HeaderMap) {
        let [for_, proto, host] = [X_FORWARDED_FOR, X_FORWARDED_PROTO, X_FORWARDED_HOST].map(|name| list(headers, &name));
        let hops = if [&for_, &proto, &host].iter().any(|values| !values.is_empty()) {
            let last = |values: &[&str]| values.last().map(|v| (*v).to_owned());
            let (proto, host) = (last(&proto), last(&host));
            for_.iter().map(|v| Hop { from: Some((*v).to_owned()), ..Hop::default() }).chain([Hop { from: None, proto, host }]).collect()
        } else {
            list(headers, &header::FORWARDED).iter().map(|hop| Hop::parse(hop)).collect::<Vec<_>>()
        };
        // From the nearest proxy backwards, as far as each reporter is trusted.
        for hop in hops.iter().rev().take(HOP_LIMIT) {
            match hop.proto.as_deref() {
                Some(p) if p.eq_ignore_ascii_case("https") => facts.scheme = "https",
                Some(p) if p.eq_ignore_ascii_case("http") => facts.scheme = "http",
                _ => {}
            }
            if let Some(host) = hop.host.as_ref().filter(|h| is_host(h)) {
                facts.host.clone_from(host);
            }
            let Some(from) = &hop.from else { continue };
            let Some(ip) = node_ip(from) else { break };
            facts.ip = ip;
            if !self.is_trusted(ip) {
                break;
            }
        }
    }

    /// Whether a request that changes something was sent by a page of another site. `Sec-Fetch-Site` decides where the browser sends it, else
    /// `Origin`; without both it is no browser. Doors ask this for callers that are recognised by a cookie.
    #[must_use]
    pub fn is_cross_site(&self, method: &Method, extensions: &Extensions, uri: &Uri, headers: &HeaderMap) -> bool {
        if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
            return false;
        }
        if let Some(site) = text(headers, &SEC_FETCH_SITE) {
            return !matches!(site, "same-origin" | "none");
        }
        let Some(origin) = headers.get(header::ORIGIN) else {
            return false;
        };
        let facts = self.facts(extensions, uri, headers);
        let Ok(origin) = origin.to_str() else {
            return true;
        };
        !same_origin(origin, &facts.base_url()) && !self.inner.external.as_deref().is_some_and(|ours| same_origin(origin, ours))
    }
}

impl<S> FromRequestParts<S> for ClientFacts
where
    Origins: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        Ok(Origins::from_ref(state).facts(&parts.extensions, &parts.uri, &parts.headers))
    }
}

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What one proxy reports.
#[derive(Default)]
struct Hop {
    from: Option<String>,
    proto: Option<String>,
    host: Option<String>,
}

impl Hop {
    /// One element of `Forwarded`: `for=192.0.2.60;proto=https;host="registry.example.com"`.
    fn parse(element: &str) -> Self {
        let mut hop = Self { from: Some("unknown".to_owned()), ..Self::default() };
        for pair in element.split(';') {
            let Some((name, value)) = pair.split_once('=') else {
                continue;
            };
            let value = value.trim().trim_matches('"').to_owned();
            match name.trim().to_ascii_lowercase().as_str() {
                "for" => hop.from = Some(value),
                "proto" => hop.proto = Some(value),
                "host" => hop.host = Some(value),
                _ => {}
            }
        }
        hop
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// All values of a list header, over several lines of it too.
fn list<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Vec<&'a str> {
    let lines = headers.get_all(name).iter().filter_map(|v| v.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim).filter(|v| !v.is_empty()).collect()
}

/// `192.0.2.60`, `192.0.2.60:4711`, `[2001:db8::1]:4711`, `2001:db8::1`.
fn node_ip(node: &str) -> Option<IpAddr> {
    let ip = node.parse::<IpAddr>().ok().or_else(|| node.parse::<SocketAddr>().ok().map(|a| a.ip()));
    ip.or_else(|| node.strip_prefix('[')?.strip_suffix(']')?.parse().ok()).map(|ip| ip.to_canonical())
}

/// A host with an optional port, and nothing that could end up as something else in a link.
fn is_host(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 255
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'[' | b']'))
}

/// Compares scheme, host and effective port.
fn same_origin(a: &str, b: &str) -> bool {
    match (Url::parse(a), Url::parse(b)) {
        (Ok(a), Ok(b)) => a.origin().is_tuple() && a.origin() == b.origin(),
        _ => false,
    }
}

/// The headers that every page of the portal and its files carry. The content security policy with its nonce is the portal door's.
pub fn page_headers(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

#[cfg(test)]
#[path = "security_tests.rs"]
mod tests;
