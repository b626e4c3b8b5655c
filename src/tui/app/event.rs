//! What happens to the app. The event loop passes each event to `App::update`, in the order in
//! which they came; the terminal's input thread, the worker and the loop itself make them.

use super::{pending::RequestId, service_request::Response};
use crate::{
    domain::Delivery,
    list::ListResult,
    service::{Followed, ServiceError},
    tui::terminal::input::Input,
};

#[derive(Debug)]
pub enum AppEvent {
    Input(Input),
    /// The service has done what was requested; each request gets exactly one.
    Response(RequestId, Box<Response>),
    StoreChanged(Followed),
    /// The changes of other processes can't be read: the screen may be out of date.
    FollowFailed(ServiceError),
    /// What the list shows, or the first rows of it.
    ListResult(Box<ListResult>),
    ListFailed(ServiceError),
    ServiceSilent,
    HostResult(HostResult),
    /// A frame was drawn: it may show what has not been read yet.
    Drawn,
    Tick,
}

/// What came of a [`super::effect::HostAction`].
#[derive(Debug)]
pub enum HostResult {
    /// A text was sent to the clipboard; the sentence says so.
    Copied(String),
    /// The secret was handed over in this way; the sentence says where it is.
    Delivered(Delivery, String),
    /// It failed; the sentence says why.
    Failed(String),
    /// There is no shell that could continue the process.
    NotSuspended,
}
