//! What a screen may see while it acts or draws: the tokens as last read, the present instant,
//! the settings and the look. Read-only; a screen changes the world through effects alone.

use super::{look::Look, places::Places, step::Tab, when::Times};
use crate::{
    domain::{Moment, Pat, TokenId},
    keymap::{Action, Keymap, Mode, spoken},
    service::{Policy, Zone},
};

/// The world as a screen sees it.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Every token, in the order of their ids.
    pub pats: &'a [Pat],
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

    /// The token with this id, if it is still there.
    pub fn pat(&self, id: &TokenId) -> Option<&'a Pat> {
        let at = self.pats.binary_search_by(|pat| pat.id.cmp(id)).ok()?;
        self.pats.get(at)
    }
}
