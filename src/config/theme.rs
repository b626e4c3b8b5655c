//! How things look, as far as settings decide: in which colours, with glyphs or ASCII.
//! Knows the words and the environment's say in it; the styles themselves are the app's.

use crate::domain::labels::labels;

labels! {
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
    pub enum ThemeName, ALL, as_str {
        /// The sixteen colours of the terminal, on its own background.
        #[default]
        Default => "default",
        /// Light on dark, whatever the colours of the terminal.
        Dark => "dark",
        /// Dark on light, whatever the colours of the terminal.
        Light => "light",
        /// Black, white and few bright colours, for eyes or screens that need it.
        HighContrast => "high-contrast",
        /// No colours: bold, reverse and underline only.
        Mono => "mono",
    }
}

labels! {
    /// Which characters may be drawn besides ASCII ones. `auto` in the config file leaves the
    /// choice to the locale.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Glyphs, as_str {
        /// Arrows, boxes and dots of one column.
        Unicode => "unicode",
        Ascii => "ascii",
    }
}

impl Glyphs {
    /// What a terminal with this locale shows. Without a locale nothing is known of it, and
    /// ASCII is always right.
    pub fn of_locale(locale: Option<&str>) -> Self {
        // `language.charset@modifier`; macOS also sets the bare charset.
        let charset = locale
            .map(|name| name.split_once('.').map_or(name, |(_, rest)| rest))
            .map(|rest| rest.split_once('@').map_or(rest, |(name, _)| name));
        match charset {
            Some(name) if ["utf-8", "utf8"].iter().any(|utf| name.eq_ignore_ascii_case(utf)) => {
                Self::Unicode
            }
            _ => Self::Ascii,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_locale_in_utf_8_gets_glyphs() {
        for locale in ["en_GB.UTF-8", "C.utf8", "de_DE.UTF-8@euro", "UTF-8"] {
            assert_eq!(Glyphs::of_locale(Some(locale)), Glyphs::Unicode, "{locale}");
        }
        for locale in ["C", "POSIX", "en_GB", "de_DE.ISO-8859-1"] {
            assert_eq!(Glyphs::of_locale(Some(locale)), Glyphs::Ascii, "{locale}");
        }
        assert_eq!(Glyphs::of_locale(None), Glyphs::Ascii);
    }
}
