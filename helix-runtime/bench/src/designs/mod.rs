//! Other designs of what ours does, as far as it can be built without the rest: only the protection, and the calls.
//!
//! None of them finds a topic, counts, carries a chain of calls, keeps a caller from its own module or gathers a result. So
//! they are the floors of their designs, and no replacements: they tell what of ours costs what.

mod alone;
mod events;
mod requests;

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering, compiler_fence};

use crate::row::Row;

thread_local! {
    static SEQUENCE: AtomicUsize = const { AtomicUsize::new(0) };
    static MARK: AtomicUsize = const { AtomicUsize::new(0) };
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// What the names of these rows begin with.
pub const ROWS: &str = "designs of ";

/// What a module's word holds while it may be entered.
const OPEN: usize = 1;

/// The rows: ours beside each design.
pub fn rows() -> Vec<Row> {
    [events::rows(), alone::rows(), requests::rows()].into_iter().flatten().collect()
}

/// What they have shown, for the page of results.
pub const LESSONS: &str = "\
The rows `designs of ..` above have the figures; here is what was taken, and why.

**Publishing: a sequence and marks.** The per-thread sequence was taken with `std`: it makes no atomic step, so threads that
publish at once share nothing, and it tells when everybody has left. An in-flight counter is as cheap while its line is one
thread's own; it is what the runtime does without `std`. A mark for each handler was taken on top: it costs a few hundredths,
and without it `replace` of one module would wait for the calls of all, and could not say which thread is stuck in which
handler. So these two are not what the budgets are missed by.

What they are missed by is what no design here does. Once a publication: to find the topic in the view as it is now, to count
it, to link the chain of calls, to make the event's one representation, to gather the result; about 160 instructions, of which
a table needs none. Per handler: it says how it went and is told where it is, which alone is half of the table again (the
table's functions return nothing, so their last call is a jump; one that stops a panic and returns a status has none); and
ours is about 30 instructions where that design has 20. The latter, and the 160, are what is left to win.

**A share that matches, and statistics.** Only those who match are walked, so the first is as the rows of 64 and 1000. With
statistics each handler costs an atomic step more. Counting in the thread's record, as publications are, would save that
step, but a record has 64 places, and a runtime may have thousands of listeners.

**Exclusive handlers: one word.** It is taken by one compare-and-swap and given back by a plain store, as a `spin::Mutex` is;
a `std::sync::Mutex` makes two atomic steps, a ticket lock convoys where processors are few, and an `RwLock` of `spin` has no
place for a transition's gate. What ours adds beside the lock is more than for `&self`: whether others were asked to come
first, and whether something waits for the module now that it is left.

**Requests: out-pointers.** They were taken over `dyn Any`, which is dearer. With sequence and mark they are near the budget;
what ours adds is as above, and besides the way through the host, which is chosen at run time, to the target that a route
stands for now, and the comparison of its types. By name, a perfect hash (`phf`), a `HashMap` and ours, which looks at the
first and last eight bytes and the length, are close to each other, although ours makes the whole call; most of the distance
to `match` is that call.

**Channels.** Many to many across threads is bound by the line that both sides write, and a receiver that may sleep must be
looked for after each send: that look is what ours adds to the bare queue, and it varies most from run to run. One to one and
on the same thread the queue itself is the limit.

**Compile time.** The limit is what the compiler does with any hundred functions and one table of pointers to them; the
record is built in const evaluation, byte by byte. The cold build of the macros is their dependencies. Instructions of the
check, which do not vary, are in `.ci/instructions`.
";

/// A thread says by its sequence that it is inside, if it did not already.
fn inside<T>(run: impl FnOnce() -> T) -> T {
    let depth = DEPTH.get();
    DEPTH.set(depth + 1);
    let step = || SEQUENCE.with(|own| own.store(own.load(Ordering::Relaxed).wrapping_add(1), Ordering::Release));
    if depth == 0 {
        step();
        compiler_fence(Ordering::SeqCst);
    }
    let result = run();
    DEPTH.set(depth);
    if depth == 0 {
        step();
    }
    result
}

/// A call says where it goes, and looks whether that is open. It is there until the next mark.
fn mark(mark: &AtomicUsize, word: &AtomicUsize) -> bool {
    mark.store(core::ptr::from_ref(word).addr(), Ordering::Release);
    compiler_fence(Ordering::SeqCst);
    word.load(Ordering::Acquire) == OPEN
}
