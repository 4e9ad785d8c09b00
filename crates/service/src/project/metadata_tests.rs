use super::*;

fn req(metadata: ProjectMetadata) -> ProjectReq {
    ProjectReq { metadata: Some(metadata), ..ProjectReq::default() }
}

fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

#[test]
fn values_are_checked_and_stored_in_one_form() {
    let table = [
        ("auto_scan", "1", Some("true")),
        ("auto_scan", "FALSE", Some("false")),
        ("auto_scan", "yes", None),
        ("auto_scan", "", None),
        ("severity", "High", Some("high")),
        ("severity", "negligible", Some("none")),
        ("severity", "unknown", None),
        ("proxy_speed_kb", "-1", Some("-1")),
        ("proxy_speed_kb", "99999999999", None),
        ("max_upstream_conn", "5", Some("5")),
        ("max_upstream_conn", "0", None),
        ("max_upstream_conn", "-3", None),
        ("retention_id", "1", None),
        ("projectScanner", "x", None),
        ("proxy_cache_filter_kind", "regex", None),
    ];
    for (key, value, stored) in table {
        assert_eq!(strict(key, value, false).ok().as_deref(), stored, "{key}={value}");
    }
    assert_eq!(strict(KIND, "regex", true).unwrap(), "regex");
    assert_eq!(strict(KIND, "glob", true).unwrap_err().status, 400);
    assert_eq!(strict(PATTERN, &"a".repeat(MAX_VALUE + 1), true).unwrap_err().status, 400);
}

#[test]
fn a_new_project_has_no_retention_and_nothing_of_caches() {
    let given =
        ProjectMetadata { proxy_speed_kb: text("5"), auto_scan: text("true"), severity: text("awful"), ..ProjectMetadata::default() };
    let stored = of_new(&req(given)).unwrap();
    let pairs: Vec<_> = stored.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(pairs, [("auto_scan", "true"), ("public", "false"), ("severity", "unknown")]);
    assert_eq!(of_new(&req(ProjectMetadata { retention_id: text("3"), ..ProjectMetadata::default() })).unwrap_err().status, 400);
    assert_eq!(of_new(&req(ProjectMetadata { public: text("1"), ..ProjectMetadata::default() })).unwrap_err().status, 400);
    let legacy = ProjectReq { public: Some(true), ..ProjectReq::default() };
    assert_eq!(of_new(&legacy).unwrap()["public"], "true");
}

#[test]
fn only_a_yes_makes_a_project_public() {
    for (value, stored) in [("maybe", "false"), ("", "false"), ("TRUE", "true"), ("1", "true")] {
        let mut map = Map::from([("public".to_owned(), "true".to_owned())]);
        merge(&mut map, &ProjectMetadata { public: text(value), ..ProjectMetadata::default() }, false).unwrap();
        assert_eq!(map["public"], stored, "{value}");
    }
}

#[test]
fn the_retention_of_a_project_is_not_the_callers_to_set() {
    let mut map = Map::from([(RETENTION.to_owned(), "7".to_owned())]);
    for other in ["8", ""] {
        let given = ProjectMetadata { retention_id: text(other), ..ProjectMetadata::default() };
        assert_eq!(merge(&mut map, &given, false).unwrap_err().status, 400);
    }
    merge(&mut map, &ProjectMetadata { retention_id: text("7"), ..ProjectMetadata::default() }, false).unwrap();
    assert_eq!(map, Map::from([(RETENTION.to_owned(), "7".to_owned())]));
}
