//! The theme of the app: the styles by meaning, and the glyphs in Unicode and ASCII. No state is
//! shown by colour alone: a glyph or a word always accompanies the colour. Called by all drawing
//! code.

mod palette;
pub mod time_format;

use std::{borrow::Cow, ops::Deref};

use ratatui::style::Style;

pub use self::palette::Styles;
use crate::{
    config::{GlyphSet, ThemeName},
    domain::{
        LifetimeLevel, Status,
        terminal_text::{escape, to_ascii},
    },
};

/// The styles and glyphs of the app.
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
    /// The styles of `theme` with the glyph set `glyphs`.
    pub fn new(theme: ThemeName, glyphs: GlyphSet) -> Self {
        Self { styles: palette::styles_of(theme), ascii: glyphs == GlyphSet::Ascii }
    }

    pub fn is_ascii(&self) -> bool {
        self.ascii
    }

    /// Escapes what the terminal cannot show: unsafe characters and, with the ASCII glyphs, all
    /// other characters. Returns `text` itself if nothing is escaped: a copy of a secret would stay
    /// in freed memory.
    pub fn printable<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let text = escape(text);
        if !self.ascii || text.is_ascii() {
            return text;
        }
        // Replace the ellipsis by a glyph of one column first: `to_ascii` would write `...`, which
        // is wider.
        Cow::Owned(to_ascii(&text.replace('…', self.ellipsis())).into_owned())
    }

    /// The base style for a cell that covers other content. It also resets the style of that
    /// content.
    pub fn blank(&self) -> Style {
        Style::reset().patch(self.styles.base)
    }

    pub fn text(&self) -> Style {
        Style::new()
    }

    pub fn status(&self, status: Status) -> Style {
        match status {
            Status::Active => self.good,
            Status::NotYetValid => self.accent,
            Status::Expired => self.faint,
            Status::Revoked => self.danger,
        }
    }

    /// The glyph of a status. Each status has a different glyph, so that statuses can be told apart
    /// without colour.
    pub fn status_glyph(&self, status: Status) -> &'static str {
        match (status, self.ascii) {
            (Status::Active, false) => "●",
            (Status::NotYetValid, false) => "◌",
            (Status::Expired, false) => "○",
            (Status::Revoked, false) => "×",
            (Status::Active, true) => "*",
            (Status::NotYetValid, true) => "-",
            (Status::Expired, true) => "o",
            (Status::Revoked, true) => "x",
        }
    }

    /// The glyph of an active token that expires within a week.
    pub fn soon_glyph(&self) -> &'static str {
        if self.ascii { "!" } else { "◐" }
    }

    /// The glyph of an active token that expires within a day.
    pub fn urgent_glyph(&self) -> &'static str {
        "!"
    }

    pub fn lifetime(&self, level: LifetimeLevel) -> Style {
        match level {
            LifetimeLevel::Ample => self.good,
            LifetimeLevel::Low => self.warning,
            LifetimeLevel::Critical => self.danger,
        }
    }

    /// A gauge of `cells` columns that shows `permille` thousandths. Only zero has no full cell.
    pub fn gauge(&self, permille: u16, cells: u16) -> String {
        let (full, empty) = if self.ascii { ("#", "-") } else { ("▰", "▱") };
        let rounded = (u32::from(permille) * u32::from(cells) + 500) / 1_000;
        let at_least = usize::from(permille > 0);
        let count = usize::try_from(rounded).unwrap_or(0).clamp(at_least, usize::from(cells));
        full.repeat(count) + &empty.repeat(usize::from(cells) - count)
    }

    /// The glyph of a marked row. It must be visible on the selected row, too, whose colours are
    /// reversed.
    pub fn mark_glyph(&self) -> &'static str {
        if self.ascii { "+" } else { "✓" }
    }

    /// The glyph in front of a fault.
    pub fn fault_glyph(&self) -> &'static str {
        "!"
    }

    /// The glyph in front of what is in order.
    pub fn ok_glyph(&self) -> &'static str {
        if self.ascii { "+" } else { "✓" }
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

    /// The mark of a tab with a draft. It is one column wide.
    pub fn draft_mark(&self) -> &'static str {
        if self.ascii { "*" } else { "•" }
    }

    pub fn dot(&self) -> &'static str {
        if self.ascii { "-" } else { "·" }
    }

    /// The glyph that replaces cut text. It is one column wide.
    pub fn ellipsis(&self) -> &'static str {
        if self.ascii { "~" } else { "…" }
    }

    /// The glyph for one column of a horizontal line.
    pub fn dash(&self) -> &'static str {
        if self.ascii { "-" } else { "─" }
    }

    /// The glyph for one row of a vertical line.
    pub fn bar(&self) -> &'static str {
        if self.ascii { "|" } else { "│" }
    }

    /// The track and the thumb of a scrollbar.
    pub fn scrollbar(&self) -> (&'static str, &'static str) {
        if self.ascii { ("|", "#") } else { ("░", "█") }
    }

    /// The corners of a dialog: top left, top right, bottom left, bottom right.
    pub fn corners(&self) -> [&'static str; 4] {
        if self.ascii { ["+"; 4] } else { ["╭", "╮", "╰", "╯"] }
    }

    /// The text of a checkbox. `on` is true if the checkbox is selected.
    pub fn checkbox(&self, on: bool) -> &'static str {
        if on { "[x]" } else { "[ ]" }
    }
}
