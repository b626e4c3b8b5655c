//! The terms of a search with their meanings. Accepting a row appends the start of its term to the
//! search that is being typed. The token list and the audit tab open it.

use ratatui::layout::{Constraint, Layout, Position, Rect};

use super::{Dialog, palette::menu_height};
use crate::{
    domain::search::TermForm,
    keymap::{Action, HintChange, Mode},
    tui::{
        app::{
            effect::{Effect, UiChange},
            model::Model,
        },
        widgets::{
            canvas::{Canvas, wrap},
            list_selection::ListSelection,
            panel,
            scrollbar::draw_scrollbar,
        },
    },
};

/// Width of the panel: the forms, a gap, the longest meaning, a gap and the scrollbar.
const PANEL_WIDTH: u16 = 74;
/// Width of the forms in columns.
const FORM_WIDTH: u16 = 26;
/// Width of the panel below which the forms are cut.
const MIN_WIDTH: u16 = 66;
/// Number of lines below the rows for the whole meaning of the selected term, if the rows cut it.
const MEANING_LINES: u16 = 2;
/// Width of the forms on a narrow screen.
const NARROW_FORM_WIDTH: u16 = 18;

#[derive(Debug)]
pub struct SearchTermsDialog {
    forms: &'static [TermForm],
    rows: ListSelection,
}

impl SearchTermsDialog {
    pub fn new(forms: &'static [TermForm]) -> Self {
        Self { forms, rows: ListSelection::default() }
    }
}

impl Dialog for SearchTermsDialog {
    fn mode(&self) -> Mode {
        Mode::Menu
    }

    fn hint_change(&self, action: Action) -> Option<HintChange> {
        (action == Action::Accept).then(|| HintChange::new("insert", 1))
    }

    fn update(&mut self, action: Action, _: &Model) -> Option<Effect> {
        if self.rows.apply_movement(action, self.forms.len()).is_some() {
            return None;
        }
        match (action, self.forms.get(self.rows.selected())) {
            (Action::Close, _) => Some(Effect::close()),
            (Action::Accept, Some(form)) => Some(Effect::Ui(UiChange::TypeTerm(form.start()))),
            _ => None,
        }
    }

    fn view(&mut self, area: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
        let (ctx, theme) = (canvas.ctx, canvas.ctx.theme);
        let count = self.forms.len();
        let is_narrow = area.width < PANEL_WIDTH + 4;
        let below = if is_narrow { MEANING_LINES } else { 0 };
        let high = u16::try_from(count).unwrap_or(u16::MAX).min(menu_height(area) - below) + below;
        let inner = panel::draw("Search terms", (PANEL_WIDTH, high), false, area, canvas);
        let [inner, meaning] =
            Layout::vertical([Constraint::Min(1), Constraint::Length(below)]).areas(inner);
        if let Some(form) = self.forms.get(self.rows.selected()) {
            let text = wrap(form.meaning, meaning.width, &theme);
            canvas.text_lines(meaning, 0.., text, theme.heading);
        }
        let page = usize::from(inner.height);
        let top = self.rows.scroll_to_selection(page, count);
        ctx.hit_map.wheel(inner, 3);
        let form_width = if inner.width < MIN_WIDTH { NARROW_FORM_WIDTH } else { FORM_WIDTH };
        for (line, (row, form)) in (0..).zip(self.forms.iter().enumerate().skip(top).take(page)) {
            let writer = canvas.line(inner, line);
            let writer = writer.write_column(form.form, form_width, theme.accent).skip(1);
            // The last two columns are those of the scrollbar and a gap.
            let room = writer.remaining().saturating_sub(2);
            writer.text_within(form.meaning, room, theme.text());
            canvas.list_row((inner, line), (row, self.rows.selected()), Action::Accept);
        }
        draw_scrollbar(inner, (top, page, count), canvas);
        None
    }
}
