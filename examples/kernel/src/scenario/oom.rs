//! Memory is used up: who can do without has an error, and who cannot brings the kernel down and is named.

use alloc::string::ToString;

use super::{Failure, ensure, expect};
use crate::kernel::Kernel;
use crate::{heap, say};

pub fn play(mut kernel: Kernel, case: &str) -> Result<(), Failure> {
    let too_much = heap::SIZE as u32 + 1;
    match case {
        "" => {}
        "and-panic" => {
            say!("fragile.try_and_panic({too_much}) is called");
            kernel.runtime.call::<(u32,), ()>("fragile.try_and_panic", (too_much,))?;
            return Err(Failure::new("it did not panic"));
        }
        _ => {
            say!("fragile.allocate({too_much}) is called");
            kernel.runtime.call::<(u32,), u32>("fragile.allocate", (too_much,))?;
            return Err(Failure::new("there was memory for it"));
        }
    }
    let used = heap::used();
    let Err(error) = kernel.runtime.call::<(u32,), u32>("fragile.try_allocate", (too_much,)) else {
        return Err(Failure::new("there was memory for it"));
    };
    say!("fragile.try_allocate({too_much}): {error}");
    ensure(error.to_string().contains("no memory"), "the error is another one")?;
    drop(error);
    expect("memory in use afterwards", heap::used(), used)?;
    let enough = kernel.runtime.call::<(u32,), u32>("fragile.try_allocate", (1024,))?;
    say!("fragile.try_allocate(1024): {enough}");
    kernel.start_timer();
    kernel.run_for(10);
    say!("the kernel lives, and ticks");
    kernel.shut_down()
}
