//! What the app knows: the tokens at hand, the store in numbers, the instant of the present
//! turn, and the settings. The app alone changes it. Screens and dialogs only read it, but for what
//! drawing notes of the frame: regions for clicks, and when a time reads otherwise.

use std::cell::Cell;

use chrono::TimeDelta;

use super::effect::Tab;
use crate::{
    domain::{Timestamp, Token, TokenId},
    keymap::{Action, Keymap, Mode, key_label},
    list::{StoreSummary, TokenCache},
    service::{Clock, Followed, Policy, Zone},
    tui::{
        theme::{
            Theme,
            time_format::{self, TimeFormat},
        },
        widgets::hit_map::HitMap,
    },
};

/// Tokens beyond which the numbers follow the clock by the minute, not by each expiry: of a
/// million one expires every few seconds.
const MANY: usize = 100_000;

/// Everything that screens look at.
#[derive(Debug)]
pub struct Model {
    pub(super) known: TokenCache,
    /// The whole store in a few words.
    pub census: StoreSummary,
    /// A fetch failed: no other is tried until something happens.
    is_stuck: bool,
    clock: Clock,
    pub now: Timestamp,
    /// The operator's wall clock.
    pub zone: Zone,
    pub times: TimeFormat,
    pub read_only: bool,
    pub theme: Theme,
    /// Prefix, limits and catalogue.
    pub policy: Policy,
    pub keymap: Keymap,
    /// What a click means, by the last frame.
    pub hit_map: HitMap,
    /// When a time in the last frame first reads otherwise.
    text_change: Cell<Option<Timestamp>>,
}

impl Model {
    pub fn new(clock: Clock, zone: Zone, theme: Theme, policy: Policy, keymap: Keymap) -> Self {
        Self {
            known: TokenCache::default(),
            census: StoreSummary::default(),
            is_stuck: false,
            now: clock.now(),
            clock,
            zone,
            times: TimeFormat::default(),
            read_only: false,
            theme,
            policy,
            keymap,
            hit_map: HitMap::default(),
            text_change: Cell::default(),
        }
    }

    /// The key of `action` in `mode`, to be named in a sentence.
    pub fn key(&self, mode: Mode, action: Action) -> String {
        key_label(&self.keymap, mode, action, self.theme.is_ascii())
    }

    pub fn relative(&self, at: Timestamp) -> String {
        self.changes_at(time_format::next_change(at, self.now));
        time_format::relative(at, self.now)
    }

    /// `at` for a narrow column, in the form that the operator chose.
    pub fn short(&self, at: Timestamp) -> String {
        match self.times {
            TimeFormat::Relative => self.relative(at),
            TimeFormat::Local | TimeFormat::Utc => {
                time_format::short(at, self.now, self.times, self.zone)
            }
        }
    }

    /// `at` in full, in the form that the operator chose.
    pub fn detailed(&self, at: Timestamp) -> String {
        if self.times == TimeFormat::Relative {
            self.changes_at(time_format::next_change(at, self.now));
        }
        time_format::detailed(at, self.now, self.times, self.zone)
    }

    /// A text of the frame reads otherwise from `at` on.
    pub fn changes_at(&self, at: Timestamp) {
        let first = self.text_change.get().map_or(at, |other| other.min(at));
        self.text_change.set(Some(first));
    }

    /// The tabs that there are: a read-only patdeck makes no tokens.
    pub fn tabs(&self) -> Vec<Tab> {
        Tab::ALL.into_iter().filter(|tab| !(self.read_only && *tab == Tab::Create)).collect()
    }

    /// The token with this id, if it is at hand and still there. At hand are the tokens on the
    /// screen, the selected one and the one that the detail shows.
    pub fn token(&self, id: &TokenId) -> Option<&Token> {
        self.known.token(id)
    }

    /// Whether it is known that there is no such token.
    pub fn is_gone(&self, id: &TokenId) -> bool {
        self.known.is_gone(id)
    }

    /// Reads the clock: the instant of the turn that begins. Says whether the list must be
    /// asked for anew: a token expired since, or, the clock having gone back, may be active
    /// again.
    pub fn tick(&mut self) -> bool {
        let before = std::mem::replace(&mut self.now, self.clock.now());
        self.is_stuck = false;
        self.now < before || self.ages().is_some_and(|at| before < at && at <= self.now)
    }

    /// When the numbers of the whole store are to be taken anew.
    fn ages(&self) -> Option<Timestamp> {
        let until = self.census.stats?.until?;
        let minute = self.census.at + TimeDelta::minutes(1);
        Some(if self.census.total > MANY { until.max(minute) } else { until })
    }

    /// Whether every token has been read.
    pub fn is_loaded(&self) -> bool {
        self.census.stats.is_some()
    }

    /// Takes tokens as they are now.
    pub fn take_tokens(&mut self, tokens: impl IntoIterator<Item = (TokenId, Option<Token>)>) {
        for (id, token) in tokens {
            self.known.put(id, token);
        }
    }

    /// Takes changes; the tokens that are concerned, `None` if it may be any.
    pub fn follow(&mut self, changes: Followed) -> Option<Vec<TokenId>> {
        match changes {
            Followed::Nothing => Some(Vec::new()),
            Followed::Everything(_) => {
                self.known.clear();
                None
            }
            Followed::Tokens(tokens, _) => {
                let ids = tokens.iter().map(|(id, _)| *id).collect();
                for (id, token) in tokens {
                    self.known.update(id, token);
                }
                Some(ids)
            }
        }
    }

    /// Which of these tokens are to be fetched.
    pub fn missing(&self, wanted: &[TokenId]) -> Vec<TokenId> {
        if self.is_stuck {
            return Vec::new();
        }
        wanted.iter().filter(|id| !self.known.has(id)).copied().collect()
    }

    pub fn fetch_failed(&mut self) {
        self.is_stuck = true;
    }

    /// A frame begins: nothing is known of it.
    pub(super) fn begin_frame(&self) {
        self.hit_map.clear();
        self.text_change.set(None);
    }

    /// The next instant at which something looks different without a change: a token or an
    /// overlap ends, or a time on the screen reads otherwise, which is looked at once a minute.
    /// `None` while nothing will.
    pub fn next_change(&self) -> Option<Timestamp> {
        let minute = self.now + TimeDelta::minutes(1);
        let text = self.text_change.get().map(|at| at.max(minute));
        let retry = self.is_stuck.then_some(minute);
        let ends = self.known.iter().flat_map(|token| {
            [token.expires, token.previous.as_ref().map(|old| old.until)].into_iter().flatten()
        });
        let ends = ends.chain(self.ages()).filter(|end| *end > self.now);
        ends.chain(text).chain(retry).min()
    }

    /// What the operator must know before anything else, while it lasts.
    pub fn banner(&self) -> Option<String> {
        if let Some(mark) = self.census.clock_behind {
            return Some(format!(
                "this machine's clock is behind the last change ({}): expiry is judged by that \
                 time; set the clock, or accept it with {}",
                mark.format("%Y-%m-%d %H:%M UTC"),
                self.key(Mode::Global, Action::AcceptClock),
            ));
        }
        if let Some(first) = self.census.damaged.first() {
            let more = match self.census.damaged.len() - 1 {
                0 => String::new(),
                more => format!(", and {more} more"),
            };
            return Some(format!("{first}{more}: its token is denied; restore a backup"));
        }
        let (first, count) = self.census.undelivered?;
        let more = match count - 1 {
            0 => String::new(),
            more => format!(" (and of {more} more)"),
        };
        let key = |action| self.key(Mode::Tokens, action);
        let (renew, revoke) = (key(Action::Regenerate), key(Action::Revoke));
        let advice = format!(": {renew} regenerates it, {revoke} revokes it");
        let advice = if self.read_only { "" } else { &advice };
        let name = &self.known.token(&first)?.name;
        Some(format!("the secret of {name}{more} was never confirmed as saved{advice}"))
    }

    /// The first token whose secret was left behind.
    pub fn first_unclaimed(&self) -> Option<TokenId> {
        self.census.undelivered.map(|(first, _)| first)
    }
}
