//! What a call of the dispatch stands on, on its way through handlers.

use core::ptr::NonNull;

use crate::chain::{Keeps, Light, Mark};
use crate::context::{Context, Hold};
use crate::event::{Delivery, PublishResult};
use crate::place::Place;
use crate::runtime::patience::Patience;
use crate::runtime::registry::View;
use crate::runtime::topics::Group;
use crate::runtime::word::Access;

/// What there is to tell of a publication but how often it was handled and ignored.
pub(super) type Trouble = Option<PublishResult>;

/// One call of the dispatch on its way through the handlers of an event: what it stands on.
pub(super) struct Walk<'a> {
    /// The link of the chain that each handler sees in turn; it lies on the stack of the walk.
    pub(super) link: Link,
    pub(super) keeps: Keeps<'a>,
    pub(super) mark: Mark<'a>,
    pub(super) light: Light,
    pub(super) view: &'a View,
    pub(super) group: &'a Group,
    pub(super) delivery: &'a Delivery<'a>,
    pub(super) patience: Patience,
}

impl Walk<'_> {
    /// The call that leads to this walk.
    pub(super) fn up(&self) -> Option<&Context> {
        // SAFETY: the calls that led here outlive this one.
        self.link.cx().up_link().map(|up| unsafe { up.as_ref() })
    }

    /// Which of its module's listeners is at that index.
    pub(super) fn nth_of(&self, at: usize) -> usize {
        self.group.nth_of(at, self.delivery)
    }
}

/// A walk's link, for as long as the walk.
#[derive(Clone, Copy)]
pub(super) struct Link(pub(super) NonNull<Context>);

impl Link {
    #[inline(always)]
    pub(super) fn cx<'a>(self) -> &'a Context {
        // SAFETY: the link outlives the walk, and is only changed by `turn_to`, while nobody looks at it.
        unsafe { self.0.as_ref() }
    }

    #[inline(always)]
    pub(super) fn turn_to(self, place: &Place, access: Access) {
        // SAFETY: between two handlers nobody looks at the link; the place lives while its handler is called, or is the
        // runtime's own.
        unsafe { (*self.0.as_ptr()).turn_to(place, Hold::Place(access)) };
    }

    /// The same from one module without a lock to another.
    #[inline(always)]
    pub(super) fn turn_freely_to(self, place: &Place) {
        // SAFETY: as above.
        unsafe { (*self.0.as_ptr()).turn_freely_to(place) };
    }
}
