//! How things look: the styles by what they mean, and the glyphs in two alphabets. Sixteen ANSI
//! colours on the terminal's own background, so that every palette stays readable; without
//! colours the same differences are told by weight and glyph. Called by all drawing code.

use ratatui::style::{Color, Modifier, Style};

use crate::domain::Status;

/// The styles and glyphs in force.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    colours: bool,
    ascii: bool,
}

impl Look {
    /// With colours or without, in ASCII or in Unicode.
    pub fn new(colours: bool, ascii: bool) -> Self {
        Self { colours, ascii }
    }

    /// Whether only ASCII may be drawn.
    pub fn is_ascii(&self) -> bool {
        self.ascii
    }

    fn tint(self, colour: Color) -> Style {
        if self.colours { Style::new().fg(colour) } else { Style::new() }
    }

    /// Ordinary text.
    pub fn text(&self) -> Style {
        Style::new()
    }

    /// Text of less weight: labels, hints, what is not set.
    pub fn faint(&self) -> Style {
        if self.colours { Style::new().fg(Color::DarkGray) } else { Style::new() }
    }

    /// A heading.
    pub fn heading(&self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What has the focus, or is on.
    pub fn accent(&self) -> Style {
        self.tint(Color::Cyan).add_modifier(Modifier::BOLD)
    }

    /// A key to press.
    pub fn key(&self) -> Style {
        if self.colours { Style::new().fg(Color::Cyan) } else { self.heading() }
    }

    /// The selected row, where the keys go: one even bar, whatever the colours of its cells.
    pub fn selected(&self) -> Style {
        Style::new().fg(Color::Reset).add_modifier(Modifier::REVERSED)
    }

    /// The selected row of a pane that does not have the keys.
    pub fn selected_idle(&self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// The tab that is shown.
    pub fn tab(&self) -> Style {
        self.tint(Color::Cyan).add_modifier(Modifier::REVERSED | Modifier::BOLD)
    }

    /// Something went well.
    pub fn good(&self) -> Style {
        self.tint(Color::Green)
    }

    /// Something wants attention.
    pub fn warning(&self) -> Style {
        self.tint(Color::Yellow)
    }

    /// Something is wrong, or destroys.
    pub fn danger(&self) -> Style {
        if self.colours { Style::new().fg(Color::Red) } else { self.heading() }
    }

    /// A rule or border.
    pub fn rule(&self) -> Style {
        self.faint()
    }

    /// A field that can be typed in; the cursor and its label tell whether it has the focus.
    pub fn field(&self) -> Style {
        Style::new().add_modifier(Modifier::UNDERLINED)
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
