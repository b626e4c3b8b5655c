//! The events of the app. The input thread, the worker and the event loop create the events. The
//! event loop passes the events to `App::update` in the order of arrival.

use super::{pending_requests::RequestId, service_request::Response};
use crate::{
    domain::DeliveryMethod,
    list::ListResult,
    service::{HookSummary, ServiceError, TokenChanges},
    tui::terminal::input::TerminalInput,
};

/// An event for the app.
#[derive(Debug)]
pub enum AppEvent {
    Input(TerminalInput),
    /// The response to the request with this id. Each request gets exactly one response.
    Response(RequestId, Box<Response>),
    StoreChanged(TokenChanges),
    /// The changes of other processes cannot be read: the screen may be out of date.
    ChangeReadFailed(ServiceError),
    /// A result of a list request. An early result contains only a part of the rows.
    ListResult(Box<ListResult>),
    ListFailed(ServiceError),
    /// Hooks failed after a change, or could not be run. The change was made.
    HooksFailed(Box<HookSummary>),
    /// The service has not responded for a while.
    ServiceUnresponsive,
    HostResult(OutputResult),
    /// A frame was drawn. The app then requests the data that the frame lacked.
    FrameDrawn,
    /// A deadline of the app has passed.
    Tick,
}

/// The result of a [`super::effect::OutputAction`].
#[derive(Debug)]
pub enum OutputResult {
    /// A text was sent to the clipboard. Contains the message to show.
    Copied(String),
    /// The secret was delivered by this method. Contains the message to show.
    Delivered(DeliveryMethod, String),
    /// The action failed. Contains the error message.
    Failed(String),
    /// The process was not suspended, because no shell could continue it.
    NotSuspended,
}
