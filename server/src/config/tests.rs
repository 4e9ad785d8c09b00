use std::fs;

use super::*;

fn with(file: Option<&str>, env: &[(&str, &str)], flags: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("berth.toml");
    if let Some(text) = file {
        fs::write(&path, text).unwrap();
    }
    let given = Given { file: file.map(|_| path.clone()), flags: flags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect() };
    load(given, env.iter().map(|(k, v)| (OsString::from(k), OsString::from(v)))).map_err(|mut error| {
        for problem in &mut error.problems {
            *problem = problem.replace(path.to_str().unwrap(), "FILE");
        }
        error
    })
}

#[test]
fn nothing_has_to_be_set() {
    let config = with(None, &[("HOME", "/home/x")], &[]).unwrap().config;
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.database, Database::Sqlite("./data/berth.db".into()));
    assert_eq!((config.token_lifetime.as_secs(), config.session_timeout.as_secs()), (1800, 3600));
    assert_eq!(config.limits.upload_lifetime.as_secs(), 168 * 3600);
    assert_eq!((config.limits.blob_size, config.limits.request_body, config.limits.request_headers), (None, 4 << 20, 64 << 10));
    assert_eq!((config.tls, config.external_url, config.trusted_proxies.len()), (Tls::Off, None, 0));
}

#[test]
fn the_stronger_source_wins() {
    let file = "listen = '1.1.1.1:1'\n[token]\nminutes = 5\n[limits]\nblob_size = 7";
    let all = with(Some(file), &[("BERTH_LISTEN", "2.2.2.2:2"), ("BERTH_TOKEN_MINUTES", "")], &[("listen", "localhost:3")]).unwrap();
    assert_eq!(all.config.listen.to_string(), "127.0.0.1:3");
    assert_eq!((all.config.token_lifetime.as_secs(), all.config.limits.blob_size), (300, Some(7)));
    assert!(all.places.contains(&("listen".to_owned(), Place::Flag("listen".to_owned()))));
    assert_eq!(with(Some(file), &[("BERTH_LISTEN", "2.2.2.2:2")], &[]).unwrap().config.listen.to_string(), "2.2.2.2:2");
    assert_eq!(with(Some(file), &[], &[]).unwrap().config.listen.to_string(), "1.1.1.1:1");
}

#[test]
fn the_file_in_the_data_directory_is_found() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("berth.toml"), "[log]\nlevel = 'debug'").unwrap();
    let given = Given { file: None, flags: vec![("data".to_owned(), dir.path().to_str().unwrap().to_owned())] };
    let loaded = load(given, []).unwrap();
    assert_eq!((loaded.config.log.level.as_str(), loaded.file), ("debug", Some(dir.path().join("berth.toml"))));
    let missing = Given { file: Some(dir.path().join("nowhere.toml")), flags: vec![] };
    assert!(load(missing, []).unwrap_err().problems[0].contains("cannot be read"));
}

/// Each wrong thing alone, and what is said about it.
#[test]
fn problems_say_where_and_what() {
    type Case<'a> = (Option<&'a str>, &'a [(&'a str, &'a str)], &'a [(&'a str, &'a str)], &'a str);
    let cases: &[Case<'_>] = &[
        (Some("listne = 'x'"), &[], &[], "FILE: unknown key `listne` (did you mean `listen`?)"),
        (Some("[tls]\nmod = 'off'"), &[], &[], "FILE: unknown key `tls.mod` (did you mean `tls.mode`?)"),
        (Some("[something]\nx = 1"), &[], &[], "FILE: unknown key `something`"),
        (Some("listen = 8080"), &[], &[], "FILE: `listen` must be text in quotes"),
        (Some("[token]\nminutes = true"), &[], &[], "FILE: `token.minutes` must be a whole number"),
        (Some("trusted_proxies = [1]"), &[], &[], "FILE: `trusted_proxies` must be a list of texts in quotes"),
        (Some("tls = 'off'"), &[], &[], "FILE: unknown key `tls`"),
        (Some("a = 1\nlisten = "), &[], &[], "FILE, line 2:"),
        (None, &[("BERTH_LISTNE", "x")], &[], "unknown environment variable BERTH_LISTNE (did you mean BERTH_LISTEN?)"),
        (None, &[("BERTH_LISTEN", "nowhere")], &[], "BERTH_LISTEN: `nowhere` is not ADDR:PORT"),
        (None, &[], &[("token.minutes", "0")], "--token-minutes: `0` is not a whole number from 1 to 1440"),
        (None, &[], &[("limits.request_body", "1 GiB")], "--limits-request-body: `1 GiB` is more than 64 MiB"),
        (None, &[("BERTH_TRUSTED_PROXIES", "10.0.0.0/33")], &[], "`10.0.0.0/33` is not an address range"),
        (None, &[("BERTH_EXTERNAL_URL", "registry.example.com")], &[], "is not an address such as"),
        (None, &[("BERTH_EXTERNAL_URL", "https://r.example/registry")], &[], "must end after host and port"),
        (None, &[("BERTH_TLS", "on")], &[], "`on` is not one of off, self-signed, files"),
        (None, &[("BERTH_TLS", "files")], &[], "needs both tls.certificate and tls.key"),
        (None, &[("BERTH_TLS_KEY", "k")], &[], "tls.certificate and tls.key are for tls.mode `files`, which is `off`"),
        (None, &[("BERTH_DATABASE_URL", "mysql://x")], &[], "BERTH_DATABASE_URL: a database is `sqlite:PATH` or"),
        (None, &[("BERTH_DATABASE_URL", "sqlite::memory:")], &[], "SQLite needs a file"),
        (None, &[("BERTH_LOG_LEVEL", "access=loud")], &[], "is not a level"),
        (None, &[("BERTH_LOG_FORMAT", "xml")], &[], "`xml` is not one of auto, human, json"),
        (None, &[("BERTH_ADMIN_PASSWORD_FILE", "/nonexistent/x")], &[], "BERTH_ADMIN_PASSWORD_FILE: /nonexistent/x cannot be read"),
        (None, &[("BERTH_ADMIN_PASSWORD_FILE", "/x"), ("BERTH_ADMIN_PASSWORD", "longenough")], &[], "only one of them can be used"),
    ];
    for (file, env, flags, expected) in cases {
        let problems = with(*file, env, flags).expect_err(expected).problems;
        assert!(problems.iter().any(|p| p.contains(expected)), "wanted `{expected}`, got {problems:?}");
    }
}

#[test]
fn all_problems_come_at_once() {
    let error = with(
        Some("x = 1\nlisten = 'y'"),
        &[("BERTH_ZZZZZZ", "1"), ("BERTH_TLS", "maybe"), ("BERTH_TEST_ANYTHING", "1")],
        &[("session.minutes", "soon")],
    )
    .unwrap_err();
    assert_eq!(error.problems.len(), 5, "{error}");
    assert!(error.to_string().starts_with("the configuration has 5 problems:\n  - FILE: unknown key `x`\n"), "{error}");
}

#[test]
fn secrets_are_read_from_files_and_never_shown() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("password");
    fs::write(&file, "correct horse\n").unwrap();
    let url = "postgres://berth:hunter22@db.example/berth";
    let env = [("BERTH_ADMIN_PASSWORD_FILE", file.to_str().unwrap()), ("BERTH_DATABASE_URL", url)];
    // The weaker source's spelling gives way to the stronger's.
    let loaded = with(Some("admin_password = 'weaker-secret'"), &env, &[]).unwrap();
    assert_eq!(loaded.config.admin_password.as_ref().unwrap().reveal(), "correct horse");
    assert_eq!(loaded.config.database.describe(), "postgres://db.example/berth");
    let shown = format!("{:?}{}{}", loaded.config, summary(&loaded), loaded.config.database.describe());
    for secret in ["correct horse", "hunter22", "weaker-secret"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    for (text, env) in [
        ("admin_password = 'pw-secret", vec![]),
        ("admin_password = 'sec'", vec![]),
        ("", vec![("BERTH_DATABASE_URL", "mysql://u:pw-secret@h/d")]),
        ("", vec![("BERTH_EXTERNAL_URL", "https://u:pw-secret@h")]),
    ] {
        let error = with(Some(text), &env, &[]).unwrap_err().to_string();
        assert!(!error.contains("pw-secret") && !error.contains("`sec`"), "{error}");
    }
}

#[test]
fn every_setting_is_described_once_and_its_example_is_accepted() {
    let unique: std::collections::BTreeSet<_> = SETTINGS.iter().flat_map(|s| [s.key, s.env]).collect();
    assert_eq!(unique.len(), SETTINGS.len() * 2);
    let dir = tempfile::tempdir().unwrap();
    let uncommented: String = example()
        .lines()
        .filter(|line| !line.starts_with("# "))
        .map(|line| line.trim_start_matches('#').replace("\"…\"", "\"a-good-password\"").replace("\"off\"", "\"files\"") + "\n")
        .collect();
    let file = dir.path().join("all.toml");
    fs::write(&file, &uncommented).unwrap();
    let loaded = load(Given { file: Some(file), flags: vec![] }, []).unwrap_or_else(|error| panic!("{error}\n{uncommented}"));
    assert_eq!(loaded.places.len(), SETTINGS.len(), "the example holds every setting");
    // As it is printed, it changes nothing.
    assert!(example().parse::<toml::Table>().unwrap().values().all(|v| v.as_table().is_some_and(toml::Table::is_empty)));
}

#[test]
fn the_example_file_is_as_reviewed() {
    insta::assert_snapshot!(example());
}

/// `BERTH_TEST_WRITE_DOCS=1 cargo test` writes the page anew.
#[test]
fn the_reference_page_is_true() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/configuration.md");
    if std::env::var_os("BERTH_TEST_WRITE_DOCS").is_some() {
        fs::write(&page, reference()).unwrap();
    }
    assert!(
        fs::read_to_string(&page).unwrap_or_default() == reference(),
        "{} differs from the settings: see this test's comment",
        page.display()
    );
}
