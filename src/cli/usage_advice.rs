//! What to write in place of an option, a word or a command that patdeck does not have, but that people
//! know from other programs. Data only: `usage_error.rs` looks it up.

/// Options that other programs have, and the option that does this here. They apply to each command
/// that has the option.
pub(super) const SYNONYMS: &[(&[&str], &str, &str)] = &[
    (
        &[
            "--expires",
            "--expires-in",
            "--expires-at",
            "--expiry",
            "--expiration",
            "--ttl",
            "--days",
        ],
        "--lifetime",
        "use --lifetime, such as 90d or 2027-01-31",
    ),
    (
        &["--grace", "--grace-period", "--keep-old", "--old-for"],
        "--overlap",
        "use --overlap, such as 1h: the old secret then works for another hour",
    ),
    (&["--force", "-f", "-y", "--assume-yes", "--no-prompt"], "--yes", "use --yes"),
    (&["--last", "--newer-than"], "--since", "use --since, such as --since 1h"),
    (
        &["--format", "--output", "-o", "--csv"],
        "--tsv",
        "use --tsv, with --columns and --no-header, or --json with jq",
    ),
    (&["--format", "--output", "-o"], "--json", "use --json"),
    (&["--quiet"], "-q", "use -q"),
    (&["--label", "-l", "--selector"], "--search", "use --search label:KEY=VALUE"),
    (&["--owner"], "--search", "use --search owner:NAME"),
    (&["--name"], "--search", "use --search name:WORD"),
    (&["--all"], "--search", "use --search, such as status:active for all active tokens"),
    (&["--unlabel"], "--remove-label", "use --remove-label KEY"),
    (&["--ip", "--address", "--source"], "--from", "use --from ADDRESS"),
    (&["--ip", "--cidr", "--network"], "--allow-from", "use --allow-from NETWORK"),
    (&["--scopes"], "--scope", "use --scope, once for each scope"),
];

/// What to do in place of an argument that the command does not have. `None` is an argument that is no
/// option. Found before a row of [`SYNONYMS`].
pub(super) const ADVICE: &[(&str, &[Option<&str>], &str)] = &[
    (
        "audit",
        &[None],
        "for the events of one token, use --token TOKEN; to check the trail, --check",
    ),
    ("create", &[Some("--name")], "give the name without an option: `patdeck create NAME`"),
    ("create", &[None], "a command creates one token; quote a name with spaces"),
    (
        "edit",
        &[Some("--expires"), Some("--expires-in"), Some("--lifetime"), Some("--ttl")],
        "`patdeck regenerate` issues a new secret with a new lifetime",
    ),
    (
        "edit",
        &[Some("--scope"), Some("--preset")],
        "use `patdeck scope add`, `scope remove` or `scope change`",
    ),
    ("export", &[None], "the export goes to standard output: use `umask 077` and `> FILE`"),
    ("list", &[Some("--all"), Some("-a")], "use --status all"),
    ("list", &[None], "use --search WORD, or `patdeck show TOKEN`"),
    (
        "list",
        &[Some("--deleted")],
        "use `patdeck audit --action delete`; `patdeck restore` restores a token",
    ),
    (
        "restore",
        &[Some("--list"), Some("--all"), Some("--search")],
        "use `patdeck audit --action delete`, then `patdeck restore TOKEN` for each token",
    ),
    (
        "verify",
        &[None, Some("--token"), Some("--secret")],
        "pass the secret on standard input or in a --secret-file",
    ),
];

/// What to do in place of a command that does not exist, by the words before it.
pub(super) const COMMAND_ADVICE: &[(&str, &[&str], &str)] = &[
    ("", &["rotate", "renew", "refresh", "reissue"], "use `patdeck regenerate TOKEN`"),
    ("", &["remove", "del"], "use `patdeck delete TOKEN`, or `rm`"),
    ("", &["search", "find", "grep"], "use `patdeck list --search WORD`"),
    ("", &["info", "describe", "inspect", "view"], "use `patdeck show TOKEN`"),
    ("", &["add", "issue", "generate"], "use `patdeck create NAME`"),
    (
        "",
        &["check", "test"],
        "use `patdeck verify` for a secret, `patdeck doctor` for the installation",
    ),
    ("", &["undo"], "`u` in the app undoes changes; here, use `restore`, `edit` or `scope change`"),
    ("", &["undelete", "recover"], "use `patdeck restore TOKEN`"),
    (
        "",
        &["trash", "deleted"],
        "use `patdeck audit --action delete`, then `patdeck restore TOKEN`",
    ),
    ("", &["unrevoke", "enable"], "a revoke is final: `patdeck regenerate` issues a new secret"),
    ("", &["disable"], "use `patdeck revoke TOKEN`; `patdeck regenerate` issues a new secret"),
    ("", &["version"], "use `patdeck --version`"),
    ("", &["completion"], "use `patdeck completions bash`, or zsh or fish"),
    ("", &["log", "logs", "history", "events", "trail"], "use `patdeck audit`"),
    ("", &["token", "tokens", "pat", "pats"], "write the command alone, such as `patdeck list`"),
    ("", &["preset", "presets"], "`patdeck config show` lists the presets"),
    ("", &["init", "setup"], "the first `patdeck create` creates the store, or `patdeck` the app"),
    ("", &["repair", "fsck"], "use `patdeck doctor`, then `patdeck doctor --repair`"),
    ("config", &["edit", "set", "get"], "edit the file that `patdeck config path` prints"),
    ("scope", &["list", "ls", "show", "get"], "use `patdeck show TOKEN`"),
    ("scope", &["delete", "rm", "del"], "use `patdeck scope remove TOKEN SCOPE`"),
    ("scope", &["set", "replace", "edit"], "use `patdeck scope change`, with --add and --remove"),
];
