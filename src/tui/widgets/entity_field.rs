//! Combo box for the entities of scopes: a text input with suggestions. An empty input means any
//! entity, and commas separate several entities. A `*` beside other characters is a fault from the
//! first key on. The scope and access-check dialogs use it.

use std::cell::Cell;

use ratatui::{
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
    widgets::{Clear, Widget as _},
};

use super::{
    canvas::{Canvas, line_rect},
    form::{FieldNote, FormInput},
    hit_map::SyntheticInput,
    panel,
    text_input::TextInput,
};
use crate::{
    domain::{Entity, ScopeError},
    keymap::{Action, Mode},
    tui::app::model::Model,
};

/// Shown in the empty input.
const PLACEHOLDER: &str = "any (*)";
/// Maximum number of suggestions that the open list shows at once.
const MAX_ROWS: u16 = 6;

/// The input, its suggestions and the open list.
#[derive(Debug)]
pub struct EntityField {
    input: TextInput,
    /// The text at the start. It is one entity, even if it contains a comma.
    original: String,
    /// Whether commas separate entities.
    is_list: bool,
    /// The entities to suggest, the best one first.
    suggestions: Vec<String>,
    /// The selected row of the open list. `None` while the list is closed.
    selected: Option<usize>,
    /// First visible row of the open list.
    top: Cell<usize>,
    fault: Option<String>,
}

impl EntityField {
    /// An input that contains `entity`, or is empty for any entity. `is_list` allows several
    /// entities. The first typed or pasted text replaces `entity`.
    pub fn new(entity: &str, is_list: bool) -> Self {
        let original = if entity == Entity::Any.as_str() { "" } else { entity };
        Self {
            input: TextInput::preselected(original),
            original: original.to_owned(),
            is_list,
            suggestions: Vec::new(),
            selected: None,
            top: Cell::new(0),
            fault: None,
        }
    }

    /// Starts again with `entity` after the entity type has changed, unless the operator has typed
    /// another entity.
    pub fn replace_untouched(&mut self, entity: &str) {
        if self.input.text() == self.original {
            *self = Self::new(entity, self.is_list);
        }
    }

    /// Replaces the suggestions. The best suggestion is the first one.
    pub fn set_suggestions(&mut self, suggestions: Vec<String>) {
        self.suggestions = suggestions;
        self.selected = None;
    }

    /// Shows `fault` below the input until the next key.
    pub fn set_fault(&mut self, fault: Option<String>) {
        self.fault = fault;
    }

    /// The entered entities without duplicates, or the first fault.
    pub fn entities(&self) -> Result<Vec<Entity>, ScopeError> {
        let text = self.input.text();
        let text = text.trim();
        if text.is_empty() {
            return Ok(vec![Entity::Any]);
        }
        if !self.is_list || text == self.original {
            return Ok(vec![Entity::parse(text)?]);
        }
        let mut entities = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let entity = Entity::parse(part)?;
            if !entities.contains(&entity) {
                entities.push(entity);
            }
        }
        match entities.as_slice() {
            [] => Err(ScopeError::NoEntity),
            [_] => Ok(entities),
            several if several.contains(&Entity::Any) => Err(ScopeError::EntityPattern),
            _ => Ok(entities),
        }
    }

    /// The byte position at which the entity at the end of the text begins.
    fn last_start(&self, text: &str) -> usize {
        text.rfind(',').filter(|_| self.is_list).map_or(0, |comma| comma + 1)
    }

    /// The suggestions that contain the last entity of the text, without the entered ones.
    fn matches(&self) -> Vec<&str> {
        let text = self.input.text();
        let (before, typed) = text.split_at_checked(self.last_start(&text)).unwrap_or(("", &text));
        let typed = typed.trim().to_lowercase();
        let entered: Vec<_> = before.split(',').map(str::trim).collect();
        let all = self.suggestions.iter().map(String::as_str);
        let is_match = |entity: &&str| {
            !entered.contains(entity) && (typed == "*" || entity.to_lowercase().contains(&typed))
        };
        all.filter(is_match).collect()
    }

    /// Replaces the last entity of the text by the selected suggestion.
    fn accept(&mut self) {
        let matches = self.matches();
        let chosen = self.selected.and_then(|at| matches.get(at)).map(|&entity| entity.to_owned());
        let text = self.input.text();
        let before = text.get(..self.last_start(&text)).unwrap_or_default();
        let gap = if before.is_empty() { "" } else { " " };
        if let Some(entity) = chosen {
            self.input.set_text(&format!("{before}{gap}{entity}"));
        }
        self.selected = None;
    }

    fn hint(&self, ctx: &Model) -> String {
        let several =
            if self.is_list { "Empty: any. Commas separate several." } else { "Empty: any." };
        match self.matches().len() {
            0 => several.to_owned(),
            count => {
                format!("{several} {} lists {count} in use", ctx.key(Mode::Form, Action::Down))
            }
        }
    }
}

impl FormInput for EntityField {
    fn press(&mut self, key: KeyEvent) -> bool {
        let before = self.input.text();
        let handled = self.input.press(key);
        if self.input.text() != before {
            self.fault = None;
            self.selected = self.selected.filter(|_| !self.matches().is_empty()).map(|_| 0);
        }
        handled
    }

    fn paste(&mut self, text: &str) -> bool {
        self.fault = None;
        self.selected = None;
        self.input.paste(text)
    }

    fn enter(&mut self, _from_above: bool) {
        self.selected = None;
    }

    /// Opens the list, or moves in it. `Up` on the first row closes it.
    fn arrow(&mut self, down: bool) -> bool {
        let count = self.matches().len();
        let (next, is_handled) = match (self.selected, down) {
            (None, true) => ((count > 0).then_some(0), count > 0),
            (None, false) => (None, false),
            (Some(at), true) => (Some((at + 1).min(count.saturating_sub(1))), true),
            (Some(at), false) => (at.checked_sub(1), true),
        };
        self.selected = next;
        is_handled
    }

    fn close_list(&mut self, accepts: bool) -> bool {
        let was_open = self.selected.is_some();
        if accepts {
            self.accept();
        }
        self.selected = None;
        was_open
    }

    fn note(&self, ctx: &Model) -> Option<FieldNote> {
        let pattern = self.entities().err().filter(|error| *error == ScopeError::EntityPattern);
        let fault = self.fault.clone().or_else(|| pattern.map(|error| error.to_string()));
        Some(fault.map_or_else(|| FieldNote::Hint(self.hint(ctx)), FieldNote::Fault))
    }

    fn draw(&self, area: Rect, canvas: &mut Canvas<'_>, focused: bool) -> Option<Position> {
        let cursor = self.input.draw(area, canvas, focused);
        if self.input.text().is_empty() {
            let style = canvas.ctx.theme.field.patch(canvas.ctx.theme.faint);
            canvas.line(area, 0).text(PLACEHOLDER, style);
        }
        cursor
    }

    /// Draws the open list at the top of `area`, in a frame that is open at the top, with the
    /// position in the list.
    fn draw_list(&self, area: Rect, canvas: &mut Canvas<'_>) {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        let matches = self.matches();
        let Some(selected) = self.selected else { return };
        let room = MAX_ROWS.min(area.height.saturating_sub(1));
        let rows = u16::try_from(matches.len()).unwrap_or(room).min(room);
        let page = usize::from(rows).max(1);
        let top = self.top.get().clamp((selected + 1).saturating_sub(page), selected);
        self.top.set(top);
        let area = Rect { height: rows + 1, ..area }.intersection(area);
        Clear.render(area, canvas.buf);
        canvas.buf.set_style(area, theme.base);
        let position = format!("{} of {}", selected + 1, matches.len());
        panel::draw_open_frame(&position, area, canvas);
        let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
        for (line, (at, entity)) in (0..rows).zip(matches.iter().enumerate().skip(top)) {
            let style = if at == selected { theme.selected } else { theme.text() };
            canvas.fill_line(inner, line, style);
            canvas.line(inner, line).text_within(entity, inner.width, style);
            let arrow = if at > selected { Action::Down } else { Action::Up };
            let presses = [
                (SyntheticInput::Act(arrow), at.abs_diff(selected)),
                (SyntheticInput::Act(Action::Accept), 1),
            ];
            ctx.hit_map.click_sequence(line_rect(inner, line), presses);
        }
    }
}

#[cfg(test)]
mod tests {
    use ratatui::crossterm::event::{KeyCode, KeyModifiers};

    use super::*;

    fn field(typed: &str) -> EntityField {
        let mut field = EntityField::new("*", true);
        field.set_suggestions(["c-42", "c-7", "gateway-c-1"].map(str::to_owned).to_vec());
        for c in typed.chars() {
            field.press(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE));
        }
        field
    }

    fn names(field: &EntityField) -> Result<Vec<String>, ScopeError> {
        field.entities().map(|all| all.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn an_empty_input_is_any_entity() {
        assert_eq!(names(&field("")), Ok(vec!["*".to_owned()]));
        assert_eq!(names(&field("*")), Ok(vec!["*".to_owned()]));
        assert_eq!(names(&field(" , ")), Err(ScopeError::NoEntity));
    }

    #[test]
    fn commas_separate_entities_and_a_star_stands_alone() {
        assert_eq!(names(&field("a, b,a")), Ok(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(names(&field("a,*")), Err(ScopeError::EntityPattern));
        assert_eq!(names(&field("*c-42")), Err(ScopeError::EntityPattern));
        let kept = EntityField::new("a,b", true);
        assert_eq!(names(&kept), Ok(vec!["a,b".to_owned()]), "one entity that has a comma");
    }

    #[test]
    fn a_suggestion_completes_the_last_entity() {
        let mut it = field("x-1, C-");
        assert!(it.arrow(true) && it.arrow(true));
        assert!(it.close_list(true));
        assert_eq!(it.input.text(), "x-1, c-7");
        assert!(!it.close_list(true), "the list is closed");
        let none = field("zebra");
        assert!(none.matches().is_empty());
    }

    #[test]
    fn an_arrow_leaves_the_input_without_suggestions() {
        assert!(!field("zebra").arrow(true));
        let mut open = field("");
        assert!(!open.arrow(false));
        assert!(open.arrow(true) && open.arrow(false));
        assert_eq!(open.selected, None);
    }
}
