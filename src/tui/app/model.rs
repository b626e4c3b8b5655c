//! The model of the app: cached tokens, the store summary, the current time and the settings. Only
//! the app changes the model, and screens and dialogs read it. The only exception: drawing records
//! the click regions of the frame and the next change of a displayed time.

use std::{cell::Cell, time::Duration};

use chrono::TimeDelta;

use super::effect::Tab;
use crate::{
    config::NamedView,
    domain::{Lifetime, Timestamp, Token, TokenId, counted, time_text::minute_text},
    keymap::{Action, Keymap, Mode, key_label},
    list::{StoreSummary, TokenCache},
    output::advice,
    service::{Clock, Policy, TokenChanges, Zone},
    tui::{
        theme::{
            Theme,
            time_format::{self, TimeFormat},
        },
        widgets::{canvas::width, hit_map::HitMap},
    },
};

/// The number of tokens above which the statistics are refreshed at most once a minute. In a
/// smaller store, the statistics are refreshed whenever a token expires or starts to expire within
/// 7 days. Among a million tokens with lifetimes of months, that happens every few seconds.
const LARGE_STORE: usize = 100_000;

/// The state that all screens and dialogs read.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent of each other")]
pub struct Model {
    pub(super) token_cache: TokenCache,
    /// Whether the newest entry of the undo history restores deleted tokens.
    pub has_deleted_tokens: bool,
    /// The store summary: counts, undelivered secrets and damage.
    pub summary: StoreSummary,
    /// Whether a fetch failed. If so, no token is fetched before the next event: a fetch that keeps
    /// failing would otherwise be repeated without a pause.
    fetch_paused: bool,
    clock: Clock,
    pub now: Timestamp,
    /// The value of [`Clock::elapsed`] at the last event. Intervals are measured with this value,
    /// because `now` can go back.
    pub elapsed: Duration,
    /// The time zone of the operator.
    pub zone: Zone,
    pub time_format: TimeFormat,
    pub read_only: bool,
    /// Whether the operator dismissed the line about undelivered secrets.
    is_undelivered_dismissed: bool,
    /// Whether the create form has a draft.
    pub has_draft: bool,
    /// Whether the detail has changes of scopes that are not applied.
    pub has_scope_changes: bool,
    /// Number of marked tokens that the list did not show when the last bulk action began.
    pub hidden_marks: usize,
    /// The tokens whose new secret is on the screen.
    pub(super) shown_secrets: Vec<TokenId>,
    /// The tokens whose new secret is printed when the app quits.
    pub secrets_to_print: Vec<TokenId>,
    /// Whether the store is that of the demo, in memory. The app then writes no file.
    pub is_demo: bool,
    pub theme: Theme,
    /// Prefix, limits and catalogue.
    pub policy: Policy,
    pub keymap: Keymap,
    /// The searches with names that the list offers.
    pub views: Vec<NamedView>,
    /// The click regions of the last frame.
    pub hit_map: HitMap,
    /// The earliest instant at which the text of a time shown in the last frame changes.
    next_text_change: Cell<Option<Timestamp>>,
}

impl Model {
    pub fn new(clock: Clock, zone: Zone, theme: Theme, policy: Policy, keymap: Keymap) -> Self {
        Self {
            token_cache: TokenCache::default(),
            has_deleted_tokens: false,
            summary: StoreSummary::default(),
            fetch_paused: false,
            now: clock.now(),
            elapsed: clock.elapsed(),
            clock,
            zone,
            time_format: TimeFormat::default(),
            read_only: false,
            is_undelivered_dismissed: false,
            has_draft: false,
            has_scope_changes: false,
            hidden_marks: 0,
            shown_secrets: Vec::new(),
            secrets_to_print: Vec::new(),
            is_demo: false,
            theme,
            policy,
            keymap,
            views: Vec::new(),
            hit_map: HitMap::default(),
            next_text_change: Cell::default(),
        }
    }

    /// The label of the key for `action` in `mode`, for use in a sentence.
    pub fn key(&self, mode: Mode, action: Action) -> String {
        key_label(&self.keymap, mode, action, self.theme.is_ascii())
    }

    pub fn relative_time(&self, at: Timestamp) -> String {
        self.note_text_change(time_format::next_change(at, self.now));
        time_format::relative(at, self.now)
    }

    /// Formats `at` for a narrow column, in the selected time format.
    pub fn short_time(&self, at: Timestamp) -> String {
        match self.time_format {
            TimeFormat::Relative => self.relative_time(at),
            TimeFormat::Local | TimeFormat::Utc => {
                time_format::short(at, self.now, self.time_format, self.zone)
            }
        }
    }

    /// Formats `at` relative to now, or as a date if times are shown in local time or UTC.
    pub fn relative_or_date(&self, at: Timestamp) -> String {
        match self.time_format {
            TimeFormat::Relative => self.relative_time(at),
            TimeFormat::Local | TimeFormat::Utc => self.date(at),
        }
    }

    /// Formats `at` as a date with the time of day, in the time zone of the screen.
    pub fn date(&self, at: Timestamp) -> String {
        time_format::date(at, self.shown_zone())
    }

    /// The time zone in which the screen shows dates.
    pub fn shown_zone(&self) -> Zone {
        if self.time_format == TimeFormat::Utc { Zone::utc() } else { self.zone }
    }

    /// Formats `at` in full, in the selected time format.
    pub fn detailed_time(&self, at: Timestamp) -> String {
        if self.time_format == TimeFormat::Relative {
            self.note_text_change(time_format::next_change(at, self.now));
        }
        time_format::detailed(at, self.now, self.time_format, self.zone)
    }

    /// The lifetime with which the secret of `token` was issued, or the default lifetime if the
    /// policy no longer allows that lifetime.
    pub fn own_lifetime(&self, token: &Token) -> Lifetime {
        let to_utc = |wall| self.zone.to_utc(wall);
        Lifetime::between(token.issued, token.expires, to_utc)
            .filter(|own| own.expiry(self.now, &self.policy.limits, to_utc).is_ok())
            .unwrap_or(self.policy.default_lifetime)
    }

    /// Records that the text of a time shown in the current frame changes at `at`.
    pub fn note_text_change(&self, at: Timestamp) {
        let first = self.next_text_change.get().map_or(at, |other| other.min(at));
        self.next_text_change.set(Some(first));
    }

    /// The tabs of the app. Read-only mode has no create tab.
    pub fn tabs(&self) -> Vec<Tab> {
        Tab::ALL.into_iter().filter(|tab| !(self.read_only && *tab == Tab::Create)).collect()
    }

    /// Returns the cached token with this id, or `None` if the token is deleted or is not cached.
    /// The app fetches every token that the screen shows. Other tokens can be missing.
    pub fn token(&self, id: &TokenId) -> Option<&Token> {
        self.token_cache.token(id)
    }

    /// Whether the cache knows that the token does not exist.
    pub fn is_gone(&self, id: &TokenId) -> bool {
        self.token_cache.is_gone(id)
    }

    /// Reads the clock for the next event. Returns `true` if the list must be requested again,
    /// because the statistics are out of date or the clock went back. After the clock went back, an
    /// expired token may be active again.
    pub fn tick(&mut self) -> bool {
        let before = std::mem::replace(&mut self.now, self.clock.now());
        self.elapsed = self.clock.elapsed();
        self.fetch_paused = false;
        self.now < before
            || self.stats_valid_until().is_some_and(|at| before < at && at <= self.now)
    }

    /// When the statistics of the store must be refreshed.
    fn stats_valid_until(&self) -> Option<Timestamp> {
        let until = self.summary.stats.as_ref()?.until?;
        let minute = self.summary.at + TimeDelta::minutes(1);
        Some(if self.summary.total > LARGE_STORE { until.max(minute) } else { until })
    }

    /// Whether the store has been loaded completely.
    pub fn is_loaded(&self) -> bool {
        self.summary.stats.is_some()
    }

    /// Puts fetched tokens into the cache.
    pub fn update_tokens(&mut self, tokens: impl IntoIterator<Item = (TokenId, Option<Token>)>) {
        for (id, token) in tokens {
            self.token_cache.put(id, token);
        }
    }

    /// Applies changes of the store to the cache. Returns the ids of the changed tokens, or `None`
    /// if any token may have changed.
    pub fn apply_changes(&mut self, changes: TokenChanges) -> Option<Vec<TokenId>> {
        match changes {
            TokenChanges::Unchanged => Some(Vec::new()),
            TokenChanges::NeedsReload(_) => {
                self.token_cache.clear();
                None
            }
            TokenChanges::Tokens(tokens, _) => {
                let ids = tokens.iter().map(|(id, _)| *id).collect();
                for (id, token) in tokens {
                    self.token_cache.update(id, token);
                }
                Some(ids)
            }
        }
    }

    /// The tokens of `wanted` that must be fetched.
    pub fn missing_tokens(&self, wanted: &[TokenId]) -> Vec<TokenId> {
        if self.fetch_paused {
            return Vec::new();
        }
        wanted.iter().filter(|id| !self.token_cache.has(id)).copied().collect()
    }

    pub fn fetch_failed(&mut self) {
        self.fetch_paused = true;
    }

    /// Clears the click regions and the next text change, which drawing records again for each
    /// frame.
    pub(super) fn begin_frame(&self) {
        self.hit_map.clear();
        self.next_text_change.set(None);
    }

    /// The next instant at which the screen must be updated without an event: a token expires, an
    /// overlap ends, the statistics or a displayed time change, or a failed fetch is tried again.
    /// Displayed times are updated at most once a minute. Returns `None` if there is no such
    /// instant.
    pub fn next_change(&self) -> Option<Timestamp> {
        let minute = self.now + TimeDelta::minutes(1);
        let text = self.next_text_change.get().map(|at| at.max(minute));
        let retry = self.fetch_paused.then_some(minute);
        let ends = self.token_cache.iter().flat_map(|token| {
            [token.expires, token.previous.as_ref().map(|old| old.until)].into_iter().flatten()
        });
        let ends = ends.chain(self.stats_valid_until()).filter(|end| *end > self.now);
        ends.chain(text).chain(retry).min()
    }

    /// The most important persistent warning. In order of importance: the clock is behind, the
    /// store was replaced, a job was interrupted, records are damaged.
    pub fn banner(&self) -> Option<String> {
        if let Some(last_change) = self.summary.clock_behind {
            return Some(format!(
                "The system clock is behind the newest time in the store, {}. Until the clock catches up, \
                 patdeck uses that time to decide which tokens have expired, and issues no secret. \
                 Correct the clock, or press {} to accept the clock's time.",
                minute_text(last_change),
                self.key(Mode::Global, Action::AcceptClock),
            ));
        }
        if self.summary.is_history_replaced {
            return Some(
                "The store was replaced by another state of itself: changes that you saw may be \
                 missing. Compare it with a backup."
                    .to_owned(),
            );
        }
        if let Some(job) = &self.summary.interrupted_job {
            return Some(advice::interrupted_job(job));
        }
        if let Some(first) = self.summary.damaged.first() {
            let more = match self.summary.damaged.len() - 1 {
                0 => String::new(),
                more => format!(" and {}", counted(more, "other record")),
            };
            return Some(format!(
                "Damaged: {first}{more}. Affected tokens are denied; restore a backup, or delete the records."
            ));
        }
        None
    }

    /// The line about undelivered secrets in at most `columns` columns, if possible: a narrow line
    /// does not name the token, to which the key goes anyway. `None` if the operator dismissed it.
    pub fn lost_secret_line(&self, columns: u16) -> Option<String> {
        let (first, count) = self.lost_secrets().filter(|_| !self.is_undelivered_dismissed)?;
        let key = |action| self.key(Mode::Tokens, action);
        let (go_to, dismiss) = (key(Action::GoToLostSecret), key(Action::Back));
        let name = &self.token(&first)?.name;
        let (more, secrets) = match count - 1 {
            0 => (String::new(), "A secret".to_owned()),
            others => (format!(" (and {})", counted(others, "other")), counted(count, "secret")),
        };
        let lines = [
            format!(
                "Secret of {name} may be lost{more}: {go_to} goes to it, {dismiss} hides this line"
            ),
            format!("Secret of {name} may be lost{more}: {go_to} go to it, {dismiss} hide"),
            format!("Secret of {name} may be lost{more}: {go_to} go, {dismiss} hide"),
            format!("{secrets} may be lost: {go_to} go to it, {dismiss} hide"),
            format!("{secrets} may be lost: {go_to} go, {dismiss} hide"),
        ];
        let [.., shortest] = &lines;
        Some(lines.iter().find(|line| width(line) <= columns).unwrap_or(shortest).clone())
    }

    /// Hides the line about undelivered secrets for this session.
    pub(super) fn dismiss_undelivered(&mut self) {
        self.is_undelivered_dismissed = true;
    }

    /// The first token whose secret may be lost.
    pub fn first_lost_secret(&self) -> Option<TokenId> {
        self.lost_secrets().map(|(first, _)| first)
    }

    /// The first token whose secret may be lost, and the number of these tokens: those that have been
    /// undelivered since before this session, without those whose new secret the app holds.
    fn lost_secrets(&self) -> Option<(TokenId, usize)> {
        let (ids, count) = &self.summary.undelivered;
        let is_held =
            |id: &&TokenId| self.shown_secrets.contains(*id) || self.secrets_to_print.contains(*id);
        let held = ids.iter().filter(is_held).count();
        let first = ids.iter().find(|id| !is_held(id))?;
        Some((*first, count.saturating_sub(held)))
    }
}
