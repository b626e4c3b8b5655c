//! A page that may be higher than its place on the screen: the part around the cursor is shown,
//! with a mark where it goes on, so that every form can be filled on a screen of ten lines. Not
//! for secrets: what is drawn on a page stays in freed memory.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
};

use super::paint::{Canvas, LineWriter};
use crate::tui::app::model::Model;

/// A page to draw on, before a part of it is laid in its place.
#[derive(Debug)]
pub struct ScrollView {
    pub page: Buffer,
    place: Rect,
    /// How many regions were noted before.
    before: usize,
}

impl ScrollView {
    /// An empty page for `place`, at least `height` lines high.
    pub fn new(place: Rect, height: u16, ctx: &Model) -> Self {
        let height = height.max(place.height).min(u16::MAX - place.y);
        let mut page = Buffer::empty(Rect { height, ..place });
        page.set_style(page.area, ctx.theme.base);
        Self { page, place, before: ctx.hit_map.mark() }
    }

    /// What draws on it.
    pub fn canvas<'a>(&'a mut self, ctx: &'a Model) -> Canvas<'a> {
        Canvas { buf: &mut self.page, ctx }
    }

    /// Lays the part around `cursor` in its place; where the cursor is then.
    pub fn lay(self, cursor: Option<Position>, canvas: &mut Canvas<'_>) -> Option<Position> {
        let Canvas { buf, ctx } = canvas;
        let (page, place) = (self.page.area, self.place.intersection(buf.area));
        let line = cursor.map_or(0, |cursor| cursor.y.saturating_sub(page.y));
        let hidden = page.height - place.height;
        let from = line.saturating_sub(place.height / 2).min(hidden);
        for at in place.positions() {
            let below = Position::new(at.x, at.y + from);
            if let (Some(cell), Some(drawn)) = (buf.cell_mut(at), self.page.cell(below)) {
                *cell = drawn.clone();
            }
        }
        ctx.hit_map.scroll(self.before, from, place);
        // The column beside the place belongs to the margin.
        let margin = Rect { x: place.right(), width: 1, ..place }.intersection(buf.area);
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
