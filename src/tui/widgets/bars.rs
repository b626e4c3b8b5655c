//! Bars of text cells: sparklines and column charts, in Unicode and in ASCII, scaled to a largest
//! value. Called by the overview and the detail.

use crate::tui::theme::Theme;

/// The glyphs of a cell that is filled from below, from empty to full.
const UNICODE: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
const ASCII: [&str; 9] = [" ", "_", ".", ":", "-", "=", "+", "*", "#"];

/// Number of levels of a cell.
pub const LEVELS: u64 = 8;

/// The glyph of a cell that is filled up to `level` of [`LEVELS`].
pub fn level_glyph(level: u64, theme: &Theme) -> &'static str {
    let glyphs = if theme.is_ascii() { ASCII } else { UNICODE };
    let level = usize::try_from(level.min(LEVELS)).unwrap_or_default();
    glyphs.get(level).copied().unwrap_or(" ")
}

/// The height of `value` in steps, if the largest value `max` has `steps`. A value above 0 has at
/// least one step.
pub fn scaled(value: u64, max: u64, steps: u64) -> u64 {
    let exact = u128::from(value) * u128::from(steps) / u128::from(max.max(1));
    u64::try_from(exact).unwrap_or(steps).clamp(u64::from(value > 0), steps)
}

/// One cell for each value, which is full at `max`. A value of 0 is a dot.
pub fn sparkline(values: &[u64], max: u64, theme: &Theme) -> String {
    let cell = |value: &u64| match scaled(*value, max, LEVELS) {
        0 => theme.dot(),
        level => level_glyph(level, theme),
    };
    values.iter().map(cell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{GlyphSet, ThemeName};

    #[test]
    fn values_are_scaled_to_the_largest() {
        let values = [0, 1, 50, 100, 800];
        let line = |glyphs| sparkline(&values, 800, &Theme::new(ThemeName::Mono, glyphs));
        assert_eq!(line(GlyphSet::Unicode), "·▁▁▁█");
        assert!(line(GlyphSet::Ascii).is_ascii());
        assert_eq!(scaled(u64::MAX, u64::MAX, 8), 8);
        assert_eq!((scaled(0, 0, 8), scaled(1, 1_000_000, 8)), (0, 1));
    }
}
