//! The pieces that screens are made of, one a file: each draws itself into a buffer and, if it
//! is a field, takes keys. They know nothing of tokens and nothing of each other's screens.

pub mod buttons;
pub mod checkbox_group;
pub mod field;
pub mod form;
pub mod hit_map;
pub mod lifetime;
pub mod list_selection;
pub mod paint;
pub mod panel;
pub mod radio_group;
pub mod scope_fields;
pub mod scope_rows;
pub mod scroll_view;
