//! How things look: the styles by what they mean, from the styles of the theme, and the glyphs
//! in two alphabets. No state is told by colour alone: a sign or a word stands beside it. Called
//! by all drawing code.

mod palette;
pub mod time_format;

use ratatui::style::Style;

use self::palette::Styles;
use crate::{
    config::{Glyphs, Theme},
    domain::Status,
};

/// The styles and glyphs in force.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    styles: &'static Styles,
    ascii: bool,
}

impl Look {
    /// In the styles of `theme`, with the characters of `glyphs`.
    pub fn new(theme: Theme, glyphs: Glyphs) -> Self {
        Self { styles: palette::of(theme), ascii: glyphs == Glyphs::Ascii }
    }

    /// Whether only ASCII may be drawn.
    pub fn is_ascii(&self) -> bool {
        self.ascii
    }

    /// The whole screen, before anything is drawn on it.
    pub fn base(&self) -> Style {
        self.styles.base
    }

    /// A place that nothing of what was there before may show through.
    pub fn blank(&self) -> Style {
        Style::reset().patch(self.styles.base)
    }

    /// Ordinary text.
    pub fn text(&self) -> Style {
        Style::new()
    }

    /// Text of less weight: labels, hints, what is not set.
    pub fn faint(&self) -> Style {
        self.styles.faint
    }

    /// A heading.
    pub fn heading(&self) -> Style {
        self.styles.heading
    }

    /// What has the focus, or is on.
    pub fn accent(&self) -> Style {
        self.styles.accent
    }

    /// A key to press.
    pub fn key(&self) -> Style {
        self.styles.key
    }

    /// The selected row, where the keys go: one even bar, whatever the colours of its cells.
    pub fn selected(&self) -> Style {
        self.styles.selected
    }

    /// The selected row of a pane that does not have the keys.
    pub fn selected_idle(&self) -> Style {
        self.styles.selected_idle
    }

    /// The tab that is shown.
    pub fn tab(&self) -> Style {
        self.styles.tab
    }

    /// Something went well.
    pub fn good(&self) -> Style {
        self.styles.good
    }

    /// Something wants attention.
    pub fn warning(&self) -> Style {
        self.styles.warning
    }

    /// Something is wrong, or destroys.
    pub fn danger(&self) -> Style {
        self.styles.danger
    }

    /// A rule or border.
    pub fn rule(&self) -> Style {
        self.styles.rule
    }

    /// A field that can be typed in; the cursor and its label tell whether it has the focus.
    pub fn field(&self) -> Style {
        self.styles.field
    }

    /// The status of a token.
    pub fn status(&self, status: Status) -> Style {
        match status {
            Status::Active => self.good(),
            Status::Expired => self.warning(),
            Status::Revoked => self.danger(),
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

    /// The sign of a marked row.
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

    /// The dot between two facts.
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
