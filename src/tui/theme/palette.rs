//! The themes as tables: one style for each thing that a style means. `default` takes the sixteen
//! colours of the terminal, on its own background, and never its black, white or greys, for nobody
//! knows how those look there. `dark`, `light` and `high-contrast` bring a background of their
//! own, from the fixed part of the 256 colours, which every terminal shows alike.

use ratatui::style::{Color, Modifier, Style};

use crate::config::ThemeName;

/// A style for each thing that a style means.
#[derive(Debug)]
pub struct Styles {
    /// The whole screen, before anything is drawn on it.
    pub base: Style,
    /// Text of less weight: labels, hints, what is not set.
    pub faint: Style,
    pub rule: Style,
    /// A heading; has no colour, for it is laid over others.
    pub heading: Style,
    /// What has the focus, or is on.
    pub accent: Style,
    pub key: Style,
    pub tab: Style,
    /// The selected row, where the keys go: one even bar, whatever the colours of its cells.
    pub selected: Style,
    /// The selected row where they do not.
    pub selected_idle: Style,
    /// A field that can be typed in; the cursor and its label tell whether it has the focus.
    pub field: Style,
    pub good: Style,
    pub warning: Style,
    /// Something is wrong, or destroys.
    pub danger: Style,
}

const PLAIN: Style = Style::new();
const BOLD: Style = PLAIN.add_modifier(Modifier::BOLD);
const UNDERLINED: Style = PLAIN.add_modifier(Modifier::UNDERLINED);
/// One even bar, whatever the colours and weights of its cells.
const BAR: Style =
    PLAIN.fg(Color::Reset).add_modifier(Modifier::REVERSED).remove_modifier(Modifier::DIM);

const fn ink(index: u8) -> Style {
    PLAIN.fg(Color::Indexed(index))
}

const fn paper(index: u8) -> Style {
    PLAIN.bg(Color::Indexed(index))
}

const fn on(ink: u8, paper: u8) -> Style {
    PLAIN.fg(Color::Indexed(ink)).bg(Color::Indexed(paper))
}

const fn bold(style: Style) -> Style {
    style.add_modifier(Modifier::BOLD)
}

const DEFAULT: Styles = Styles {
    base: PLAIN.fg(Color::Reset).bg(Color::Reset),
    // Not the bright black: in some palettes that is the background.
    faint: PLAIN.add_modifier(Modifier::DIM),
    rule: PLAIN.add_modifier(Modifier::DIM),
    heading: BOLD,
    accent: bold(PLAIN.fg(Color::Cyan)),
    key: PLAIN.fg(Color::Cyan),
    tab: bold(PLAIN.fg(Color::Cyan)).add_modifier(Modifier::REVERSED),
    selected: BAR,
    selected_idle: BOLD.remove_modifier(Modifier::DIM),
    field: UNDERLINED,
    good: PLAIN.fg(Color::Green),
    warning: PLAIN.fg(Color::Yellow),
    danger: PLAIN.fg(Color::Red),
};

const DARK: Styles = Styles {
    base: on(252, 234),
    faint: ink(247),
    rule: ink(243),
    heading: BOLD,
    accent: bold(ink(80)),
    key: ink(80),
    tab: bold(on(234, 80)),
    selected: on(231, 24),
    selected_idle: bold(paper(236)),
    field: paper(237),
    good: ink(114),
    warning: ink(221),
    danger: ink(210),
};

const LIGHT: Styles = Styles {
    base: on(235, 255),
    faint: ink(240),
    rule: ink(244),
    heading: BOLD,
    accent: bold(ink(24)),
    key: ink(24),
    tab: bold(on(231, 24)),
    selected: on(231, 24),
    selected_idle: bold(paper(231)),
    field: paper(231),
    good: ink(22),
    warning: ink(94),
    danger: ink(124),
};

const HIGH_CONTRAST: Styles = Styles {
    base: on(231, 16),
    faint: ink(252),
    rule: ink(250),
    heading: BOLD,
    accent: bold(ink(123)),
    key: bold(ink(123)),
    tab: bold(on(16, 231)),
    selected: bold(on(16, 226)),
    selected_idle: bold(UNDERLINED),
    field: UNDERLINED,
    good: ink(120),
    warning: ink(226),
    danger: bold(ink(217)),
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
    selected_idle: BOLD,
    field: UNDERLINED,
    good: PLAIN,
    warning: PLAIN,
    danger: BOLD,
};

pub(super) fn of(theme: ThemeName) -> &'static Styles {
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

    /// What every terminal shows for an index above the sixteen of its own.
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
        /// Everything that text is written in, by its name.
        fn inks(&self) -> [(&'static str, Style); 8] {
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

        /// Everything that a style can be.
        fn styles(&self) -> Vec<(&'static str, Style)> {
            let mut styles = self.inks().to_vec();
            styles.extend([
                ("rule", self.rule),
                ("tab", self.tab),
                ("selected", self.selected),
                ("idle", self.selected_idle),
                ("field", self.field),
            ]);
            styles
        }

        /// What is seen once `style` lies on the base.
        fn seen(&self, style: Style) -> (Color, Color) {
            let seen = self.base.patch(style);
            (seen.fg.unwrap(), seen.bg.unwrap())
        }
    }

    #[test]
    fn a_contrast_is_what_the_standard_says() {
        let [black, white, grey] = [16, 231, 243].map(Color::Indexed);
        assert!((contrast(black, white) - 21.0).abs() < 1e-9);
        assert!((contrast(white, white) - 1.0).abs() < 1e-9);
        assert!((contrast(grey, white) - 4.54).abs() < 0.01, "#767676, the known limit");
    }

    #[test]
    fn text_can_be_read_in_every_theme_with_a_background_of_its_own() {
        for (theme, least) in
            [(ThemeName::Dark, 4.5), (ThemeName::Light, 4.5), (ThemeName::HighContrast, 7.0)]
        {
            let styles = of(theme);
            let mut pairs = Vec::new();
            for (name, style) in styles.inks() {
                let (ink, back) = styles.seen(style);
                pairs.push((name, ink, back));
                // The cells of a row keep their colours where the row is not the bar.
                pairs.push((name, ink, styles.seen(styles.selected_idle).1));
            }
            for (name, style) in
                [("tab", styles.tab), ("selected", styles.selected), ("field", styles.field)]
            {
                let (ink, back) = styles.seen(style);
                pairs.push((name, ink, back));
            }
            for (name, ink, back) in pairs {
                let found = contrast(ink, back);
                assert!(found >= least, "{}: {name} has {found:.2} of {least}", theme.as_str());
            }
            let (rule, back) = styles.seen(styles.rule);
            assert!(contrast(rule, back) >= 3.0, "{}: rules", theme.as_str());
        }
    }

    #[test]
    fn the_default_theme_trusts_no_colour_that_may_be_the_background() {
        let tints = [Color::Red, Color::Green, Color::Yellow, Color::Cyan, Color::Reset];
        for (name, style) in of(ThemeName::Default).styles() {
            for colour in [style.fg, style.bg].into_iter().flatten() {
                assert!(tints.contains(&colour), "{name} is {colour}");
            }
        }
    }

    #[test]
    fn without_colours_there_are_none() {
        for (name, style) in of(ThemeName::Mono).styles() {
            for colour in [style.fg, style.bg].into_iter().flatten() {
                assert_eq!(colour, Color::Reset, "{name}");
            }
        }
    }

    #[test]
    fn what_is_selected_differs_from_what_is_not_by_more_than_a_hue() {
        for theme in ThemeName::ALL {
            let styles = of(theme);
            let plain = styles.base;
            let bar = styles.selected;
            let turned = bar.add_modifier.contains(Modifier::REVERSED);
            assert!(turned || bar.bg != plain.bg, "{}", theme.as_str());
            if !turned {
                let (back, row) = (styles.seen(plain).1, styles.seen(bar).1);
                assert!(contrast(back, row) >= 1.7, "{}: {}", theme.as_str(), contrast(back, row));
            }
        }
    }
}
