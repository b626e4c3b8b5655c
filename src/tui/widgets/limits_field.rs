//! Input for the limits of a token: three text fields, which take one line while another input has
//! the focus. The note below shows the fault or a hint. The create form and the edit dialog share
//! it.

use chrono::{TimeDelta, Timelike as _};
use ratatui::{
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use super::{
    canvas::Canvas,
    form::{FieldNote, FormInput},
    text_group::TextGroup,
};
use crate::{
    domain::{
        LimitChange, LimitChanges, LimitError, MaxUses, NotBefore, SourceNetworks, Timestamp,
        TokenLimits,
    },
    service::Zone,
    tui::{app::model::Model, theme::time_format},
};

/// Hit-map number of the first text field. No form has so many inputs, so no other input has this
/// number.
const FIRST_FIELD: usize = usize::MAX - 10;

const LABELS: [&str; 3] = ["allow from", "not before", "max uses"];

/// The text fields of the limits.
#[derive(Debug)]
pub struct LimitsField {
    fields: TextGroup<3>,
    /// The texts at the start. A text that stays the same does not change its limit.
    original: [String; 3],
}

impl LimitsField {
    /// Starts with `limits`, those of an existing token.
    pub fn with_limits(limits: &TokenLimits, zone: Zone) -> Self {
        let start = limits.not_before.map(|start| start_text(start, zone));
        let texts = [
            limits.sources.as_ref().map(ToString::to_string),
            start,
            limits.max_uses.map(|max| max.to_string()),
        ];
        Self::with_texts(texts.clone(), texts)
    }

    /// Starts with `changes`, those of a new token. A time is shown like that of an existing token.
    pub fn with_changes(changes: &LimitChanges, zone: Zone) -> Self {
        fn text<T: ToString>(change: &LimitChange<T>) -> Option<String> {
            match change {
                LimitChange::Set(value) => Some(value.to_string()),
                LimitChange::Keep | LimitChange::Remove => None,
            }
        }
        let start = match changes.not_before {
            LimitChange::Set(NotBefore::At(start)) => Some(start_text(next_minute(start), zone)),
            other => text(&other),
        };
        let texts = [text(&changes.sources), start, text(&changes.max_uses)];
        Self::with_texts(texts, [None, None, None])
    }

    fn with_texts(texts: [Option<String>; 3], original: [Option<String>; 3]) -> Self {
        Self {
            fields: TextGroup::new(LABELS, texts.map(Option::unwrap_or_default), FIRST_FIELD),
            original: original.map(Option::unwrap_or_default),
        }
    }

    /// The entered texts, without surrounding blanks.
    pub fn texts(&self) -> [String; 3] {
        self.fields.texts()
    }

    /// Tells the input whether it has the focus. Without it, the input takes one line.
    pub fn set_focused(&mut self, is_focused: bool) {
        self.fields.set_focused(is_focused);
    }

    /// Shows `fault` below the fields until the next change.
    pub fn set_fault(&mut self, fault: String) {
        self.fields.set_fault(fault);
    }

    /// The changes of the limits. `None` while a text is invalid.
    pub fn changes(&self, ctx: &Model) -> Option<LimitChanges> {
        self.parse(ctx).ok()
    }

    /// Moves the focus to the first text field with a fault.
    pub fn focus_fault(&mut self, ctx: &Model) {
        if let Err((field, _)) = self.parse(ctx) {
            self.fields.select(field);
        }
    }

    /// Parses the texts. An error contains the index of the text field.
    fn parse(&self, ctx: &Model) -> Result<LimitChanges, (usize, LimitError)> {
        let changes = LimitChanges {
            sources: self.change::<SourceNetworks>(0)?,
            not_before: self.change::<NotBefore>(1)?,
            max_uses: self.change::<MaxUses>(2)?,
        };
        if let LimitChange::Set(start) = changes.not_before {
            start.resolve(ctx.now, |wall| ctx.zone.to_utc(wall)).map_err(|error| (1, error))?;
        }
        Ok(changes)
    }

    fn change<T: std::str::FromStr<Err = LimitError>>(
        &self,
        field: usize,
    ) -> Result<LimitChange<T>, (usize, LimitError)> {
        let texts = self.texts();
        let (text, original) = match (texts.get(field), self.original.get(field)) {
            (Some(text), Some(original)) if text != original => (text, original),
            _ => return Ok(LimitChange::Keep),
        };
        match text.as_str() {
            "" if original.is_empty() => Ok(LimitChange::Keep),
            "" => Ok(LimitChange::Remove),
            text => text.parse().map(LimitChange::Set).map_err(|error| (field, error)),
        }
    }

    fn hint(&self, ctx: &Model) -> String {
        let selected = self.fields.selected();
        let text = self.texts().into_iter().nth(selected).unwrap_or_default();
        match (selected, text.parse::<NotBefore>()) {
            (0, _) => "allow from: networks such as 10.0.0.0/8, or empty".to_owned(),
            (1, Ok(start)) => match start.resolve(ctx.now, |wall| ctx.zone.to_utc(wall)) {
                Ok(at) => format!("Valid from {}", time_format::date(at, ctx.shown_zone())),
                Err(_) => "Has passed".to_owned(),
            },
            (1, Err(_)) => "not before: 2h, 2027-01-31, 2027-01-31T09:00 or empty".to_owned(),
            _ => "max uses: a number for each secret, or empty".to_owned(),
        }
    }

    /// The limits in one line.
    fn summary(&self) -> String {
        let texts = self.texts();
        let set = LABELS.iter().zip(&texts).filter(|(_, text)| !text.is_empty());
        let set: Vec<_> = set.map(|(label, text)| format!("{label} {text}")).collect();
        if set.is_empty() { "none".to_owned() } else { set.join("; ") }
    }
}

/// The start of validity as it can be typed: in local time if it has no seconds.
fn start_text(start: Timestamp, zone: Zone) -> String {
    let wall = zone.wall_time(start).naive_local();
    let local = NotBefore::Local(wall);
    let is_exact = zone.to_utc(wall) == start && local.to_string().parse() == Ok(local);
    if is_exact { local } else { NotBefore::At(start) }.to_string()
}

/// The first full minute from `start` on.
fn next_minute(start: Timestamp) -> Timestamp {
    let past = TimeDelta::seconds(start.second().into())
        + TimeDelta::nanoseconds(start.timestamp_subsec_nanos().into());
    if past.is_zero() { start } else { start - past + TimeDelta::minutes(1) }
}

impl FormInput for LimitsField {
    fn step(&mut self, down: bool) -> bool {
        self.fields.step(down)
    }

    fn enter(&mut self, _from_above: bool) {
        self.fields.enter();
    }

    fn open(&mut self) -> bool {
        self.fields.open()
    }

    fn focus_inner_field(&mut self, field: usize) -> bool {
        self.fields.focus_inner_field(field)
    }

    fn press(&mut self, key: KeyEvent) -> bool {
        self.fields.press(key)
    }

    fn paste(&mut self, text: &str) -> bool {
        self.fields.paste(text)
    }

    fn note(&self, ctx: &Model) -> Option<FieldNote> {
        let invalid = self.parse(ctx).err().map(|(field, error)| (field, error.to_string()));
        Some(self.fields.note(invalid, || self.hint(ctx)))
    }

    fn height(&self, _columns: u16) -> u16 {
        self.fields.height()
    }

    fn draw(&self, area: Rect, canvas: &mut Canvas<'_>, focused: bool) -> Option<Position> {
        self.fields.draw(&self.summary(), area, canvas, focused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_of_a_clone_has_no_seconds() {
        let text = |start: &str| {
            let start = LimitChange::Set(NotBefore::At(start.parse().unwrap()));
            let changes = LimitChanges { not_before: start, ..LimitChanges::default() };
            LimitsField::with_changes(&changes, Zone::utc()).texts()[1].clone()
        };
        assert_eq!(text("2026-11-30T10:06:08.547640630Z"), "2026-11-30T10:07");
        assert_eq!(text("2026-11-30T10:06:00Z"), "2026-11-30T10:06");
    }
}
