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
**Publishing.** The per-thread sequence won: it is the only one that costs no atomic step, that no second thread makes dearer,
and that tells when everybody has left. An in-flight counter is cheaper on one thread, where its line is nobody else's; it is
what the runtime does without `std`. `arc-swap` and `RwLock<Arc<..>>` cost less a handler than the sequence here, and 11 ns
for each publication, more with each further thread. Marks cost hardly anything beside it, and buy that `replace` waits for
the calls inside *one* module and can name the stuck one. What is left of ours is what the designs do without: to find the
topic, to count the publication, to link the chain of calls, to gather the result (about 16 ns a publication, 190
instructions in all), and for each handler a status and the context's place. A status costs a third of the floor: the table's
functions return nothing, so their last call is a jump, which a function that must stop a panic cannot have.

**Exclusive handlers.** One compare-and-swap and a plain store, as a `spin::Mutex` has them, cost most of what there is; what
ours adds is the same as above. A `std::sync::Mutex` is two atomic steps.

**Requests.** By handle the same things cost: a call that may be the outermost of its thread links a context and says so in
the thread's record, which is four times an indirect call before anything is called. A value in `dyn Any` is dearer than
out-pointers, so the latter won. By name, one hash of the first and last eight bytes and the length beats `phf` and a
`HashMap`, and loses to `match` on few names only.
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
