//! Hooks of changes in the app: no key waits for a program, a failure is a message, and the end of the
//! app waits for what is running.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    thread,
    time::{Duration, Instant},
};

use chrono::TimeDelta;

use super::{
    home::{Home, SIZE},
    support::Pty,
};

/// Starts the app on two tokens, with the hook `log` that runs `script` after a revoke. The script
/// gets the path of the file `log`.
fn start(home: &Home, script: &str) -> Pty {
    for name in ["ci-deploy", "other"] {
        home.seed(name, "", "30d", TimeDelta::zero());
    }
    let folder = home.path().join(".config/patdeck");
    fs::create_dir_all(&folder).unwrap();
    let (config, log) = (folder.join("config.toml"), home.path().join("log"));
    let text = format!(
        "[[hook]]\nname = \"log\"\non = [\"revoke\"]\n\
         run = [\"/bin/sh\", \"-c\", '''{script}''', \"sh\", \"{}\", \"--\", \"{{name}}\"]\n",
        log.display()
    );
    fs::write(&config, text).unwrap();
    fs::set_permissions(&config, fs::Permissions::from_mode(0o600)).unwrap();
    home.start(SIZE, &[])
}

fn log(home: &Home) -> String {
    fs::read_to_string(home.path().join("log")).unwrap_or_default()
}

fn wait_for_log(home: &Home, expected: &str) {
    let started = Instant::now();
    while log(home) != expected {
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", log(home));
        thread::sleep(Duration::from_millis(2));
    }
}

/// Revokes the selected token.
fn revoke(pty: &mut Pty) {
    pty.keys("r");
    pty.wait_for("Revoke ");
    pty.keys("<Right> <Enter>");
}

#[test]
fn no_key_waits_for_a_hook_and_the_end_of_the_app_does() {
    let home = Home::new();
    let script = "echo begun >> \"$1\"; while test ! -e \"$1.go\"; do sleep 0.01; done; \
                  echo \"ended $3\" >> \"$1\"";
    let mut pty = start(&home, script);
    pty.keys("/");
    pty.type_text("ci-deploy");
    pty.keys("<Enter>");
    pty.wait_for("Active 1");
    revoke(&mut pty);
    pty.wait_for("Revoked ci-deploy");
    wait_for_log(&home, "begun\n");
    // The hook still runs; the app answers keys and saves changes.
    pty.keys("2");
    pty.wait_for("Name *");
    pty.type_text("while-it-runs");
    pty.keys("<C-s>");
    pty.wait_for("Secret of while-it-runs");
    pty.keys("a q");
    pty.wait_for("Waiting for hooks");
    fs::write(home.path().join("log.go"), "").unwrap();
    pty.wait_exit();
    assert_eq!(log(&home), "begun\nended ci-deploy\n");
    assert!(home.service(TimeDelta::zero()).hook_runs().unwrap().is_empty());
}

#[test]
fn a_failed_hook_is_a_message_in_the_app() {
    let home = Home::new();
    let mut pty = start(&home, "exit 3");
    revoke(&mut pty);
    pty.wait_for("exit status 3");
    pty.keys("4");
    pty.wait_for("hook");
    pty.wait_for("exit status 3");
    pty.keys("q");
    pty.wait_exit();
}
