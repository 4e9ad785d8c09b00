use super::*;
use proptest::prelude::*;

const HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn name(text: &str) -> RepositoryName {
    text.parse().unwrap()
}

fn parse(method: &str, path: &str) -> Result<Operation, RouteError> {
    Operation::parse(method, path, "")
}

/// R3.
#[test]
fn the_base_answers_with_and_without_slash() {
    for path in ["/v2", "/v2/"] {
        assert_eq!(parse("GET", path), Ok(Operation::Ping));
        assert_eq!(parse("HEAD", path), Ok(Operation::Ping));
    }
}

#[test]
fn every_endpoint_is_found() {
    let app = || name("p/app");
    let digest = format!("sha256:{HEX}");
    let (raw, reference) = (RawDigest::new(&*digest), RawReference::new("v1"));
    let up = || "u1".to_owned();
    for (method, path, expected) in [
        ("GET", "/v2/_catalog".to_owned(), Operation::Catalog { page: Page::default() }),
        ("GET", "/v2/p/app/tags/list".into(), Operation::Tags { name: app(), page: Page::default() }),
        ("GET", "/v2/p/app/manifests/v1".into(), Operation::PullManifest { name: app(), reference: reference.clone(), head: false }),
        ("HEAD", "/v2/p/app/manifests/v1".into(), Operation::PullManifest { name: app(), reference: reference.clone(), head: true }),
        ("PUT", "/v2/p/app/manifests/v1".into(), Operation::PushManifest { name: app(), reference: reference.clone(), tags: vec![] }),
        ("DELETE", "/v2/p/app/manifests/v1".into(), Operation::DeleteManifest { name: app(), reference }),
        ("GET", format!("/v2/p/app/blobs/{digest}"), Operation::PullBlob { name: app(), digest: raw.clone(), head: false }),
        ("HEAD", format!("/v2/p/app/blobs/{digest}"), Operation::PullBlob { name: app(), digest: raw.clone(), head: true }),
        ("DELETE", format!("/v2/p/app/blobs/{digest}"), Operation::DeleteBlob { name: app(), digest: raw.clone() }),
        ("GET", "/v2/p/app/blobs/uploads/u1".into(), Operation::UploadStatus { name: app(), upload: up() }),
        ("HEAD", "/v2/p/app/blobs/uploads/u1".into(), Operation::UploadStatus { name: app(), upload: up() }),
        ("PATCH", "/v2/p/app/blobs/uploads/u1".into(), Operation::UploadChunk { name: app(), upload: up() }),
        ("PUT", "/v2/p/app/blobs/uploads/u1".into(), Operation::FinishUpload { name: app(), upload: up(), digest: None }),
        ("DELETE", "/v2/p/app/blobs/uploads/u1".into(), Operation::CancelUpload { name: app(), upload: up() }),
        (
            "GET",
            format!("/v2/p/app/referrers/{digest}"),
            Operation::Referrers { name: app(), digest: raw, artifact_types: vec![], page: Page::default() },
        ),
        ("GET", "/v2/_oci/ext/discover".into(), Operation::Extensions { name: None }),
        ("GET", "/v2/p/app/_oci/ext/discover".into(), Operation::Extensions { name: Some(app()) }),
    ] {
        assert_eq!(parse(method, &path), Ok(expected), "{method} {path}");
    }
    for path in ["/v2/p/app/blobs/uploads/", "/v2/p/app/blobs/uploads"] {
        assert!(matches!(parse("POST", path), Ok(Operation::StartUpload { .. })), "{path}");
    }
}

/// R5, R6.
#[test]
fn names_are_validated_where_a_route_is_known() {
    for good in ["a", "a/b", "a.b", "a_b", "a__b", "a--b", "a/b/c/d", "0/1", &"n".repeat(255)] {
        let operation = parse("GET", &format!("/v2/{good}/tags/list")).unwrap();
        assert_eq!(operation.repository().unwrap(), good);
    }
    for bad in ["A", "a___b", "a..b", "-a", "a-", "a//b", "a/", ".a", "_a/b", "..", "a/../b", "%C3%A9", &"n".repeat(256)] {
        for (method, tail) in [("GET", "manifests/v1"), ("GET", "tags/list"), ("POST", "blobs/uploads/"), ("GET", "referrers/x")] {
            let path = format!("/v2/{bad}/{tail}");
            assert!(matches!(parse(method, &path), Err(RouteError::InvalidName(_))), "{path}");
        }
    }
}

/// R7.
#[test]
fn route_words_may_be_components_of_names() {
    for (method, path, expected) in [
        ("GET", "/v2/a/blobs/uploads/b/tags/list", "a/blobs/uploads/b"),
        ("GET", "/v2/a/blobs/uploads/tags/list", "a/blobs/uploads"),
        ("GET", "/v2/tags/list/tags/list", "tags/list"),
        ("GET", "/v2/manifests/manifests/manifests", "manifests"),
        ("PUT", "/v2/a/blobs/uploads/manifests/uploads", "a/blobs/uploads"),
        ("GET", "/v2/a/blobs/manifests/list", "a/blobs"),
        ("POST", "/v2/a/manifests/blobs/uploads/", "a/manifests"),
        ("PATCH", "/v2/blobs/uploads/blobs/uploads/tags", "blobs/uploads"),
        ("GET", "/v2/a/referrers/blobs/sha256:x", "a/referrers"),
        ("GET", "/v2/a/tags/list/referrers/sha256:x", "a/tags/list"),
        ("GET", "/v2/a/referrers/referrers/tags", "a/referrers"),
    ] {
        assert_eq!(parse(method, path).unwrap().repository().unwrap(), expected, "{path}");
    }
    assert!(matches!(parse("GET", "/v2/a/blobs/uploads/b/manifests/t"), Ok(Operation::PullManifest { .. })));
    assert!(matches!(parse("GET", "/v2/a/manifests/blobs/uploads/x"), Ok(Operation::UploadStatus { .. })));
}

/// R8, R9, R10, R11: what a reference means is kept beside its text.
#[test]
fn malformed_references_are_carried_along() {
    let long = "t".repeat(129);
    let upper = format!("sha256:{}", HEX.to_uppercase());
    for text in [".INVALID_MANIFEST_NAME", "-x", "sha256:totallywrong", "sha256:baddigeststring", &long, &upper] {
        let Ok(Operation::PullManifest { reference, .. }) = parse("GET", &format!("/v2/p/a/manifests/{text}")) else {
            panic!("{text}");
        };
        assert_eq!(reference.as_str(), text);
        assert!(reference.parsed().is_err() && reference.digest().is_none() && reference.tag().is_none());
        let Ok(Operation::PullBlob { digest, .. }) = parse("GET", &format!("/v2/p/a/blobs/{text}")) else {
            panic!("{text}");
        };
        assert!(digest.parsed().is_err() && digest.digest().is_none() && digest.to_string() == text);
    }
}

/// R12.
#[test]
fn an_escaped_colon_is_a_colon() {
    let plain = parse("GET", &format!("/v2/p/a/blobs/sha256:{HEX}"));
    assert_eq!(parse("GET", &format!("/v2/p/a/blobs/sha256%3A{HEX}")), plain);
    assert_eq!(parse("GET", &format!("/v2/p/a/blobs/sha256%3a{HEX}")), plain);
    let Ok(Operation::PullBlob { digest, .. }) = parse("GET", &format!("/v2/p/a/blobs/sha256%253A{HEX}")) else {
        panic!("not a blob");
    };
    assert!(digest.parsed().is_err(), "decoded once only");
}

/// R14.
#[test]
fn wrong_methods_and_unknown_paths_are_told_apart() {
    for (method, path, allow) in [
        ("POST", "/v2/", "GET, HEAD"),
        ("DELETE", "/v2/_catalog", "GET, HEAD"),
        ("PUT", "/v2/a/tags/list", "GET, HEAD"),
        ("POST", "/v2/a/referrers/x", "GET, HEAD"),
        ("POST", "/v2/a/_oci/ext/discover", "GET, HEAD"),
        ("PATCH", "/v2/a/manifests/v1", "GET, HEAD, PUT, DELETE"),
        ("PUT", "/v2/a/blobs/sha256:x", "GET, HEAD, DELETE"),
        ("GET", "/v2/a/blobs/uploads/", "POST"),
        ("POST", "/v2/a/blobs/uploads/x", "GET, HEAD, PATCH, PUT, DELETE"),
        ("get", "/v2/A/manifests/v1", "GET, HEAD, PUT, DELETE"),
    ] {
        assert_eq!(parse(method, path), Err(RouteError::MethodNotAllowed { allow }), "{method} {path}");
    }
    for path in [
        "",
        "/",
        "/v1/",
        "/v2x",
        "/v2//",
        "/v2/a",
        "/v2/a/b",
        "/v2/tags/list",
        "/v2/manifests/v1",
        "/v2/blobs/uploads/",
        "/v2/a/manifests/",
        "/v2/a/blobs/",
        "/v2/a/tags/list/",
        "/v2/a/tags",
        "/v2/_catalog/",
        "/v2/_other",
        "/v2/a/manifests/%zz",
        "/v2/a/manifests/%ff",
        "/v2/a/blobs/uploads/x/",
        "/v2/_oci/ext",
        "v2/",
        "/api/v2/",
    ] {
        assert_eq!(parse("GET", path), Err(RouteError::NotFound), "{path}");
    }
    let long = format!("/v2/{}/tags/list", "a".repeat(70_000));
    assert_eq!(parse("GET", &long), Err(RouteError::TooLong));
    assert_eq!(Operation::parse("GET", "/v2/", &"a".repeat(70_000)), Err(RouteError::TooLong));
}

/// R13, R69, R113, R131, R147.
#[test]
fn parameters_are_decoded_and_unknown_ones_ignored() {
    let start =
        Operation::parse("POST", "/v2/p/a/blobs/uploads/", "ns=x&from=p%2Fb&mount=sha256%3Aaa&mount=second&digest-algorithm=sha512&&=&%zz");
    assert_eq!(
        start,
        Ok(Operation::StartUpload {
            name: name("p/a"),
            mount: Some("sha256:aa".into()),
            from: Some("p/b".into()),
            digest: None,
            digest_algorithm: Some("sha512".into()),
        })
    );
    let Ok(Operation::PushManifest { tags, .. }) = Operation::parse("PUT", "/v2/p/a/manifests/x", "tag=a&tag=b&Tag=c&tag=") else {
        panic!("not a push");
    };
    assert_eq!(tags, ["a", "b", ""]);
    let Ok(Operation::FinishUpload { digest, .. }) = Operation::parse("PUT", "/v2/p/a/blobs/uploads/u", "_state=x&digest=md5:a") else {
        panic!("not a finish");
    };
    assert_eq!(digest.as_deref(), Some("md5:a"));
    let Ok(Operation::Referrers { artifact_types, page, .. }) =
        Operation::parse("GET", "/v2/p/a/referrers/x", "artifactType=a/b+json&artifactType=a%2Fb%2Bxml&artifactType=&n=5&last=%C3%A9")
    else {
        panic!("not referrers");
    };
    assert_eq!(artifact_types, ["a/b+json", "a/b+xml"]);
    assert_eq!((page.limit(3), page.after()), (Ok(Some(3)), Some("é")));
}

/// R138.
#[test]
fn page_sizes_are_whole_numbers() {
    let page = |n: Option<&str>| Page { n: n.map(str::to_owned), last: Some(String::new()) };
    for (n, expected) in [
        (None, Ok(None)),
        (Some(""), Ok(None)),
        (Some("0"), Ok(Some(0))),
        (Some("7"), Ok(Some(7))),
        (Some("1000000"), Ok(Some(1000))),
        (Some("99999999999999999999999"), Ok(Some(1000))),
        (Some("-1"), Err(PageError)),
        (Some("+1"), Err(PageError)),
        (Some("abc"), Err(PageError)),
        (Some("1.5"), Err(PageError)),
    ] {
        assert_eq!(page(n).limit(1000), expected, "{n:?}");
    }
    assert_eq!(page(None).after(), None);
}

/// R139.
#[test]
fn links_are_escaped() {
    assert_eq!(next_link("/v2/_catalog", "atlas/pub", 1), "</v2/_catalog?last=atlas%2Fpub&n=1>; rel=\"next\"");
    assert_eq!(next_link("/v2/n/a/tags/list", "_under", 3), "</v2/n/a/tags/list?last=_under&n=3>; rel=\"next\"");
}

/// R116, R132, R142 and the challenge of each method.
#[test]
fn actions_and_scopes_follow_the_operation() {
    for (method, path, query, action, scopes) in [
        ("GET", "/v2/", "", Action::Ping, ""),
        ("GET", "/v2/_oci/ext/discover", "", Action::Ping, ""),
        ("GET", "/v2/_catalog", "", Action::Catalog, "registry:catalog:*"),
        ("GET", "/v2/p/a/tags/list", "", Action::Pull, "repository:p/a:pull"),
        ("HEAD", "/v2/p/a/manifests/v1", "", Action::Pull, "repository:p/a:pull"),
        ("PUT", "/v2/p/a/manifests/v1", "", Action::Push, "repository:p/a:pull,push"),
        ("DELETE", "/v2/p/a/blobs/x", "", Action::Delete, "repository:p/a:delete"),
        ("DELETE", "/v2/p/a/blobs/uploads/u", "", Action::Push, "repository:p/a:pull,push"),
        ("POST", "/v2/p/a/blobs/uploads/", "mount=x&from=q/b", Action::Push, "repository:p/a:pull,push repository:q/b:pull"),
        ("POST", "/v2/p/a/blobs/uploads/", "mount=x&from=Q", Action::Push, "repository:p/a:pull,push"),
        ("POST", "/v2/p/a/blobs/uploads/", "from=q/b", Action::Push, "repository:p/a:pull,push"),
    ] {
        let operation = Operation::parse(method, path, query).unwrap();
        let text: Vec<String> = operation.scopes().iter().map(ToString::to_string).collect();
        assert_eq!((operation.action(), text.join(" ").as_str()), (action, scopes), "{method} {path}");
    }
}

proptest! {
    #[test]
    fn any_request_is_answered(
        method in "GET|HEAD|PUT|POST|PATCH|DELETE|\\PC{0,5}",
        path in "/v2(/(tags|list|manifests|blobs|uploads|referrers|_oci|a|%[0-9a-f]{0,2}|)){0,6}|\\PC{0,40}",
        query in "\\PC{0,40}|((tag|n|last|digest|mount)=[%0-9a-f]{0,5}&){0,4}",
    ) {
        let _ = Operation::parse(&method, &path, &query);
    }

    #[test]
    fn any_name_is_routed_to_itself(
        parts in proptest::collection::vec("tags|list|manifests|blobs|uploads|referrers|a1", 1..6),
    ) {
        let expected = parts.join("/");
        for (method, tail) in [("GET", "tags/list"), ("GET", "manifests/t"), ("POST", "blobs/uploads/"), ("PATCH", "blobs/uploads/u"), ("GET", "blobs/d"), ("GET", "referrers/d")] {
            let operation = Operation::parse(method, &format!("/v2/{expected}/{tail}"), "").unwrap();
            prop_assert_eq!(operation.repository().unwrap().as_str(), expected.as_str());
        }
    }
}
