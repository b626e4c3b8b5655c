//! Hooks as an operator meets them: what a program gets, failures and timeouts, processes that are
//! killed between the change and the hook, several processes, and the commands `hooks`.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use patdeck::{
    domain::{AuditAction, Hook, Hooks},
    service::{HookSelection, Service},
    testing::ServiceTestExt as _,
};
use serde_json::{Value, json};

use crate::{CommandResult, Home, command, home::count_occurrences, issue, run, run_with_input};

/// Maximum time to wait for a condition.
const PATIENCE: Duration = Duration::from_secs(30);

/// A home whose config has the hook `log`, with a file to which hooks write.
pub(crate) struct HookedHome {
    pub(crate) home: Home,
    log: PathBuf,
}

impl HookedHome {
    /// A home with a store, and with the hook `log` that runs `script` in a shell after `on`. The
    /// script gets the path of the file, the id, the action, the number of the event and the name.
    pub(crate) fn new(on: &[&str], script: &str) -> Self {
        let home = crate::home_with_store();
        let log = home.path().join("log");
        let hooked = Self { home, log };
        hooked.set_script(on, script, "20s");
        hooked
    }

    fn set_script(&self, on: &[&str], script: &str, timeout: &str) {
        let log = self.log.to_str().unwrap();
        let run =
            ["/bin/sh", "-c", script, "sh", log, "{id}", "{action}", "{event}", "--", "{name}"];
        let text = format!(
            "[[hook]]\nname = \"log\"\non = {}\nrun = {}\ntimeout = \"{timeout}\"\n",
            json!(on),
            json!(run)
        );
        self.set_config(&text);
    }

    fn config(&self) -> PathBuf {
        self.home.path().join(".config/patdeck/config.toml")
    }

    pub(crate) fn set_config(&self, text: &str) {
        let path = self.config();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// What the hooks have written.
    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn waiting(&self) -> Vec<Value> {
        let shown = run(&self.home, &["hooks", "--json"]);
        shown.objects()[0]["waiting"].as_array().unwrap().clone()
    }

    /// The details of all events of hooks.
    fn outcomes(&self) -> Vec<String> {
        let events = run(&self.home, &["audit", "--action", "hook", "--json"]).objects();
        events.iter().map(|event| event["detail"].as_str().unwrap().to_owned()).collect()
    }

    /// A service with the hook `log`, which queues runs but is killed before it runs them.
    fn service(&self) -> Service {
        let actions = vec![AuditAction::Revoked, AuditAction::Created];
        let hook = Hook::new(Some("log"), actions, &["/bin/true"], Hook::DEFAULT_TIMEOUT);
        self.home.service(TimeDelta::zero()).with_hooks(Hooks::from(vec![hook.unwrap()]))
    }

    /// Creates and revokes a token in a process that is killed after the commit.
    pub(crate) fn revoke_and_die(&self, name: &str) {
        self.home.seed(name, "", "30d", TimeDelta::zero());
        let service = self.service();
        let id = service.resolve(name).unwrap().id;
        service.revoke(&id).unwrap();
    }
}

/// Writes one line with all arguments.
const WRITE_LINE: &str = "log=$1; shift; for it in \"$@\"; do printf '[%s]' \"$it\" >> \"$log\"; \
                          done; echo >> \"$log\"";

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < PATIENCE, "{what}");
        thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_hook_runs_after_the_change_with_its_arguments() {
    let hooked = HookedHome::new(&["revoke", "scope-add"], WRITE_LINE);
    let home = &hooked.home;
    let name = "it's $(touch x) `id` \"q\" {id} --help é";
    issue(home, &[name]);
    assert_eq!(hooked.log(), "", "it does not run after other changes");
    let revoked = run(home, &["revoke", name, "--yes"]);
    assert_eq!((revoked.code, revoked.err.lines().count()), (0, 1), "{revoked:?}");
    let listed = run(home, &["list", "--status", "all", "--json"]).objects();
    let id = listed[0]["id"].as_str().unwrap();
    assert_eq!(hooked.log(), format!("[{id}][revoke][3][--][{name}]\n"));
    let events = run(home, &["audit", "--json"]).objects();
    let last = events.last().unwrap();
    assert_eq!(last["detail"], "log after event 3 (revoke): succeeded");
    assert_eq!((&last["name"], &last["token"]), (&json!(name), &json!(id)));
    assert_eq!(run(home, &["audit", "--check"]).code, 0);
    assert!(hooked.waiting().is_empty());
    let doctor = run(home, &["doctor", "--json"]).objects();
    assert_eq!(doctor[0]["store"]["runs_of_hooks"], 0);
    assert_eq!(doctor[0]["store"]["hooks"], json!(["log"]));
}

#[test]
fn a_hook_gets_no_secret_and_no_surroundings() {
    // Descriptor 9 is inherited by patdeck, and contains a secret.
    let script = "{ env; tr '\\0' '\\n' < /proc/$$/cmdline; pwd; for n in 3 4 5 6 7 8 9; do \
                  test ! -e /proc/$$/fd/$n || cat /proc/$$/fd/$n; done; cat; } >> \"$1\" 2>&1";
    let hooked = HookedHome::new(&["create", "regenerate", "claim"], script);
    let home = &hooked.home;
    let secret = issue(home, &["ci"]);
    fs::write(home.path().join("inherited"), &secret).unwrap();
    let patdeck = env!("CARGO_BIN_EXE_patdeck");
    let shell = format!("exec 9< inherited; exec {patdeck} regenerate ci --yes");
    let mut shell_command = Command::new("/bin/sh");
    shell_command.env_clear().env("HOME", home.path()).env("MY_SECRET", &secret);
    let output = shell_command.current_dir(home.path()).args(["-c", &shell]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let new = String::from_utf8(output.stdout).unwrap();
    let log = hooked.log();
    assert!(log.contains("LANG=C\n") && log.contains("\nregenerate\n"), "{log}");
    assert!(!log.contains("HOME=") && !log.contains("MY_SECRET"), "{log}");
    for secret in [secret.as_str(), new.trim_end()] {
        assert_eq!(count_occurrences(log.as_bytes(), secret), 0, "{log}");
    }
}

#[test]
fn a_name_that_is_a_secret_is_passed_to_no_hook() {
    let hooked = HookedHome::new(&["edit"], WRITE_LINE);
    let secret = issue(&hooked.home, &["ci"]);
    // A name that an earlier version accepted.
    let service = hooked.home.service(TimeDelta::zero());
    let hook = Hook::new(Some("log"), vec![AuditAction::Edited], &["/x"], Hook::DEFAULT_TIMEOUT);
    let service = service.with_hooks(Hooks::from(vec![hook.unwrap()]));
    let id = service.resolve("ci").unwrap().id;
    let name = patdeck::domain::Name::parse_stored(&secret).unwrap();
    service.edit(&id, &name, &patdeck::domain::Description::default()).unwrap();
    let other = run(&hooked.home, &["create", "other"]);
    assert_eq!(other.code, 0);
    assert_eq!(hooked.log(), "");
    assert!(other.err.contains("not run: an argument would contain a secret"), "{other:?}");
}

#[test]
fn a_failed_hook_changes_no_exit_code_and_can_run_again() {
    let hooked = HookedHome::new(&["revoke"], "exit 7");
    let home = &hooked.home;
    issue(home, &["ci"]);
    let revoked = run(home, &["revoke", "ci", "--yes"]);
    assert_eq!(revoked.code, 0);
    let warning = "Revoked ci\nwarning: hook log failed for ci after event 3 (revoke): exit status 7\n\
                   hint: the change was made; correct the cause, then run `patdeck hooks run`\n";
    assert_eq!(revoked.err, warning);
    assert_eq!(hooked.outcomes(), ["log after event 3 (revoke): exit status 7"]);
    let waiting = &hooked.waiting()[0];
    assert_eq!(waiting["state"], "failed");
    assert_eq!((&waiting["attempts"], &waiting["reason"]), (&json!(1), &json!("exit status 7")));
    assert!(!run(home, &["create", "other"]).err.contains("hook"), "it is not tried again");
    let doctor = run(home, &["doctor"]);
    assert_eq!(doctor.code, 1);
    assert!(doctor.out.contains("1 failed run of hook log: `patdeck hooks` shows why"));
    let listed = run(home, &["hooks"]).success();
    assert!(listed.contains("failed: exit status 7 at "), "{listed}");
    assert_eq!(run(home, &["hooks", "run"]).code, 5);
    assert_eq!(hooked.waiting()[0]["attempts"], 2);
    hooked.set_script(&["revoke"], WRITE_LINE, "20s");
    let again = run(home, &["hooks", "run"]);
    assert_eq!((again.code, again.err.as_str()), (0, "Ended 1 run: 1 succeeded, 0 failed\n"));
    assert!(hooked.log().contains("[revoke][3][--][ci]"));
    assert_eq!(run(home, &["hooks", "run"]).err, "No hook waits\n");
}

#[test]
fn a_hook_that_hangs_is_killed_after_its_timeout() {
    let hooked = HookedHome::new(&["revoke"], "");
    hooked.set_script(&["revoke"], "echo $$ > \"$1\"; sleep 1000 & wait", "1s");
    issue(&hooked.home, &["ci"]);
    let revoked = run(&hooked.home, &["revoke", "ci", "--yes"]);
    assert_eq!(revoked.code, 0);
    assert!(revoked.err.contains("(revoke): killed after 1 s\n"), "{revoked:?}");
    let pid = hooked.log();
    // The program leads its process group, and `sleep` is in it.
    let is_gone = || {
        let found = Command::new("pgrep").args(["--pgroup", pid.trim()]).output().unwrap();
        let pids = String::from_utf8(found.stdout).unwrap();
        let is_dead = |pid: &str| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
            stat.map_or(true, |stat| stat.contains(") Z"))
        };
        pids.lines().all(is_dead)
    };
    wait_until("the process group is killed", is_gone);
}

#[test]
fn a_hook_that_cannot_be_started_is_reported() {
    let hooked = HookedHome::new(&["revoke"], "");
    hooked.set_config("[[hook]]\non = [\"revoke\"]\nrun = [\"/no/such/program\", \"{id}\"]\n");
    issue(&hooked.home, &["ci"]);
    let revoked = run(&hooked.home, &["revoke", "ci", "--yes"]);
    assert_eq!(revoked.code, 0);
    assert!(revoked.err.contains("hook program failed for ci"), "{revoked:?}");
    assert!(revoked.err.contains("not run: /no/such/program: No such file"), "{revoked:?}");
}

#[test]
fn the_next_change_runs_what_a_killed_process_left() {
    let hooked = HookedHome::new(&["revoke"], WRITE_LINE);
    hooked.revoke_and_die("ci");
    assert_eq!(hooked.waiting()[0]["state"], "waiting");
    let doctor = run(&hooked.home, &["doctor"]);
    assert!(doctor.out.contains("1 run of hook log left by a process that ended early"));
    run(&hooked.home, &["list"]).success();
    run(&hooked.home, &["audit"]).success();
    assert_eq!(hooked.log(), "", "commands that change nothing run no hook");
    issue(&hooked.home, &["other"]);
    assert!(hooked.log().contains("[revoke][3][--][ci]"));
    assert!(hooked.waiting().is_empty());
}

#[test]
fn a_process_killed_in_the_hook_causes_a_second_run() {
    // The first run blocks until the test lets it go on.
    let script = "echo begun >> \"$1\"; test -e \"$1.go\" || while test ! -e \"$1.stop\"; do \
                  sleep 0.01; done";
    let hooked = HookedHome::new(&["revoke"], script);
    let home = &hooked.home;
    issue(home, &["ci"]);
    let mut child = command(home, &["revoke", "ci", "--yes"]);
    let mut child = child.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_until("the hook runs", || hooked.log() == "begun\n");
    assert_eq!(hooked.waiting()[0]["state"], "running");
    fs::write(home.path().join("log.go"), "").unwrap();
    assert_eq!(run(home, &["hooks", "run"]).err, "No hook waits\n", "it runs once at a time");
    child.kill().unwrap();
    child.wait().unwrap();
    fs::write(home.path().join("log.stop"), "").unwrap();
    assert_eq!(hooked.waiting()[0]["state"], "waiting");
    run(home, &["hooks", "run"]).success();
    assert_eq!(hooked.log(), "begun\nbegun\n");
    assert_eq!(hooked.outcomes().len(), 1);
    assert!(hooked.waiting().is_empty());
}

#[test]
fn several_processes_run_each_hook_once() {
    const RUNS: usize = 100;
    let hooked = HookedHome::new(&["revoke"], "printf '%s\\n' \"$6\" >> \"$1\"");
    let service = hooked.service();
    for n in 0..RUNS {
        let name = format!("t-{n}");
        hooked.home.seed(&name, "", "30d", TimeDelta::zero());
        let id = service.resolve(&name).unwrap().id;
        service.revoke(&id).unwrap();
    }
    assert_eq!(hooked.waiting().len(), RUNS);
    let results: Vec<CommandResult> = thread::scope(|scope| {
        let runs: Vec<_> =
            (0..3).map(|_| scope.spawn(|| run(&hooked.home, &["hooks", "run"]))).collect();
        runs.into_iter().map(|it| it.join().unwrap()).collect()
    });
    assert!(results.iter().all(|it| it.code == 0), "{results:?}");
    let log = hooked.log();
    let mut names: Vec<_> = log.lines().collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!((names.len(), log.lines().count()), (RUNS, RUNS));
    assert_eq!(hooked.outcomes().len(), RUNS);
    assert!(hooked.waiting().is_empty());
}

#[test]
fn a_change_of_many_tokens_runs_the_hook_for_each() {
    let hooked =
        HookedHome::new(&["revoke", "delete"], "printf '%s %s\\n' \"$3\" \"$6\" >> \"$1\"");
    for n in 0..70 {
        hooked.home.seed(&format!("t-{n}"), "", "30d", TimeDelta::zero());
    }
    let revoked = run(&hooked.home, &["revoke", "--search", "t-", "--yes"]);
    assert_eq!(revoked.code, 0, "{revoked:?}");
    assert_eq!(hooked.log().lines().filter(|line| line.starts_with("revoke t-")).count(), 70);
    let deleted = run(&hooked.home, &["delete", "--all", "--yes"]);
    assert_eq!(deleted.code, 0, "{deleted:?}");
    assert_eq!(hooked.log().lines().filter(|line| line.starts_with("delete t-")).count(), 70);
}

#[test]
fn an_import_runs_the_hook_for_each_token() {
    let hooked = HookedHome::new(&["import"], "printf '%s %s\\n' \"$3\" \"$6\" >> \"$1\"");
    let other = Home::new();
    for name in ["a", "b", "c"] {
        issue(&other, &[name]);
    }
    let export = run(&other, &["export"]).success();
    let imported = run_with_input(&hooked.home, &["import", "-"], &export);
    assert_eq!(imported.code, 0, "{imported:?}");
    let log = hooked.log();
    let mut lines: Vec<_> = log.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["import a", "import b", "import c"]);
}

#[test]
fn an_outcome_that_cannot_be_recorded_causes_a_second_run() {
    let script = "echo run >> \"$1\"; test -e \"$1.moved\" || mv STORE \"$1.moved\"";
    let hooked = HookedHome::new(&["revoke"], "");
    let store = hooked.home.store();
    hooked.set_script(&["revoke"], &script.replace("STORE", store.to_str().unwrap()), "20s");
    issue(&hooked.home, &["ci"]);
    let revoked = run(&hooked.home, &["revoke", "ci", "--yes"]);
    assert_eq!(revoked.code, 0);
    assert!(revoked.err.contains("or their outcome was not recorded (no store at"), "{revoked:?}");
    fs::copy(hooked.home.path().join("log.moved"), &store).unwrap();
    run(&hooked.home, &["hooks", "run"]).success();
    assert_eq!(hooked.log(), "run\nrun\n");
}

#[test]
fn a_restored_backup_repeats_no_hook() {
    let hooked = HookedHome::new(&["revoke"], WRITE_LINE);
    hooked.revoke_and_die("ci");
    let home = &hooked.home;
    run(home, &["backup", "create", "b.redb"]).success();
    issue(home, &["other"]);
    assert_eq!(hooked.log().lines().count(), 1);
    hooked.revoke_and_die("second");
    run(home, &["backup", "restore", "b.redb", "--yes"]).success();
    let log = hooked.log();
    let names: Vec<_> = log.lines().map(|line| line.rsplit('[').next().unwrap()).collect();
    assert_eq!(names, ["ci]", "second]"], "the run that waited in the store is kept");
}

#[test]
fn nothing_runs_in_read_only_mode() {
    let hooked = HookedHome::new(&["revoke"], WRITE_LINE);
    hooked.revoke_and_die("ci");
    let secret = issue(&Home::new(), &["x"]);
    run_with_input(&hooked.home, &["verify", "--read-only"], &secret);
    let refused = run(&hooked.home, &["hooks", "run", "--read-only"]);
    assert_eq!(refused.code, 3, "{refused:?}");
    let service = hooked.service();
    assert_eq!(service.hook_runs().unwrap().len(), 1);
    assert_eq!(hooked.log(), "");
    run(&hooked.home, &["hooks", "--read-only"]).success();
}

#[test]
fn a_config_that_others_can_change_runs_no_hook() {
    let hooked = HookedHome::new(&["revoke"], WRITE_LINE);
    issue(&hooked.home, &["ci"]);
    for mode in [0o602, 0o620, 0o666] {
        fs::set_permissions(hooked.config(), fs::Permissions::from_mode(mode)).unwrap();
        let refused = run(&hooked.home, &["revoke", "ci", "--yes"]);
        assert_eq!(refused.code, 2, "{refused:?}");
        assert_eq!(run(&hooked.home, &["hooks", "run"]).code, 2);
    }
    assert_eq!(hooked.log(), "");
}

#[test]
fn an_error_is_printed_before_a_hook_runs() {
    let hooked = HookedHome::new(&["revoke"], "exit 7");
    hooked.revoke_and_die("ci");
    let refused = run(&hooked.home, &["revoke", "nosuch", "--yes"]);
    assert_eq!(refused.code, 1);
    let lines: Vec<_> = refused.err.lines().collect();
    assert!(lines[0].starts_with("error: token nosuch not found"), "{refused:?}");
    assert!(lines[2].starts_with("warning: hook log failed for ci"), "{refused:?}");
}

#[test]
fn runs_without_a_hook_are_named_and_can_be_discarded() {
    let hooked = HookedHome::new(&["revoke"], WRITE_LINE);
    hooked.revoke_and_die("ci");
    hooked.set_config("");
    assert_eq!(run(&hooked.home, &["hooks", "run"]).err, "No hook waits\n");
    let doctor = run(&hooked.home, &["doctor"]);
    let problem = "1 run of hook log, which this config does not have: add the hook, or run \
                   `patdeck hooks discard log`";
    assert!(doctor.out.contains(problem), "{}", doctor.out);
    assert_eq!(hooked.waiting()[0]["state"], "not in the config");
    let discarded = run(&hooked.home, &["hooks", "discard", "log"]);
    assert_eq!((discarded.code, discarded.err.as_str()), (0, "Discarded 1 run of log\n"));
    assert_eq!(hooked.outcomes(), ["log: discarded 1 run"]);
    assert_eq!(run(&hooked.home, &["hooks", "discard", "log"]).code, 1);
    assert!(hooked.waiting().is_empty());
}

#[test]
fn without_hooks_nothing_is_queued() {
    let home = crate::home_with_store();
    issue(&home, &["ci"]);
    run(&home, &["revoke", "ci", "--yes"]).success();
    let shown = run(&home, &["hooks", "--json"]).objects();
    assert_eq!(shown, [json!({ "schema": 1, "hooks": [], "waiting": [] })]);
    assert_eq!(run(&home, &["hooks"]).err, "The config has no hooks\n");
    let service = home.service(TimeDelta::zero());
    assert_eq!(service.run_hooks(HookSelection::All).succeeded, 0);
}
