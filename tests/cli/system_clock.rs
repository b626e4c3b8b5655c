//! The program under another system clock: ahead, back, before 1970 and at the end of 9999. The
//! clock is set with `faketime`; without it, these tests are skipped, and `.ci/run` installs it.

use std::{env, io, process::Command};

use crate::{CommandResult, Home, command, issue, run};

/// Runs patdeck while the system clock shows `time`, in the syntax of `faketime -f`. Returns `None`
/// if `faketime` is not installed.
fn run_at(home: &Home, time: &str, arguments: &[&str]) -> Option<CommandResult> {
    let patdeck = command(home, arguments);
    let mut faketime = Command::new("faketime");
    faketime.args(["-f", time]).arg(patdeck.get_program()).args(patdeck.get_args());
    faketime.env_clear().current_dir(home.path());
    faketime.envs(patdeck.get_envs().filter_map(|(name, value)| Some((name, value?))));
    faketime.env("PATH", env::var_os("PATH").unwrap());
    match faketime.output() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        output => {
            let output = output.unwrap();
            let text = |bytes| String::from_utf8(bytes).unwrap();
            let code = output.status.code().unwrap();
            Some(CommandResult { code, out: text(output.stdout), err: text(output.stderr) })
        }
    }
}

fn expiry(home: &Home, token: &str) -> serde_json::Value {
    run(home, &["show", token, "--json"]).objects()[0]["token"]["expires"].clone()
}

#[test]
fn one_change_under_a_fast_clock_grants_no_years() {
    let home = Home::new();
    issue(&home, &["prod", "--lifetime", "30d"]);
    let before = expiry(&home, "prod");
    let Some(glitch) = run_at(&home, "@2036-01-01 00:00:00", &["create", "glitch"]) else { return };
    assert_eq!(glitch.code, 0, "{glitch:?}");
    let refused = run(&home, &["regenerate", "prod", "--yes", "--lifetime", "1h"]);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.err.contains("2036-01-01"), "{refused:?}");
    assert_eq!(expiry(&home, "prod"), before);
}

#[test]
fn a_secret_that_a_later_clock_denied_stays_denied() {
    let home = Home::new();
    issue(&home, &["e", "--lifetime", "1h", "--secret-file", "s"]);
    let verify = ["verify", "--secret-file", "s"];
    assert_eq!(run(&home, &verify).code, 0);
    let Some(later) = run_at(&home, "+2h", &verify) else { return };
    assert_eq!(later.code, 1, "{later:?}");
    let now = run(&home, &[verify.as_slice(), &["--explain"]].concat());
    assert_eq!(now.code, 1, "{now:?}");
    assert!(now.out.contains("only because the clock is behind"), "{now:?}");
}

/// After 24 hours, no record of a deleted token is left, and here the register is lost, too.
#[test]
fn a_restore_revives_no_token_that_was_deleted_long_ago() {
    let home = Home::new();
    issue(&home, &["a", "--secret-file", "s"]);
    issue(&home, &["z"]);
    run(&home, &["backup", "b.redb"]).success();
    run(&home, &["delete", "a", "--yes"]).success();
    let Some(purged) = run_at(&home, "+25h", &["delete", "z", "--yes"]) else { return };
    assert_eq!(purged.code, 0, "{purged:?}");
    std::fs::remove_file(format!("{}.revoked", home.store().display())).unwrap();
    let restore = ["backup", "restore", "b.redb", "--yes"];
    let restored = run_at(&home, "+25h", &restore).unwrap();
    assert!(restored.code == 0 && restored.err.contains('a'), "{restored:?}");
    let check = run_at(&home, "+25h", &["verify", "--secret-file", "s"]).unwrap();
    assert_eq!((check.code, check.out.as_str()), (1, "denied\n"), "{check:?}");
}

/// The same for an older copy of the store in place of the store.
#[test]
fn a_rebuilt_register_knows_tokens_that_were_deleted_long_ago() {
    let home = Home::new();
    issue(&home, &["a", "--secret-file", "s"]);
    issue(&home, &["z"]);
    let old = std::fs::read(home.store()).unwrap();
    run(&home, &["delete", "a", "--yes"]).success();
    let Some(purged) = run_at(&home, "+25h", &["delete", "z", "--yes"]) else { return };
    assert_eq!(purged.code, 0, "{purged:?}");
    std::fs::remove_file(format!("{}.revoked", home.store().display())).unwrap();
    let rebuilt = run_at(&home, "+25h", &["create", "x"]).unwrap();
    assert_eq!(rebuilt.code, 0, "{rebuilt:?}");
    std::fs::write(home.store(), old).unwrap();
    for change in [["list"].as_slice(), &["create", "y"], &["delete", "a", "--yes"], &["list"]] {
        run_at(&home, "+25h", change);
        let check = run_at(&home, "+25h", &["verify", "--secret-file", "s"]).unwrap();
        assert_eq!((check.code, check.out.as_str()), (1, "denied\n"), "{change:?}: {check:?}");
    }
}

#[test]
fn a_clock_outside_the_supported_years_damages_nothing() {
    for time in ["@1969-06-01 00:00:00", "@9999-12-31 00:00:00"] {
        let home = Home::new();
        issue(&home, &["t", "--lifetime", "30d", "--secret-file", "s"]);
        let commands: [&[&str]; 12] = [
            &["list"],
            &["show", "t"],
            &["verify", "--secret-file", "s"],
            &["audit", "--check"],
            &["doctor"],
            &["clock"],
            &["export"],
            &["create", "x", "--lifetime", "30d"],
            &["regenerate", "t", "--yes"],
            &["edit", "t", "--description", "y"],
            &["revoke", "t", "--yes"],
            &["delete", "t", "--yes"],
        ];
        for command in commands {
            let Some(result) = run_at(&home, time, command) else { return };
            assert!(result.code < 5, "{time} {command:?}: {result:?}");
            assert!(!result.err.contains("panicked"), "{time} {command:?}: {result:?}");
        }
        let doctor = run(&home, &["doctor", "--json"]);
        assert_eq!(doctor.objects()[0]["store"]["damaged_records"], 0, "{time}");
        assert_eq!(run(&home, &["audit", "--check"]).code, 0, "{time}");
    }
}

#[test]
fn a_restore_revives_no_secret_whose_overlap_ended() {
    let home = Home::new();
    issue(&home, &["first"]);
    run(&home, &["backup", "create", "empty.redb"]).success();
    let replaced = issue(&home, &["t"]);
    std::fs::write(home.path().join("s"), &replaced).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(home.path().join("s"), mode).unwrap();
    run(&home, &["backup", "create", "before.redb"]).success();
    run(&home, &["regenerate", "t", "--overlap", "15m"]).success();
    run(&home, &["backup", "create", "during.redb"]).success();
    let verify = ["verify", "--secret-file", "s"];
    assert_eq!(run(&home, &verify).code, 0);
    // A store without the token, as after the restore of a backup from before it was created, knows
    // nothing of the overlap.
    let backups = ["during.redb", "before.redb", "empty.redb", "before.redb"];
    for (backup, minute) in backups.into_iter().zip(20..) {
        let restore = ["backup", "restore", backup, "--yes"];
        let Some(restored) = run_at(&home, &format!("+{minute}m"), &restore) else { return };
        assert_eq!(restored.code, 0, "{restored:?}");
        let later = run_at(&home, &format!("+{minute}m"), &verify).unwrap();
        assert_eq!(later.code, 1, "{backup} {later:?}");
    }
}
