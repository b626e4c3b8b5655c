//! Imports that are refused or need consent: repeated keys, impossible times, wider access, foreign
//! encodings, and input that does not end.

use std::fs;

use assert_cmd::Command;
use serde_json::json;

use super::{Host, lines, objects, text};

#[test]
fn import_refuses_a_json_key_that_occurs_twice() {
    let host = Host::new();
    let secret = host.create("ci");
    let active = host.ok(&["export"]);
    host.ok(&["revoke", "ci", "--yes"]);
    let export = host.ok(&["export"]);
    let before = host.state();
    let revoked = export.lines().nth(1).unwrap();
    let header = export.lines().next().unwrap();
    let replace = ["--on-conflict", "replace", "--yes"];
    for (name, value) in [("revoked", "null"), ("revo\\u006bed", "null"), ("name", "\"ci\"")] {
        let twice = format!("{},\"{name}\":{value}}}", revoked.strip_suffix('}').unwrap());
        let (code, messages) = host.import(&format!("{header}\n{twice}\n"), &replace);
        let shown = name.replace("\\u006b", "k");
        let expected = format!("-:2: {shown}: occurs more than once in this object\n");
        assert_eq!((code, messages.starts_with(&expected)), (3, true), "{messages}");
    }
    let nested = active.replace("\"sudo_user\":", "\"user\":\"eve\",\"sudo_user\":");
    let (code, messages) = host.import(&nested, &replace);
    assert_eq!(code, 3);
    assert!(messages.contains("-:2: created_by.user: occurs more than once"), "{messages}");
    let header = active.replace("{\"exported\"", "{\"tokens\":9,\"exported\"");
    let (code, messages) = host.import(&header, &replace);
    assert_eq!(code, 3);
    assert!(messages.contains("-:1: tokens: occurs more than once"), "{messages}");
    assert_eq!(host.state(), before);
    assert!(!host.works(&secret));
}

#[test]
fn import_widens_access_only_with_explicit_consent() {
    let host = Host::new();
    host.ok(&["create", "ci", "--scope", "channels:c1:publish", "--scope", "channels:c1:list"]);
    let mut longer = objects(&host.ok(&["export"]));
    longer[1]["expires"] = json!("2999-01-01T00:00:00Z");
    let export = host.ok(&["export"]);
    host.ok(&["scope", "remove", "ci", "channels:c1:list"]);
    longer[1]["scopes"] = json!(["channels:c1:publish"]);
    let before = host.state();
    let wider =
        "scopes: the import would allow channels:c1:list, which this store does not allow\n";
    let later = "expires: the import would let a secret work longer\n";
    for (lines, expected) in [(&export, wider), (&lines(&longer), later)] {
        for arguments in
            [&["--on-conflict", "replace"][..], &["--on-conflict", "replace", "--dry-run"]]
        {
            let (code, messages) = host.import(lines, arguments);
            assert_eq!(code, 3, "{messages}");
            assert!(messages.contains(expected), "{messages}");
            assert!(
                messages.ends_with("--yes permits replacements that widen access\n"),
                "{messages}"
            );
        }
        let (code, messages) =
            host.import(lines, &["--on-conflict", "replace", "--yes", "--dry-run"]);
        assert_eq!(code, 0, "{messages}");
        assert!(messages.contains("(1 replaced, 1 of them with wider access, "), "{messages}");
    }
    assert_eq!(host.state(), before);
    let narrower = host.ok(&["export"]);
    let (code, messages) = host.import(&export, &["--on-conflict", "replace", "--yes"]);
    assert_eq!(code, 0, "{messages}");
    let (code, messages) = host.import(&narrower, &["--on-conflict", "replace"]);
    assert_eq!(code, 0, "a replacement that narrows access needs no consent: {messages}");
    assert!(messages.ends_with("(1 replaced, 0 skipped, 0 unchanged)\n"), "{messages}");
}

#[test]
fn an_ended_token_gets_nothing_back_without_consent() {
    for ending in ["revoke", "delete"] {
        let host = Host::new();
        host.ok(&["create", "ci", "--scope", "channels:c1:publish", "--max-uses", "9"]);
        host.ok(&["revoke", "ci", "--yes"]);
        let export = host.ok(&["export"]);
        host.ok(&["edit", "ci", "--max-uses", "1"]);
        host.ok(&["scope", "clear", "ci", "--yes"]);
        if ending == "delete" {
            host.ok(&["delete", "ci", "--yes"]);
        }
        let (code, messages) = host.import(&export, &["--on-conflict", "replace"]);
        assert_eq!(code, 3, "{ending} {messages}");
        assert!(messages.contains("the import would allow channels:c1:publish"), "{messages}");
        assert!(messages.contains("would loosen its limit"), "{messages}");
    }
}

#[test]
fn an_import_prolongs_no_overlap_without_consent() {
    let host = Host::new();
    host.create("ci");
    let before = host.ok(&["export"]);
    host.ok(&["regenerate", "ci", "--overlap", "15m"]);
    let mut during = objects(&host.ok(&["export"]));
    let until = during[1]["retiring"]["until"].as_str().unwrap();
    let until = chrono::DateTime::parse_from_rfc3339(until).unwrap() + chrono::TimeDelta::hours(1);
    during[1]["retiring"]["until"] = json!(until.to_rfc3339().replace("+00:00", "Z"));
    for lines in [before, lines(&during)] {
        let (code, messages) = host.import(&lines, &["--on-conflict", "replace"]);
        assert_eq!(code, 3, "{messages}");
        let expected = "expires: the import would let a secret work longer\n";
        assert!(messages.contains(expected), "{messages}");
        let (code, messages) =
            host.import(&lines, &["--on-conflict", "replace", "--yes", "--dry-run"]);
        assert_eq!(code, 0, "{messages}");
    }
}

#[test]
fn import_refuses_times_in_the_future_or_the_wrong_order() {
    let (old, new) = (Host::new(), Host::new());
    old.create("ci");
    let all = objects(&old.ok(&["export"]));
    for (field, time, reason) in [
        ("created", "2999-01-01T00:00:00Z", "created: is in the future: check the clock"),
        ("issued", "2999-01-01T00:00:00Z", "issued: is in the future: check the clock"),
        ("issued", "2001-01-01T00:00:00Z", "issued: is earlier than `created`"),
        ("expires", "2001-01-01T00:00:00Z", "expires: is earlier than `issued`"),
        ("revoked", "2001-01-01T00:00:00Z", "revoked: is earlier than `issued`"),
        ("revoked", "2999-01-01T00:00:00Z", "revoked: is in the future: check the clock"),
    ] {
        let mut wrong = all.clone();
        wrong[1][field] = json!(time);
        let (code, messages) = new.import(&lines(&wrong), &[]);
        assert_eq!(code, 3, "{field} {time}");
        assert!(messages.starts_with(&format!("-:2: {reason}")), "{messages}");
    }
    assert_eq!(new.ok(&["audit"]), "");
}

#[test]
fn the_same_fault_of_one_line_is_reported_once() {
    let (old, new) = (Host::new(), Host::new());
    old.create("ci");
    let mut all = objects(&old.ok(&["export"]));
    let same: Vec<_> = (0..30).map(|n| json!(format!("channels:c{n}:fly"))).collect();
    for scopes in [json!(vec!["channels:a b:read"; 30]), json!(same)] {
        all[1]["scopes"] = scopes;
        let (code, messages) = new.import(&lines(&all), &[]);
        assert_eq!((code, messages.matches("-:2: scopes: ").count()), (3, 1), "{messages}");
    }
    all[1]["scopes"] = json!(vec!["channels:c1:read"; 257]);
    let (code, messages) = new.import(&lines(&all), &[]);
    let expected = "-:2: scopes: a token can have at most 256 scopes";
    assert_eq!((code, messages.starts_with(expected)), (3, true), "{messages}");
}

#[test]
fn import_accepts_a_bom_and_names_utf_16_and_gzip() {
    let (old, new) = (Host::new(), Host::new());
    old.create("ci");
    let export = old.ok(&["export"]);
    let (code, messages) = new.import(&format!("\u{feff}{export}"), &[]);
    assert_eq!(code, 0, "{messages}");
    let import = |bytes: &[u8]| {
        let output = new.patdeck(&["import", "-"]).write_stdin(bytes).output().unwrap();
        (output.status.code(), text(&output.stderr))
    };
    let utf_16 =
        |unit: fn(u16) -> [u8; 2]| export.encode_utf16().flat_map(unit).collect::<Vec<_>>();
    let (little, big) = (utf_16(u16::to_le_bytes), utf_16(u16::to_be_bytes));
    let expected = "-:1: the file is UTF-16: convert it, e.g. with `iconv -f UTF-16 -t UTF-8`\n";
    for bytes in
        [[&b"\xff\xfe"[..], &little].concat(), [&b"\xfe\xff"[..], &big].concat(), little, big]
    {
        let (code, messages) = import(&bytes);
        assert_eq!((code, messages.starts_with(expected)), (Some(3), true), "{messages}");
    }
    let (code, messages) = import(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\n");
    let expected =
        "-:1: the file is compressed with gzip: decompress it first, e.g. with `gunzip`\n";
    assert_eq!((code, messages.starts_with(expected)), (Some(3), true), "{messages}");
}

#[test]
fn endless_input_is_refused() {
    let (old, new) = (Host::new(), Host::new());
    old.create("ci");
    let export = old.ok(&["export"]);
    fs::write(new.path("export"), &export).unwrap();
    let import = |arguments: &str| {
        let script = format!("{arguments} | \"$PATDECK\" import -");
        let mut command = Command::new("bash");
        command.env("PATDECK", env!("CARGO_BIN_EXE_patdeck")).env("HOME", new.home.path());
        command.env("PATDECK_STORE", new.path("store.redb")).current_dir(new.home.path());
        let output = command.args(["-c", &script]).output().unwrap();
        (output.status.code(), text(&output.stderr))
    };
    let header = new.output(&["import", "/dev/zero"], "");
    assert_eq!(header.status.code(), Some(3), "{header:?}");
    let more = "(the header declares 1 token, but the file has more lines)\n";
    for (endless, code, expected) in [
        ("{ cat export; cat /dev/zero; }", 3, "-:3: the line is too long for a token\n"),
        ("{ cat export; yes ''; }", 2, more),
        ("{ cat export; yes '{}'; }", 2, more),
        ("yes", 3, "-:1: expected the header that `patdeck export` writes\n"),
    ] {
        let (found, messages) = import(endless);
        assert_eq!(found, Some(code), "{endless}: {messages}");
        assert!(messages.contains(expected), "{endless}: {messages}");
    }
    assert_eq!(new.ok(&["audit"]), "");
}
