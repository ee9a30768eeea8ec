//! Where the chain of calls is found when no context carries it: with `std`, in a thread-local.

use core::ptr::NonNull;

use crate::context::Context;

#[cfg(feature = "std")]
std::thread_local! {
    static TOP: core::cell::Cell<Option<NonNull<Context>>> = const { core::cell::Cell::new(None) };
}

/// The innermost call of this thread, if one is under way.
#[inline]
pub(crate) fn top() -> Option<NonNull<Context>> {
    #[cfg(feature = "std")]
    return TOP.get();
    #[cfg(not(feature = "std"))]
    None
}

/// Makes a context the innermost call of this thread until the guard goes.
#[inline]
pub(crate) fn enter(cx: NonNull<Context>) -> Pushed {
    #[cfg(feature = "std")]
    return Pushed(TOP.replace(Some(cx)));
    #[cfg(not(feature = "std"))]
    {
        let _ = cx;
        Pushed()
    }
}

#[cfg(feature = "std")]
pub(crate) struct Pushed(Option<NonNull<Context>>);
#[cfg(not(feature = "std"))]
pub(crate) struct Pushed();

#[cfg(feature = "std")]
impl Drop for Pushed {
    #[inline]
    fn drop(&mut self) {
        TOP.set(self.0);
    }
}
