//! `status`: one line and an exit code for a monitoring system, and the figures as JSON.

use chrono::TimeDelta;
use serde_json::json;

use crate::{Home, home_with_store, hooks::HookedHome, issue, run, run_with_input};

#[test]
fn a_store_in_order_prints_one_line_and_exits_with_0() {
    let home = home_with_store();
    issue(&home, &["ci", "--lifetime", "90d"]);
    let line = "ok: 1 active token, 0 checks allowed and 0 denied in 14 days, audit chain verified \
                (2 events)\n";
    assert_eq!(run(&home, &["status"]).success(), line);
}

#[test]
fn each_problem_is_in_the_line_and_its_list_is_as_long() {
    let home = Home::new();
    home.seed("idle", "", "365d", TimeDelta::days(100));
    let secret = issue(&home, &["soon", "--lifetime", "3d", "--scope", "channels:c-42:publish"]);
    let line = format!("{secret} channels:c-42:read\n");
    let answers = run_with_input(&home, &["verify", "--lines"], &line.repeat(30));
    assert_eq!(answers.code, 1, "{answers:?}");
    let result = run(&home, &["status"]);
    let start = "attention: 1 expires within 7 days, 1 not used for 90 days, soon: 30 denied today; \
                 2 active tokens, 0 checks allowed and 30 denied in 14 days";
    assert_eq!((result.code, result.out.trim_end(), result.err.as_str()), (1, start, ""));
    for (search, name) in [("idle>90d", "idle"), ("expires<7d", "soon")] {
        let list = run(&home, &["list", "--search", search, "--json"]).objects();
        assert_eq!((list.len(), &list[0]["name"]), (1, &json!(name)));
    }
    let figures = run(&home, &["status", "--json"]);
    assert_eq!(figures.code, 1);
    let figures = &figures.objects()[0];
    let attention =
        json!({ "expiring": 1, "unsaved": 0, "idle": 1, "unrestricted": 0, "denied": 30 });
    assert_eq!((&figures["attention"], &figures["ok"]), (&attention, &json!(false)));
    assert_eq!(figures["checks_by_day"].as_array().unwrap().len(), 14);
    assert_eq!(figures["checks_by_day"][0]["denied"], 30);
    assert_eq!(figures["most_denied_today"]["name"], "soon");
    assert_eq!(figures["expiries_by_week"][0], 1);
}

#[test]
fn a_token_that_may_do_everything_is_counted_and_listed() {
    let home = Home::new();
    issue(&home, &["root", "--lifetime", "90d", "--preset", "full-access:*"]);
    issue(&home, &["ci", "--lifetime", "90d", "--preset", "full-access:channels:*"]);
    let result = run(&home, &["status"]);
    assert!(result.out.starts_with("attention: 1 may do everything on everything;"), "{result:?}");
    let list = run(&home, &["list", "--search", "unrestricted", "--json"]).objects();
    assert_eq!((list.len(), &list[0]["name"]), (1, &json!("root")));
    let others = run(&home, &["list", "--search", "-unrestricted", "--json"]).objects();
    assert_eq!((others.len(), &others[0]["name"]), (1, &json!("ci")));
}

#[test]
fn a_broken_chain_needs_attention() {
    let home = Home::new();
    issue(&home, &["ci", "--lifetime", "90d"]);
    assert_eq!(run(&home, &["edit", "ci", "--name", "second"]).code, 0);
    crate::trail::flip(&home, "name was ci");
    let result = run(&home, &["status"]);
    assert_eq!(result.code, 1, "{result:?}");
    assert!(result.out.starts_with("attention: audit chain broken at event 3;"), "{result:?}");
}

#[test]
fn hooks_that_failed_or_wait_need_attention() {
    let hooked = HookedHome::new(&["revoke"], "exit 7");
    let home = &hooked.home;
    hooked.revoke_and_die("first");
    let waiting = run(home, &["status"]);
    assert_eq!(waiting.code, 1, "{waiting:?}");
    assert!(waiting.out.starts_with("attention: 1 hook run waits; "), "{waiting:?}");
    let failed = run(home, &["hooks", "run"]);
    assert_eq!(failed.code, 5);
    assert!(!failed.err.contains("patdeck hooks run"), "{failed:?}");
    hooked.revoke_and_die("second");
    let result = run(home, &["status"]);
    let start = "attention: 1 hook run failed, 1 hook run waits; ";
    assert!(result.code == 1 && result.out.starts_with(start), "{result:?}");
    let figures = &run(home, &["status", "--json"]).objects()[0];
    let runs = json!({ "failed": 1, "waiting": 1 });
    assert_eq!((&figures["hook_runs"], &figures["ok"]), (&runs, &json!(false)));
    run(home, &["hooks", "discard", "log"]).success();
    assert_eq!(run(home, &["status"]).code, 0);
}
