//! `config`: locates, creates, checks and shows the config, even if the config is faulty or the store
//! cannot be opened.

use std::{fs, os::unix::fs::PermissionsExt as _};

use serde_json::json;

use crate::{Home, hooks::HookedHome, run};

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
fn init_writes_a_private_file() {
    let home = Home::new();
    assert_eq!(run(&home, &["config", "init"]).code, 0);
    let path = home.path().join(".config/patdeck/config.toml");
    assert_eq!(fs::read_to_string(&path).unwrap(), patdeck::config::example());
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    fs::write(&path, "# mine\n").unwrap();
    let message = format!("{} already exists and was not changed", path.display());
    let hint = "edit the file, or choose another with --config";
    run(&home, &["config", "init"]).fails_with_hint(3, &message, hint);
    assert_eq!(fs::read_to_string(&path).unwrap(), "# mine\n");
}

#[test]
fn a_secret_in_the_config_is_not_printed() {
    let home = Home::new();
    let secret = crate::issue(&home, &["ci"]);
    let secret = secret.trim();
    let faulty = format!("theme = \"{secret}\"\n{secret} = 1\n[keys.tokens]\n{secret} = \"r\"\n");
    crate::write_private(&home, "faulty.toml", &faulty);
    for options in [["--config", "faulty.toml"].as_slice(), &["--config", "faulty.toml", "--json"]]
    {
        let checked = run(&home, &[options, &["config", "check"]].concat());
        assert_eq!(checked.code, 2);
        assert!(checked.out.contains("(the secret of "), "{checked:?}");
        assert!(!checked.out.contains(secret) && !checked.err.contains(secret), "{checked:?}");
    }
}

#[test]
fn check_lists_every_mistake_with_its_line() {
    let home = Home::new();
    let path = home.path().join("faulty.toml");
    fs::write(&path, FAULTY).unwrap();
    let result = run(&home, &["config", "check", "--config", "faulty.toml"]);
    assert_eq!(result.code, 2);
    let shown = result.out.replace(path.to_str().unwrap(), "FILE");
    insta::assert_snapshot!(shown);
    let expected = "error: 6 mistakes in the config\nhint: fix them; patdeck does not start with a faulty config\n";
    assert_eq!(result.err, expected);

    let result = run(&home, &["config", "check", "--json", "--config", "faulty.toml"]);
    assert_eq!((result.code, result.err.as_str()), (2, ""));
    let faults = &result.objects()[0]["faults"];
    let positions: Vec<_> = faults
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| (&fault["line"], &fault["setting"]))
        .collect();
    assert_eq!(
        json!(positions),
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
fn check_fails_even_if_its_reader_is_gone() {
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
fn show_prints_each_value_and_its_source() {
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
fn config_works_if_the_store_cannot_be_opened() {
    let home = Home::new();
    for words in [["config", "path"], ["config", "check"], ["config", "show"], ["config", "init"]] {
        let result = run(&home, &[&words[..], &["--store", "/dev/null"]].concat());
        assert_eq!(result.code, 0, "{words:?} {result:?}");
    }
}

#[test]
fn config_check_bounds_the_maximum_lifetime() {
    let home = Home::new();
    let check = |max: &str| {
        fs::write(home.path().join("own.toml"), format!("[lifetime]\nmax = \"{max}\"\n")).unwrap();
        run(&home, &["config", "check", "--config", "own.toml"])
    };
    assert_eq!(check("100y").code, 0);
    let result = check("101y");
    assert_eq!(result.code, 2, "{result:?}");
    let fault = "36865d exceeds 36500d (100 years): use a shorter duration";
    assert!(format!("{result:?}").contains(fault), "{result:?}");
}

#[test]
fn a_config_without_an_end_or_a_writer_is_refused() {
    let home = Home::new();
    let made = std::process::Command::new("mkfifo").arg(home.path().join("fifo")).status();
    assert!(made.unwrap().success());
    let faults = [
        ("fifo", "nothing was written to this pipe for 5 s"),
        ("/dev/zero", "it is larger than 1048576 bytes"),
    ];
    for (file, fault) in faults {
        let mut command = assert_cmd::Command::from_std(crate::command(&home, &["list"]));
        command.args(["--config", file]).timeout(std::time::Duration::from_secs(20));
        let result = command.output().unwrap();
        let errors = String::from_utf8(result.stderr).unwrap();
        assert_eq!(result.status.code(), Some(2), "{errors}");
        assert!(errors.contains(fault), "{errors}");
    }
}

#[test]
fn the_check_warns_of_programs_of_hooks() {
    let hooked = HookedHome::new(&["revoke"], "true");
    assert_eq!(run(&hooked.home, &["config", "check"]).err, "");
    let program = hooked.home.path().join("program");
    let shown = program.display();
    let hook = format!("[[hook]]\nname = \"log\"\non = [\"revoke\"]\nrun = [\"{shown}\"]\n");
    hooked.set_config(&hook);
    let warned = || {
        let result = run(&hooked.home, &["config", "check"]);
        assert_eq!(result.code, 0, "{result:?}");
        let text =
            run(&hooked.home, &["config", "check", "--json"]).objects()[0]["warnings"][0].clone();
        assert!(text.as_str().unwrap().contains(&program.display().to_string()), "{text}");
        result.err.lines().next().unwrap().to_owned()
    };
    assert!(warned().starts_with(&format!("warning: hook log cannot run {shown} (No such file")));
    fs::write(&program, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(warned().ends_with("it is not an executable file"));
    fs::set_permissions(&program, fs::Permissions::from_mode(0o777)).unwrap();
    assert!(warned().starts_with("warning: other accounts can change "));
}

#[test]
fn a_zone_file_that_never_ends_is_not_read() {
    let home = Home::new();
    crate::issue(&home, &["t"]);
    let fifo = home.path().join("zone");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status();
    assert!(made.unwrap().success());
    for zone in [format!(":{}", fifo.display()), "/dev/zero".to_owned(), "../nowhere".to_owned()] {
        let mut command = crate::command(&home, &["list", "-q", "--expiring", "2030-01-01"]);
        assert_eq!(command.env("TZ", &zone).status().unwrap().code(), Some(0), "{zone}");
    }
}
