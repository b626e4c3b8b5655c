//! What the dialog about many tokens says: its title, the consequence, and what is done in the
//! end. Called by the dialog and by whoever answers it; draws nothing.

use std::path::Path;

use chrono::TimeDelta;

use super::confirm::counted;
use crate::{
    domain::{Overlap, Scopes, Status, sentence::permits},
    keymap::{Action, Mode},
    service::{Bulk, Preview, Renewal, bulk::Candidate},
    tui::{app::view_context::ViewContext, theme::time_format},
};

/// The texts of one dialog.
#[derive(Debug)]
pub(super) struct Words {
    pub(super) title: String,
    pub(super) text: Vec<String>,
    /// `revoke`, as in "To revoke, type the count".
    pub(super) verb: &'static str,
    /// `revokes`, as in "Enter revokes".
    pub(super) enter: &'static str,
    /// The title once it is done.
    pub(super) done: String,
}

impl Words {
    pub(super) fn of(preview: &Preview, ctx: &ViewContext<'_>) -> Self {
        let changed: Vec<&Candidate> =
            preview.candidates.iter().filter(|each| each.spared.is_none()).collect();
        let tokens = counted(changed.len(), "token");
        let (title, text, verb, enter) = match &preview.bulk {
            Bulk::Revoke => (
                format!("Revoke {tokens}?"),
                "From the moment you confirm, every check of these secrets is denied, everywhere. \
                 Nothing brings them back."
                    .to_owned(),
                "revoke",
                "revokes",
            ),
            Bulk::Delete => (
                format!("Delete {tokens}?"),
                format!(
                    "The secrets are dead and the records are gone from the list. {} brings all \
                     of it back for 24 hours; after that nothing does.",
                    ctx.key(Mode::Tokens, Action::Undo)
                ),
                "delete",
                "deletes",
            ),
            Bulk::AddScopes(scopes) => {
                let mut set = Scopes::default();
                for scope in scopes {
                    // What repeats another says nothing new.
                    drop(set.add(scope.clone()));
                }
                (
                    format!("Add scopes to {tokens}?"),
                    format!("Besides what it may now, each {}.", permits(&set)),
                    "add",
                    "adds",
                )
            }
            Bulk::Regenerate { renewal, file } => (
                format!("Regenerate {tokens}?"),
                renewing(*renewal, file, &changed, ctx),
                "regenerate",
                "regenerates",
            ),
        };
        let done = format!("{tokens} regenerated");
        if changed.is_empty() {
            let title = format!("Nothing to {verb}");
            let text = vec!["Every one of them is left out.".to_owned()];
            return Self { title, text, verb, enter, done };
        }
        Self { title, text: vec![text, of_late(&changed, ctx)], verb, enter, done }
    }
}

/// What regenerating does to them.
fn renewing(renewal: Renewal, file: &str, changed: &[&Candidate], ctx: &ViewContext<'_>) -> String {
    let zone = ctx.zone;
    let limits = &ctx.policy.limits;
    let until = match renewal.lifetime.expiry(ctx.now, limits, |wall| zone.instant(wall)) {
        Ok(Some(end)) => format!("lasts until {}", time_format::full(end, zone)),
        Ok(None) | Err(_) => "never expires".to_owned(),
    };
    let active = changed.iter().filter(|each| each.status == Status::Active).count();
    let old = match (active, renewal.overlap) {
        (0, _) => "None of the old secrets works now.".to_owned(),
        (active, Overlap::None) => {
            format!("The old secrets of the {active} active ones are dead at once.")
        }
        (active, overlap) => {
            format!("The old secrets of the {active} active ones work for {} more.", overlap.word())
        }
    };
    format!(
        "Each gets a new secret and {until}. All new secrets go to {file}, which only you can \
         read, before an old one dies. {old}"
    )
}

/// How many of them were used of late: what the change may break.
fn of_late(changed: &[&Candidate], ctx: &ViewContext<'_>) -> String {
    let day = TimeDelta::hours(24);
    let late =
        |each: &&&Candidate| each.last_used.as_ref().is_some_and(|used| ctx.now - used.at < day);
    match (changed.iter().filter(late).count(), changed.len()) {
        (0, _) => "None of them was used in the last 24 hours.".to_owned(),
        (late, all) => format!("{late} of {all} used in the last 24 hours; the latest come first."),
    }
}

/// What was done, for the line that speaks.
pub(in crate::tui) fn done(bulk: &Bulk, count: usize) -> String {
    let tokens = counted(count, "token");
    let are = if count == 1 { "is" } else { "are" };
    match bulk {
        Bulk::Revoke => format!("{tokens} {are} revoked: every check is denied from now on"),
        Bulk::Delete => format!("{tokens} {are} deleted"),
        Bulk::AddScopes(_) => format!("scopes added to {tokens}"),
        Bulk::Regenerate { .. } => format!("{tokens} regenerated"),
    }
}

/// What must be read once many have new secrets.
pub(in crate::tui) fn delivery_text(count: usize, file: &Path) -> String {
    format!(
        "{} written to {}, mode 0600.\n\nEach line has a name, a tab and a secret. Give each to its \
         owner, then remove the file: the secrets are nowhere else, and are not shown again.",
        if count == 1 { "1 new secret is".to_owned() } else { format!("{count} new secrets are") },
        file.display()
    )
}
