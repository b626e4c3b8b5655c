//! Off-screen content that may be taller than its viewport. Shows the part around the cursor, with
//! arrows at a clipped edge, so that every form can be filled in on a screen of ten lines. Must not
//! be used for secrets: the content buffer is freed without being wiped.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
};

use super::canvas::{Canvas, LineWriter};
use crate::tui::app::model::Model;

/// A content buffer and the viewport into which [`OffscreenCanvas::blit`] copies a part of it.
#[derive(Debug)]
pub struct OffscreenCanvas {
    pub content: Buffer,
    viewport: Rect,
    /// Number of hit-map regions registered before the content.
    first_region: usize,
}

impl OffscreenCanvas {
    /// Empty content for `viewport`, at least `height` lines high.
    pub fn new(viewport: Rect, height: u16, ctx: &Model) -> Self {
        let height = height.max(viewport.height).min(u16::MAX - viewport.y);
        let mut content = Buffer::empty(Rect { height, ..viewport });
        content.set_style(content.area, ctx.theme.base);
        Self { content, viewport, first_region: ctx.hit_map.region_count() }
    }

    /// A canvas that draws on the content.
    pub fn canvas<'a>(&'a mut self, ctx: &'a Model) -> Canvas<'a> {
        Canvas { buf: &mut self.content, ctx }
    }

    /// Copies the part around `cursor` into the viewport; returns the cursor position on the
    /// screen.
    pub fn blit(self, cursor: Option<Position>, canvas: &mut Canvas<'_>) -> Option<Position> {
        let Canvas { buf, ctx } = canvas;
        let (content, viewport) = (self.content.area, self.viewport.intersection(buf.area));
        let line = cursor.map_or(0, |cursor| cursor.y.saturating_sub(content.y));
        let hidden = content.height - viewport.height;
        let from = line.saturating_sub(viewport.height / 2).min(hidden);
        for at in viewport.positions() {
            let below = Position::new(at.x, at.y + from);
            if let (Some(cell), Some(drawn)) = (buf.cell_mut(at), self.content.cell(below)) {
                *cell = drawn.clone();
            }
        }
        ctx.hit_map.scroll_regions(self.first_region, from, viewport);
        // The arrows go into the panel margin, in the column right of the viewport.
        let margin = Rect { x: viewport.right(), width: 1, ..viewport }.intersection(buf.area);
        let theme = &ctx.theme;
        if from > 0 {
            LineWriter::at(buf, margin, 0, theme).text(theme.arrow(false), theme.faint);
        }
        if from < hidden {
            let last = margin.height.saturating_sub(1);
            LineWriter::at(buf, margin, last, theme).text(theme.arrow(true), theme.faint);
        }
        cursor.map(|cursor| Position::new(cursor.x, cursor.y.saturating_sub(from)))
    }
}
