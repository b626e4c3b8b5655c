//! Hostile text in every input of a command: arguments, environment variables, files and their
//! names, imports and the config. No output, text or JSON, may contain terminal control sequences.

use std::{
    ffi::{OsStr, OsString},
    fs,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    process::Stdio,
};

use patdeck::domain::terminal_text::first_unsafe;

use crate::{Home, command, issue};

/// Escape sequences, C1 controls, bidirectional and invisible characters, stacked combining marks,
/// line breaks, and invalid UTF-8.
const HOSTILE: [&[u8]; 7] = [
    b"x\x1b[2J\x1b]0;title\x07y",
    "c1\u{9b}31m\u{9d}0;t\u{9c}".as_bytes(),
    "\u{202e}drowssap\u{2066}\u{200b}\u{feff}\u{e0041}".as_bytes(),
    "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}".as_bytes(),
    "two\r\nlines\t\u{2028}\u{85}end".as_bytes(),
    b"\xff\x9b31m\xfe",
    b"\x7f\x08\x08",
];

/// Command lines, with `@` for the hostile text.
const LINES: &str = "\
@
--@ list
create @
create one --lifetime @
create two --description @
create three --scope @
create four --scope channels:@:publish@@
create five --secret-file @/x
edit ci --name @
edit ci --description @
scope add ci @
scope remove ci clients:@:read
show @
revoke @
regenerate @ --yes
regenerate ci --lifetime @ --yes
delete @ --yes
restore @
verify --scope @
verify --scope channels:c:publish --domain @
verify --from @
verify --secret-file @
verify --lines
verify --lines --explain
list --search @
list --status @
list --sort @
list --store @
list --store @/x/store.redb
list --config @
config check --config @
config show --config settings.toml
config check --config settings.toml
config path --config @
scan @
scan .
export --output @/x
backup @/x
import @
import incoming
import incoming --dry-run --on-conflict replace
audit --token @
audit --check --expect @
completions @
list
show ci
audit
doctor
export";

/// Runs `line` with `hostile` in place of each `@`, and asserts that its output is safe.
fn run_hostile(home: &Home, line: &str, hostile: &[u8], json: bool, input: &[u8]) {
    let mut command = command(home, &[]);
    let arguments = line.split(' ').map(|word| {
        let parts: Vec<_> = word.split('@').map(str::as_bytes).collect();
        OsString::from_vec(parts.join(hostile))
    });
    let variable = OsStr::from_bytes(hostile);
    command.args(arguments).args(json.then_some("--json"));
    command.env("SSH_CONNECTION", variable).env("SUDO_USER", variable).env("TERM", variable);
    command.env("PATDECK_TEST", variable);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that rejects its arguments does not read its input.
    drop(std::io::Write::write_all(&mut child.stdin.take().unwrap(), input));
    let output = child.wait_with_output().unwrap();
    for bytes in [&output.stdout, &output.stderr] {
        let text = std::str::from_utf8(bytes).unwrap_or_else(|_| panic!("{line}: {output:?}"));
        let unsafe_char = text.split('\n').find_map(first_unsafe);
        assert_eq!(unsafe_char, None, "{line} {hostile:?}: {text:?}");
        assert!(!text.contains("panicked"), "{line} {hostile:?}: {text}");
    }
    assert!(output.status.code().is_some_and(|code| code <= 4), "{line} {hostile:?}: {output:?}");
}

#[test]
fn no_command_prints_terminal_control_sequences() {
    for hostile in HOSTILE {
        let home = Home::new();
        let secret = issue(&home, &["ci", "--scope", "channels:*:publish"]);
        let text = String::from_utf8_lossy(hostile);
        let quoted = serde_json::Value::from(&*text);
        let settings =
            format!("store = {quoted}\nprefix = {quoted}\n[keys.list]\n{quoted} = {quoted}\n");
        fs::write(home.path().join("settings.toml"), settings).unwrap();
        let header = format!(
            "{{\"schema\":1,\"kind\":\"patdeck export\",\"store\":\"{}\",\"exported\":\"\",\"tokens\":1}}",
            "0".repeat(32)
        );
        let invalid = format!("{{\"name\":{quoted}}}");
        let lines = [header.as_bytes(), invalid.as_bytes(), hostile];
        fs::write(home.path().join("incoming"), lines.join(&b'\n')).unwrap();
        fs::write(home.path().join(OsStr::from_bytes(&[hostile, b".log"].concat())), &secret)
            .unwrap();
        // The address of this use is printed by later commands.
        run_hostile(&home, "verify --from @", hostile, false, secret.as_bytes());
        let request = [secret.as_bytes(), b" channels:", hostile, b":publish ", hostile].concat();
        run_hostile(&home, "verify --lines --explain", hostile, false, &request);
        for line in LINES.lines() {
            run_hostile(&home, line, hostile, false, hostile);
            run_hostile(&home, line, hostile, true, hostile);
        }
    }
}
