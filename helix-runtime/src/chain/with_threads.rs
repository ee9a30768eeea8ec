//! Every thread has a record that anyone may look at, and a pointer to its innermost call.

use core::cell::Cell;
use std::boxed::Box;
use std::string::ToString;
use std::vec::Vec;

use super::{Context, Inside, Keeps, NonNull, Range};
use crate::lock::Lock;
pub(crate) use crate::runtime::Mark;
use crate::runtime::{Count, Record, Tallies};
pub(crate) use crate::sync::Light;
use crate::sync::heavy;

/// A record and the thread that has it, for as long as there is one.
struct Known {
    record: Record,
    tallies: Tallies,
    light: Light,
    thread: Lock<Option<std::thread::Thread>>,
}

/// Every record there ever was; a thread that ends leaves its own to the next.
static KNOWN: Lock<Vec<&'static Known>> = Lock::new(Vec::new());

struct Local {
    top: Cell<Option<NonNull<Context>>>,
    known: Cell<Option<&'static Known>>,
    /// Whether the thread is ending: a record is then had for one outermost call.
    ends: Cell<bool>,
}

impl Local {
    /// Gives the thread's record to whoever comes next. Nobody is inside.
    #[cold]
    fn give_back(&self) {
        if let Some(known) = self.known.take() {
            *known.thread.lock() = None;
        }
    }
}

std::thread_local! {
    static LOCAL: Local = const {
        Local { top: Cell::new(None), known: Cell::new(None), ends: Cell::new(false) }
    };
    static AT_EXIT: AtExit = const { AtExit };
}

/// Gives the thread's record back.
struct AtExit;

impl Drop for AtExit {
    fn drop(&mut self) {
        LOCAL.with(|local| {
            local.ends.set(true);
            // A handler that ends the program is still inside, with other threads running.
            if local.top.get().is_none() {
                local.give_back();
            }
        });
    }
}

#[cold]
fn register(local: &Local) -> &'static Known {
    let mut all = KNOWN.lock();
    let free = all.iter().copied().find(|known| known.thread.lock().is_none());
    let known = free.unwrap_or_else(|| {
        let known = &*Box::leak(Box::new(Known {
            record: Record::new(),
            tallies: Tallies::new(),
            light: Light::get(),
            thread: Lock::new(None),
        }));
        all.push(known);
        known
    });
    *known.thread.lock() = Some(std::thread::current());
    drop(all);
    local.known.set(Some(known));
    if AT_EXIT.try_with(|_| {}).is_err() {
        local.ends.set(true);
    }
    known
}

/// The innermost call of this thread, if one is under way.
#[inline]
pub(crate) fn top() -> Option<NonNull<Context>> {
    LOCAL.with(|local| local.top.get())
}

/// A number that no other thread has while this one lives.
pub(crate) fn this_thread() -> usize {
    LOCAL.with(|local| core::ptr::from_ref(local) as usize)
}

/// The calls that are under way, in all runtimes of the process.
pub(crate) struct Calls;

impl Calls {
    pub(crate) const fn new() -> Self {
        Self
    }

    /// Where the next call of this thread comes from: the innermost that is under way. The one that is given is that one or
    /// led to it: safe code can hand a context of an outer call to an inner one, and what is between is under way too.
    #[inline(always)]
    pub(crate) fn here(&self, _: Option<&Context>) -> Here<'_> {
        LOCAL.with(|local| {
            let known = match local.known.get() {
                Some(known) => known,
                None => register(local),
            };
            Here { known, up: local.top.get(), runtime: core::marker::PhantomData }
        })
    }

    /// The innermost call of this thread.
    pub(crate) fn innermost(&self) -> Option<NonNull<Context>> {
        top()
    }

    /// Whose calls must end before what was replaced until now may be freed.
    pub(crate) fn grace(&self) -> Grace {
        heavy();
        let all = KNOWN.lock();
        Grace(all.iter().filter_map(|known| Some((&known.record, known.record.inside()?))).collect())
    }

    /// Who is inside one of these handlers, if anyone.
    pub(crate) fn inside(&self, handlers: &Range<usize>) -> Option<Inside> {
        heavy();
        let all = KNOWN.lock();
        let (known, handler) = all.iter().find_map(|known| Some((known, known.record.is_in(handlers)?)))?;
        let thread = known.thread.lock();
        let name = thread.as_ref().and_then(|thread| thread.name().map(ToString::to_string));
        Some(Inside { thread: name.unwrap_or_else(|| "without a name".to_string()), handler })
    }

    /// How often something was counted.
    pub(crate) fn total(&self, count: &Count) -> usize {
        let all = KNOWN.lock();
        let by_threads = all.iter().map(|known| known.tallies.of(count.number()));
        count.total(by_threads.fold(0, usize::wrapping_add))
    }

    /// Nobody counts that any more.
    pub(crate) fn forget(&self, count: &Count) {
        KNOWN.lock().iter().for_each(|known| known.tallies.forget(count.number()));
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

/// Where a call comes from: the thread's own. It does not leave its thread.
#[derive(Clone, Copy)]
pub(crate) struct Here<'a> {
    known: &'static Known,
    up: Option<NonNull<Context>>,
    runtime: core::marker::PhantomData<&'a Calls>,
}

impl<'a> Here<'a> {
    #[inline(always)]
    pub(crate) fn up(self) -> Option<NonNull<Context>> {
        self.up
    }

    /// Makes a context, whose `up` is this one's, the innermost call of this thread until the guard goes.
    #[inline(always)]
    pub(crate) fn enter(self, cx: NonNull<Context>) -> (Under<'a>, Guard) {
        LOCAL.with(|local| local.top.set(Some(cx)));
        if self.up.is_none() {
            self.known.record.enter(self.known.light);
        }
        (Under(self), Guard(cx))
    }
}

/// A call is under way, as long as its guard is there.
#[derive(Clone, Copy)]
pub(crate) struct Under<'a>(Here<'a>);

impl<'a> Under<'a> {
    /// The mark of the call at that depth.
    #[inline(always)]
    pub(crate) fn mark(self, depth: u32) -> Mark<'a> {
        self.0.known.record.mark(depth)
    }

    /// The barrier that goes with a mark.
    #[inline(always)]
    pub(crate) fn light(self) -> Light {
        self.0.known.light
    }

    /// Counts something once more.
    #[inline(always)]
    pub(crate) fn count(self, count: &Count) {
        self.0.known.tallies.add(count);
    }
}

/// Ends a call when it goes. What it needs is found in memory, so that no register is kept for it.
pub(crate) struct Guard(NonNull<Context>);

impl Guard {
    #[inline(always)]
    pub(crate) fn keeps(&self) -> Keeps<'_> {
        Keeps(core::marker::PhantomData)
    }
}

impl Drop for Guard {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: the call's link is still there.
        let up = unsafe { self.0.as_ref() }.up_link();
        LOCAL.with(|local| {
            local.top.set(up);
            if up.is_some() {
                return;
            }
            if let Some(known) = local.known.get() {
                known.record.leave();
            }
            if local.ends.get() {
                local.give_back();
            }
        });
    }
}
