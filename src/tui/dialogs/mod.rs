//! The screens, one a file. A screen is a value: it answers actions and text with a `Step`,
//! draws itself from a `View`, and does no I/O, so that each can be driven and looked at in a
//! test with no terminal, clock, disk or randomness.

pub mod access_check;
pub mod bulk;
pub mod bulk_renewal;
pub(super) mod bulk_text;
pub mod confirm;
pub mod edit;
pub mod help;
pub mod messages;
pub mod palette;
pub mod preset;
pub mod regenerate;
pub mod save_secret;
pub mod scopes;
pub mod secret;
pub mod typed_confirm;

use ratatui::{
    buffer::Buffer,
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use crate::{
    keymap::{Action, Mode},
    service::ServiceError,
    tui::app::{
        effect::Step,
        service_request::{Effect, Outcome},
        view_context::View,
    },
};

/// What lies over a tab and has the keys.
#[derive(Debug)]
pub enum Overlay {
    /// Two buttons.
    Ask(confirm::Ask),
    /// A change to many tokens, and the count to type.
    Bulk(bulk::BulkDialog),
    /// New secrets for many tokens.
    BulkRenewal(bulk_renewal::BulkRenewal),
    /// A name or a count to type.
    Confirm(typed_confirm::Confirm),
    /// Name and description.
    Edit(edit::Edit),
    /// The keys.
    Help(help::Help),
    /// What was said.
    Messages(messages::Messages),
    /// Every command.
    Palette(palette::Palette),
    /// A preset of scopes to add.
    Preset(preset::PresetDialog),
    /// Lifetime and overlap of a new secret.
    Regenerate(regenerate::Regenerate),
    /// Scopes to add, or a row of the form.
    Scopes(scopes::ScopeDialog),
    /// A new secret.
    Secret(secret::SecretPanel),
    /// A request to decide.
    Test(access_check::Test),
    /// A file name for the secret.
    Write(save_secret::Write),
}

/// Passes a call on to the overlay that it is.
macro_rules! each {
    ($overlay:expr, $inner:ident => $call:expr) => {
        match $overlay {
            Overlay::Ask($inner) => $call,
            Overlay::Bulk($inner) => $call,
            Overlay::BulkRenewal($inner) => $call,
            Overlay::Confirm($inner) => $call,
            Overlay::Edit($inner) => $call,
            Overlay::Help($inner) => $call,
            Overlay::Messages($inner) => $call,
            Overlay::Palette($inner) => $call,
            Overlay::Preset($inner) => $call,
            Overlay::Regenerate($inner) => $call,
            Overlay::Scopes($inner) => $call,
            Overlay::Secret($inner) => $call,
            Overlay::Test($inner) => $call,
            Overlay::Write($inner) => $call,
        }
    };
}

impl Overlay {
    /// In which mode its keys are looked up.
    pub fn mode(&self) -> Mode {
        match self {
            Self::Ask(_) => Mode::Ask,
            Self::Bulk(_) => Mode::Bulk,
            Self::Confirm(_) => Mode::Confirm,
            Self::BulkRenewal(_)
            | Self::Edit(_)
            | Self::Preset(_)
            | Self::Regenerate(_)
            | Self::Scopes(_)
            | Self::Test(_)
            | Self::Write(_) => Mode::Form,
            Self::Help(_) | Self::Messages(_) | Self::Palette(_) => Mode::Menu,
            Self::Secret(_) => Mode::Secret,
        }
    }

    /// Whether `action` has something to do here.
    pub fn enables(&self, action: Action) -> bool {
        match (self, action) {
            (Self::Messages(_), Action::Accept) | (Self::Write(_), Action::CopyCommand) => false,
            (Self::Scopes(it), Action::CopyCommand) => !it.is_row(),
            (Self::Preset(it), Action::CopyCommand) => !it.is_row(),
            _ => true,
        }
    }

    /// What it would ask the service for as it stands; `None` while something is missing, and
    /// where it asks for nothing.
    pub fn effect(&self, view: &View<'_>) -> Option<Effect> {
        match self {
            Self::Ask(it) => Some(it.effect().clone()),
            Self::Bulk(it) => Some(it.effect()),
            Self::BulkRenewal(it) => it.effect(view),
            Self::Confirm(it) => Some(it.effect().clone()),
            Self::Edit(it) => it.effect(),
            Self::Preset(it) => it.effect(),
            Self::Regenerate(it) => it.effect(view),
            Self::Scopes(it) => it.effect(),
            Self::Test(it) => it.question(),
            Self::Help(_)
            | Self::Messages(_)
            | Self::Palette(_)
            | Self::Secret(_)
            | Self::Write(_) => None,
        }
    }

    /// Answers an action.
    pub fn on(&mut self, action: Action, view: &View<'_>) -> Step {
        each!(self, it => it.on(action, view))
    }

    /// Answers a key that is text.
    pub fn on_text(&mut self, key: KeyEvent, view: &View<'_>) -> Step {
        each!(self, it => it.on_text(key, view))
    }

    /// Takes a paste; false where there is no field for it.
    pub fn paste(&mut self, text: &str) -> bool {
        match self {
            Self::BulkRenewal(it) => it.paste(text),
            Self::Edit(it) => it.paste(text),
            Self::Preset(it) => it.paste(text),
            Self::Regenerate(it) => it.paste(text),
            Self::Scopes(it) => it.paste(text),
            Self::Test(it) => it.paste(text),
            Self::Write(it) => it.paste(text),
            Self::Ask(_)
            | Self::Bulk(_)
            | Self::Confirm(_)
            | Self::Help(_)
            | Self::Messages(_)
            | Self::Palette(_)
            | Self::Secret(_) => false,
        }
    }

    /// Draws it over `area`; the place of the cursor.
    pub fn draw(&mut self, area: Rect, buf: &mut Buffer, view: &View<'_>) -> Option<Position> {
        each!(self, it => it.draw(area, buf, view))
    }

    /// Takes the refusal of what it asked for; gives it back where it has no place to show it.
    pub fn refuse(&mut self, error: ServiceError) -> Option<ServiceError> {
        match self {
            Self::Bulk(it) => it.refuse(&error),
            Self::BulkRenewal(it) => it.refuse(&error),
            Self::Edit(it) => it.refuse(&error),
            Self::Preset(it) => it.refuse(&error),
            Self::Regenerate(it) => it.refuse(&error),
            Self::Scopes(it) => it.refuse(&error),
            Self::Ask(it) => it.refuse(&error),
            Self::Confirm(it) => it.refuse(&error),
            Self::Help(_)
            | Self::Messages(_)
            | Self::Palette(_)
            | Self::Secret(_)
            | Self::Test(_)
            | Self::Write(_) => return Some(error),
        }
        None
    }

    /// Takes an answer that only it can use; gives back what is for others.
    pub fn deliver(&mut self, outcome: Outcome) -> Option<Outcome> {
        match (self, outcome) {
            (Self::Test(it), Outcome::Decided(id, request, decision)) => {
                it.deliver(id, &request, decision);
                None
            }
            (_, outcome) => Some(outcome),
        }
    }

    /// Whether it closes once what it asked for is done.
    pub fn closes_when_done(&self) -> bool {
        matches!(
            self,
            Self::Ask(_)
                | Self::Bulk(_)
                | Self::BulkRenewal(_)
                | Self::Confirm(_)
                | Self::Edit(_)
                | Self::Preset(_)
                | Self::Regenerate(_)
                | Self::Scopes(_)
        )
    }
}
