//! The names of the themes and of the glyph sets, and the glyph set that fits a locale. The styles of
//! the themes are in `tui::theme`. Called by the config.

use crate::domain::labelled_enum::labels;

labels! {
    /// The name of a theme.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
    pub enum ThemeName, ALL, as_str {
        /// The sixteen colours and the background of the terminal.
        #[default]
        Default => "default",
        /// Light text on a dark background, independent of the colours of the terminal.
        Dark => "dark",
        /// Dark text on a light background, independent of the colours of the terminal.
        Light => "light",
        /// Black, white and a few bright colours.
        HighContrast => "high-contrast",
        /// No colours: bold, reverse and underline only.
        Mono => "mono",
    }
}

labels! {
    /// The characters that the app draws with. `auto` in the config file chooses by the locale.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum GlyphSet, as_str {
        /// Arrows, lines and dots, each one column wide.
        Unicode => "unicode",
        Ascii => "ascii",
    }
}

impl GlyphSet {
    /// The glyphs for a locale: Unicode for UTF-8, otherwise ASCII, which every terminal can show.
    pub fn for_locale(locale: Option<&str>) -> Self {
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
    fn only_utf_8_locales_get_unicode_glyphs() {
        for locale in ["en_GB.UTF-8", "C.utf8", "de_DE.UTF-8@euro", "UTF-8"] {
            assert_eq!(GlyphSet::for_locale(Some(locale)), GlyphSet::Unicode, "{locale}");
        }
        for locale in ["C", "POSIX", "en_GB", "de_DE.ISO-8859-1"] {
            assert_eq!(GlyphSet::for_locale(Some(locale)), GlyphSet::Ascii, "{locale}");
        }
        assert_eq!(GlyphSet::for_locale(None), GlyphSet::Ascii);
    }
}
