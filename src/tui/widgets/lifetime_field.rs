//! Input for a lifetime: a radio group of presets and a text field for a custom value. The note
//! below shows the resulting expiry or the fault. The create and regenerate forms share it.

use super::canvas::Canvas;
use chrono::TimeDelta;
use ratatui::{
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use super::{
    canvas::line_rect,
    form::{FieldNote, FormInput},
    radio_group::RadioGroup,
    text_input::TextInput,
};
use crate::{
    domain::{Lifetime, LifetimeError, Timestamp},
    tui::{app::model::Model, theme::time_format},
};

/// Hit-map number of the custom field. No form has so many inputs, so no other input has this
/// number.
const CUSTOM_FIELD: usize = usize::MAX;

const CUSTOM: &str = "custom";
const NEVER: &str = "never";
/// The choice that keeps the last lifetime of each token.
const SAME: &str = "same";

/// A lifetime, chosen from presets or typed.
#[derive(Debug)]
pub struct LifetimeField {
    choice: RadioGroup,
    custom: TextInput,
    /// Whether the custom field has the focus.
    is_custom_focused: bool,
    /// Whether a submit was tried. After a submit, an empty value is shown as a fault.
    was_submitted: bool,
}

impl LifetimeField {
    /// Starts with `lifetime`. A lifetime that is not a preset is shown in the custom field.
    /// Presets that the policy forbids are left out.
    pub fn with_lifetime(lifetime: Lifetime, ctx: &Model) -> Self {
        Self::with_choices(&[], lifetime, ctx)
    }

    /// Offers the labels `first` before the presets. Selects the first label of `first`, or
    /// `lifetime` if `first` is empty.
    fn with_choices(first: &[&'static str], lifetime: Lifetime, ctx: &Model) -> Self {
        let policy = &ctx.policy;
        let presets = Lifetime::PRESETS.into_iter().filter(|text| parse_expiry(text, ctx).is_ok());
        let mut labels: Vec<&str> = first.iter().copied().chain(presets).collect();
        if policy.limits.allow_never {
            labels.push(NEVER);
        }
        labels.push(CUSTOM);
        // Compare values, not text: the preset `24h` is printed as `1d`.
        let is_same = |label: &&str| label.parse() == Ok(lifetime);
        let preset = labels.iter().copied().find(is_same);
        let mut choice = RadioGroup::new(labels, 0);
        choice.select(first.first().copied().or(preset).unwrap_or(CUSTOM));
        let custom = preset.map_or_else(|| lifetime.to_string(), |_| String::new());
        Self {
            choice,
            custom: TextInput::single_line(&custom),
            is_custom_focused: false,
            was_submitted: false,
        }
    }

    /// Starts with the choice that keeps the last lifetime of each token.
    pub fn keeping(ctx: &Model) -> Self {
        Self::with_choices(&[SAME], ctx.policy.default_lifetime, ctx)
    }

    /// Whether each token keeps its last lifetime.
    pub fn keeps_last(&self) -> bool {
        self.choice.selected_label() == SAME
    }

    /// The entered lifetime, not validated.
    fn text(&self) -> String {
        if self.is_custom() { self.custom.text() } else { self.choice.selected_label().to_owned() }
    }

    fn is_custom(&self) -> bool {
        self.choice.selected_label() == CUSTOM
    }

    /// The lifetime if it is valid and allowed. From this call on, the note also reports an empty
    /// value as a fault.
    pub fn submit(&mut self, ctx: &Model) -> Option<Lifetime> {
        self.was_submitted = true;
        self.valid_lifetime(ctx)
    }

    /// The lifetime if it is valid and allowed. Unlike [`LifetimeField::submit`], this method has
    /// no effect on the note.
    pub fn valid_lifetime(&self, ctx: &Model) -> Option<Lifetime> {
        parse_expiry(&self.text(), ctx).ok()?;
        self.text().parse().ok()
    }

    /// The end of the selected lifetime as a part of a sentence: `until 28 Feb 2027`. A lifetime
    /// under two days has the time of day, too. `None` while the lifetime is invalid.
    pub fn end_text(&self, ctx: &Model) -> Option<String> {
        Some(match parse_expiry(&self.text(), ctx).ok()? {
            None => "without an end".to_owned(),
            Some(end) if end - ctx.now < TimeDelta::days(2) => {
                format!("until {}", time_format::date(end, ctx.shown_zone()))
            }
            Some(end) => format!("until {}", time_format::day(end, ctx.shown_zone())),
        })
    }
}

impl FormInput for LifetimeField {
    /// Moves between the presets and the custom field; returns `false` at either end.
    fn step(&mut self, down: bool) -> bool {
        let can_move = self.is_custom() && self.is_custom_focused != down;
        if can_move {
            self.is_custom_focused = down;
        }
        can_move
    }

    fn enter(&mut self, from_above: bool) {
        self.is_custom_focused = !from_above && self.is_custom();
    }

    fn focus_inner_field(&mut self, field: usize) -> bool {
        self.is_custom_focused = field == CUSTOM_FIELD;
        self.is_custom_focused
    }

    fn press(&mut self, key: KeyEvent) -> bool {
        if self.is_custom_focused {
            return self.custom.press(key);
        }
        // A digit starts a custom lifetime, even while another choice is selected.
        let is_digit =
            matches!(key.code, ratatui::crossterm::event::KeyCode::Char(c) if c.is_ascii_digit());
        if is_digit {
            self.choice.select(CUSTOM);
            self.is_custom_focused = true;
            self.custom.set_text("");
            return self.custom.press(key);
        }
        self.choice.press(key)
    }

    fn paste(&mut self, text: &str) -> bool {
        if self.is_custom_focused {
            self.custom.paste(text);
        }
        self.is_custom_focused
    }

    fn note(&self, ctx: &Model) -> Option<FieldNote> {
        if self.keeps_last() {
            return Some(FieldNote::Hint("Each token keeps its last lifetime".into()));
        }
        Some(match parse_expiry(&self.text(), ctx) {
            Ok(Some(end)) => {
                if !matches!(self.text().parse(), Ok(Lifetime::Through(_))) {
                    // The lifetime starts now, so the expiry advances with the clock. Update the
                    // note every minute, because it shows minutes.
                    ctx.note_text_change(ctx.now + TimeDelta::minutes(1));
                }
                let date = time_format::date(end, ctx.shown_zone());
                FieldNote::Hint(format!("Expires {}, {date}", time_format::relative(end, ctx.now)))
            }
            Ok(None) => FieldNote::Hint("Never expires: remember to revoke it".into()),
            Err(_) if !self.was_submitted && self.text().is_empty() => {
                FieldNote::Hint("45m, 24h, 30d, 8w, 1y or 2027-01-31".into())
            }
            Err(fault) => FieldNote::Fault(fault.to_string()),
        })
    }

    fn height(&self, columns: u16) -> u16 {
        self.choice.height(columns) + u16::from(self.is_custom())
    }

    fn draw(&self, area: Rect, canvas: &mut Canvas<'_>, focused: bool) -> Option<Position> {
        let ctx = canvas.ctx;
        let cursor = self.choice.draw(area, canvas, focused && !self.is_custom_focused);
        if !self.is_custom() {
            return cursor;
        }
        let rect = line_rect(area, self.choice.height(area.width));
        let rect = Rect { width: rect.width.min(20), ..rect };
        ctx.hit_map.field(rect, CUSTOM_FIELD);
        cursor.or(self.custom.draw(rect, canvas, focused && self.is_custom_focused))
    }
}

/// Parses a lifetime, checks it against the policy, and returns the expiry. Returns `Ok(None)` for
/// the lifetime `never`.
fn parse_expiry(text: &str, ctx: &Model) -> Result<Option<Timestamp>, LifetimeError> {
    let zone = ctx.zone;
    text.parse::<Lifetime>()?.expiry(ctx.now, &ctx.policy.limits, |wall| zone.to_utc(wall))
}
