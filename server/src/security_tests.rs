use super::*;

fn origins(external: Option<&str>) -> Origins {
    let trusted = ["10.0.0.0/8", "::1"].map(|n| n.parse().unwrap()).to_vec();
    Origins::new(trusted, external.map(|u| Url::parse(u).unwrap()).as_ref(), "127.0.0.1:8080".parse().unwrap())
}

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        map.append(*name, HeaderValue::from_static(value));
    }
    map
}

fn from(peer: &str, tls: bool) -> Extensions {
    let mut extensions = Extensions::new();
    extensions.insert(PeerInfo { addr: format!("{peer}:4711").parse().unwrap(), tls });
    extensions
}

#[test]
fn clients_are_found_behind_trusted_proxies_only() {
    let uri = Uri::from_static("/v2/");
    let xff = ("x-forwarded-for", "203.0.113.9, 10.1.1.1");
    type Case = (&'static str, bool, Vec<(&'static str, &'static str)>, &'static str, &'static str);
    let cases: Vec<Case> = vec![
        ("192.0.2.1", false, vec![("host", "r.example:5000")], "192.0.2.1", "http://r.example:5000"),
        ("192.0.2.1", true, vec![("host", "r.example")], "192.0.2.1", "https://r.example"),
        ("[::ffff:192.0.2.1]", false, vec![("host", "r")], "192.0.2.1", "http://r"),
        // Untrusted: nothing is believed.
        (
            "192.0.2.1",
            false,
            vec![("host", "r"), xff, ("x-forwarded-proto", "https"), ("x-forwarded-host", "evil")],
            "192.0.2.1",
            "http://r",
        ),
        ("192.0.2.1", false, vec![("host", "r"), ("forwarded", "for=1.2.3.4;proto=https;host=evil")], "192.0.2.1", "http://r"),
        // Trusted: the last address that no trusted proxy owns.
        (
            "10.0.0.5",
            false,
            vec![("host", "r"), xff, ("x-forwarded-proto", "https"), ("x-forwarded-host", "r.example")],
            "203.0.113.9",
            "https://r.example",
        ),
        ("10.0.0.5", false, vec![("host", "r"), ("x-forwarded-for", "1.1.1.1, 203.0.113.9")], "203.0.113.9", "http://r"),
        (
            "[::1]",
            false,
            vec![("host", "r"), ("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "203.0.113.9")],
            "203.0.113.9",
            "http://r",
        ),
        ("10.0.0.5", false, vec![("host", "r"), ("x-forwarded-for", "garbage")], "10.0.0.5", "http://r"),
        ("10.0.0.5", true, vec![("host", "r"), ("x-forwarded-proto", "gopher"), ("x-forwarded-host", "a/b")], "10.0.0.5", "https://r"),
        (
            "10.0.0.5",
            false,
            vec![("host", "r"), ("forwarded", "for=\"[2001:db8::1]:9\";proto=https;host=\"h:8443\"")],
            "2001:db8::1",
            "https://h:8443",
        ),
        // A client's own Forwarded, passed on by a proxy that speaks X-Forwarded-*, counts for nothing.
        (
            "10.0.0.5",
            false,
            vec![("host", "r"), ("x-forwarded-for", "203.0.113.9"), ("forwarded", "for=1.2.3.4;host=evil")],
            "203.0.113.9",
            "http://r",
        ),
        // A hop that an untrusted client made up is not believed.
        (
            "10.0.0.5",
            false,
            vec![("host", "r"), ("forwarded", "for=9.9.9.9;host=evil, for=203.0.113.9;proto=https")],
            "203.0.113.9",
            "https://r",
        ),
        ("192.0.2.1", false, vec![], "192.0.2.1", "http://127.0.0.1:8080"),
    ];
    for (peer, tls, given, ip, base) in cases {
        let facts = origins(None).facts(&from(peer, tls), &uri, &headers(&given));
        assert_eq!((facts.ip.to_string().as_str(), facts.base_url().as_str()), (ip, base), "{peer} {given:?}");
    }
}

#[test]
fn the_external_url_wins_for_links() {
    let facts = origins(None).facts(&from("192.0.2.1", false), &Uri::from_static("http://h2.example:81/"), &HeaderMap::new());
    assert_eq!(origins(None).external_base(&facts), "http://h2.example:81");
    assert_eq!(origins(Some("https://registry.example.com/")).external_base(&facts), "https://registry.example.com");
}

#[test]
fn pages_of_other_sites_change_nothing() {
    let ours = origins(Some("https://registry.example.com"));
    type Case = (Method, &'static [(&'static str, &'static str)], bool);
    let cases: &[Case] = &[
        (Method::GET, &[("sec-fetch-site", "cross-site")], false),
        (Method::POST, &[("sec-fetch-site", "same-origin")], false),
        (Method::POST, &[("sec-fetch-site", "none")], false),
        (Method::POST, &[("sec-fetch-site", "same-site")], true),
        (Method::DELETE, &[("sec-fetch-site", "cross-site")], true),
        (Method::POST, &[("host", "r:80"), ("origin", "http://r")], false),
        (Method::POST, &[("host", "r"), ("origin", "https://r")], true),
        (Method::POST, &[("host", "r"), ("origin", "https://registry.example.com")], false),
        (Method::POST, &[("host", "r"), ("origin", "http://evil")], true),
        (Method::POST, &[("host", "r"), ("origin", "null")], true),
        (Method::POST, &[("host", "r")], false),
    ];
    for (method, given, expected) in cases {
        let got = ours.is_cross_site(method, &from("192.0.2.1", false), &Uri::from_static("/"), &headers(given));
        assert_eq!(got, *expected, "{method} {given:?}");
    }
}
