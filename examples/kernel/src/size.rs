//! The kernel with two of its modules and no scenario, in three ways. It is linked for its size by `.ci/kernel-size`, which
//! sets the environment variable `KERNEL_SIZE` for the build, and need not be run.
//!
//! | `KERNEL_SIZE` | what there is beside the board, the idle loop and the console |
//! |---|---|
//! | `bare` | nothing |
//! | `by-hand` | the modules `probe` and `tally`, called by tables and a `match` |
//! | `helix` | the same modules, in a `Runtime` |

use core::hint::black_box;

use crate::{board, irq, say};

/// The idle loop around one round of whatever there is.
pub fn run() -> ! {
    board::init();
    let turn = way::start();
    board::enable_interrupts();
    board::start_timer(crate::kernel::HZ);
    loop {
        turn();
        board::enable_interrupts_and_wait();
    }
}

/// What is asked for by name, which the compiler must not know.
fn wanted() -> &'static str {
    black_box("tally.ticks")
}

#[cfg(sized = "bare")]
mod way {
    use super::*;

    pub fn start() -> impl Fn() {
        || say!("{} {} {}", wanted(), irq::TIMER.take(), irq::SERIAL.take())
    }
}

/// What one would write: tables of functions, and locks where a handler changes its module.
#[cfg(sized = "by-hand")]
mod way {
    use super::*;
    use crate::lock::Lock;
    use crate::modules::probe::Probe;
    use crate::modules::tally::Tally;
    use helix_runtime::{Interrupt, Tick};

    static PROBE: Lock<Option<Probe>> = Lock::new("probe", None);
    static TALLY: Lock<Option<Tally>> = Lock::new("tally", None);

    static ON_INTERRUPT: [fn(&Interrupt); 1] = [|interrupt| {
        let response = PROBE.lock().as_ref().map(|probe| probe.interrupt(interrupt));
        black_box(response.is_some());
    }];
    static ON_TICK: [fn(&Tick); 1] = [|tick| {
        if let Some(tally) = TALLY.lock().as_mut() {
            tally.tick(tick);
        }
    }];

    fn call(name: &str) -> Option<u64> {
        match name {
            "probe.slow_down" => PROBE.lock().as_ref().map(|probe| {
                probe.slow_down(black_box(0));
                0
            }),
            "probe.heard" => PROBE.lock().as_ref().map(|probe| probe.heard().0.into()),
            "tally.ticks" => TALLY.lock().as_ref().map(Tally::ticks),
            _ => None,
        }
    }

    pub fn start() -> impl Fn() {
        *PROBE.lock() = Some(Probe::default());
        *TALLY.lock() = Some(Tally::default());
        || {
            for (line, count) in [(0, irq::TIMER.take()), (1, irq::SOFTWARE.take()), (4, irq::SERIAL.take())] {
                if count > 0 {
                    black_box(&ON_INTERRUPT).iter().for_each(|handler| handler(&Interrupt { line, count }));
                }
            }
            let tick = Tick { timestamp_ns: 0, tick_number: irq::ticks().into() };
            black_box(&ON_TICK).iter().for_each(|handler| handler(&tick));
            say!("{:?}", call(wanted()));
        }
    }
}

#[cfg(sized = "helix")]
mod way {
    use super::*;
    use crate::kernel::{SERIAL_LINE, SOFTWARE_LINE, TIMER_LINE, now};
    use crate::modules::{probe, tally};
    use helix_runtime::{Interrupt, Runtime, Tick, modules};

    pub fn start() -> impl Fn() {
        let runtime = Runtime::builder()
            .modules(modules![probe::Probe, tally::Tally])
            .line(&irq::TIMER, |count, _| Interrupt { line: TIMER_LINE, count })
            .line(&irq::SOFTWARE, |count, _| Interrupt { line: SOFTWARE_LINE, count })
            .line(&irq::SERIAL, |count, _| Interrupt { line: SERIAL_LINE, count })
            .build();
        let started = runtime.map(|runtime| runtime.start().map(|()| runtime));
        let Ok(Ok(runtime)) = started else { board::exit(crate::status::Status::Failed) };
        move || {
            runtime.poll(now());
            let heard = runtime.publish(&Tick { timestamp_ns: 0, tick_number: irq::ticks().into() });
            black_box(heard.handled);
            say!("{:?}", runtime.call::<(), u64>(wanted(), ()).ok());
        }
    }
}
