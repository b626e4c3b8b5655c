//! Text below the help of each command: examples, exit codes and environment variables. The manual
//! page also contains this text.

use crate::domain::search::{TOKEN_TERM_FORMS, term_table};

/// Text below `patdeck -h`.
pub(super) const SHORT: &str =
    "For examples, settings, exit codes and environment, see `patdeck --help` and COMMAND --help.";

/// Text below `patdeck --help`.
pub(super) const LONG: &str = "\
Examples:
  patdeck                                            open the app
  patdeck create ci-prod --lifetime 90d --scope channels:c-42:publish,subscribe
  patdeck verify --scope channels:c-42:publish < secret && ./publish.sh
  patdeck list --expiring 7d --json
  patdeck revoke ci-prod --yes
  patdeck doctor

Settings (theme, keys, views, limits):
  patdeck config init                                write a config file that explains all settings
  patdeck config path                                print the path of that file

Exit codes:
  0    success, or access allowed
  1    access denied, token not found, nothing expires, or a problem found
  2    invalid arguments, config or terminal, or the output cannot be written
  3    refused by a rule or by read-only mode
  4    the store is unavailable, damaged or accessible by other users
  5    done only in part, or the result of a change is unknown or could not be printed
  129, 130, 143   hang-up, interrupt, termination signal

Environment:
  PATDECK_STORE, PATDECK_CONFIG   defaults for --store and --config
  PATDECK_READ_ONLY               same as --read-only, unless it is 0 or false
  SSH_CONNECTION, SUDO_USER       recorded as the actor in the audit trail
  NO_COLOR                        disables colours, as the setting theme = \"mono\" does
  LC_ALL, LC_CTYPE, LANG          without UTF-8 in the first one that is set, all output is ASCII";

/// Text below `patdeck list --help`.
pub(super) fn list() -> String {
    let terms = term_table(&TOKEN_TERM_FORMS);
    format!("{LIST_EXAMPLES}\n{terms}\n{LIST_RULES}")
}

const LIST_EXAMPLES: &str = "\
Examples:
  patdeck list --status all --search ci --sort -last-used
  patdeck list --search 'idle>90d -unused by:alice' --json
  patdeck list --search 'may:channels:c-42:publish'
  patdeck list --search 'label:team=edge owner:ann' --columns name,owner,labels
  patdeck list --expiring 7d && echo 'renew these'
  patdeck list --sort status,-expires --columns name,expires,owner --limit 20
  patdeck list -q --search unused

Search terms, which must all match (the app uses the same syntax):";

const LIST_RULES: &str = "\
op, type, entity, domain and wildcard must all match the same scope. Values match the start (op type \
entity domain KEY) or any part (name id by owner), ignoring case; in \"quotes\" they must match in \
full. status overrides --status.

Prints a table, or with --json one object per line. On a terminal, the table fits the width and has \
relative times; elsewhere, it has full times in UTC and the same columns. The message that no token \
matches goes to standard error. Exit 0; with --expiring, 1 if there are none, without a message.";

pub(super) const STATUS: &str = "\
Examples:
  patdeck status
  patdeck status --json | jq .attention
  patdeck status > /dev/null || mail -s 'tokens need attention' ops < /dev/null

Needs attention: active tokens that expire within 7 days, were not used for 90 days, or may do every \
operation on every entity; secrets that were never saved; a token with at least 20 denied attempts \
today (UTC); damaged records; hooks that failed or wait (`patdeck hooks`); a broken audit chain. \
`patdeck list --search` shows the tokens: \
expires<7d, idle>90d, unrestricted, unsaved. The overview in the app shows the same figures.

Prints one line, or with --json all figures. Exit 0, 1 if something needs attention.";

pub(super) const SHOW: &str = "\
Example:
  patdeck show ci-prod --json

Never prints a secret. Exit 0, or 1 if the token does not exist.";

pub(super) const CREATE: &str = "\
Examples:
  patdeck create ci-prod --lifetime 90d --scope channels:c-42:publish,subscribe
  patdeck create backup --scope 'dashboards:*:read@eu' --secret-file ~/.backup-token
  patdeck create sensor-7 --preset publisher:c-42 --preset read-only:clients:sensor-7
  patdeck create ci-prod-2 --like ci-prod
  patdeck create installer --not-before 2h --max-uses 1 --allow-from 192.0.2.0/24
  patdeck create gate-oslo --label team=edge --label env=prod --owner 'Ann Berg'
  patdeck create web --scope channels:orders:publish --format env >> .env

The presets are read-only, publisher, subscriber and full-access; the config can define others. \
PRESET:TYPE:ENTITY limits a preset to one type, and is needed for an entity that contains a colon. \
With --like, the other options override what is copied; --scope, --preset and --label add to it. \
A check of a token with --allow-from needs the address of the bearer (verify --from).

Prints only the secret. Exit 0, 2 if the arguments are invalid, 3 if a rule refuses the token.";

pub(super) const EDIT: &str = "\
Examples:
  patdeck edit ci-prod --name ci-production --description 'shop pipeline'
  patdeck edit ci-prod --allow-from 10.0.0.0/8 --allow-from 2001:db8::/32 --max-uses none
  patdeck edit gate-oslo --label env=test --remove-label team --owner 'Bob Lie'

--allow-from replaces all networks of the token. A tighter limit is saved even while the clock is \
behind. A key of a label has letters, digits and -_./; a token has each key once, in any case, and \
at most 16 labels. An empty --owner makes the creator the owner.

Exit 0, 1 if the token does not exist, 3 if the name is taken, a limit or a label is refused, or the \
label to remove does not exist.";

pub(super) const SCOPE: &str = "\
Examples:
  patdeck scope add ci-prod channels:c-42:publish
  patdeck scope remove ci-prod 'clients:*:read'
  patdeck scope change ci-prod --remove 'channels:*:publish' --add channels:c-42:publish
  patdeck scope clear ci-prod --yes";

pub(super) const SCOPE_ADD: &str = "\
Examples:
  patdeck scope add ci-prod channels:c-42:publish,subscribe 'clients:*:read@eu'
  patdeck scope add ci-prod --preset full-access:channels:c-43
  patdeck scope add ci-prod channels:c-42:publish --also backup --also web

Each token gets the scopes that it lacks, all tokens or none; a message names those that it has \
already. Exit 0, 1 if a token does not exist, 3 if one has all of the scopes already, or if a scope \
is not in the catalogue.";

pub(super) const SCOPE_REMOVE: &str = "\
Example:
  patdeck scope remove ci-prod channels:c-42:publish

Exit 0, 1 if the token does not exist, 3 if it does not have the scope.";

pub(super) const SCOPE_CHANGE: &str = "\
Example:
  patdeck scope change ci-prod --remove 'channels:*:publish' --add channels:c-42:publish

Scopes to add that the token has already are skipped, with a message. Exit 0, 1 if the token does \
not exist, 3 if it lacks a scope to remove, if nothing is left to change, or if a scope is not in the \
catalogue.";

pub(super) const SCOPE_CLEAR: &str = "\
Example:
  patdeck scope clear ci-prod --yes

Asks you to type the name on a terminal; elsewhere, pass --yes. Exit 0, 1 if not confirmed, 2 if \
there is neither --yes nor a terminal.";

pub(super) const REVOKE: &str = "\
Examples:
  patdeck revoke ci-prod backup --yes
  patdeck revoke web --old --yes               end the overlap early
  patdeck revoke --search 'idle>90d'           asks, after a list of the tokens
  patdeck revoke --search 'idle>90d' --dry-run
  patdeck list -q --search 'by:alice' | patdeck revoke - --yes

Asks you to type the name (or the number of tokens) on a terminal; elsewhere, pass --yes. Revokes \
all or none, and leaves out tokens that are revoked already. Exit 0, 1 if a token does not exist or none matches, 3 if all are revoked.";

pub(super) const REGENERATE: &str = "\
Examples:
  patdeck regenerate ci-prod --overlap 15m --secret-file ci.secret
  patdeck regenerate ci-prod --lifetime 90d --yes
  patdeck regenerate web-1 web-2 --overlap 24h --secret-file new.tsv
  patdeck regenerate --search 'expires<7d' --overlap 24h --secret-file new.tsv

Prints only the secret. With --overlap, the old secret keeps working that long. Asks before it ends \
an earlier overlap or makes a revoked token active again. Secrets of several tokens are saved to \
the file (name, tab, secret on each line) before any old secret stops working. Exit 0, 1 if a token \
does not exist, 3 if a rule refuses the change.";

pub(super) const DELETE: &str = "\
Examples:
  patdeck delete ci-prod --yes
  patdeck delete --search 'status:revoked idle>1y'
  patdeck delete --all

Asks you to type the name (or the number of tokens) on a terminal; elsewhere, pass --yes. \
Deletes all or none. More than 5,000 tokens are saved in batches: tokens that change before their batch are \
skipped, and `patdeck doctor --repair` finishes a deletion that was interrupted.
Exit 0, 1 if a token does not exist, 5 if only a part was deleted.";

pub(super) const RESTORE: &str = "\
Example:
  patdeck restore ci-prod

Exit 0, 1 if no such token was deleted in the last 24 hours, 3 if its name is taken.";

pub(super) const VERIFY: &str = "\
Examples:
  patdeck verify --scope channels:c-42:publish < secret && ./publish.sh
  patdeck verify --secret-file secret --from \"$REMOTE_ADDR\" --json
  patdeck verify --explain --scope clients:c-1:read < secret
  patdeck verify --lines < requests > answers

Reads the secret from standard input, from --secret-file, or typed without echo on a terminal. \
Exit 0 means allowed, 1 means denied; 2, 3 and 4 are errors: treat them as denied.
With --lines, 0 means that there was a line and every line was allowed. A line without a scope gets the scope of --scope, \
if there is one. Otherwise its answer is `valid: NAME`, which only identifies the token. To check \
access, accept only `allowed`. With --json, `allowed` is null without a scope, and `valid` is true \
if the secret works.";

pub(super) const AUDIT: &str = "\
Examples:
  patdeck audit --token ci-prod --limit 20
  patdeck audit --since 7d --action revoke,delete --actor alice
  patdeck audit --since 2026-12-01 --until 2026-12-24T18:00 --json
  patdeck audit --follow --json
  patdeck audit --check || mail -s 'audit trail broken' ops < /dev/null
  patdeck audit --check --expect 9a77f3...

The trail contains changes, not checks; `patdeck show` prints the last use of a token. Events are \
printed oldest first; --follow then prints new ones. --check prints the hash of the \
newest event. Keep it elsewhere: a later --check --expect HASH proves that the trail was not \
truncated or rewritten since. Exit 0; with --check, 1 if the chain is broken or lacks the expected \
event.";

pub(super) const SCAN: &str = "\
Examples:
  patdeck scan .                                search the working tree
  patdeck scan --no-ignore /srv/app --json      include files that git ignores
  git log -p --all | patdeck scan -             search the whole history
  patdeck scan . --revoke --yes                 revoke the active secrets found

Skips files that .gitignore, .ignore and git's excludes name, as ripgrep does. Hidden and binary \
files are searched, because secrets leak in .env and .npmrc. Links to folders are searched as \
folders, and each file once.

Searches in gzip, zip (also .docx, .jar), tar, base64, UTF-16 and escape sequences such as %5F, up \
to 6 levels deep and 1 GiB of decompressed bytes per file. The path a.zip!b is the file b in a.zip. \
What cannot be searched is counted and named: unreadable files, devices, files under /proc, damaged \
or encrypted archives, other compression.

Prints only the public part of a secret, and its status in this store:
  active    works: revoke it
  active (old secret, until ...)   works until its overlap ends
  expired, revoked   denied
  deleted   denied, but `patdeck restore` would reactivate it
  replaced  denied: the token has a newer secret        unknown   not a token of this store
  out-of-date   may work in the newer store: an older copy was put back

--revoke revokes each token whose current secret was found. If only the old secret of an overlap was \
found, it ends the overlap, as `patdeck revoke --old` does: the current secret keeps working.

Exit codes:
  0 no active secret found, or all were revoked   1 active secret found
  2 invalid arguments, or PATH does not exist   4 the store cannot be used
  5 not everything was searched or a token is out of date, and no active secret was found or left";

pub(super) const EXPORT: &str = "\
Examples:
  patdeck export --output tokens.jsonl
  patdeck export | ssh other-host patdeck import -

The first line is a header with the schema, the store id and the number of tokens. Each other line \
is a token: name, scopes, times, the SHA-256 digest of its secret, and of the old secret \
during an overlap. Secrets are not exported, and cannot be derived from a digest. Deleted tokens \
and the audit trail are not exported either: see `patdeck backup`.

Exit codes:
  0 success   2 the file cannot be written   3 the file exists
  4 the store cannot be read, or damaged tokens were left out";

pub(super) const IMPORT: &str = "\
Examples:
  patdeck import tokens.jsonl --dry-run
  patdeck import tokens.jsonl --on-conflict skip

Existing secrets keep working on this host. Lifetimes are imported unchanged, even if they exceed \
the limits of this config; scopes that are not in this catalogue are refused. A token that exists \
with the same content is unchanged and no conflict, so that an import can be repeated.

A conflict is an id that exists with other content, or a name that another token has:
  fail      import nothing, and list all conflicts
  skip      keep the existing token
  replace   import the token; a token that has its name is deleted (restorable for 24 hours)
A replacement that would widen access (add scopes, let a secret work longer, or reactivate a token \
which was revoked, deleted or regenerated here), or end an overlap early, is refused without --yes.

More than 5,000 tokens are saved in batches. If that is interrupted, run the same import again.

Exit codes:
  0 success   2 the file cannot be read
  3 nothing imported: invalid line or conflict   4 the store cannot be used
  5 only a part was imported, as the message says";

pub(super) const COMPACT: &str = "\
Example:
  patdeck compact

The file grows while a process that reads the store is suspended (for example with Ctrl-Z); \
`patdeck doctor` names that process. While compact runs, no other process can write. Exit 0 when \
done, 4 if another process reads an older state or holds the lock.";

pub(super) const BACKUP_CREATE: &str = "\
Example:
  patdeck backup create /var/backups/patdeck-$(date +%F).redb

Exit 0, 2 if FILE cannot be written, 3 if it exists, 4 if the store is damaged or cannot be read.";

pub(super) const BACKUP_CHECK: &str = "\
Example:
  patdeck backup check /var/backups/patdeck-2026-12-24.redb

Exit 0 if the backup has no faults, 1 if it has, 2 if FILE cannot be read.";

pub(super) const BACKUP_RESTORE: &str = "\
Example:
  patdeck backup restore /var/backups/patdeck-2026-12-24.redb

Asks you to type `restore` on a terminal. Without a terminal, pass --yes; otherwise the command only \
prints the differences and changes nothing. Exit 0, 1 if not confirmed, 2 if FILE cannot be read or \
there is neither --yes nor a terminal, 3 if FILE is damaged, 4 if the store cannot be used.";

pub(super) const CLOCK: &str = "\
Examples:
  patdeck clock
  patdeck clock accept

Tokens expire by the latest of the clock, the newest event and the newest use in the store, so that \
a clock that goes back makes nothing valid again. Secrets are issued by the clock. While it is more \
than 5 seconds behind the newest time in the store, create, regenerate, restore and import are \
refused; revoke and delete work. If the clock ran ahead and is right now, accept it.

Exit codes:
  0 success   1 the clock is behind the newest time in the store, or cancelled
  2 usage     4 store error";

pub(super) const BACKUP: &str = "\
Examples:
  patdeck backup create /var/backups/patdeck-$(date +%F).redb
  patdeck backup check /var/backups/patdeck-2026-12-24.redb
  patdeck backup restore /var/backups/patdeck-2026-12-24.redb

`patdeck backup FILE` is `patdeck backup create FILE`. The copy contains all tokens with the digests \
of their secrets, deleted tokens and the audit trail, as of one instant; its revocation register is \
FILE.revoked. The store can be used meanwhile. The copy is compared with the store after it is \
written, and the checksums of all pages of the store are verified.

Restore checks the backup, lists what differs, and asks you to type `restore`; elsewhere, pass \
--yes. The revocation register is kept, so that a secret that was ended since the backup stays \
ended. Each restore keeps the replaced store as store.redb.before-restore, .2, .3 and so on; remove \
what you do not need. Other patdeck processes can run meanwhile.

Exit codes:
  0 success   1 the check found faults, or the restore was not confirmed
  2 FILE cannot be read or written   3 FILE exists, or is damaged and was not restored
  4 the store cannot be used, or damaged records were copied";

pub(super) const DEMO: &str = "\
Example:
  patdeck demo

Opens the app on a store in memory with about 60 tokens, their uses and their audit trail. The top \
line shows DEMO. Everything works, except that no file is written; all of it is gone when you quit. \
The config is read for the theme and the keys.

Exit 0, 2 if standard input or output is not a terminal.";

pub(super) const COMPLETIONS: &str = "\
Examples:
  mkdir -p ~/.local/share/bash-completion/completions
  patdeck completions bash > ~/.local/share/bash-completion/completions/patdeck
  mkdir -p ~/.zfunc && patdeck completions zsh > ~/.zfunc/_patdeck
    in ~/.zshrc: fpath+=~/.zfunc; autoload -Uz compinit; compinit
  mkdir -p ~/.config/fish/completions
  patdeck completions fish > ~/.config/fish/completions/patdeck.fish

In bash, zsh and fish, patdeck itself offers names, ids, scopes, presets and columns: it reads the \
store in read-only mode and offers nothing without one. Run this command again after an update.";

pub(super) const HELP: &str = "\
Examples:
  patdeck help create
  patdeck help scope add";

pub(super) const MAN: &str = "\
Example:
  mkdir -p ~/.local/share/man/man1
  patdeck man > ~/.local/share/man/man1/patdeck.1";

pub(super) const CONFIG: &str = "\
Examples:
  patdeck config init && \"${EDITOR:-vi}\" \"$(patdeck config path)\"
  patdeck config check
  patdeck config show --json

These commands do not open the store.";

pub(super) const CONFIG_PATH: &str = "\
Example:
  \"${EDITOR:-vi}\" \"$(patdeck config path)\"";

pub(super) const CONFIG_INIT: &str = "\
Example:
  patdeck config init

The file contains every setting as a comment with its default. Exit 0, 3 if the file exists.";

pub(super) const CONFIG_CHECK: &str = "\
Example:
  patdeck config check --config new.toml && mv new.toml \"$(patdeck config path)\"

Prints one line per mistake: FILE:LINE: and what is expected. Warns of a hook whose program cannot \
run or can be changed by others. Exit 0, also after a warning, 2 if there are mistakes or if other \
users can change the file.";

pub(super) const CONFIG_SHOW: &str = "\
Example:
  patdeck config show | grep -v default";

pub(super) const DOCTOR: &str = "\
Examples:
  patdeck doctor
  patdeck doctor --json > report.json
  patdeck doctor --repair

Prints no secrets and, without --repair, no token names, so that the output can be pasted into a bug \
report. A fact that cannot be determined is shown with the reason. Exit 0, 1 if something needs \
attention, or 4 if the store is missing or cannot be read.";
