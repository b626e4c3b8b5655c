//! What a screen may see while it acts or draws: the tokens at hand and the store in numbers,
//! the present instant, the settings and the look. Read-only; a screen changes the world
//! through effects alone.

use super::{look::Look, places::Places, step::Tab, when::Times};
use crate::{
    domain::{Counts, Moment, Pat, TokenId},
    keymap::{Action, Keymap, Mode, spoken},
    list::{StoreSummary, TokenCache, TokenStats},
    service::{Policy, Zone},
};

/// The world as a screen sees it.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    pub(super) known: &'a TokenCache,
    /// The whole store in a few words.
    pub census: &'a StoreSummary,
    /// The present instant.
    pub now: Moment,
    /// The operator's wall clock.
    pub zone: Zone,
    /// In which form times are shown.
    pub times: Times,
    /// Whether nothing may be changed.
    pub read_only: bool,
    /// Styles and glyphs.
    pub look: Look,
    /// Prefix, limits and catalogue.
    pub policy: &'a Policy,
    /// Which key does what.
    pub keymap: &'a Keymap,
    /// Where drawing notes what a click means.
    pub places: &'a Places,
}

impl<'a> View<'a> {
    /// The key of `action` in `mode`, to be named in a sentence.
    pub fn key(&self, mode: Mode, action: Action) -> String {
        spoken(self.keymap, mode, action, self.look.is_ascii())
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

    /// How many tokens have each status, as far as that is known.
    pub fn counts(&self) -> Counts {
        self.numbers().map(|numbers| numbers.counts).unwrap_or_default()
    }
}
