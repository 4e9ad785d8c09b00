//! Certificates over real sockets: both protocols, names, permissions, and reading again.

use std::{fs, os::unix::fs::PermissionsExt as _, time::Duration};

use berth::listen::{Certificates, Options};
use reqwest::tls::TlsInfo;

use super::{Raw, Server};

/// The certificate that a client is shown.
async fn shown(server: &Server) -> Vec<u8> {
    let client = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).tls_info(true).build().unwrap();
    let answer = client.get(server.url("/hello")).send().await.unwrap();
    answer.extensions().get::<TlsInfo>().and_then(TlsInfo::peer_certificate).unwrap().to_owned()
}

#[tokio::test]
async fn both_protocols_are_negotiated() {
    let server = Server::tls(Options::default());
    let client = || reqwest::Client::builder().tls_danger_accept_invalid_certs(true);
    for (client, version) in [(client(), "HTTP/2.0"), (client().http1_only(), "HTTP/1.1")] {
        let answer = client.build().unwrap().get(server.url("/peer")).send().await.unwrap();
        assert_eq!(format!("{:?}", answer.version()), version);
        let text = answer.text().await.unwrap();
        assert!(text.starts_with("127.0.0.1 https "), "{text}");
    }
}

#[tokio::test]
async fn a_certificate_of_our_own_is_kept_and_only_its_owner_can_read_the_key() {
    let data = tempfile::tempdir().unwrap();
    let text = |name: &str| fs::read_to_string(data.path().join("tls").join(name)).unwrap();
    let mode = |name: &str| fs::metadata(data.path().join(name)).unwrap().permissions().mode() & 0o777;
    Certificates::self_signed(data.path(), None).unwrap();
    let first = text("certificate.pem");
    assert!(first.starts_with("Made by Berth for localhost, 127.0.0.1, ::1\n"), "{first}");
    assert_eq!((mode("tls"), mode("tls/key.pem")), (0o700, 0o600));
    Certificates::self_signed(data.path(), Some("localhost")).unwrap();
    assert_eq!(text("certificate.pem"), first, "kept over a restart");
    Certificates::self_signed(data.path(), Some("[2001:db8::1]")).unwrap();
    assert!(text("certificate.pem").starts_with("Made by Berth for localhost, 127.0.0.1, ::1, 2001:db8::1\n"));
    fs::write(data.path().join("tls/key.pem"), "broken").unwrap();
    Certificates::self_signed(data.path(), None).unwrap();
    assert!(text("key.pem").contains("PRIVATE KEY"), "made anew");
}

#[tokio::test]
async fn a_replaced_certificate_is_used_without_a_restart() {
    let server = Server::tls(Options::default());
    let before = shown(&server).await;
    let certificates = server.certificates.clone().unwrap();
    let (ours, other) = (certificates.path().to_owned(), tempfile::tempdir().unwrap());
    Certificates::self_signed(other.path(), Some("other.example.com")).unwrap();
    let theirs = other.path().join("tls");
    // Only one half: refused, and the former pair stays in use.
    fs::copy(theirs.join("certificate.pem"), &ours).unwrap();
    assert!(certificates.reload().unwrap_err().to_string().contains("do not belong together"));
    assert_eq!(shown(&server).await, before);
    fs::copy(theirs.join("key.pem"), ours.with_file_name("key.pem")).unwrap();
    certificates.reload().unwrap();
    assert_ne!(shown(&server).await, before);
}

#[tokio::test]
async fn plain_http_on_a_tls_port_does_no_harm() {
    let server = Server::tls(Options { first_head: Duration::from_millis(500), ..Options::default() });
    let mut raw = Raw::connect(&server).await;
    raw.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    drop(raw);
    assert!(!shown(&server).await.is_empty());
}

#[test]
fn files_of_no_use_are_named() {
    let data = tempfile::tempdir().unwrap();
    let (certificate, key) = (data.path().join("c.pem"), data.path().join("k.pem"));
    fs::write(&certificate, "nothing").unwrap();
    let error = format!("{:#}", Certificates::from_files(&certificate, &key).unwrap_err());
    assert!(error.contains("c.pem holds no certificate"), "{error}");
}
