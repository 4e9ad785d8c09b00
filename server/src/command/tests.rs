use super::*;

#[test]
fn the_command_line_is_sound() {
    cli().debug_assert();
}

#[test]
fn the_help_is_as_reviewed() {
    let mut command = cli();
    insta::assert_snapshot!("help", command.render_help());
    for (snapshot, name) in [("help_serve", "serve"), ("help_admin", "admin")] {
        let mut command = cli();
        command.build();
        let text = command.find_subcommand_mut(name).unwrap().render_help();
        insta::assert_snapshot!(snapshot, text);
    }
}

#[test]
fn flags_reach_the_configuration() {
    let matches = cli()
        .try_get_matches_from([
            "berth",
            "serve",
            "--config",
            "/etc/b.toml",
            "--listen",
            "[::]:1",
            "--tls",
            "self-signed",
            "--admin-password-file",
            "/run/pw",
            "--database-url",
            "sqlite:x",
        ])
        .unwrap();
    let mut found = given(matches.subcommand_matches("serve").unwrap());
    found.flags.sort();
    let expected = [("admin_password_file", "/run/pw"), ("database_url", "sqlite:x"), ("listen", "[::]:1"), ("tls.mode", "self-signed")];
    assert_eq!(found.flags, expected.map(|(k, v)| (k.to_owned(), v.to_owned())));
    assert_eq!(found.file, Some(PathBuf::from("/etc/b.toml")));
}

#[test]
fn a_secret_has_no_flag_of_its_own() {
    assert!(cli().try_get_matches_from(["berth", "serve", "--admin-password", "x"]).is_err());
}

#[test]
fn a_cause_is_told_once() {
    let error = anyhow::anyhow!("role \"x\" does not exist").context("the server said: role \"x\" does not exist").context("no database");
    assert_eq!(told(&error), "no database: the server said: role \"x\" does not exist");
}

#[test]
fn one_core_is_left_to_what_does_not_serve() {
    assert_eq!([1, 2, 3, 16].map(workers), [1, 1, 2, 15]);
}
