//! What stands below each help: examples to copy, exit codes, the environment. One text a
//! command, for the help and for the manual page. Nothing here acts.

/// Below `patdeck -h`.
pub(super) const SHORT: &str =
    "`patdeck --help` adds examples, exit codes and the environment; so does each COMMAND --help.";

/// Below `patdeck --help`.
pub(super) const LONG: &str = "\
Examples:
  patdeck                                            open the app
  patdeck create ci-prod --lifetime 90d --scope channels:c-42:publish,subscribe
  patdeck verify --scope channels:c-42:publish < secret && ./publish.sh
  patdeck list --expiring 7d --json
  patdeck revoke ci-prod --yes
  patdeck doctor

Exit codes:
  0    done, or allowed
  1    no: denied, not found, nothing to list, something needs attention
  2    the arguments, the settings or the terminal
  3    refused by a rule
  4    the store is unavailable, damaged or unsafe
  129, 130, 143   the line dropped, interrupted, terminated

Environment:
  PATDECK_STORE, PATDECK_CONFIG   as --store and --config, which are stronger
  PATDECK_READ_ONLY               as --read-only, unless it is 0 or false
  SSH_CONNECTION, SUDO_USER       who did it, for the audit trail
  NO_COLOR                        no colours: the theme mono
  LC_ALL, LC_CTYPE, LANG          glyphs only where the first of them that is set says UTF-8";

pub(super) const LIST: &str = "\
Examples:
  patdeck list --status all --search ci --sort -last-used
  patdeck list --search 'idle>90d -unused by:alice' --json
  patdeck list --search 'may:channels:c-42:publish'
  patdeck list --expiring 7d && echo 'renew these'

A search finds tokens that match every one of its terms, as / in the app does:
  WORD \"TWO WORDS\"         in name, id or description, whatever the case
  name:X id:X by:X         in the name, the id, who made it
  status:X                 active, expired, revoked or all; without it the list's own filter
  type:X op:X entity:X domain:X wildcard
                           some one scope is like all of these; wildcard is entity:*
  may:TYPE:ENTITY:OPERATION[@DOMAIN]
                           some scope allows it, be it by *
  unused unclaimed         never used; the secret was never confirmed as saved
  idle>90d idle<1h         last used, or issued if never used, longer ago or less long
  expiring<7d expiring>7d  active, and ends sooner or later than that
A value may be the start of a word (type op entity domain) or any part (name id by); in
\"quotes\" it is the whole. A - before a term finds the others.

Prints a table, or with --json one object a line. Exit 0; with --expiring 1 if there is none.";

pub(super) const SHOW: &str = "\
Example:
  patdeck show ci-prod --json

Never shows a secret. Exit 0, or 1 if there is no such token.";

pub(super) const CREATE: &str = "\
Examples:
  patdeck create ci-prod --lifetime 90d --scope channels:c-42:publish,subscribe
  patdeck create backup --scope 'dashboards:*:read@eu' --secret-file ~/.backup-token
  patdeck create sensor-7 --preset publisher:c-42 --preset read-only:clients:sensor-7
  patdeck create ci-prod-2 --like ci-prod

Presets are read-only, publisher, subscriber and full-access; the settings may have others.
With --like, what else is given takes the place of what the other token has, or adds to its scopes.

Prints the bare secret and nothing else. Exit 0, 2 for arguments, 3 if a rule refuses it.";

pub(super) const EDIT: &str = "\
Example:
  patdeck edit ci-prod --name ci-production --description 'the pipeline of the shop'

Exit 0, 1 if there is no such token, 3 if the name is taken.";

pub(super) const SCOPE: &str = "\
Examples:
  patdeck scope add ci-prod channels:c-42:publish
  patdeck scope remove ci-prod 'clients:*:read'
  patdeck scope clear ci-prod --yes";

pub(super) const SCOPE_ADD: &str = "\
Examples:
  patdeck scope add ci-prod channels:c-42:publish,subscribe 'clients:*:read@eu'
  patdeck scope add ci-prod --preset full-access:channels:c-43
  patdeck scope add ci-prod channels:c-42:publish --also backup --also web

Exit 0, 1 if there is no such token, 3 if one of them is there already or not on offer. With
--also each gets what it lacks, all of them or none; 3 if one lacks nothing.";

pub(super) const SCOPE_REMOVE: &str = "\
Example:
  patdeck scope remove ci-prod channels:c-42:publish

Exit 0, 1 if there is no such token, 3 if it has no such scope.";

pub(super) const SCOPE_CLEAR: &str = "\
Example:
  patdeck scope clear ci-prod --yes

Asks for the name on a terminal; elsewhere --yes is needed. Exit 0, 1 for no.";

pub(super) const REVOKE: &str = "\
Examples:
  patdeck revoke ci-prod backup --yes
  patdeck revoke web --old --yes               everybody has the new secret
  patdeck list --search 'idle>90d' --json | jq -r .id | xargs patdeck revoke --yes

Asks for the name (of several, the count) on a terminal; elsewhere --yes is needed.
All of them or none. Exit 0, 1 if one is not there, 3 if one is revoked already.";

pub(super) const REGENERATE: &str = "\
Examples:
  patdeck regenerate ci-prod --overlap 15m --secret-file ci.secret
  patdeck regenerate ci-prod --lifetime 90d --yes
  patdeck regenerate web-1 web-2 --overlap 24h --secret-file new.tsv

Prints the bare secret and nothing else. With an overlap the old secret works on that long.
The secrets of several are on the disk, name and secret in a line, before an old one dies.
Exit 0, 1 if there is no such token, 3 if a rule refuses it.";

pub(super) const DELETE: &str = "\
Examples:
  patdeck delete ci-prod --yes
  patdeck delete --all

Asks for the name (of several, the count) on a terminal; elsewhere --yes is needed.
All of them or none. Exit 0, 1 if one is not there.";

pub(super) const RESTORE: &str = "\
Example:
  patdeck restore ci-prod

Exit 0, 1 if nothing of that name was deleted in the last 24 hours, 3 if the name is taken.";

pub(super) const VERIFY: &str = "\
Examples:
  patdeck verify --scope channels:c-42:publish < secret && ./publish.sh
  patdeck verify --secret-file secret --from \"$REMOTE_ADDR\" --json
  patdeck verify --explain --scope clients:c-1:read < secret
  patdeck verify --lines < questions > answers

Exit 0 allowed, 1 denied. 2, 3 and 4 are no answer: read them as denied. With --lines 0 means that
every line was allowed, and each answer other than `allowed` and `valid: NAME` means no.";

pub(super) const AUDIT: &str = "\
Examples:
  patdeck audit --token ci-prod
  patdeck audit --follow --json
  patdeck audit --check || mail -s 'the trail is broken' ops < /dev/null
  patdeck audit --check --expect 9a77f3…

Oldest first. --follow prints what there is, then what happens. --check prints the hash of the
newest event: kept in another place, it shows with --expect that nothing was cut off or written
anew since. Exit 0; with --check 1 if the chain is broken or the expected event is not there.";

pub(super) const SCAN: &str = "\
Examples:
  patdeck scan .                                what is checked out here
  patdeck scan --no-ignore /srv/app --json      with what git ignores
  git log -p --all | patdeck scan -             the whole history
  patdeck scan . --revoke --yes                 and end what still works

Files that .gitignore, .ignore and git's own excludes name are left out, as ripgrep does. Hidden
files are read, for secrets leak in .env and .npmrc; binary files, too. Links inside a folder are
not followed.

A secret is told by its public part, never whole. It is
  active    accepted by every check: revoke it
  expired, revoked   refused already
  deleted   refused, but `patdeck restore` would bring it back
  replaced  refused: its token has another secret now
  unknown   no token of this store

Exit codes:
  0 no active secret was found, or those found are revoked   1 an active one was found
  2 usage, or a PATH that is not there   4 the store cannot be used";

pub(super) const EXPORT: &str = "\
Examples:
  patdeck export --output tokens.jsonl
  patdeck export | ssh other-host patdeck import -

The first line is a header with the schema, the store's id and the number of tokens; each other
line is a token with all that is kept of it: name, scopes, times, the SHA-256 digest of its
secret, and that of the old secret while an overlap lasts. No secret is in it, and nobody can
make one of a digest. Deleted tokens and the audit trail stay here: see `patdeck backup`.

Exit codes:
  0 done   4 the store cannot be read; or it could, but for damaged records, which are named";

pub(super) const IMPORT: &str = "\
Examples:
  patdeck import tokens.jsonl --dry-run
  patdeck import tokens.jsonl --on-conflict skip

Secrets that were issued on the other host are valid here from then on. Lifetimes are taken over as
they are, longer than the settings here allow or not; a scope that the catalogue here does not
offer is refused. A token that is here already, in the same state, is left alone and is no
conflict, so that an import can be done again.

On a conflict, which is an id that is here with another state, or a name that another token has:
  fail      import nothing, and name every conflict
  skip      keep what is here
  replace   take what comes; who had the name is deleted, and can be restored for 24 hours
What was revoked, deleted or given another secret here would work again by a replace: that is
refused unless --yes is said, too.

Exit codes:
  0 done, or would be   2 the file cannot be read
  3 nothing was imported: a line is wrong, or in conflict   4 the store cannot be used";

pub(super) const BACKUP: &str = "\
Examples:
  patdeck backup /var/backups/patdeck-$(date +%F).redb
  patdeck list --store /var/backups/patdeck-2026-12-24.redb

The copy holds everything: tokens with the digests of their secrets, deleted tokens, and the audit
trail. It is the state of one instant; others may read and write meanwhile. It is compared with
the store after writing, and opens as one. To restore it, end all patdeck programs and copy it
over the store, or open it with --store.

Exit codes:
  0 done   4 not written; or written, and records that are damaged in the store are named";

pub(super) const COMPLETIONS: &str = "\
Examples:
  patdeck completions bash > ~/.local/share/bash-completion/completions/patdeck
  patdeck completions zsh > ~/.zfunc/_patdeck
  patdeck completions fish > ~/.config/fish/completions/patdeck.fish";

pub(super) const MAN: &str = "\
Example:
  patdeck man > ~/.local/share/man/man1/patdeck.1";

pub(super) const CONFIG: &str = "\
Examples:
  patdeck config init && \"${EDITOR:-vi}\" \"$(patdeck config path)\"
  patdeck config check
  patdeck config show --json

None of them opens the store.";

pub(super) const CONFIG_PATH: &str = "\
Example:
  \"${EDITOR:-vi}\" \"$(patdeck config path)\"";

pub(super) const CONFIG_INIT: &str = "\
Example:
  patdeck config init

Every line is a comment with the default in it. Exit 0, 3 if there is such a file already.";

pub(super) const CONFIG_CHECK: &str = "\
Example:
  patdeck config check --config new.toml && mv new.toml \"$(patdeck config path)\"

Prints FILE:LINE: and what was expected, one line a mistake. Exit 0, 2 if there is one.";

pub(super) const CONFIG_SHOW: &str = "\
Example:
  patdeck config show | grep -v default";

pub(super) const DOCTOR: &str = "\
Examples:
  patdeck doctor
  patdeck doctor --json > report.json

Prints no secret and no name of a token: it can be pasted into a report. What cannot be found
out says why. Exit 0 if all is well, 1 if something needs attention.";
