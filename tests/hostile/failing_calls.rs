//! Commands that end a secret, with each of their writes failing once, as on a disk that recovers. Exit
//! code 0 means that the secret is denied, and an error that says "nothing" means that nothing changed.

use std::fs::{self, File};

use patdeck::{service::Clock, store::Store, testing::ServiceTestExt as _};

use crate::{
    subject::{memory_folder, new_token, register_of, run, service_on, write_store},
    tracer::TracedProcess,
};

const COMMANDS: [&str; 4] =
    ["revoke ci --yes", "delete ci --yes", "delete --all --yes", "regenerate ci --yes"];

#[test]
fn an_ending_with_a_failing_write_is_reported_correctly() {
    let folder = memory_folder();
    let store = folder.path().join("store.redb");
    let service = service_on(Store::open(&store).unwrap(), Clock::System);
    let secret = service.create(&new_token("ci")).unwrap().secret.reveal().to_owned();
    drop(service);
    let files = [&store, &register_of(&store)].map(|path| (path.clone(), fs::read(path).unwrap()));
    let errors = folder.path().join("errors");
    let mut failed_calls = 0;
    for command in COMMANDS {
        let words: Vec<_> = command.split(' ').collect();
        for call in 1.. {
            for (path, content) in &files {
                write_store(path, content);
            }
            let messages = File::create(&errors).unwrap();
            let Ok(mut process) = TracedProcess::start(&store, &words, messages.into()) else {
                println!("skipped: no process can be traced here");
                return;
            };
            if !process.run_until_write(call) {
                break;
            }
            let code = process.fail_call();
            let messages = fs::read_to_string(&errors).unwrap();
            let case = format!("{command}, write {call} failed: {code:?} {messages}");
            let verified = run(&case, &store, &["verify"], &secret);
            let is_allowed = verified.status.code() == Some(0);
            assert!(code.is_some_and(|code| code <= 5), "{case}");
            assert!(code != Some(0) || !is_allowed, "allowed after {case}");
            let is_unchanged = messages.contains("nothing was") || messages.contains("not found");
            assert!(!is_unchanged || is_allowed, "denied after {case}");
            failed_calls += 1;
        }
    }
    assert!(failed_calls > 40, "{failed_calls}");
    println!("{failed_calls} calls failed");
}
