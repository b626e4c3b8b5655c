//! How things look: the styles by what they mean, from the styles of the theme, and the glyphs
//! in two alphabets. No state is told by colour alone: a sign or a word stands beside it. Called
//! by all drawing code.

mod palette;
pub mod time_format;

use std::ops::Deref;

use ratatui::style::Style;

pub use self::palette::Styles;
use crate::{
    config::{Glyphs, ThemeName},
    domain::Status,
};

#[derive(Debug, Clone, Copy)]
pub struct Theme {
    styles: &'static Styles,
    ascii: bool,
}

impl Deref for Theme {
    type Target = Styles;

    fn deref(&self) -> &Styles {
        self.styles
    }
}

impl Theme {
    /// In the styles of `theme`, with the characters of `glyphs`.
    pub fn new(theme: ThemeName, glyphs: Glyphs) -> Self {
        Self { styles: palette::of(theme), ascii: glyphs == Glyphs::Ascii }
    }

    pub fn is_ascii(&self) -> bool {
        self.ascii
    }

    /// A place that nothing of what was there before may show through.
    pub fn blank(&self) -> Style {
        Style::reset().patch(self.styles.base)
    }

    pub fn text(&self) -> Style {
        Style::new()
    }

    pub fn status(&self, status: Status) -> Style {
        match status {
            Status::Active => self.good,
            Status::Expired => self.warning,
            Status::Revoked => self.danger,
        }
    }

    /// The sign of a status: told apart without colour.
    pub fn status_glyph(&self, status: Status) -> &'static str {
        match (status, self.ascii) {
            (Status::Active, false) => "●",
            (Status::Expired, false) => "○",
            (Status::Revoked, false) => "×",
            (Status::Active, true) => "*",
            (Status::Expired, true) => "o",
            (Status::Revoked, true) => "x",
        }
    }

    /// The sign of an active token that expires within a week.
    pub fn soon_glyph(&self) -> &'static str {
        if self.ascii { "!" } else { "◐" }
    }

    pub fn mark(&self) -> &'static str {
        if self.ascii { "+" } else { "▌" }
    }

    /// The sign before something wrong.
    pub fn fault(&self) -> &'static str {
        "!"
    }

    /// The arrow of a sorted column.
    pub fn arrow(&self, descending: bool) -> &'static str {
        match (descending, self.ascii) {
            (true, false) => "▼",
            (false, false) => "▲",
            (true, true) => "v",
            (false, true) => "^",
        }
    }

    pub fn dot(&self) -> &'static str {
        if self.ascii { "-" } else { "·" }
    }

    /// What stands for cut text; one column wide.
    pub fn ellipsis(&self) -> &'static str {
        if self.ascii { "~" } else { "…" }
    }

    /// A horizontal rule's piece.
    pub fn dash(&self) -> &'static str {
        if self.ascii { "-" } else { "─" }
    }

    /// A vertical rule's piece.
    pub fn bar(&self) -> &'static str {
        if self.ascii { "|" } else { "│" }
    }

    /// The corners of a dialog: top left, top right, bottom left, bottom right.
    pub fn corners(&self) -> [&'static str; 4] {
        if self.ascii { ["+"; 4] } else { ["┌", "┐", "└", "┘"] }
    }

    /// A box that is ticked or not.
    pub fn tick(&self, on: bool) -> &'static str {
        if on { "[x]" } else { "[ ]" }
    }
}
