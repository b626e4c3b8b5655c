//! The dialog before many tokens are changed at once: what it does, to which, when each was last
//! used, which are left out and why; then it wants their count typed. Afterwards it says where
//! new secrets went. Its preview comes from the service; a paste is refused.

use ratatui::{
    buffer::Buffer,
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use super::{ask::paragraph, bulk_words::Words};
use crate::{
    keymap::Action,
    output::advice,
    service::{Preview, ServiceError, bulk::Candidate},
    tui::{
        effect::Effect,
        step::Step,
        view::View,
        when,
        widget::{
            field::Field,
            paint::{Pen, below, width, wrap},
            panel,
        },
    },
};

/// Fewest rows of the list before the words above it give way.
const ROWS: u16 = 3;
/// Lines under the list: where in it one is, and the count to type; the fault comes below.
const UNDER: u16 = 2;
/// Columns of a row that are not the name's, and the most that a name gets.
const REST: u16 = 2 + 2 + 30;
const NAME: u16 = 40;

/// A change to many tokens and the count that confirms it.
#[derive(Debug)]
pub struct BulkDialog {
    preview: Preview,
    words: Words,
    expected: String,
    /// The columns of the longest name.
    names: u16,
    field: Field,
    top: usize,
    page: usize,
    fault: Option<String>,
    /// What there is to say once it is done.
    told: Option<String>,
}

impl BulkDialog {
    /// The dialog on what the service foresees.
    pub fn new(preview: Preview, view: &View<'_>) -> Self {
        Self {
            words: Words::of(&preview, view),
            expected: preview.ids().len().to_string(),
            names: preview.candidates.iter().map(|it| width(it.name.as_str())).max().unwrap_or(0),
            preview,
            field: Field::line(""),
            top: 0,
            page: 0,
            fault: None,
            told: None,
        }
    }

    /// Whether there is anything to do.
    fn is_empty(&self) -> bool {
        self.expected == "0"
    }

    fn matches(&self) -> bool {
        !self.is_empty() && self.field.text().trim() == self.expected
    }

    /// It is done, and `told` is what the operator must read before it closes.
    pub fn finish(&mut self, told: String) {
        self.told = Some(told);
        self.fault = None;
    }

    /// What it asks for.
    pub fn effect(&self) -> Effect {
        Effect::Bulk(self.preview.bulk.clone(), self.preview.ids())
    }

    /// Answers an action.
    pub fn on(&mut self, action: Action, _: &View<'_>) -> Step {
        let before = self.top;
        let page = self.page.max(1);
        match action {
            Action::Cancel => return Step::Close,
            Action::Accept if self.told.is_some() || self.is_empty() => return Step::Close,
            Action::Accept if self.matches() => {
                return Step::Do(self.effect());
            }
            Action::Accept => {
                self.fault = Some(format!("type the count exactly: {}", self.expected));
                return Step::Changed;
            }
            Action::Down => self.top += 1,
            Action::Up => self.top = self.top.saturating_sub(1),
            Action::PageDown => self.top += page,
            Action::PageUp => self.top = self.top.saturating_sub(page),
            _ => return Step::Ignored,
        }
        self.top = self.top.min(self.preview.candidates.len().saturating_sub(page));
        if self.top == before { Step::Ignored } else { Step::Changed }
    }

    /// Answers a key that is text.
    pub fn on_text(&mut self, key: KeyEvent, _: &View<'_>) -> Step {
        if self.told.is_none() && !self.is_empty() && self.field.press(key) {
            self.fault = None;
            return Step::Changed;
        }
        Step::Ignored
    }

    /// Shows why nothing was changed.
    pub fn refuse(&mut self, error: &ServiceError) {
        self.fault = Some(advice::message(error));
    }

    /// Draws it over `area`. The list has what the words leave of the room, the words what the
    /// first rows of the list leave.
    pub fn draw(&mut self, area: Rect, buf: &mut Buffer, view: &View<'_>) -> Option<Position> {
        let look = &view.look;
        let wide = 100.min(area.width.saturating_sub(6));
        if let Some(told) = &self.told {
            draw_told(&self.words.done, told, wide, area, buf, view);
            return None;
        }
        let words: Vec<_> = self.words.text.iter().flat_map(|text| paragraph(text, wide)).collect();
        let fault = self.fault.as_ref().map(|fault| format!("{} {fault}", look.fault()));
        let fault = wrap(fault.as_deref().unwrap_or(" "), wide);
        let all = lines(self.preview.candidates.len());
        let room = area.height.saturating_sub(2 + lines(fault.len()));
        let said = lines(words.len() + 1).min(room.saturating_sub(UNDER + all.min(ROWS)));
        let rows = all.min(room.saturating_sub(said + UNDER));
        let size = (wide, said + rows + UNDER + lines(fault.len()));
        let inner = panel::draw(&self.words.title, size, true, area, buf, look);
        for (line, text) in (0..said.saturating_sub(1)).zip(&words) {
            Pen::at(buf, inner, line, look).text(text, look.text());
        }
        self.draw_rows(Rect { height: rows, ..below(inner, said) }, buf, view);
        let under = said + rows + UNDER;
        for (line, text) in (under..).zip(&fault) {
            Pen::at(buf, inner, line, look).text(text, look.danger());
        }
        self.draw_count(below(inner, said + rows), buf, view)
    }

    fn draw_rows(&mut self, area: Rect, buf: &mut Buffer, view: &View<'_>) {
        self.page = usize::from(area.height);
        self.top = self.top.min(self.preview.candidates.len().saturating_sub(self.page));
        let shown = self.preview.candidates.iter().skip(self.top).take(self.page);
        for (line, each) in (0..).zip(shown) {
            draw_row(each, self.names, (line, area), buf, view);
        }
    }

    /// Where in the list one is, and the count to type.
    fn draw_count(&self, area: Rect, buf: &mut Buffer, view: &View<'_>) -> Option<Position> {
        let look = &view.look;
        let all = self.preview.candidates.len();
        if self.page < all {
            let last = (self.top + self.page).min(all);
            let place = format!("{} to {last} of {all}, arrows scroll", self.top + 1);
            Pen::at(buf, area, 0, look).text(&place, look.faint());
        }
        if self.is_empty() {
            Pen::at(buf, area, 1, look).text("Esc goes back", look.heading());
            return None;
        }
        let asked = format!("To {}, type the count, {}: ", self.words.verb, self.expected);
        let pen = Pen::at(buf, area, 1, look).text(&asked, look.heading());
        let at = pen.column();
        if self.matches() {
            pen.skip(10).text(&format!("Enter {}", self.words.enter), look.danger());
        }
        let place =
            Rect { x: area.x.saturating_add(at), y: area.y.saturating_add(1), width: 8, height: 1 };
        self.field.draw(place.intersection(area), buf, look, true)
    }
}

/// One token: its status, name and last use, or why it is left out.
fn draw_row(
    each: &Candidate,
    names: u16,
    (line, area): (u16, Rect),
    buf: &mut Buffer,
    view: &View<'_>,
) {
    let look = &view.look;
    let style = look.status(each.status);
    let name = names.min(area.width.saturating_sub(REST)).min(NAME);
    let style_of_name = if each.spared.is_some() { look.faint() } else { look.text() };
    let pen = Pen::at(buf, area, line, look)
        .column_of(look.status_glyph(each.status), 2, style)
        .column_of(each.name.as_str(), name, style_of_name)
        .skip(2);
    if let Some(why) = &each.spared {
        pen.text(&format!("left out: {why}"), look.warning());
        return;
    }
    let pen = pen.column_of(each.status.word(), 9, style);
    let Some(used) = &each.last_used else {
        pen.text("never used", look.faint());
        return;
    };
    let ago = format!("used {}", when::relative(used.at, view.now));
    let pen = pen.column_of(&ago, 19, look.text());
    let from = used.from.as_ref().map_or_else(String::new, |from| format!("from {from} "));
    if pen.room() >= width(&from) {
        pen.text(&format!("{from}{}", used.what), look.faint());
    }
}

fn draw_told(title: &str, told: &str, wide: u16, area: Rect, buf: &mut Buffer, view: &View<'_>) {
    let look = &view.look;
    let wide = wide.min(70);
    let text: Vec<_> = told.lines().flat_map(|text| paragraph(text, wide)).collect();
    let inner = panel::draw(title, (wide, lines(text.len() + 4)), false, area, buf, look);
    for (line, text) in (1..).zip(&text) {
        Pen::at(buf, inner, line, look).text(text, look.text());
    }
    Pen::at(buf, inner, inner.height.saturating_sub(1), look).text("Enter closes", look.faint());
}

fn lines(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}
