//! A runtime counts the calls that are under way in it, and knows the innermost where one processor makes them all.

use alloc::string::ToString;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use super::{Context, Inside, Keeps, NonNull, Range};
use crate::runtime::Count;

pub(crate) fn top() -> Option<NonNull<Context>> {
    None
}

/// The calls that are under way in one runtime.
pub(crate) struct Calls {
    count: AtomicUsize,
    /// The innermost call, where one processor makes them all: each that ends puts back what it found.
    innermost: AtomicPtr<Context>,
}

impl Calls {
    pub(crate) const fn new() -> Self {
        Self { count: AtomicUsize::new(0), innermost: AtomicPtr::new(null_mut()) }
    }

    /// The innermost call, where one processor makes them all.
    pub(crate) fn innermost(&self) -> Option<NonNull<Context>> {
        NonNull::new(self.innermost.load(Ordering::Relaxed))
    }

    /// Where the next call comes from: the call that is given, as far as is known here.
    #[inline]
    pub(crate) fn here(&self, from: Option<&Context>) -> Here<'_> {
        Here { calls: self, up: from.map(NonNull::from) }
    }

    pub(crate) fn grace(&self) -> Grace {
        Grace
    }

    /// Whether a call is under way, wherever it is.
    pub(crate) fn inside(&self, _: &Range<usize>) -> Option<Inside> {
        // The last number is no handler's.
        let inside = || Inside { thread: "of a call that is under way".to_string(), handler: usize::MAX };
        (self.count.load(Ordering::SeqCst) > 0).then(inside)
    }

    pub(crate) fn total(&self, count: &Count) -> usize {
        count.total(0)
    }

    pub(crate) fn forget(&self, _: &Count) {}
}

pub(crate) struct Grace;

impl Grace {
    pub(crate) fn is_over(&mut self, calls: &Calls) -> bool {
        calls.count.load(Ordering::SeqCst) == 0
    }
}

pub(crate) struct Here<'a> {
    calls: &'a Calls,
    up: Option<NonNull<Context>>,
}

impl<'a> Here<'a> {
    pub(crate) fn up(&self) -> Option<NonNull<Context>> {
        self.up
    }

    #[inline]
    pub(crate) fn enter(self, cx: NonNull<Context>) -> (Under<'a>, Guard<'a>) {
        self.calls.count.fetch_add(1, Ordering::SeqCst);
        let outer = self.calls.innermost.load(Ordering::Relaxed);
        self.calls.innermost.store(cx.as_ptr(), Ordering::Relaxed);
        (Under(core::marker::PhantomData), Guard { calls: self.calls, outer })
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Under<'a>(core::marker::PhantomData<&'a Calls>);

pub(crate) struct Guard<'a> {
    calls: &'a Calls,
    outer: *mut Context,
}

impl Guard<'_> {
    #[inline]
    pub(crate) fn keeps(&self) -> Keeps<'_> {
        Keeps(core::marker::PhantomData)
    }
}

/// No call has a mark: all are counted as one.
#[derive(Clone, Copy)]
pub(crate) struct Mark<'a>(core::marker::PhantomData<&'a Calls>);

/// Who counts itself by an atomic needs no other barrier.
#[derive(Clone, Copy)]
pub(crate) struct Light;

impl Light {
    pub(crate) fn get() -> Self {
        Self
    }

    pub(crate) const FREE: Self = Self;

    pub(crate) fn is_free(self) -> bool {
        true
    }
}

impl Mark<'_> {
    #[inline]
    pub(crate) fn set(self, _: usize, _: Light) {}

    #[inline]
    pub(crate) fn clear(self) {}
}

impl<'a> Under<'a> {
    #[inline]
    pub(crate) fn mark(self, _: u32) -> Mark<'a> {
        Mark(core::marker::PhantomData)
    }

    #[inline]
    pub(crate) fn light(self) -> Light {
        Light
    }

    #[inline]
    pub(crate) fn count(self, count: &Count) {
        count.add();
    }
}

impl Drop for Guard<'_> {
    #[inline]
    fn drop(&mut self) {
        self.calls.innermost.store(self.outer, Ordering::Relaxed);
        self.calls.count.fetch_sub(1, Ordering::SeqCst);
    }
}
