//! The calls that are under way: on which stack, and who must not be disturbed by a change.
//!
//! With `std` every thread has a record that anyone may look at (`runtime/readers.rs`) and a pointer to its innermost call,
//! so that a kept handle knows its chain. Without, a runtime counts the calls that are under way in it, and no more.

use alloc::string::String;
use core::ptr::NonNull;

use crate::context::Context;

#[cfg(feature = "std")]
pub(crate) use with_threads::{Calls, Grace, Under, this_thread, top};
#[cfg(not(feature = "std"))]
pub(crate) use without_threads::{Calls, Grace, Under, top};

/// A call that is inside a module.
pub(crate) struct Inside {
    pub(crate) thread: String,
    /// The address of the handler's entry in its table, or 0.
    pub(crate) handler: usize,
}

#[cfg(feature = "std")]
mod with_threads {
    use core::cell::Cell;
    use std::boxed::Box;
    use std::string::ToString;
    use std::vec::Vec;

    use super::{Context, Inside, NonNull};
    use crate::lock::Lock;
    use crate::runtime::Record;
    use crate::sync::heavy;

    /// A record and the thread that has it, for as long as there is one.
    struct Known {
        record: Record,
        thread: Lock<Option<std::thread::Thread>>,
    }

    /// Every record there ever was; a thread that ends leaves its own to the next.
    static KNOWN: Lock<Vec<&'static Known>> = Lock::new(Vec::new());

    struct Here {
        top: Cell<Option<NonNull<Context>>>,
        known: Cell<Option<&'static Known>>,
        /// Whether the thread is ending: a record is then had for one outermost call.
        ends: Cell<bool>,
    }

    impl Here {
        /// Gives the thread's record to whoever comes next. Nobody is inside.
        #[cold]
        fn give_back(&self) {
            if let Some(known) = self.known.take() {
                *known.thread.lock() = None;
            }
        }
    }

    std::thread_local! {
        static HERE: Here = const {
            Here { top: Cell::new(None), known: Cell::new(None), ends: Cell::new(false) }
        };
        static AT_EXIT: AtExit = const { AtExit };
    }

    /// Gives the thread's record back.
    struct AtExit;

    impl Drop for AtExit {
        fn drop(&mut self) {
            HERE.with(|here| {
                here.ends.set(true);
                // A handler that ends the program is still inside, with other threads running.
                if here.top.get().is_none() {
                    here.give_back();
                }
            });
        }
    }

    #[cold]
    fn register(here: &Here) -> &'static Known {
        let mut all = KNOWN.lock();
        let free = all.iter().copied().find(|known| known.thread.lock().is_none());
        let known = free.unwrap_or_else(|| {
            let known = &*Box::leak(Box::new(Known { record: Record::new(), thread: Lock::new(None) }));
            all.push(known);
            known
        });
        *known.thread.lock() = Some(std::thread::current());
        drop(all);
        here.known.set(Some(known));
        if AT_EXIT.try_with(|_| {}).is_err() {
            here.ends.set(true);
        }
        known
    }

    /// The innermost call of this thread, if one is under way.
    #[inline]
    pub(crate) fn top() -> Option<NonNull<Context>> {
        HERE.with(|here| here.top.get())
    }

    /// A number that no other thread has while this one lives.
    pub(crate) fn this_thread() -> usize {
        HERE.with(|here| core::ptr::from_ref(here) as usize)
    }

    /// The calls that are under way, in all runtimes of the process.
    pub(crate) struct Calls;

    impl Calls {
        pub(crate) const fn new() -> Self {
            Self
        }

        /// Makes a context the innermost call of this thread until the guard goes.
        #[inline]
        pub(crate) fn enter(&self, cx: NonNull<Context>) -> Under<'_> {
            HERE.with(|here| {
                let known = match here.known.get() {
                    Some(known) => known,
                    None => register(here),
                };
                let up = here.top.replace(Some(cx));
                if up.is_none() {
                    known.record.enter();
                }
                Under { record: &known.record, up, runtime: core::marker::PhantomData }
            })
        }

        /// Whose calls must end before what was replaced until now may be freed.
        pub(crate) fn grace(&self) -> Grace {
            heavy();
            let all = KNOWN.lock();
            Grace(all.iter().filter_map(|known| Some((&known.record, known.record.inside()?))).collect())
        }

        /// Who is inside that place, if anyone.
        pub(crate) fn inside(&self, place: usize) -> Option<Inside> {
            heavy();
            let all = KNOWN.lock();
            let (known, handler) = all.iter().find_map(|known| Some((known, known.record.is_in(place)?)))?;
            let thread = known.thread.lock();
            let name = thread.as_ref().and_then(|thread| thread.name().map(ToString::to_string));
            Some(Inside { thread: name.unwrap_or_else(|| "without a name".to_string()), handler })
        }
    }

    /// Some calls that were under way at one moment.
    pub(crate) struct Grace(Vec<(&'static Record, usize)>);

    impl Grace {
        pub(crate) fn is_over(&mut self, _: &Calls) -> bool {
            self.0.retain(|(record, sequence)| !record.has_left(*sequence));
            self.0.is_empty()
        }
    }

    /// A call is under way.
    pub(crate) struct Under<'a> {
        record: &'static Record,
        up: Option<NonNull<Context>>,
        runtime: core::marker::PhantomData<&'a Calls>,
    }

    impl Under<'_> {
        /// Says which module the call at that depth is about to enter; see [`Record::mark`].
        #[inline]
        pub(crate) fn mark(&self, depth: u32, place: usize, handler: usize) {
            self.record.mark(depth as usize, place, handler);
        }

        #[inline]
        pub(crate) fn unmark(&self, depth: u32) {
            self.record.unmark(depth as usize);
        }
    }

    impl Drop for Under<'_> {
        #[inline]
        fn drop(&mut self) {
            HERE.with(|here| {
                here.top.set(self.up);
                if self.up.is_none() {
                    self.record.leave();
                    if here.ends.get() {
                        here.give_back();
                    }
                }
            });
        }
    }
}

#[cfg(not(feature = "std"))]
mod without_threads {
    use alloc::string::ToString;
    use core::sync::atomic::{AtomicUsize, Ordering};

    use super::{Context, Inside, NonNull};

    pub(crate) fn top() -> Option<NonNull<Context>> {
        None
    }

    /// The calls that are under way in one runtime.
    pub(crate) struct Calls(AtomicUsize);

    impl Calls {
        pub(crate) const fn new() -> Self {
            Self(AtomicUsize::new(0))
        }

        #[inline]
        pub(crate) fn enter(&self, _: NonNull<Context>) -> Under<'_> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Under(self)
        }

        pub(crate) fn grace(&self) -> Grace {
            Grace
        }

        /// Whether a call is under way, wherever it is.
        pub(crate) fn inside(&self, _: usize) -> Option<Inside> {
            let inside = || Inside { thread: "of a call that is under way".to_string(), handler: 0 };
            (self.0.load(Ordering::SeqCst) > 0).then(inside)
        }
    }

    pub(crate) struct Grace;

    impl Grace {
        pub(crate) fn is_over(&mut self, calls: &Calls) -> bool {
            calls.0.load(Ordering::SeqCst) == 0
        }
    }

    pub(crate) struct Under<'a>(&'a Calls);

    impl Under<'_> {
        #[inline]
        pub(crate) fn mark(&self, _: u32, _: usize, _: usize) {}

        #[inline]
        pub(crate) fn unmark(&self, _: u32) {}
    }

    impl Drop for Under<'_> {
        #[inline]
        fn drop(&mut self) {
            self.0.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
}
