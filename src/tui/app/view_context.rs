//! What a screen may see while it acts or draws: the tokens at hand and the store in numbers,
//! the present instant, the settings and the look. Read-only, but for what drawing notes of the
//! frame: regions for clicks, and when a time reads otherwise.

use std::cell::Cell;

use super::effect::Tab;
use crate::{
    domain::{Moment, Pat, TokenId},
    keymap::{Action, Keymap, Mode, spoken},
    list::{StoreSummary, TokenCache, TokenStats},
    service::{Policy, Zone},
    tui::{
        theme::{
            Look,
            time_format::{self, TimeFormat},
        },
        widgets::hit_map::HitMap,
    },
};

/// The model as a screen sees it.
#[derive(Debug, Clone, Copy)]
pub struct ViewContext<'a> {
    pub(super) known: &'a TokenCache,
    /// The whole store in a few words.
    pub census: &'a StoreSummary,
    /// The present instant.
    pub now: Moment,
    /// The operator's wall clock.
    pub zone: Zone,
    /// In which form times are shown.
    pub times: TimeFormat,
    /// Whether nothing may be changed.
    pub read_only: bool,
    /// Styles and glyphs.
    pub look: Look,
    /// Prefix, limits and catalogue.
    pub policy: &'a Policy,
    /// Which key does what.
    pub keymap: &'a Keymap,
    /// Where drawing notes what a click means.
    pub hit_map: &'a HitMap,
    /// Where drawing notes when a time first reads otherwise.
    pub(super) text_change: &'a Cell<Option<Moment>>,
}

impl<'a> ViewContext<'a> {
    /// The key of `action` in `mode`, to be named in a sentence.
    pub fn key(&self, mode: Mode, action: Action) -> String {
        spoken(self.keymap, mode, action, self.look.is_ascii())
    }

    /// `at` as a distance from now.
    pub fn relative(&self, at: Moment) -> String {
        self.changes_at(time_format::next_change(at, self.now));
        time_format::relative(at, self.now)
    }

    /// `at` for a narrow column, in the form that the operator chose.
    pub fn short(&self, at: Moment) -> String {
        match self.times {
            TimeFormat::Relative => self.relative(at),
            TimeFormat::Local | TimeFormat::Utc => {
                time_format::short(at, self.now, self.times, self.zone)
            }
        }
    }

    /// `at` in full, in the form that the operator chose.
    pub fn detailed(&self, at: Moment) -> String {
        if self.times == TimeFormat::Relative {
            self.changes_at(time_format::next_change(at, self.now));
        }
        time_format::detailed(at, self.now, self.times, self.zone)
    }

    /// A text of the frame reads otherwise from `at` on.
    pub fn changes_at(&self, at: Moment) {
        let first = self.text_change.get().map_or(at, |other| other.min(at));
        self.text_change.set(Some(first));
    }

    /// The tabs that there are: a read-only patdeck makes no tokens.
    pub fn tabs(&self) -> Vec<Tab> {
        Tab::ALL.into_iter().filter(|tab| !(self.read_only && *tab == Tab::Create)).collect()
    }

    /// The token with this id, if it is at hand and still there. At hand are the tokens on the
    /// screen, the selected one and the one that the detail shows.
    pub fn pat(&self, id: &TokenId) -> Option<&'a Pat> {
        self.known.pat(id)
    }

    /// Whether it is known that there is no such token.
    pub fn is_gone(&self, id: &TokenId) -> bool {
        self.known.is_gone(id)
    }

    /// All tokens in numbers, once everything is read.
    pub fn numbers(&self) -> Option<TokenStats> {
        self.census.stats
    }
}
