//! How many instructions lie between an interrupt and the handler of its event, by the only way there is: the line,
//! `Runtime::poll`, `publish`, the module. Beside it a loop that raises and calls, and has nothing between.

use alloc::format;
use core::hint::black_box;
use core::sync::atomic::{AtomicU32, Ordering};

use helix_runtime::Runtime;
use helix_runtime::irq::IrqLine;

use super::Failure;
use super::table::{cost, unit};
use crate::kernel::Kernel;
use crate::modules::probe::ARRIVED;
use crate::{board, irq, say};

const ROUNDS: u32 = 512;

pub fn play(mut kernel: Kernel, _: &str) -> Result<(), Failure> {
    let helix = of_an_interrupt(kernel.runtime);
    let bare = measure(|| bare(&irq::SOFTWARE, black_box(on_interrupt)));
    say!("{} from an interrupt to its handler, on average of {ROUNDS}", unit());
    say!("  raise, poll, publish, handler of a module  {:>6}", cost(helix));
    say!("  raise, call of a function                  {:>6}", cost(bare));
    say!(
        "  ratio                                      {:>6}",
        format!("{}.{:02}", helix / bare, helix % bare * 100 / bare)
    );
    kernel.turn();
    kernel.shut_down()
}

/// From an interrupt to the handler of its event in a module, on average, in nanoseconds.
pub fn of_an_interrupt(runtime: &Runtime) -> u64 {
    // The timer stands still, and so does the time: what it costs to know it is the board's.
    let now = crate::kernel::now();
    measure(|| {
        runtime.poll(now);
    })
}

/// From the moment before the interrupt to that in the handler, on average, in nanoseconds.
fn measure(mut react: impl FnMut()) -> u64 {
    let mut sum = 0;
    for round in 0..ROUNDS + 8 {
        let began = board::nanoseconds() as u32;
        board::interrupt_self();
        react();
        let took = ARRIVED.load(Ordering::Relaxed).wrapping_sub(began);
        // The first rounds make what is made once.
        if round >= 8 {
            sum += u64::from(took);
        }
    }
    (sum / u64::from(ROUNDS)).max(1)
}

/// What a kernel without modules would do in its idle loop.
#[inline(never)]
fn bare(line: &IrqLine, handler: fn(u32)) {
    let count = line.take();
    if count > 0 {
        handler(count);
    }
}

#[inline(never)]
fn on_interrupt(count: u32) {
    static COUNTED: AtomicU32 = AtomicU32::new(0);
    ARRIVED.store(board::nanoseconds() as u32, Ordering::Relaxed);
    COUNTED.store(COUNTED.load(Ordering::Relaxed).wrapping_add(count), Ordering::Relaxed);
}
