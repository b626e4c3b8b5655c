//! Space on the disk: files that killed processes left are removed, the process that makes the store
//! grow is named, and `compact` gives space back.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};

use crate::{Home, issue, register::RunningCheck, run};

#[test]
fn the_next_write_removes_files_of_killed_processes() {
    let home = Home::new();
    issue(&home, &["t"]);
    let beside = |name: &str| home.store().with_file_name(name);
    let left = ["store.redb.0123456789abcdef.new", "store.redb.revoked.fedcba9876543210.new"];
    let used = beside("store.redb.00000000000000aa.new");
    let foreign = beside("store.redb.notes.new");
    for path in left.map(beside).iter().chain([&used, &foreign]) {
        fs::write(path, b"x").unwrap();
    }
    let lock = fs::File::open(&used).unwrap();
    lock.try_lock_shared().unwrap();
    let report = run(&home, &["doctor"]);
    assert_eq!(report.code, 1, "{report:?}");
    for name in left {
        assert!(report.out.contains(&format!("{name} was left by a killed process")), "{report:?}");
        assert!(beside(name).exists(), "doctor changes nothing");
    }
    assert!(!report.out.contains("00000000000000aa"), "{report:?}");
    run(&home, &["edit", "t", "--description", "d"]).success();
    assert_eq!(left.map(|name| beside(name).exists()), [false; 2]);
    assert!(used.exists() && foreign.exists());
    drop(lock);
    run(&home, &["edit", "t", "--description", "e"]).success();
    assert!(!used.exists() && foreign.exists());
}

#[test]
fn doctor_names_a_stopped_process_that_has_the_store_open() {
    let home = Home::new();
    let secret = issue(&home, &["t"]);
    let mut running = RunningCheck::start(&home);
    assert_eq!(running.check(&secret), "valid: t");
    let process = Pid::from_child(&running.process);
    kill_process(process, Signal::STOP).unwrap();
    let stat = format!("/proc/{}/stat", running.process.id());
    while !fs::read_to_string(&stat).unwrap().contains(") T ") {
        std::thread::yield_now();
    }
    let report = run(&home, &["doctor"]);
    let named = format!("(process {}", running.process.id());
    let line = report.out.lines().find(|line| line.contains("can make the store's file grow"));
    assert!(line.is_some_and(|line| line.contains(&named)), "{report:?}");
    kill_process(process, Signal::CONT).unwrap();
    assert_eq!(running.check(&secret), "valid: t");
}

#[test]
fn compact_gives_space_back_beside_a_running_check() {
    let home = Home::new();
    let secret = issue(&home, &["t"]);
    let mut running = RunningCheck::start(&home);
    let long = "x".repeat(200);
    for number in 0..60 {
        issue(&home, &[&format!("n{number}"), "--description", &long]);
    }
    run(&home, &["delete", "--all", "--yes"]).success();
    run(&home, &["restore", "t"]).success();
    assert_eq!(running.check(&secret), "valid: t");
    let before = fs::metadata(home.store()).unwrap().len();
    let facts = run(&home, &["compact", "--json"]).objects().remove(0);
    let after = fs::metadata(home.store()).unwrap().len();
    assert_eq!((&facts["before"], &facts["after"]), (&before.into(), &after.into()));
    assert!(after < before, "{before} {after}");
    assert_eq!(running.check(&secret), "valid: t");
    let report = run(&home, &["doctor"]);
    assert!(report.out.contains("intact"), "{report:?}");
    run(&home, &["audit", "--check"]).success();
    assert_eq!(run(&home, &["--read-only", "compact"]).code, 3);
    let messages = running.finish();
    assert!(!messages.contains("older state"), "{messages}");
}
