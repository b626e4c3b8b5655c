//! Requests to the service that are under way, and who made each: a response goes there, in
//! whatever order responses come. Owned by the app.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicU64, Ordering},
};

/// Identifies a request to the service, and its response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId(u64);

impl RequestId {
    /// An id that no other request of this process has.
    pub fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// Identifies an open dialog: another one may be on top of it when its response comes.
pub(super) type DialogId = u64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    App,
    /// The app, to undo the last command.
    Undo,
    /// The app, for the tokens on the screen.
    VisibleTokens,
    /// The app, for the tokens around them.
    NearbyTokens,
    CreateForm,
    /// A dialog, to do what it is for.
    Dialog(DialogId),
    /// A dialog, to show something as its fields change.
    Query(DialogId),
}

#[derive(Debug, Default)]
pub(super) struct Pending(HashMap<RequestId, Origin>);

impl Pending {
    pub(super) fn insert(&mut self, id: RequestId, origin: Origin) {
        self.0.insert(id, origin);
    }

    /// Who made request `id`, which is no longer under way.
    pub(super) fn remove(&mut self, id: RequestId) -> Option<Origin> {
        self.0.remove(&id)
    }

    pub(super) fn contains(&self, origin: Origin) -> bool {
        self.0.values().any(|each| *each == origin)
    }

    /// Whether a response is to come without which the screen is not right.
    pub(super) fn delays_screen(&self) -> bool {
        self.0.values().any(|origin| *origin != Origin::NearbyTokens)
    }

    #[cfg(any(test, feature = "testing"))]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
