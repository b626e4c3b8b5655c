//! The revocation register, as an operator meets it: an older store revives no secret, and a store
//! without its register gives no answer until it is rebuilt.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::PathBuf,
    process::{Child, ChildStdout, Command, Stdio},
};

use crate::{Home, issue, run, run_with_input};

fn register(home: &Home) -> PathBuf {
    home.store().with_file_name("store.redb.revoked")
}

/// A running `verify --lines` that writes no last uses, so that it never writes to the store.
struct RunningCheck {
    process: Child,
    answers: BufReader<ChildStdout>,
}

impl RunningCheck {
    fn start(home: &Home) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_patdeck"))
            .args(["--read-only", "verify", "--lines", "--store"])
            .arg(home.store())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap());
        Self { process, answers }
    }

    fn check(&mut self, secret: &str) -> String {
        writeln!(self.process.stdin.as_mut().unwrap(), "{secret}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        answer.trim_end().to_owned()
    }
}

impl Drop for RunningCheck {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[test]
fn an_older_store_in_place_revives_no_secret() {
    for replaces_file in [false, true] {
        let home = Home::new();
        let secret = issue(&home, &["t"]);
        let old = fs::read(home.store()).unwrap();
        let put_back = || {
            if replaces_file {
                fs::remove_file(home.store()).unwrap();
            }
            fs::write(home.store(), &old).unwrap();
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            fs::set_permissions(home.store(), mode).unwrap();
        };
        let mut running = RunningCheck::start(&home);
        run(&home, &["edit", "t", "--name", "t2"]).success();
        assert_eq!(running.check(&secret), "valid: t2");
        // The revoke is a later commit than the old copy, or takes the place of a commit that the
        // running check has seen.
        put_back();
        run(&home, &["revoke", "t", "--yes"]).success();
        let answer = running.check(&secret);
        assert_eq!(answer, "denied", "{replaces_file}");
        put_back();
        let answer = running.check(&secret);
        assert_eq!(answer, "denied", "{replaces_file}");
        assert_eq!(run_with_input(&home, &["verify"], &secret).code, 1);
    }
}

#[test]
fn a_missing_register_gives_no_answer_until_it_is_rebuilt() {
    let home = Home::new();
    let (secret, revoked) = (issue(&home, &["ci"]), issue(&home, &["old"]));
    run(&home, &["revoke", "old", "--yes"]).success();
    fs::remove_file(register(&home)).unwrap();
    for secret in [&secret, &revoked] {
        let result = run_with_input(&home, &["--read-only", "verify"], secret);
        assert_eq!((result.code, result.out.as_str()), (4, ""), "{result:?}");
        assert!(result.err.contains("revocation register"), "{result:?}");
    }
    let result = run(&home, &["list", "--json"]);
    assert!(result.err.contains("revocation register"), "{result:?}");
    assert_eq!(result.code, 0);
    assert_eq!(run_with_input(&home, &["verify"], &secret).code, 0);
    assert_eq!(run_with_input(&home, &["verify"], &revoked).code, 1);
    let trail = run(&home, &["audit"]).success();
    assert!(trail.contains("register rebuilt"), "{trail}");
    run(&home, &["audit", "--check"]).success();
}

#[test]
fn a_register_of_another_store_is_not_believed() {
    let (home, other) = (Home::new(), Home::new());
    let secret = issue(&home, &["ci"]);
    issue(&other, &["ci"]);
    fs::copy(register(&other), register(&home)).unwrap();
    let result = run_with_input(&home, &["--read-only", "verify"], &secret);
    assert_eq!((result.code, result.out.as_str()), (4, ""), "{result:?}");
    assert_eq!(run_with_input(&home, &["verify"], &secret).code, 0, "rebuilt");
}
