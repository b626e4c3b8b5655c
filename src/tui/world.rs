//! What the app knows: the tokens as last read, kept in step with the store's news, the instant
//! of the present turn, and the settings. Screens see it through `View` and never change it.

use super::{look::Look, places::Places, view::View, when::Times};
use crate::{
    domain::{Moment, Pat, Status, TokenId},
    keymap::{Action, Keymap, Mode},
    service::{Clock, Followed, Loaded, Policy, Zone},
};

/// Everything that screens look at.
#[derive(Debug)]
pub struct World {
    pats: Vec<Pat>,
    damaged: Vec<String>,
    clock_behind: Option<Moment>,
    left_unclaimed: Vec<TokenId>,
    loaded: bool,
    clock: Clock,
    now: Moment,
    zone: Zone,
    /// In which form times are shown.
    pub times: Times,
    /// Whether nothing may be changed.
    pub read_only: bool,
    look: Look,
    policy: Policy,
    keymap: Keymap,
    /// What a click means, by the last frame.
    pub(super) places: Places,
}

impl World {
    /// A world without tokens yet.
    pub fn new(clock: Clock, zone: Zone, look: Look, policy: Policy, keymap: Keymap) -> Self {
        Self {
            pats: Vec::new(),
            damaged: Vec::new(),
            clock_behind: None,
            left_unclaimed: Vec::new(),
            loaded: false,
            now: clock.now(),
            clock,
            zone,
            times: Times::default(),
            read_only: false,
            look,
            policy,
            keymap,
            places: Places::default(),
        }
    }

    /// What screens see of it.
    pub fn view(&self) -> View<'_> {
        View {
            pats: &self.pats,
            now: self.now,
            zone: self.zone,
            times: self.times,
            read_only: self.read_only,
            look: self.look,
            policy: &self.policy,
            keymap: &self.keymap,
            places: &self.places,
        }
    }

    /// Reads the clock: the instant of the turn that begins. Says whether a token expired
    /// since the last one, or, the clock having gone back, may be active again.
    pub fn tick(&mut self) -> bool {
        let before = std::mem::replace(&mut self.now, self.clock.now());
        let between = before.min(self.now)..=before.max(self.now);
        before != self.now
            && self.pats.iter().any(|pat| pat.expires.is_some_and(|end| between.contains(&end)))
    }

    /// The instant of this turn.
    pub fn now(&self) -> Moment {
        self.now
    }

    /// Whether the tokens have been read.
    pub fn is_loaded(&self) -> bool {
        self.loaded
    }

    /// Takes every token. The first time, secrets that nobody confirmed are remembered: they
    /// were left behind by a session that ended too early.
    pub fn load(&mut self, loaded: Loaded) {
        if !self.loaded {
            let left = |pat: &&Pat| !pat.claimed && pat.status(self.now) == Status::Active;
            self.left_unclaimed = loaded.pats.iter().filter(left).map(|pat| pat.id).collect();
        }
        self.loaded = true;
        self.pats = loaded.pats;
        self.pats.sort_by_key(|pat| pat.id);
        self.damaged = loaded.damaged.iter().map(ToString::to_string).collect();
        self.clock_behind = loaded.clock_behind;
    }

    /// Takes news; the tokens that are concerned, `None` if it may be any.
    pub fn follow(&mut self, news: Followed) -> Option<Vec<TokenId>> {
        match news {
            Followed::Nothing => Some(Vec::new()),
            Followed::Everything(loaded) => {
                self.load(loaded);
                None
            }
            Followed::Tokens(changed, _) => {
                let ids = changed.iter().map(|(id, _)| *id).collect();
                for (id, fresh) in changed {
                    let place = self.pats.binary_search_by(|pat| pat.id.cmp(&id));
                    match (place, fresh) {
                        (Ok(at), Some(pat)) => {
                            if let Some(old) = self.pats.get_mut(at) {
                                *old = pat;
                            }
                        }
                        (Ok(at), None) => drop(self.pats.remove(at)),
                        (Err(at), Some(pat)) => self.pats.insert(at, pat),
                        (Err(_), None) => {}
                    }
                }
                Some(ids)
            }
        }
    }

    /// The next instant at which something looks different without a change: a minute has
    /// passed, or a token or an overlap ends.
    pub fn next_change(&self) -> Moment {
        let minute = self.now + chrono::TimeDelta::minutes(1);
        let ends = self.pats.iter().flat_map(|pat| {
            [pat.expires, pat.retiring.as_ref().map(|old| old.until)].into_iter().flatten()
        });
        ends.filter(|end| *end > self.now).chain([minute]).min().unwrap_or(minute)
    }

    /// What the operator must know before anything else, while it lasts.
    pub fn banner(&self) -> Option<String> {
        if let Some(mark) = self.clock_behind {
            return Some(format!(
                "this machine's clock is behind the last change ({}): expiry is judged by that \
                 time; set the clock, or accept it with {}",
                mark.format("%Y-%m-%d %H:%M UTC"),
                self.view().key(Mode::Global, Action::AcceptClock),
            ));
        }
        if let Some(first) = self.damaged.first() {
            let more = match self.damaged.len() - 1 {
                0 => String::new(),
                more => format!(", and {more} more"),
            };
            return Some(format!("{first}{more}: its token is denied; restore a backup"));
        }
        let mut left = self.unclaimed();
        let first = left.next()?;
        let more = match left.count() {
            0 => String::new(),
            more => format!(" (and of {more} more)"),
        };
        let key = |action| self.view().key(Mode::Tokens, action);
        let (renew, revoke) = (key(Action::Regenerate), key(Action::Revoke));
        let advice = format!(": {renew} regenerates it, {revoke} revokes it");
        let advice = if self.read_only { "" } else { &advice };
        Some(format!("the secret of {}{more} was never confirmed as saved{advice}", first.name))
    }

    /// The tokens whose secrets were left behind, as far as nobody has seen to them.
    fn unclaimed(&self) -> impl Iterator<Item = &Pat> {
        let left = self.left_unclaimed.iter().filter_map(|id| self.view().pat(id));
        left.filter(|pat| !pat.claimed && pat.status(self.now) == Status::Active)
    }

    /// The first token whose secret was left behind.
    pub fn first_unclaimed(&self) -> Option<TokenId> {
        self.unclaimed().next().map(|pat| pat.id)
    }

    /// Whether expiry is judged by the last change because the clock is behind it.
    pub fn is_clock_behind(&self) -> bool {
        self.clock_behind.is_some()
    }
}
