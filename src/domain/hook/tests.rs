//! Tests of the definitions of hooks: placeholders, refused commands, and the runs after an event.

use super::*;
use crate::domain::{Actor, Secret, SecretPrefix};

fn run(name: &str) -> HookRun {
    HookRun {
        hook: "log".into(),
        event: 12,
        at: Timestamp::default(),
        action: AuditAction::Revoked,
        token: TokenId::parse("4fKq9Zt0WbXe"),
        name: name.into(),
        lock: 0,
        failure: None,
    }
}

fn hook(command: &[&str]) -> Result<Hook, HookError> {
    Hook::new(None, vec![AuditAction::Revoked], command, Hook::DEFAULT_TIMEOUT)
}

fn arguments(command: &[&str], name: &str) -> Vec<String> {
    hook(command).unwrap().arguments(&run(name)).unwrap()
}

#[test]
fn placeholders_are_filled_once_and_stay_one_argument() {
    let command = ["/bin/x", "--id={id}", "--", "{name}", "{action} {event}", "{\"a\":\"{id}\"}"];
    assert_eq!(
        arguments(&command, "$(touch x) {id} a\"b"),
        [
            "/bin/x",
            "--id=4fKq9Zt0WbXe",
            "--",
            "$(touch x) {id} a\"b",
            "revoke 12",
            "{\"a\":\"4fKq9Zt0WbXe\"}"
        ]
    );
    let of_store = HookRun { token: None, ..run("") };
    let all = hook(&["/bin/x", "{id}", "--", "{name}"]).unwrap().arguments(&of_store);
    assert_eq!(all.unwrap(), ["/bin/x", "", "--", ""]);
}

#[test]
fn a_name_can_become_neither_an_option_nor_code() {
    for command in
        [["/bin/x", "{name}"].as_slice(), &["/bin/x", "-a", "{name}x"], &["/bin/sh", "{name}"]]
    {
        assert_eq!(hook(command), Err(HookError::NameAsOption), "{command:?}");
    }
    for command in [
        ["/bin/sh", "-c", "echo {name}"].as_slice(),
        &["/usr/bin/bash", "-ec", "{name}"],
        &["/bin/dash", "-e", "-c", "x '{name}'", "sh"],
    ] {
        assert_eq!(hook(command), Err(HookError::NameInScript), "{command:?}");
    }
    for command in [
        ["/bin/sh", "-c", "echo \"$1\"", "sh", "{name}"].as_slice(),
        &["/bin/x", "--name={name}"],
        &["/bin/x", "--", "{name}", "-c", "{name}"],
        &["/bin/sh", "-c", "echo {id}"],
    ] {
        assert!(hook(command).is_ok(), "{command:?}");
    }
}

#[test]
fn a_definition_needs_a_program_and_known_placeholders() {
    for command in [[].as_slice(), &["logger"], &["./x"], &["/bin/"], &["/bin/{id}"]] {
        assert_eq!(hook(command), Err(HookError::NoProgram), "{command:?}");
    }
    let unknown = HookError::UnknownPlaceholder("{secret}".into());
    assert_eq!(hook(&["/bin/x", "{secret}"]), Err(unknown));
    assert!(hook(&["/bin/x", "{}", "{ id }", "{ID}", "a{"]).is_ok());
    assert_eq!(hook(&["/bin/x y"]), Err(HookError::InvalidName("x y".into())));
    let after_hooks = Hook::new(None, vec![AuditAction::HookRan], &["/x"], Hook::DEFAULT_TIMEOUT);
    assert_eq!(after_hooks, Err(HookError::RunsAfterHooks));
}

#[test]
fn no_argument_contains_a_secret() {
    let fill = |bytes: &mut [u8]| {
        bytes.fill(7);
        Ok::<_, ()>(())
    };
    let id = TokenId::parse("4fKq9Zt0WbXe").unwrap();
    let secret = Secret::generate(&SecretPrefix::default(), id, fill).unwrap();
    let secret = secret.reveal();
    assert_eq!(hook(&["/bin/x", secret]), Err(HookError::ContainsSecret));
    let named = hook(&["/bin/x", "--", "{name}"]).unwrap();
    assert_eq!(named.arguments(&run(secret)), None);
}

#[test]
fn an_event_requires_a_run_of_each_hook_with_its_action() {
    let new = |name, actions| Hook::new(Some(name), actions, &["/x"], Hook::DEFAULT_TIMEOUT);
    let hooks = Hooks::from(vec![
        new("a", vec![AuditAction::Revoked, AuditAction::Deleted]).unwrap(),
        new("b", vec![AuditAction::Created]).unwrap(),
        new("c", vec![AuditAction::Revoked]).unwrap(),
    ]);
    let body = EventBody {
        at: Timestamp::default(),
        actor: Actor::named("alice"),
        token: TokenId::parse("4fKq9Zt0WbXe"),
        name: "ci".into(),
        action: AuditAction::Revoked,
        detail: String::new(),
    };
    let names: Vec<_> = hooks.runs_after(12, &body).map(|run| (run.hook, run.event)).collect();
    assert_eq!(names, [("a".into(), 12), ("c".into(), 12)]);
    let other = EventBody { action: AuditAction::Edited, ..body };
    assert_eq!(hooks.runs_after(13, &other).count(), 0);
}

#[test]
fn a_failure_counts_attempts_and_releases_the_run() {
    let mut run = HookRun { lock: 7, ..run("ci") };
    run.fail(Timestamp::default(), &HookOutcome::Exited(3));
    run.fail(Timestamp::default(), &HookOutcome::TimedOut(Hook::DEFAULT_TIMEOUT));
    let failure = run.failure.unwrap();
    assert_eq!((run.lock, failure.attempts), (0, 2));
    assert_eq!(failure.reason, "killed after 10 s");
}
