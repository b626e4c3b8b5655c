//! The choice of a lifetime: the presets, or one's own in a field beside them, with the instant
//! at which it would end or what is wrong with it. Shared by create and regenerate.

use super::paint::Canvas;
use chrono::TimeDelta;
use ratatui::{
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use super::{
    field::Field,
    form::{FormInput, Note},
    paint::row_of,
    radio_group::RadioGroup,
};
use crate::{
    domain::{Lifetime, LifetimeError, Timestamp},
    tui::{app::model::Model, theme::time_format},
};

/// The number of the field for one's own lifetime, whichever form it is in.
const CUSTOM_FIELD: usize = usize::MAX;

const CUSTOM: &str = "custom";
const NEVER: &str = "never";

#[derive(Debug)]
pub struct LifetimeField {
    choice: RadioGroup,
    custom: Field,
    /// Whether the keys go to the field for one's own.
    typing: bool,
    /// Set once it was submitted: from then on what is wrong is said.
    tried: bool,
}

impl LifetimeField {
    /// The presets with the policy's default chosen.
    pub fn new(ctx: &Model) -> Self {
        Self::with(ctx.policy.default_lifetime, ctx)
    }

    /// The presets with `lifetime` chosen; one that is no preset is typed in the field already.
    pub fn with(lifetime: Lifetime, ctx: &Model) -> Self {
        let policy = &ctx.policy;
        let mut words: Vec<&str> =
            Lifetime::PRESETS.into_iter().filter(|word| lasts(word, ctx).is_ok()).collect();
        if policy.limits.allow_never {
            words.push(NEVER);
        }
        words.push(CUSTOM);
        // A day is offered as 24h, and printed as 1d.
        let same = |word: &&str| word.parse() == Ok(lifetime);
        let preset = words.iter().copied().find(same);
        let mut choice = RadioGroup::new(words, 0);
        choice.choose(preset.unwrap_or(CUSTOM));
        let own = preset.map_or_else(|| lifetime.to_string(), |_| String::new());
        Self { choice, custom: Field::line(&own), typing: false, tried: false }
    }

    /// What stands in it, as text.
    fn as_str(&self) -> String {
        if self.is_custom() { self.custom.text() } else { self.choice.as_str().to_owned() }
    }

    fn is_custom(&self) -> bool {
        self.choice.as_str() == CUSTOM
    }

    /// The lifetime, once its end has been found to be allowed; from then on it says what is
    /// wrong.
    pub fn submit(&mut self, ctx: &Model) -> Option<Lifetime> {
        self.tried = true;
        self.named(ctx)
    }

    /// The lifetime that it names now, if it is allowed; a look must not mark it as faulty.
    pub fn named(&self, ctx: &Model) -> Option<Lifetime> {
        lasts(&self.as_str(), ctx).ok()?;
        self.as_str().parse().ok()
    }
}

impl FormInput for LifetimeField {
    /// Goes into the field for one's own, or out of it; false where there is no way to go.
    fn step(&mut self, down: bool) -> bool {
        let go = self.is_custom() && self.typing != down;
        if go {
            self.typing = down;
        }
        go
    }

    fn enter(&mut self, from_above: bool) {
        self.typing = !from_above && self.is_custom();
    }

    fn focus_part(&mut self, field: usize) -> bool {
        self.typing = field == CUSTOM_FIELD;
        self.typing
    }

    fn press(&mut self, key: KeyEvent) -> bool {
        if self.typing {
            return self.custom.press(key);
        }
        // A digit is the start of one's own lifetime: no need to choose "custom" first.
        let digit =
            matches!(key.code, ratatui::crossterm::event::KeyCode::Char(c) if c.is_ascii_digit());
        if digit {
            self.choice.choose(CUSTOM);
            self.typing = true;
            self.custom.set("");
            return self.custom.press(key);
        }
        self.choice.press(key)
    }

    fn paste(&mut self, text: &str) -> bool {
        if self.typing {
            self.custom.paste(text);
        }
        self.typing
    }

    fn note(&self, ctx: &Model) -> Option<Note> {
        Some(match lasts(&self.as_str(), ctx) {
            Ok(Some(end)) => {
                if !matches!(self.as_str().parse(), Ok(Lifetime::Through(_))) {
                    // It moves on with the clock, and is told by the minute.
                    ctx.changes_at(ctx.now + TimeDelta::minutes(1));
                }
                Note::Hint(format!("expires {}", time_format::full(end, ctx.zone)))
            }
            Ok(None) => Note::Hint("never expires: somebody must remember to revoke it".into()),
            Err(_) if !self.tried && self.as_str().is_empty() => {
                Note::Hint("45m, 24h, 30d, 8w, 1y or a date like 2027-01-31".into())
            }
            Err(fault) => Note::Fault(fault.to_string()),
        })
    }

    fn height(&self, columns: u16) -> u16 {
        self.choice.height(columns) + u16::from(self.is_custom())
    }

    fn draw(&self, area: Rect, canvas: &mut Canvas<'_>, focused: bool) -> Option<Position> {
        let ctx = canvas.ctx;
        let cursor = self.choice.draw(area, canvas, focused && !self.typing);
        if !self.is_custom() {
            return cursor;
        }
        let place = row_of(area, self.choice.height(area.width));
        let place = Rect { width: place.width.min(20), ..place };
        ctx.hit_map.field(place, CUSTOM_FIELD);
        cursor.or(self.custom.draw(place, canvas, focused && self.typing))
    }
}

fn lasts(word: &str, ctx: &Model) -> Result<Option<Timestamp>, LifetimeError> {
    let zone = ctx.zone;
    word.parse::<Lifetime>()?.expiry(ctx.now, &ctx.policy.limits, |wall| zone.instant(wall))
}
