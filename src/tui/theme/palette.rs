//! The styles of each theme. `default` keeps the background of the terminal and uses its 16
//! colours, but never black, white or grey, because these can equal the background. `dark`, `light`
//! and `high-contrast` set their own background. These themes use only those of the 256 colours
//! that are the same on every terminal.

use ratatui::style::{Color, Modifier, Style};

use crate::config::ThemeName;

/// The styles of a theme, by meaning.
#[derive(Debug)]
pub struct Styles {
    /// The whole screen, before anything is drawn on it.
    pub base: Style,
    /// Secondary text: labels, hints, unset values.
    pub faint: Style,
    pub rule: Style,
    /// A heading. This style has no colour, because it is combined with other styles.
    pub heading: Style,
    /// The focused or enabled element.
    pub accent: Style,
    pub key: Style,
    pub tab: Style,
    /// The selected row of the focused list: a bar that overrides the colours of its cells.
    pub selected: Style,
    /// The selected row of a list without the focus.
    pub selected_idle: Style,
    /// A text field, with or without the focus. The cursor and the label show which field has the
    /// focus.
    pub field: Style,
    pub good: Style,
    pub warning: Style,
    /// An error or a destructive action.
    pub danger: Style,
    /// A match of the search. It is combined with other styles.
    pub search_match: Style,
    /// The screen behind a dialog. It overrides the colours and weights of the cells.
    pub behind: Style,
}

const PLAIN: Style = Style::new();
const BOLD: Style = PLAIN.add_modifier(Modifier::BOLD);
const UNDERLINED: Style = PLAIN.add_modifier(Modifier::UNDERLINED);
/// A bar that overrides the colours and weights of its cells.
const BAR: Style = PLAIN
    .fg(Color::Reset)
    .add_modifier(Modifier::REVERSED)
    .remove_modifier(Modifier::DIM.union(Modifier::BOLD));

/// A style that removes the weights of the cells.
const fn flat(style: Style) -> Style {
    let weights = Modifier::BOLD.union(Modifier::REVERSED).union(Modifier::UNDERLINED);
    style.remove_modifier(weights)
}

const fn fg(index: u8) -> Style {
    PLAIN.fg(Color::Indexed(index))
}

const fn bg(index: u8) -> Style {
    PLAIN.bg(Color::Indexed(index))
}

const fn colours(fg: u8, bg: u8) -> Style {
    PLAIN.fg(Color::Indexed(fg)).bg(Color::Indexed(bg))
}

const fn bold(style: Style) -> Style {
    style.add_modifier(Modifier::BOLD)
}

const DEFAULT: Styles = Styles {
    base: PLAIN.fg(Color::Reset).bg(Color::Reset),
    // Do not use bright black, because it is the background in some terminal palettes.
    faint: PLAIN.add_modifier(Modifier::DIM),
    rule: PLAIN.add_modifier(Modifier::DIM),
    heading: BOLD,
    accent: bold(PLAIN.fg(Color::Cyan)),
    key: PLAIN.fg(Color::Cyan),
    tab: bold(PLAIN.fg(Color::Cyan)).add_modifier(Modifier::REVERSED),
    selected: BAR,
    selected_idle: bold(UNDERLINED).remove_modifier(Modifier::DIM),
    field: UNDERLINED,
    good: PLAIN.fg(Color::Green),
    warning: PLAIN.fg(Color::Yellow),
    danger: PLAIN.fg(Color::Red),
    search_match: UNDERLINED.fg(Color::Cyan),
    behind: flat(PLAIN.fg(Color::Reset)).add_modifier(Modifier::DIM),
};

const DARK: Styles = Styles {
    base: colours(252, 234),
    faint: fg(247),
    rule: fg(243),
    heading: BOLD,
    accent: bold(fg(80)),
    key: fg(80),
    tab: bold(colours(234, 80)),
    selected: colours(231, 24),
    selected_idle: bold(bg(236)),
    field: bg(237),
    good: fg(114),
    warning: fg(221),
    danger: fg(210),
    search_match: UNDERLINED.fg(Color::Indexed(80)),
    behind: flat(colours(243, 234)),
};

const LIGHT: Styles = Styles {
    base: colours(235, 255),
    faint: fg(240),
    rule: fg(244),
    heading: BOLD,
    accent: bold(fg(24)),
    key: fg(24),
    tab: bold(colours(231, 24)),
    selected: colours(231, 24),
    selected_idle: bold(bg(231)),
    field: bg(231),
    good: fg(22),
    warning: fg(94),
    danger: fg(124),
    search_match: UNDERLINED.fg(Color::Indexed(24)),
    behind: flat(colours(244, 255)),
};

const HIGH_CONTRAST: Styles = Styles {
    base: colours(231, 16),
    faint: fg(252),
    rule: fg(250),
    heading: BOLD,
    accent: bold(fg(123)),
    key: bold(fg(123)),
    tab: bold(colours(16, 231)),
    selected: bold(colours(16, 226)),
    selected_idle: bold(UNDERLINED),
    field: UNDERLINED,
    good: fg(120),
    warning: fg(226),
    danger: bold(fg(217)),
    search_match: UNDERLINED.fg(Color::Indexed(123)),
    behind: flat(colours(246, 16)),
};

const MONO: Styles = Styles {
    base: PLAIN.fg(Color::Reset).bg(Color::Reset),
    faint: PLAIN,
    rule: PLAIN,
    heading: BOLD,
    accent: BOLD,
    key: BOLD,
    tab: BOLD.add_modifier(Modifier::REVERSED),
    selected: BAR,
    selected_idle: bold(UNDERLINED),
    field: UNDERLINED,
    good: PLAIN,
    warning: PLAIN,
    danger: BOLD,
    search_match: UNDERLINED,
    behind: flat(PLAIN.fg(Color::Reset)),
};

pub(super) fn styles_of(theme: ThemeName) -> &'static Styles {
    match theme {
        ThemeName::Default => &DEFAULT,
        ThemeName::Dark => &DARK,
        ThemeName::Light => &LIGHT,
        ThemeName::HighContrast => &HIGH_CONTRAST,
        ThemeName::Mono => &MONO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The levels of the colour cube.
    const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];

    /// The RGB value of an index above the 16 configurable colours.
    fn rgb(colour: Color) -> [u8; 3] {
        let Color::Indexed(index @ 16..) = colour else {
            panic!("{colour} looks different on every terminal")
        };
        if index >= 232 {
            return [8 + 10 * (index - 232); 3];
        }
        let cube = usize::from(index - 16);
        [cube / 36, cube / 6 % 6, cube % 6].map(|level| LEVELS[level])
    }

    /// The relative luminance of WCAG 2.
    fn luminance(colour: Color) -> f64 {
        let linear = |level: u8| {
            let level = f64::from(level) / 255.0;
            if level <= 0.04045 { level / 12.92 } else { ((level + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = rgb(colour).map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// The contrast ratio of WCAG 2, from 1 to 21.
    fn contrast(one: Color, other: Color) -> f64 {
        let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
        one.max(other) / one.min(other)
    }

    impl Styles {
        /// The styles of text, with their names.
        fn text_styles(&self) -> [(&'static str, Style); 8] {
            [
                ("text", self.base),
                ("faint", self.faint),
                ("heading", self.heading),
                ("accent", self.accent),
                ("key", self.key),
                ("good", self.good),
                ("warning", self.warning),
                ("danger", self.danger),
            ]
        }

        /// All styles, with their names.
        fn all_styles(&self) -> Vec<(&'static str, Style)> {
            let mut styles = self.text_styles().to_vec();
            styles.extend([
                ("rule", self.rule),
                ("tab", self.tab),
                ("selected", self.selected),
                ("idle", self.selected_idle),
                ("field", self.field),
                ("match", self.search_match),
                ("behind", self.behind),
            ]);
            styles
        }

        /// The foreground and background of `style` on top of the base.
        fn resolve(&self, style: Style) -> (Color, Color) {
            let merged = self.base.patch(style);
            (merged.fg.unwrap(), merged.bg.unwrap())
        }
    }

    #[test]
    fn contrast_matches_wcag_values() {
        let [black, white, grey] = [16, 231, 243].map(Color::Indexed);
        assert!((contrast(black, white) - 21.0).abs() < 1e-9);
        assert!((contrast(white, white) - 1.0).abs() < 1e-9);
        assert!((contrast(grey, white) - 4.54).abs() < 0.01, "#767676 has 4.54:1");
    }

    #[test]
    fn themes_with_a_background_have_enough_contrast() {
        for (theme, minimum) in
            [(ThemeName::Dark, 4.5), (ThemeName::Light, 4.5), (ThemeName::HighContrast, 7.0)]
        {
            let styles = styles_of(theme);
            let mut pairs = Vec::new();
            for (name, style) in styles.text_styles() {
                let (fg, bg) = styles.resolve(style);
                pairs.push((name, fg, bg));
                // In a list without the focus, the cells of the selected row keep their colours.
                pairs.push((name, fg, styles.resolve(styles.selected_idle).1));
            }
            for (name, style) in
                [("tab", styles.tab), ("selected", styles.selected), ("field", styles.field)]
            {
                let (fg, bg) = styles.resolve(style);
                pairs.push((name, fg, bg));
            }
            for (name, fg, bg) in pairs {
                let ratio = contrast(fg, bg);
                assert!(
                    ratio >= minimum,
                    "{}: {name} has {ratio:.2}, not {minimum}",
                    theme.as_str()
                );
            }
            for (name, style) in [("rule", styles.rule), ("behind", styles.behind)] {
                let (fg, bg) = styles.resolve(style);
                assert!(contrast(fg, bg) >= 3.0, "{}: {name}", theme.as_str());
            }
        }
    }

    #[test]
    fn the_default_theme_avoids_background_colours() {
        let tints = [Color::Red, Color::Green, Color::Yellow, Color::Cyan, Color::Reset];
        for (name, style) in styles_of(ThemeName::Default).all_styles() {
            for colour in [style.fg, style.bg].into_iter().flatten() {
                assert!(tints.contains(&colour), "{name} is {colour}");
            }
        }
    }

    #[test]
    fn the_mono_theme_has_no_colours() {
        for (name, style) in styles_of(ThemeName::Mono).all_styles() {
            for colour in [style.fg, style.bg].into_iter().flatten() {
                assert_eq!(colour, Color::Reset, "{name}");
            }
        }
    }

    #[test]
    fn the_selected_row_differs_in_brightness() {
        for theme in ThemeName::ALL {
            let styles = styles_of(theme);
            let plain = styles.base;
            let bar = styles.selected;
            let is_reversed = bar.add_modifier.contains(Modifier::REVERSED);
            assert!(is_reversed || bar.bg != plain.bg, "{}", theme.as_str());
            if !is_reversed {
                let (back, row) = (styles.resolve(plain).1, styles.resolve(bar).1);
                assert!(contrast(back, row) >= 1.7, "{}: {}", theme.as_str(), contrast(back, row));
            }
        }
    }
}
