//! A module is replaced by its second version while ticks come; its state goes along, and every tick is counted once.

use demo_contracts::ClockClient;
use helix_runtime::{Module, Transition};

use super::{Failure, ensure, expect};
use crate::kernel::Kernel;
use crate::modules::tally::TallyV2;
use crate::{board, irq, say};

pub fn play(mut kernel: Kernel, _: &str) -> Result<(), Failure> {
    let runtime = kernel.runtime;
    let id = runtime.module_id("tally")?;
    let version = || runtime.modules().into_iter().find(|module| module.id == id).map(|module| module.info.version);
    kernel.start_timer();
    kernel.run_for(100);
    // The last of them may have come after the round of the idle loop that looked.
    kernel.turn();
    let before = runtime.call::<(), u64>("tally.ticks", ())?;
    say!("tally {} has counted {before} ticks", version().ok_or_else(|| Failure::new("tally is gone"))?);
    ensure(
        runtime.call::<(), u64>("tally.longest", ()).is_err(),
        "the first version has what only the second should have",
    )?;

    // Ticks that have come and were not delivered yet are the second version's.
    let began = irq::ticks();
    while irq::ticks().wrapping_sub(began) < 5 {
        core::hint::spin_loop();
    }
    expect("the transition", runtime.replace(id, TallyV2::DESCRIPTOR)?, Transition::Done)?;
    kernel.run_for(100);
    board::stop_timer();
    kernel.turn();

    let ticks = runtime.call::<(), u64>("tally.ticks", ())?;
    let longest = runtime.call::<(), u64>("tally.longest", ())?;
    let clock = runtime.service::<ClockClient>()?.stats()?;
    say!("tally {} has counted {ticks} ticks", version().ok_or_else(|| Failure::new("tally is gone"))?);
    say!("  those that came while it was replaced are among them: {}", longest >= 5);
    say!("  ticks lost or counted twice: {}", ticks.abs_diff(irq::ticks().into()));
    expect("ticks", ticks, irq::ticks().into())?;
    expect("interrupts that the timer module has counted", clock.interrupts, ticks)?;
    ensure(longest >= 5, "no tick came while it was replaced")?;
    ensure(before >= 100, "the first version has counted too few")?;
    kernel.shut_down()
}
