//! `config`: found, made, checked and shown, also where neither the store nor the settings are
//! sound.

use std::{fs, os::unix::fs::PermissionsExt as _};

use serde_json::json;

use crate::{Home, run};

const FAULTY: &str = "\
theme = \"dusk\"
prefix = 7
colour = \"red\"

[lifetime]
default = \"1y\"
max = \"30d\"

[keys.tokens]
revok = \"r\"
revoke = \"Hyper-r\"
";

#[test]
fn init_writes_the_example_for_its_owner_alone() {
    let home = Home::new();
    assert_eq!(run(&home, &["config", "init"]).code, 0);
    let path = home.path().join(".config/patdeck/config.toml");
    assert_eq!(fs::read_to_string(&path).unwrap(), patdeck::config::example());
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    fs::write(&path, "# mine\n").unwrap();
    run(&home, &["config", "init"]).refused(
        3,
        &format!(
            "{} exists already and was left as it is: edit it, or name another with --config",
            path.display()
        ),
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "# mine\n");
}

#[test]
fn check_lists_every_mistake_with_its_line_and_what_was_expected() {
    let home = Home::new();
    let path = home.path().join("faulty.toml");
    fs::write(&path, FAULTY).unwrap();
    let ended = run(&home, &["config", "check", "--config", "faulty.toml"]);
    assert_eq!(ended.code, 2);
    let shown = ended.out.replace(path.to_str().unwrap(), "FILE");
    insta::assert_snapshot!(shown);
    assert_eq!(ended.err, "patdeck: 6 mistakes: nothing runs with these settings until mended\n");

    let ended = run(&home, &["config", "check", "--json", "--config", "faulty.toml"]);
    assert_eq!((ended.code, ended.err.as_str()), (2, ""));
    let faults = &ended.objects()[0]["faults"];
    let places: Vec<_> = faults
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| (&fault["line"], &fault["setting"]))
        .collect();
    assert_eq!(
        json!(places),
        json!([
            [1, "theme"],
            [2, "prefix"],
            [3, "colour"],
            [6, "lifetime.default"],
            [10, "keys.tokens.revok"],
            [11, "keys.tokens.revoke"],
        ])
    );
}

#[test]
fn check_fails_also_for_a_reader_that_went_away() {
    let home = Home::new();
    fs::write(home.path().join("faulty.toml"), FAULTY).unwrap();
    let mut command = crate::command(&home, &["config", "check", "--config", "faulty.toml"]);
    let mut child = command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(2));
}

#[test]
fn show_tells_each_value_and_where_it_came_from() {
    let home = Home::new();
    let path = home.path().join("own.toml");
    let own = "prefix = \"acme\"\n[catalogue.types.devices]\noperations = [\"reboot\"]\n[keys.tokens]\nrevoke = \"x\"\n";
    fs::write(&path, own).unwrap();
    let shown =
        run(&home, &["config", "show", "--json", "--config", "own.toml", "--store", "s.redb"]);
    let shown = &shown.objects()[0];
    let setting = |name: &str| shown["settings"][name].clone();
    assert_eq!(shown["file"], path.to_str().unwrap());
    let store = home.path().join("s.redb");
    assert_eq!(setting("store"), json!({ "value": store, "from": "flag" }));
    assert_eq!(setting("prefix"), json!({ "value": "acme", "from": "file" }));
    assert_eq!(setting("theme"), json!({ "value": "default", "from": "default" }));
    assert_eq!(setting("lifetime.max"), json!({ "value": "366d", "from": "default" }));
    let devices = json!({ "operations": ["reboot"], "entities": [] });
    assert_eq!(setting("catalogue.types.devices"), json!({ "value": devices, "from": "file" }));
    assert_eq!(setting("catalogue.types.users")["from"], "default");
    assert_eq!(setting("keys.tokens.revoke"), json!({ "value": ["x"], "from": "file" }));
    assert_eq!(setting("keys.tokens.new"), json!({ "value": ["n"], "from": "default" }));
    assert!(!store.exists(), "the store is not opened");
}

#[test]
fn the_settings_can_be_mended_while_the_store_cannot_be_opened() {
    let home = Home::new();
    for words in [["config", "path"], ["config", "check"], ["config", "show"], ["config", "init"]] {
        let ended = run(&home, &[&words[..], &["--store", "/dev/null"]].concat());
        assert_eq!(ended.code, 0, "{words:?} {ended:?}");
    }
}
