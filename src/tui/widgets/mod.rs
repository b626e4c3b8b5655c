//! Reusable widgets, one per file. Each draws itself into a buffer; an input also handles keys.
//! Screens and dialogs call them. Widgets never depend on screens, dialogs or the service.

pub mod bars;
pub mod buttons;
pub mod canvas;
pub mod checkbox_group;
pub mod entity_field;
pub mod form;
pub mod hit_map;
pub mod labels_field;
pub mod lifetime_field;
pub mod limits_field;
pub mod list_selection;
pub mod offscreen_canvas;
pub mod panel;
pub mod radio_group;
pub mod scope_fields;
pub mod scope_rows;
pub mod scrollbar;
pub mod search_field;
pub mod text_group;
pub mod text_input;
mod type_ahead;
